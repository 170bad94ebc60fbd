"""What `python -m backtest demo` runs: three kinds of strategy on the embedded market."""

from backtest.spec import BarsSpec, RunSpec
from feeds.universe import MARKET, SECTORS

FUNDS = tuple(sector.etf for sector in SECTORS)


def demonstrations() -> tuple[RunSpec, ...]:
    """A trend follower, a breakout with brackets, and a rotation over the sector funds."""
    return (
        _spec("sma_cross", (MARKET,), size="95%"),
        _spec("donchian_bracket", (FUNDS[0],), size="95%"),
        _spec("sector_rotation", FUNDS),
    )


def _spec(strategy: str, symbols: tuple[str, ...], size: str | None = None) -> RunSpec:
    return RunSpec(
        strategy,
        commission=0.0005,
        slippage_bps=2.0,
        size=size,
        bars=BarsSpec("synthetic", symbols),
    )
