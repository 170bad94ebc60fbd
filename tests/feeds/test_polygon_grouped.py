"""The whole market day by day, through the real massive client against a local server."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from brokers.clock import ManualClock
from brokers.errors import ConfigError, DataError
from feeds import history
from tests.feeds.polygon_server import KEY, NOW, PolygonServer, row_of
from tests.feeds.servers import Loopback, Reply

DAYS = ["2024-03-07", "2024-03-08", "2024-03-11"]  # the clocks change in between
SPLIT = {"ticker": "AAA", "execution_date": "2024-03-11", "split_from": 1, "split_to": 4}
BUSY = Reply.of({"status": "ERROR", "error": "too many"}, 429)


MARKET = {
    "2024-03-07": [row_of("AAA", 40.0), row_of("BBB", 7.0)],
    "2024-03-08": [row_of("AAA", 44.0), row_of("BBB", 8.0)],
    "2024-03-11": [row_of("AAA", 12.0, 500.0)],
}


def fetch(
    loopback: Loopback, cache: Path, symbols: str = "AAA,BBB", **options: Any
) -> dict[str, pd.DataFrame]:
    options = {"start": DAYS[0], "end": DAYS[-1], "clock": ManualClock(NOW), **options}
    start, end = options.pop("start"), options.pop("end")
    options = {"base": loopback.url, "api_key": KEY, "cache": cache, **options}
    return history("polygon_grouped", symbols, start, end, **options)


def grouped(loopback: Loopback) -> list[str]:
    return [request.path[-10:] for request in loopback.requests if "grouped" in request.path]


def test_a_session_is_one_call_and_starts_at_midnight_in_new_york(
    tmp_path: Path,
) -> None:
    with Loopback(PolygonServer(grouped=MARKET)) as loopback:
        found = fetch(loopback, tmp_path)
    assert grouped(loopback) == DAYS
    assert list(found) == ["AAA", "BBB"]
    assert [f"{time:%m-%d %H}" for time in found["AAA"].index] == [
        "03-07 05",
        "03-08 05",
        "03-11 04",
    ]
    assert found["BBB"]["close"].tolist() == [7.0, 8.0]
    passport = found["AAA"].attrs["passport"]
    assert (passport.source, passport.feed, passport.adjustment) == (
        "polygon_grouped",
        "sip-grouped",
        "split",
    )


def test_what_was_fetched_is_not_asked_for_again(tmp_path: Path) -> None:
    with Loopback(PolygonServer(grouped=MARKET)) as loopback:
        fetch(loopback, tmp_path, end=DAYS[1])
        fetch(loopback, tmp_path)
    assert grouped(loopback) == DAYS
    assert loopback.requests[0].query["adjusted"] == "false"


def test_a_split_that_comes_later_changes_what_was_kept(tmp_path: Path) -> None:
    with Loopback(PolygonServer(grouped=MARKET)) as loopback:
        fetch(loopback, tmp_path)
    with Loopback(PolygonServer(grouped=MARKET, splits=[SPLIT])) as loopback:
        bars = fetch(loopback, tmp_path)["AAA"]
        raw = fetch(loopback, tmp_path, adjusted=False)["AAA"]
    assert grouped(loopback) == []
    assert bars["close"].tolist() == [10.0, 11.0, 12.0]
    assert bars["volume"].tolist() == [400.0, 400.0, 500.0]
    assert raw["close"].tolist() == [40.0, 44.0, 12.0]


def test_splits_of_all_pages_are_applied(tmp_path: Path) -> None:
    others = [{**SPLIT, "ticker": f"Z{number}"} for number in range(3)]
    server = PolygonServer(grouped=MARKET, splits=[*others, SPLIT], page_size=2)
    with Loopback(server) as loopback:
        assert fetch(loopback, tmp_path)["AAA"]["close"].tolist() == [10.0, 11.0, 12.0]


def test_pages_of_splits_that_lead_nowhere_are_an_error(tmp_path: Path) -> None:
    class Lost(PolygonServer):
        def __call__(self, request: Any) -> Reply:
            if request.path.endswith("splits"):
                return Reply.of({"results": [], "next_url": f"{request.path}?cursor=1"})
            return super().__call__(request)

    server = Lost(grouped=MARKET)
    with Loopback(server) as loopback, pytest.raises(DataError, match="lead nowhere"):
        fetch(loopback, tmp_path)


def test_a_split_without_a_ratio_is_refused(tmp_path: Path) -> None:
    server = PolygonServer(grouped=MARKET, splits=[{**SPLIT, "split_to": 0}])
    with Loopback(server) as loopback, pytest.raises(DataError, match="split of AAA has no ratio"):
        fetch(loopback, tmp_path)


def test_calls_keep_to_the_pace_of_the_plan_and_the_time_left_is_told(tmp_path: Path) -> None:
    clock, told = ManualClock(NOW), []
    with Loopback(PolygonServer(grouped=MARKET)) as loopback:
        fetch(
            loopback, tmp_path, clock=clock, calls_per_minute=1, report=lambda *it: told.append(it)
        )
    assert told == [(0, 3, 180.0), (1, 3, 120.0), (2, 3, 60.0), (3, 3, 0.0)]
    assert clock.monotonic() == pytest.approx(180.0)  # three sessions and the splits


def test_a_rate_limit_in_the_middle_keeps_what_came_before_it(tmp_path: Path) -> None:
    class Tired(PolygonServer):
        def __call__(self, request: Any) -> Reply:
            return BUSY if request.path.endswith(DAYS[1]) else super().__call__(request)

    with Loopback(Tired(grouped=MARKET)) as loopback:
        with pytest.raises(DataError, match="what was already fetched is not asked for twice"):
            fetch(loopback, tmp_path)
        assert grouped(loopback)[0] == DAYS[0]
    with Loopback(PolygonServer(grouped=MARKET)) as loopback:
        fetch(loopback, tmp_path)
    assert grouped(loopback) == DAYS[1:]


def test_a_session_that_another_process_fetched_meanwhile_is_taken(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"

    class Shared(PolygonServer):
        def __call__(self, request: Any) -> Reply:
            if request.path.endswith(DAYS[0]):
                for file in theirs.rglob(f"{DAYS[1]}.parquet"):
                    shutil.copy(file, mine / file.relative_to(theirs))
            return super().__call__(request)

    with Loopback(PolygonServer(grouped=MARKET)) as loopback:
        fetch(loopback, theirs)
    with Loopback(Shared(grouped=MARKET)) as loopback:
        assert len(fetch(loopback, mine)["AAA"]) == 3
    assert grouped(loopback) == [DAYS[0], DAYS[2]]


def test_a_half_written_session_is_set_aside_and_fetched_anew(tmp_path: Path) -> None:
    with Loopback(PolygonServer(grouped=MARKET)) as loopback:
        fetch(loopback, tmp_path)
        kept = next(tmp_path.rglob(f"{DAYS[1]}.parquet"))
        kept.write_bytes(kept.read_bytes()[:100])
        found = fetch(loopback, tmp_path)
    assert grouped(loopback) == [*DAYS, DAYS[1]]
    assert len(found["AAA"]) == 3
    assert len(list(tmp_path.rglob("*.damaged-*"))) == 1


@pytest.mark.parametrize("partial", [False, True])
def test_a_symbol_without_bars_is_refused_or_left_out(tmp_path: Path, partial: bool) -> None:
    with Loopback(PolygonServer(grouped=MARKET)) as loopback:
        if partial:
            assert list(fetch(loopback, tmp_path, "AAA,NOPE", partial=True)) == ["AAA"]
            return
        with pytest.raises(DataError, match=r"no bars of NOPE from 2024-03-07.*3 sessions"):
            fetch(loopback, tmp_path, "AAA,NOPE")


def test_without_symbols_the_whole_market_comes(tmp_path: Path) -> None:
    with Loopback(PolygonServer(grouped=MARKET)) as loopback:
        assert list(fetch(loopback, tmp_path, "")) == ["AAA", "BBB"]


def test_a_session_that_is_not_over_is_not_asked_for(tmp_path: Path) -> None:
    clock = ManualClock(datetime(2024, 3, 11, 15, tzinfo=UTC))
    with Loopback(PolygonServer(grouped=MARKET)) as loopback:
        assert len(fetch(loopback, tmp_path, clock=clock, end=None)["AAA"]) == 2
    assert grouped(loopback) == DAYS[:2]


@pytest.mark.parametrize(
    ("options", "kind", "text"),
    [
        ({"start": None}, ConfigError, "needs a start"),
        ({"timeframe": "1h"}, ConfigError, "has days, not 1h"),
        ({"start": "2024-03-09", "end": "2024-03-10"}, DataError, "no session is over"),
        ({"start": "2024-12-01", "end": None}, DataError, "no session is over"),
    ],
)
def test_what_it_cannot_give_is_refused(
    tmp_path: Path, options: dict[str, Any], kind: type[Exception], text: str
) -> None:
    with Loopback(PolygonServer()) as loopback, pytest.raises(kind, match=text):
        fetch(loopback, tmp_path, **options)


def test_a_wrong_key_is_one_clear_error(tmp_path: Path) -> None:
    refused = Reply.of({"status": "ERROR", "error": "Unknown API Key"}, 401)
    server = PolygonServer(always=refused)
    with Loopback(server) as loopback, pytest.raises(ConfigError, match="the key was refused"):
        fetch(loopback, tmp_path)
    assert not list(tmp_path.rglob("*.parquet"))
