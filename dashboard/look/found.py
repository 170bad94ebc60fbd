"""Things that were found, one below the other: what, when, why, and numbers."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from dashboard.look import sheet
from dashboard.tone import Tone


@dataclass(frozen=True, slots=True)
class Find:
    """One of them.

    Args:
        what: in a few words.
        at: when, as it is to be read.
        why: a sentence each.
        known: label and value.
    """

    what: str
    at: str
    why: tuple[str, ...]
    known: tuple[tuple[str, str], ...] = ()
    tone: Tone = ""


def found(finds: Iterable[Find]) -> None:
    """Draw them; all text is escaped."""
    sheet.put("".join(map(_drawn, finds)))


def _drawn(find: Find) -> str:
    why = "".join(f"<li>{escape(text)}</li>" for text in find.why)
    known = "".join(
        f"<span>{escape(label)} <b>{escape(text)}</b></span>" for label, text in find.known if text
    )
    tone = f" sw-left-{find.tone}" if find.tone else ""
    return (
        f'<div class="sw-entry{tone}"><div class="sw-entry-top">'
        f'<span class="sw-entry-what">{escape(find.what)}</span>'
        f'<span class="sw-entry-at">{escape(find.at)}</span></div>'
        f'<ul class="sw-entry-why">{why}</ul><div class="sw-entry-foot">{known}</div></div>'
    )
