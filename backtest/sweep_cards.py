"""A sweep as a person reads it: in a notebook, in a terminal, in a file."""

import base64
from html import escape
from math import isfinite
from pathlib import Path

from rich.table import Table

from analyzers import markup
from analyzers.picture import png
from analyzers.whole import write_whole
from backtest.figures import Chart
from backtest.outcomes import METRICS
from backtest.sweep_result import SweepResult

SHOWN = 10  # of the best sets
IN_TERMINAL = ("final_value", "total_return", "sharpe", "max_drawdown", "trades")
_LAYOUTS = {
    "final_value": ",.2f", "total_return": "+.2%", "max_drawdown": ".2%", "win_rate": ".1%",
    "exposure": ".1%", "trades": ",.0f",
}  # fmt: skip


def card(result: SweepResult) -> str:
    """A small page for notebooks that takes the page's own colours."""
    header, *lines = _best_rows(result)
    return markup.card(title(result), markup.facts(facts(result)), markup.table(header, lines))


def title(result: SweepResult) -> str:
    """What was swept on what."""
    shown = ", ".join(list(result.passports)[:4])
    more = len(result.passports) - 4
    rest = f" and {more} more" if more > 0 else ""
    made = " (synthetic prices)" * any(it.synthetic for it in result.passports.values())
    return f"{result.strategy} on {shown}{rest}{made}{' (PARTIAL)' * result.partial}"


def facts(result: SweepResult) -> list[tuple[str, str]]:
    """What was tried, the best of it, and what chance would have shown."""
    failed = f", {result.failures:,} failed" if result.failures else ""
    given_up = result.outcomes.pruned
    pruned = f", {given_up:,} pruned" if given_up else ""
    left = f", {result.left_out:,} left out by the constraint" if result.left_out else ""
    known = f", {result.known:,} known from the ledger" if result.known else ""
    engine = f"{result.engine}" + (f" ({result.engine_reason})" if result.engine_reason else "")
    confirmed = f", {len(result.confirmed)} confirmed in Backtrader" * bool(result.confirmed)
    told = [
        ("sets", f"{len(result):,}{failed}{pruned}{left}{known}"),
        ("trials in all", f"{result.trials:,} of this strategy on these bars"),
        ("engine", f"{engine}{confirmed}"),
        ("time", f"{result.wall_s:.2f} s"),
    ]
    if result.ranked().empty:
        return [*told, ("best set", f"none has a {result.objective}")]
    best, chance = result.best(), result.overfit
    trials = f"of {result.trials:,} trials"
    other = [] if result.objective == "sharpe" else [
        (result.objective.replace("_", " "), _text(result.objective, best[result.objective]))
    ]  # fmt: skip
    return [
        *told,
        ("best set", " ".join(f"{name}={best[name]}" for name in result.names)),
        *other,
        ("Sharpe ratio", f"{_text('sharpe', best['sharpe'])}, the best {trials}"
         if result.objective == "sharpe" else f"{_text('sharpe', best['sharpe'])}, one {trials}"),
        ("PSR", f"{_share(chance.psr)} that it is above 0, had it been the only trial"),
        ("DSR", f"{_share(chance.dsr)} that it is above what chance gives the best {trials}"),
        ("PBO", f"{_share(chance.pbo)} that the best is below the median afterwards"),
        ("track record", _periods(chance.min_track_record, result)),
    ]  # fmt: skip


def report(result: SweepResult, path: Path) -> Path:
    """Write one HTML file that needs nothing else. Returns its path.

    Raises:
        ConfigError: it cannot be written there.
    """
    charts = "" if result.ranked().empty else "".join(map(_image, _pictures(result)))
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>'
        f"{escape(title(result))}</title><style>body{{font-family:system-ui,sans-serif;"
        "margin:2rem auto;max-width:70rem;padding:0 1rem}table{border-collapse:collapse;"
        "margin:1rem 0}img{max-width:100%}</style></head><body>"
        f"{card(result)}{charts}</body></html>\n"
    )
    write_whole(path, page.encode())
    return path


def _pictures(result: SweepResult) -> list[tuple[str, Chart]]:
    return [
        ("The objective over two parameters", result.heatmap()),
        ("Every set through its parameters", result.parallel_coordinates()),
    ]


def _image(picture: tuple[str, Chart]) -> str:
    name, chart = picture
    content = base64.b64encode(png(chart)).decode()
    return f'<p><img alt="{name}" src="data:image/png;base64,{content}"></p>'


def numbers(result: SweepResult) -> Table:
    """The facts for a terminal."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for label, text in facts(result):
        table.add_row(label, text)
    return table


def best_sets(result: SweepResult) -> Table:
    """The best sets for a terminal."""
    header, *rows = _best_rows(result, IN_TERMINAL)
    table = Table(
        box=None, pad_edge=False, title_justify="left",
        title=f"the best {len(rows)} by {result.objective}, of {result.trials:,} trials",
    )  # fmt: skip
    for name in header:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*row)
    return table


def _best_rows(result: SweepResult, metrics: tuple[str, ...] = METRICS) -> list[list[str]]:
    names = list(dict.fromkeys([*result.names, result.objective, *metrics]))
    rows = result.ranked().head(SHOWN)[names].to_dict("records")
    return [
        [name.replace("_", " ") for name in names],
        *([_text(name, row[name]) for name in names] for row in rows),
    ]


def _text(name: str, value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    if not isfinite(value):
        return "-"
    layout = _LAYOUTS.get(name, ".2f" if name in METRICS else ".6g")
    return f"{value:{layout}}"


def _share(value: float) -> str:
    return f"{value:.1%}" if isfinite(value) else "not determined:"


def _periods(needed: float, result: SweepResult) -> str:
    had = int(result.outcomes.periods.max())
    if not isfinite(needed):
        return f"no number of periods makes it likely to be above 0; there are {had:,}"
    return f"{needed:,.0f} periods make it 95 % likely to be above 0; there are {had:,}"
