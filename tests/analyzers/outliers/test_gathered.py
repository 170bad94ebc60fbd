"""What is asked of Polygon for few symbols and for many, and what is told meanwhile."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from analyzers.outlier import Limits
from analyzers.outliers.gathered import Source
from analyzers.outliers.printing import progress, time_left
from brokers.clock import ManualClock
from tests.analyzers.outliers.polygon_market import Market
from tests.analyzers.outliers.stage import DAY, NOW, Stage
from tests.feeds.polygon_server import polygon
from tests.feeds.servers import Loopback

FEW = Limits(residual_days=5, least_residual_days=5)
Told = list[tuple[str, int, int, float]]


def test_a_large_universe_gets_its_days_session_by_session(tmp_path: Path) -> None:
    stage, clock, told = Stage(("AAA", "SPY")), ManualClock(NOW), Told()
    market, more = Market(stage), [f"Q{number:02}" for number in range(24)]
    market.add(more)
    with Loopback(market) as loopback:
        source = Source(
            polygon(loopback, clock), clock, 5, tmp_path, lambda *one: told.append(one), FEW
        )
        found = source.gathered(["AAA", "SPY", *more], [DAY])
    assert market.calls == 2 + 25 + 1 + 26  # actions, sessions, splits, minutes
    assert told[0] == ("days", 0, 25, 300.0)
    assert told[-1] == ("Q23", 25, 26, 12.0)
    assert found.daily["AAA"]["close"].tolist() == stage.daily["AAA"]["close"].tolist()[-25:]
    assert set(found.bars) == {"AAA", "SPY", *more}


def test_on_a_terminal_progress_is_a_bar_and_no_lines() -> None:
    console = Console(file=io.StringIO(), force_terminal=True)
    with progress(console) as tell:
        tell("AAA", 0, 2, 60.0)
    assert "1/2 AAA" not in console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("left_s", "text"), [(0.0, "0 h 00 min"), (61.0, "0 h 02 min"), (72_000.0, "20 h 00 min")]
)
def test_the_time_left_is_rounded_up(left_s: float, text: str) -> None:
    assert time_left(left_s) == text
