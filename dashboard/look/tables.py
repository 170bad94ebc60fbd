"""Tables in HTML: escaped, aligned, and scrolled sideways by themselves on a phone."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from urllib.parse import quote

from dashboard.look import sheet
from dashboard.tone import Tone

Cell = str | tuple[str, Tone]  # a text, or a text and its tone


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    numbers: Sequence[str] = (),
    links: Mapping[str, str] | None = None,
    marked: int | None = None,
) -> None:
    """Draw a table.

    Args:
        numbers: columns aligned to the right, in digits of equal width.
        links: where a column's texts lead: an address that each text is appended to.
        marked: the number of a row to highlight.
    """
    right = frozenset(numbers)
    head = "".join(f'<th class="{_side(name, right)}">{escape(name)}</th>' for name in columns)
    body = "".join(
        f'<tr class="{"sw-mark" if number == marked else ""}">'
        + "".join(
            _cell(name, cell, right, links or {}) for name, cell in zip(columns, row, strict=True)
        )
        + "</tr>"
        for number, row in enumerate(rows)
    )
    sheet.put(
        '<div class="sw-scroll"><table class="sw-table">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(name: str, cell: Cell, right: frozenset[str], links: Mapping[str, str]) -> str:
    text, tone = cell if isinstance(cell, tuple) else (cell, "")
    shown = escape(text)
    if name in links and text:
        shown = f'<a href="{escape(links[name] + quote(text))}">{shown}</a>'
    return f'<td class="{_side(name, right)} {f"sw-{tone}" if tone else ""}">{shown}</td>'


def _side(name: str, right: frozenset[str]) -> str:
    return "sw-right" if name in right else "sw-left"
