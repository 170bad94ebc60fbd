"""Small pieces of HTML: headings, cards, facts, banners; all text is escaped here."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from dashboard.look import sheet
from dashboard.tone import Tone

UNKNOWN = "-"


@dataclass(frozen=True, slots=True)
class Card:
    """One number and what it is.

    Args:
        note: a second line: unit, change, time.
        tone: colours the value.
    """

    label: str
    value: str
    note: str = ""
    tone: Tone = ""


def heading(title: str, subtitle: str = "", pill: tuple[str, Tone] | None = None) -> None:
    """The page's title, with a state beside it."""
    state = f'<span class="sw-pill sw-{pill[1]}">{escape(pill[0])}</span>' if pill else ""
    below = f'<div class="sw-sub">{escape(subtitle)}</div>' if subtitle else ""
    name = f'<span class="sw-title" role="heading" aria-level="1">{escape(title)}</span>'
    sheet.put(f'<div class="sw-head">{name}{state}</div>{below}')


def cards(shown: Iterable[Card]) -> None:
    """Cards in a row that wraps; two abreast on a phone."""
    sheet.put(f'<div class="sw-cards">{"".join(map(_card, shown))}</div>')


def facts(told: Iterable[tuple[str, str]], differing: Iterable[str] = ()) -> None:
    """Labels and texts, one a line; those that differ are highlighted."""
    marked = frozenset(differing)
    rows = "".join(
        f'<div class="sw-fact">{escape(label)}</div>'
        f'<div class="sw-told">{_marked(text) if label in marked else escape(text)}</div>'
        for label, text in told
    )
    sheet.put(f'<div class="sw-facts">{rows}</div>')


def banner(text: str, tone: Tone = "calm") -> None:
    """One sentence that must not be overlooked."""
    role = ' role="alert"' if tone == "bad" else ""
    sheet.put(f'<div class="sw-banner sw-{tone}"{role}>{escape(text)}</div>')


def signed(value: float, layout: str = ",.2f") -> tuple[str, Tone]:
    """A number with its sign, and the tone of a gain or a loss."""
    tone: Tone = "gain" if value > 0 else "loss" if value < 0 else ""
    return f"{value:+{layout}}" if value else f"{0:{layout}}", tone


def percent(value: float) -> str:
    """A change, signed; one that is too small to be told is none.

    >>> percent(0.0123), percent(-0.00001)
    ('+1.23%', '0.00%')
    """
    text = f"{value:+z.2%}"
    return text if text.strip("+-") != "0.00%" else "0.00%"


def _card(card: Card) -> str:
    tone = f" sw-{card.tone}" if card.tone else ""
    note = f'<div class="sw-note">{escape(card.note)}</div>' if card.note else ""
    return (
        f'<div class="sw-card"><div class="sw-label">{escape(card.label)}</div>'
        f'<div class="sw-value{tone}">{escape(card.value)}</div>{note}</div>'
    )


def _marked(text: str) -> str:
    return f'<span class="sw-differs">{escape(text)}</span>'


def section(title: str) -> None:
    """The title of a part of a page."""
    sheet.put(f'<div class="sw-section" role="heading" aria-level="2">{escape(title)}</div>')


def remark(text: str) -> None:
    """Small print: how to read what stands above."""
    sheet.put(f'<div class="sw-sub">{escape(text)}</div>')
