"""The sector report of 500 symbols over ten years of days, in memory; the goal is under 5 s."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
from pytest_benchmark.fixture import BenchmarkFixture

from analyzers.sector import SectorMap, sector_report
from analyzers.sector_map import ETFS, SECTORS
from feeds.passport import stamp

SYMBOLS, DAYS = 500, 2520
AT = datetime(2026, 1, 1, tzinfo=UTC)


def frames() -> dict[str, pd.DataFrame]:
    """Random walks with the passports that a feed gives."""
    rng = np.random.default_rng(1)
    index = pd.bdate_range(end="2025-12-31", periods=DAYS, tz="UTC", name="time")
    names = [*(f"S{number}" for number in range(SYMBOLS)), *ETFS, "SPY"]
    made = {}
    for name in names:
        close = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, DAYS)))
        columns = {"open": close, "high": close * 1.01, "low": close * 0.99, "close": close}
        bars = pd.DataFrame({**columns, "volume": 1e6}, index=index)
        made[name] = stamp(bars, symbol=name, source="synthetic", timeframe="1d")
    return made


def test_sector_report_of_500_symbols_and_ten_years(benchmark: BenchmarkFixture) -> None:
    """From frames to the bytes of the report."""
    market = frames()
    of = {f"S{number}": SECTORS[number % len(SECTORS)].name for number in range(SYMBOLS)}
    sector_map = SectorMap.of(of)

    def report() -> bytes:
        return sector_report(market, generated_at=AT, sector_map=sector_map).as_bytes()

    told = benchmark.pedantic(report, rounds=3, warmup_rounds=1)
    assert b'"members_used": 46' in told
