"""The screen of 3,000 symbols x 390 minutes x 20 sessions: under 20 s, and under 4 GB."""

import resource
import subprocess
import sys
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
from pytest_benchmark.fixture import BenchmarkFixture

from analyzers.outlier import OutlierReport, outliers
from feeds import calendars

SYMBOLS, MINUTES, SECTORS = 3_000, 390, 11
DAY, NOW = date(2024, 2, 28), datetime(2024, 3, 1, tzinfo=UTC)
GIGABYTE = 1024 * 1024  # of ru_maxrss, in kilobytes

Frames = dict[str, pd.DataFrame]


def walks(index: pd.DatetimeIndex, deviation: float, count: int) -> Frames:
    rng = np.random.default_rng(7)
    return {f"S{number:04}": walk(index, deviation, rng) for number in range(count)}


def walk(index: pd.DatetimeIndex, deviation: float, rng: np.random.Generator) -> pd.DataFrame:
    close = 50.0 * np.exp(np.cumsum(rng.normal(0.0, deviation, len(index))))
    opened = np.concatenate((close[:1], close[:-1]))
    return pd.DataFrame(
        {
            "open": opened,
            "high": np.maximum(opened, close) * 1.0005,
            "low": np.minimum(opened, close) * 0.9995,
            "close": close,
            "volume": rng.integers(100, 1000, len(index)).astype(float),
        },
        index=index,
    )


def market(count: int) -> tuple[Frames, Frames]:
    """Minutes of the day and of 20 sessions before, and days of 100."""
    dates = calendars.sessions("XNYS", "2023-10-02", DAY)
    opens = calendars.session_open("XNYS", dates[-21:])
    minutes = np.concatenate(
        [pd.date_range(opened, periods=MINUTES, freq="min").asi8 for opened in opens.as_unit("ns")]
    )
    index = pd.DatetimeIndex(minutes, tz="UTC", name="time")
    return walks(index, 0.001, count), walks(dates.tz_localize("UTC"), 0.02, count)


def screened(bars: Frames, daily: Frames) -> OutlierReport:
    sectors = {symbol: f"sector {int(symbol[1:]) % SECTORS}" for symbol in bars}
    return outliers(bars, daily, [DAY], generated_at=NOW, sectors=sectors, benchmark="S0000")


def test_three_thousand_symbols_are_screened(benchmark: BenchmarkFixture) -> None:
    bars, daily = market(SYMBOLS if benchmark.enabled else 50)
    report = benchmark.pedantic(screened, (bars, daily), rounds=3)
    assert report.universe == len(bars)
    if benchmark.enabled:
        assert benchmark.stats.stats.median < 20.0


def test_frames_and_screen_fit_into_four_gigabytes(benchmark: BenchmarkFixture) -> None:
    count = SYMBOLS if benchmark.enabled else 50
    program = f"from benchmarks.test_analytics_outlier import peak; peak({count})"
    told = benchmark.pedantic(subprocess.check_output, ([sys.executable, "-c", program],), rounds=1)
    benchmark.extra_info["peak_gb"] = int(told) / GIGABYTE
    assert int(told) < 4 * GIGABYTE


def peak(count: int) -> None:
    screened(*market(count))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
