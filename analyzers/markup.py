"""Small HTML tables for notebooks, in the page's own colours; every text is escaped."""

from collections.abc import Iterable, Sequence
from html import escape

LINE = "border-bottom:1px solid rgba(128,128,128,.35)"
CELL = f"padding:.15em .8em;{LINE};text-align:"
TABLE = "border-collapse:collapse;background:none;margin:.3em 0"


def card(title: str, *parts: str, notes: Iterable[str] = ()) -> str:
    """A heading, what a reader must know first, and tables under it.

    Args:
        parts: made by `facts` and `table`; they are HTML already.
        notes: warnings, each on a line of its own.
    """
    warned = "".join(f"<div>⚠ {escape(text)}</div>" for text in notes)
    return (
        '<div style="font-variant-numeric:tabular-nums">'
        f"<div><b>{escape(title)}</b></div>{warned}{''.join(parts)}</div>"
    )


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """A row a fact: its name, its value."""
    rows = "".join(
        f'<tr><th style="{CELL}left;font-weight:normal;opacity:.75">{escape(label)}</th>'
        f'<td style="{CELL}left">{escape(text)}</td></tr>'
        for label, text in pairs
    )
    return f'<table style="{TABLE}">{rows}</table>'


def table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, words: Iterable[str] = ()
) -> str:
    """Rows under a header, numbers to the right.

    Args:
        words: names of the columns of words, which are set to the left.
    """
    texts = frozenset(words)
    sides = ["left" if name in texts else "right" for name in header]
    lines = [_row("th", header, sides), *(_row("td", row, sides) for row in rows)]
    return f'<table style="{TABLE}">{"".join(lines)}</table>'


def _row(kind: str, cells: Sequence[str], sides: Sequence[str]) -> str:
    return (
        "<tr>"
        + "".join(
            f'<{kind} style="{CELL}{side}">{escape(text)}</{kind}>'
            for text, side in zip(cells, sides, strict=True)
        )
        + "</tr>"
    )
