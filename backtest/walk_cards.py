"""A walk-forward as a person reads it, in a terminal and in a notebook."""

from math import isfinite

from rich.table import Table

from analyzers import markup
from backtest.walk_result import WalkForwardResult


def facts(result: WalkForwardResult) -> list[tuple[str, str]]:
    """What the tests out of sample came to."""
    told = result.metrics
    idle = sum(walk.params is None for walk in result.walks)
    return [
        ("windows", f"{len(result.walks)}" + (f", {idle} in cash" if idle else "")),
        ("trials in training", f"{result.trials:,}"),
        ("final value", f"{result.final_value:,.2f}"),
        ("return out of sample", _share(told["return"])),
        ("Sharpe ratio out of sample", f"{_ratio(told['sharpe'])} after {result.trials:,} trials"),
        ("deepest drawdown", _share(told["max_drawdown"])),
        ("trades", f"{len(result.trades):,}"),
        ("efficiency", f"{_ratio(result.efficiency)}: return a year in tests over training"),
        *(
            (f"choice of {row.parameter}", _choice(row))
            for row in result.stability().itertuples()
            if row.distinct
        ),
    ]


def table(result: WalkForwardResult) -> Table:
    """A row a window."""
    shown = Table(box=None, pad_edge=False)
    names = list(result.grid)
    for column in ("test from", "to", *names, "Sharpe before", "and in it", "trades", "account"):
        shown.add_column(column, justify="right")
    for walk in result.walks:
        chosen = [UNKNOWN if walk.params is None else str(walk.params[name]) for name in names]
        shown.add_row(
            f"{walk.window.test_from:%Y-%m-%d}",
            f"{walk.equity.index[-1]:%Y-%m-%d}",
            *chosen,
            _ratio(walk.train_sharpe),
            _ratio(walk.test_sharpe),
            f"{len(walk.trades)}",
            f"{walk.final_value:,.2f}",
        )
    return shown


def card(result: WalkForwardResult) -> str:
    """A small table for notebooks that takes the page's own colours."""
    partial = " (PARTIAL)" * result.partial
    title = f"{result.config['strategy']}: walk-forward{partial}"
    return markup.card(title, markup.facts(facts(result)))


UNKNOWN = "n/a"


def _choice(row: object) -> str:
    distinct, common, share, step = (
        getattr(row, name) for name in ("distinct", "most_common", "share", "step")
    )
    moved = f", moves {step:.0%} of the grid a window" if isfinite(step) else ""
    return f"{distinct} values, {common} in {share:.0%} of the windows{moved}"


def _share(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:+.2%}"


def _ratio(value: float | None) -> str:
    return UNKNOWN if value is None or not isfinite(value) else f"{value:.2f}"
