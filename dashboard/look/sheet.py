"""Where HTML goes: piece by piece, or together, so that a page changes in one go."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import streamlit as st

_pieces: ContextVar[list[str] | None] = ContextVar("pieces", default=None)


def put(html: str) -> None:
    """Add a piece, whose texts are escaped already."""
    pieces = _pieces.get()
    if pieces is not None:
        pieces.append(html)
    elif html:
        st.html(html)


@contextmanager
def together() -> Iterator[None]:
    """Show the pieces of the block as one, at its end; for blocks without charts and widgets."""
    pieces: list[str] = []
    token = _pieces.set(pieces)
    try:
        yield
    finally:
        _pieces.reset(token)
        put("".join(pieces))
