"""Yahoo's failures, told apart through the real yfinance against a local server."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from brokers.clock import ManualClock
from brokers.errors import ConfigError, DataError
from feeds import history
from tests.feeds.servers import HANG, Loopback, Reply
from tests.feeds.yahoo_server import (
    MARCH,
    NOW,
    Chart,
    LoopbackSession,
    YahooServer,
    fetch,
    yahoo_refusal,
)

TOO_MANY = Reply(429, "Too Many Requests")


@pytest.mark.parametrize("attempt", range(3))  # yfinance takes another path from the third on
def test_an_unknown_symbol_is_called_unknown(attempt: int) -> None:
    with pytest.raises(DataError, match=rf"unknown symbol 'NOPE{attempt}': check the ticker"):
        fetch(YahooServer(), f"NOPE{attempt}")


def test_a_delisted_symbol_whose_zone_is_remembered_says_what_yahoo_says() -> None:
    refusal = yahoo_refusal(404, "No data found, symbol may be delisted")
    server = YahooServer({"GONE": MARCH}, always=refusal)
    with pytest.raises(DataError, match="Yahoo says: No data found, symbol may be delisted"):
        fetch(server, "GONE")


def test_a_range_without_bars_says_so() -> None:
    with pytest.raises(DataError, match=r"no 1d bars of AAPL from 2023-01-02 to before 2023-01-04"):
        fetch(YahooServer({"AAPL": MARCH}), "AAPL", "2023-01-02", "2023-01-03")


@pytest.mark.parametrize(
    ("timeframe", "reach"),
    [("1m", "30 days, 7 in one"), ("5m", "60 days"), ("30m", "60 days"), ("1h", "730 days")],
)
def test_a_range_out_of_reach_names_the_look_back(timeframe: str, reach: str) -> None:
    refusal = yahoo_refusal(422, f"{timeframe} data not available for startTime=1 and endTime=2")
    server = YahooServer({"AAPL": MARCH}, always=refusal)
    with pytest.raises(DataError, match=f"Yahoo says.*reach back the last {reach}"):
        fetch(server, "AAPL", "2020-01-01", "2020-01-02", timeframe)


def test_a_range_of_nothing_but_holes_is_an_error() -> None:
    hole = ("2024-03-11", None, None, None, None, None, None)
    with pytest.raises(DataError, match="left out 1 bar"):
        fetch(YahooServer({"AAPL": Chart([hole])}))


def test_a_rate_limit_is_waited_for_on_the_clock() -> None:
    clock = ManualClock(NOW)
    # yfinance asks twice for each of its tries, the second time with another cookie.
    server = YahooServer({"AAPL": MARCH}, failures=[TOO_MANY] * 4)
    bars = fetch(server, clock=clock, rng=random.Random(7))["AAPL"]
    jitter = random.Random(7)
    assert len(bars) == 4
    assert clock.monotonic() == pytest.approx(jitter.uniform(0, 5) + jitter.uniform(0, 10))


def test_a_rate_limit_without_end_names_the_wait_and_the_remedy() -> None:
    clock = ManualClock(NOW)
    with pytest.raises(DataError, match=r"429.*gave up after \d+ tries in \d+.*wait some minutes"):
        fetch(YahooServer({"AAPL": MARCH}, always=TOO_MANY), clock=clock)
    assert 60 < clock.monotonic() <= 180


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (Reply(500, "<html>oops</html>"), "no usable answer"),
        (Reply(200, "not { json"), "no usable answer"),
        (Reply(503, "Will be right back"), "CURRENTLY DOWN"),
        (Reply(200, "{", {"Content-Length": "99"}), "it failed"),
        (Reply.of({"finance": {"error": {"code": "Unauthorized"}}}, 401), "no chart"),
    ],
)
def test_a_broken_answer_is_asked_for_again_and_then_named(reply: Reply, text: str) -> None:
    clock = ManualClock(NOW)
    with pytest.raises(DataError, match=f"yahoo: .*{text}.*gave up after"):
        fetch(YahooServer({"AAPL": MARCH}, always=reply), clock=clock)
    assert clock.monotonic() > 60


def test_a_second_try_is_not_answered_from_yfinances_memory() -> None:
    server = YahooServer({"AAPL": MARCH}, failures=[Reply(500, "oops")] * 2)
    assert len(fetch(server)["AAPL"]) == 4


def test_an_answer_in_another_format_is_named_at_once() -> None:
    strange = Reply.of({"chart": {"result": [{"indicators": {"quote": [{"open": [1]}]}}]}})
    with pytest.raises(DataError, match="could not read the answer for 1d bars of AAPL"):
        fetch(YahooServer({"AAPL": MARCH}, always=strange))


def test_a_server_that_hangs_is_given_up_in_the_end() -> None:
    clock = ManualClock(NOW)
    server = YahooServer({"AAPL": MARCH}, always=HANG)
    with pytest.raises(DataError, match=r"Timeout.*gave up"):
        fetch(server, timeout_s=0.05, clock=clock)


def test_no_network_is_told_at_once() -> None:
    with Loopback(YahooServer()) as loopback:
        gone = loopback.url
    clock = ManualClock(NOW)
    with (
        LoopbackSession(gone) as session,
        pytest.raises(DataError, match=r"no connection.*network"),
    ):
        history("yahoo", "AAPL", "2024-03-07", session=session, clock=clock)
    assert clock.monotonic() == 0


def test_a_session_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="yahoo: Unsupported session type"):
        history("yahoo", "AAPL", session=object())


def test_half_hours_without_any_price_are_no_bars() -> None:
    hole = ("2024-03-08 09:30", None, None, None, None, None, None)
    with pytest.raises(DataError, match="no 30m bars of AAPL"):
        fetch(YahooServer({"AAPL": Chart([hole])}), "AAPL", "2024-03-08", "2024-03-08", "30m")


def test_a_rate_limit_on_every_page_is_called_a_rate_limit() -> None:
    with Loopback(lambda _: TOO_MANY) as loopback, LoopbackSession(loopback.url) as session:
        clock = ManualClock(NOW)
        with pytest.raises(DataError, match="its rate limit is reached"):
            history("yahoo", "NEVER-SEEN", session=session, clock=clock)


def test_importing_the_sources_imports_neither_yfinance_nor_massive() -> None:
    code = "import sys, feeds.yahoo, feeds.polygon; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"yfinance", "massive"} & set(done.stdout.split())


def test_nothing_is_said_or_left_behind_in_home_and_temporary_folder(tmp_path: Path) -> None:
    code = (
        "from tests.feeds.test_yahoo_client import *\n"
        "try: fetch(YahooServer({'AAPL': MARCH}, always=TOO_MANY))\n"
        "except DataError: pass"
    )
    folders = {name: str(tmp_path) for name in ("HOME", "XDG_CACHE_HOME", "TMPDIR")}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **folders}, check=True
    )
    assert (done.stdout, done.stderr, list(tmp_path.iterdir())) == ("", "", [])
