"""Polygon through the real massive client, against a local server that speaks its format."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from brokers.clock import ManualClock
from brokers.errors import ConfigError, DataError, SeawallError
from feeds import history
from feeds.passport import Passport
from feeds.polygon import Polygon, TickerDetails
from tests.feeds.servers import HANG, Loopback, PolygonServer, Reply, aggregate

NOW = datetime(2024, 7, 1, 12, tzinfo=UTC)
KEY = "s3cr3t-key"

# The clocks in New York go forward on 2024-03-10.
MARCH = [
    aggregate("2024-03-07", 100.0, 104.0, 99.0, 102.0, 1000.0),
    aggregate("2024-03-08", 102.0, 106.0, 101.0, 104.0, 1100.0),
    aggregate("2024-03-11", 104.0, 108.0, 103.0, 106.0, 1200.5),
]
TOO_MANY = Reply.of(
    {"status": "ERROR", "error": "You've exceeded the maximum requests per minute"}, 429
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


def fetch(
    server: PolygonServer,
    symbols: str = "AAPL",
    start: str | None = "2024-03-07",
    end: str | None = "2024-03-11",
    timeframe: str = "1d",
    **options: Any,
) -> dict[str, pd.DataFrame]:
    options = {"clock": ManualClock(NOW), "api_key": KEY, **options}
    with Loopback(server) as loopback:
        return history("polygon", symbols, start, end, timeframe, base=loopback.url, **options)


def passport(frame: pd.DataFrame) -> Passport:
    found = frame.attrs["passport"]
    assert isinstance(found, Passport)
    return found


def client(loopback: Loopback, clock: ManualClock, **options: Any) -> Polygon:
    return Polygon(KEY, base=loopback.url, clock=clock, rng=random.Random(1), **options)


def march(polygon: Polygon) -> pd.DataFrame:
    return polygon.aggregates("AAPL", datetime(2024, 3, 7, tzinfo=UTC), None, "1d")


def test_daily_bars_start_at_midnight_in_new_york_across_the_change_of_clocks() -> None:
    bars = fetch(PolygonServer({"AAPL": MARCH}))["AAPL"]
    assert [f"{time:%m-%d %H}" for time in bars.index] == ["03-07 05", "03-08 05", "03-11 04"]
    assert bars.iloc[2].tolist() == [104.0, 108.0, 103.0, 106.0, 1200.5]


def test_the_passport_says_where_the_bars_came_from() -> None:
    found = passport(fetch(PolygonServer({"AAPL": MARCH}))["AAPL"])
    assert (found.symbol, found.source, found.feed) == ("AAPL", "polygon", "sip")
    assert (found.timeframe, found.calendar, found.fetched_at) == ("1d", "XNYS", NOW)
    assert (found.adjustment, found.gaps, found.repairs) == ("split", (), ())


@pytest.mark.parametrize(("adjusted", "name"), [(True, "split"), (False, "none")])
def test_adjustment_is_asked_for_and_noted(adjusted: bool, name: str, clock: ManualClock) -> None:
    with Loopback(PolygonServer({"AAPL": MARCH})) as loopback:
        bars = client(loopback, clock).aggregates("AAPL", None, None, "1d", adjusted=adjusted)
    assert loopback.requests[0].query["adjusted"] == str(adjusted).lower()
    assert passport(bars).adjustment == name


def test_days_are_asked_for_by_date_and_minutes_by_the_millisecond() -> None:
    minute = aggregate("2024-03-08 09:30", 10.0, 12.0, 9.0, 11.0, 100.0)
    with Loopback(PolygonServer({"AAPL": MARCH, "MSFT": [minute]})) as loopback:
        options = {"api_key": KEY, "clock": ManualClock(NOW), "base": loopback.url}
        history("polygon", "AAPL", "2024-03-07", "2024-03-11", **options)
        history("polygon", "MSFT", "2024-03-08", "2024-03-08", "5m", **options)
    days, minutes = (request.path for request in loopback.requests)
    assert days == "/v2/aggs/ticker/AAPL/range/1/day/2024-03-07/2024-03-11"
    midnight, next_midnight = (
        int(pd.Timestamp(day, tz="America/New_York").timestamp() * 1000)
        for day in ("2024-03-08", "2024-03-09")
    )
    asked = f"range/5/minute/{midnight}/{next_midnight - 1}"
    assert minutes == f"/v2/aggs/ticker/MSFT/{asked}"


def test_what_the_server_sends_outside_the_range_is_cut() -> None:
    bars = fetch(PolygonServer({"AAPL": MARCH}), start="2024-03-08", end="2024-03-08")["AAPL"]
    assert bars["close"].tolist() == [104.0]


def test_two_symbols_come_back_in_the_order_asked() -> None:
    server = PolygonServer({"MSFT": MARCH, "BRK.B": MARCH})
    assert list(fetch(server, "MSFT,BRK.B")) == ["MSFT", "BRK.B"]


def test_all_pages_are_read_from_our_own_host(clock: ManualClock) -> None:
    with Loopback(PolygonServer({"AAPL": MARCH}, page_size=1)) as loopback:
        bars = march(client(loopback, clock))
    assert bars["close"].tolist() == [102.0, 104.0, 106.0]
    assert [request.query.get("cursor") for request in loopback.requests] == [None, "1", "2"]
    assert all(request.headers["Authorization"] == f"Bearer {KEY}" for request in loopback.requests)


def test_pages_that_go_in_a_circle_are_an_error() -> None:
    page = {"results": MARCH[:1], "next_url": "https://x/v2/aggs/ticker/A/range/1/day/a/b?cursor=1"}
    with pytest.raises(DataError, match="pages of AAPL go in a circle"):
        fetch(PolygonServer(always=Reply.of(page)))


def minutes(day: str, first: str, last: str, step: str) -> list[dict[str, Any]]:
    times = pd.date_range(f"{day} {first}", f"{day} {last}", freq=step)
    return [
        aggregate(str(time), 10.0 + row, 12.0 + row, 9.0 + row, 11.0 + row, 100.0)
        for row, time in enumerate(times)
    ]


@pytest.mark.parametrize(
    ("day", "close"), [("2024-03-08", "21:00"), ("2024-03-11", "20:00"), ("2023-11-24", "18:00")]
)
def test_intraday_bars_keep_to_the_session_in_winter_summer_and_on_half_days(
    day: str, close: str
) -> None:
    server = PolygonServer({"AAPL": minutes(day, "04:00", "19:55", "5min")})
    bars = fetch(server, start=day, end=day, timeframe="5m")["AAPL"]
    opens = pd.Timestamp(f"{day} 09:30", tz="America/New_York")
    assert bars.index[0] == opens
    assert bars.index[-1] == pd.Timestamp(f"{day} {close}", tz="UTC") - pd.Timedelta(minutes=5)
    assert (passport(bars).missing_bars, passport(bars).feed) == (0, "sip")


def test_all_hours_are_kept_when_asked_for_and_are_another_feed() -> None:
    server = PolygonServer({"AAPL": minutes("2024-03-08", "04:00", "19:55", "5min")})
    options = {"start": "2024-03-08", "end": "2024-03-08", "timeframe": "5m"}
    bars = fetch(server, regular_hours=False, **options)["AAPL"]
    assert len(bars) == 16 * 12
    assert passport(bars).feed == "sip-all-hours"


def test_hours_count_from_the_open_and_are_made_of_half_hours() -> None:
    server = PolygonServer({"AAPL": minutes("2024-03-08", "09:00", "16:30", "30min")})
    day = {"start": "2024-03-08", "end": "2024-03-08"}
    bars = fetch(server, timeframe="1h", **day)["AAPL"]
    assert [f"{time:%H:%M}" for time in bars.index.tz_convert("America/New_York")] == [
        "09:30",
        "10:30",
        "11:30",
        "12:30",
        "13:30",
        "14:30",
        "15:30",
    ]
    assert bars.iloc[0].tolist() == [11.0, 14.0, 10.0, 13.0, 200.0]
    assert bars.iloc[-1].tolist() == [23.0, 25.0, 22.0, 24.0, 100.0]


def test_what_trades_round_the_clock_has_no_calendar_and_no_session() -> None:
    server = PolygonServer({"X:BTCUSD": minutes("2024-03-09", "00:00", "23:00", "1h")})
    day = {"start": "2024-03-09", "end": "2024-03-09"}
    bars = fetch(server, "X:BTCUSD", timeframe="1h", **day)["X:BTCUSD"]
    assert len(bars) == 24
    assert passport(bars).calendar is None
    with pytest.raises(DataError, match="check the ticker and the range"):
        fetch(PolygonServer(), "X:NOPE")


@pytest.mark.parametrize(
    ("now", "kept"),
    [
        (datetime(2024, 3, 11, 19, 59, tzinfo=UTC), 2),
        (datetime(2024, 3, 11, 20, 0, tzinfo=UTC), 3),
    ],
)
def test_todays_bar_comes_only_after_the_close(now: datetime, kept: int) -> None:
    bars = fetch(PolygonServer({"AAPL": MARCH}), end=None, clock=ManualClock(now))["AAPL"]
    assert len(bars) == kept


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        ("2024-03-07", "2024-03-11", r"which has 3 session\(s\): check the ticker"),
        ("2024-03-09", "2024-03-10", "there is no session in that range"),
    ],
)
@pytest.mark.parametrize("content", [{"status": "OK", "resultsCount": 0}, {"results": []}])
def test_missing_results_are_an_error_that_says_why(
    start: str, end: str, text: str, content: dict[str, Any]
) -> None:
    with pytest.raises(DataError, match=f"polygon: no 1d bars of AAPL from {start}.*{text}"):
        fetch(PolygonServer(always=Reply.of(content)), start=start, end=end)


def test_minutes_outside_every_session_are_no_bars() -> None:
    server = PolygonServer({"AAPL": minutes("2024-03-09", "10:00", "11:00", "5min")})
    with pytest.raises(DataError, match="no 5m bars of AAPL"):
        fetch(server, start="2024-03-08", end="2024-03-11", timeframe="5m")


def test_bars_with_a_hole_are_refused_by_row_and_column() -> None:
    torn = [{key: value for key, value in MARCH[0].items() if key != "c"}, *MARCH[1:]]
    with pytest.raises(DataError, match=r"AAPL: row 0 .*close is nan, a missing value"):
        fetch(PolygonServer({"AAPL": torn}))


@pytest.mark.parametrize("results", [[1, 2], ["text"]])
def test_results_that_are_no_bars_are_refused(results: list[Any]) -> None:
    with pytest.raises(DataError, match="the results are no list of bars"):
        fetch(PolygonServer(always=Reply.of({"results": results})))


def test_a_time_that_is_no_number_is_refused() -> None:
    with pytest.raises(DataError, match="a bar's time cannot be read"):
        fetch(PolygonServer({"AAPL": [{**MARCH[0], "t": "noon"}]}))


def test_the_sixth_call_within_a_minute_waits_for_the_minute(clock: ManualClock) -> None:
    with Loopback(PolygonServer({"AAPL": MARCH})) as loopback:
        polygon = client(loopback, clock)
        at_s = []
        for _ in range(6):
            march(polygon)
            at_s.append(clock.monotonic())
    assert at_s == [0, 0, 0, 0, 0, 60]


def test_pages_and_all_calls_of_a_shared_client_take_slots(clock: ManualClock) -> None:
    with Loopback(PolygonServer({"A": MARCH, "B": MARCH}, page_size=1)) as loopback:
        polygon = client(loopback, clock, calls_per_minute=3)
        for symbol in ("A", "B"):
            history("polygon", symbol, "2024-03-07", "2024-03-11", client=polygon)
    assert (len(loopback.requests), clock.monotonic()) == (6, 60)


def test_a_rate_limit_waits_as_long_as_retry_after_says(clock: ManualClock) -> None:
    refusal = Reply(429, "", {"Retry-After": "37"})
    with Loopback(PolygonServer({"AAPL": MARCH}, failures=[refusal])) as loopback:
        assert len(march(client(loopback, clock))) == 3
    assert clock.monotonic() == pytest.approx(37 + random.Random(1).uniform(0, 15))


@pytest.mark.parametrize("header", [{}, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}])
def test_a_rate_limit_without_a_number_waits_a_slot_at_least(
    header: dict[str, str], clock: ManualClock
) -> None:
    refusal = Reply(429, TOO_MANY.body, header)
    with Loopback(PolygonServer({"AAPL": MARCH}, failures=[refusal])) as loopback:
        assert len(march(client(loopback, clock))) == 3
    assert clock.monotonic() == pytest.approx(12 + random.Random(1).uniform(0, 15))


def test_a_rate_limit_without_end_names_the_wait_and_the_remedy() -> None:
    clock = ManualClock(NOW)
    text = r"calls a minute \(bars of AAPL: 429 You've exceeded.*gave up after \d+ tries.*cache"
    with pytest.raises(DataError, match=text):
        fetch(PolygonServer(always=TOO_MANY), clock=clock)
    assert 60 < clock.monotonic() <= 180


UNKNOWN_KEY = Reply.of({"status": "ERROR", "error": "Unknown API Key"}, 401)
NOT_IN_PLAN = Reply.of({"status": "NOT_AUTHORIZED", "message": "upgrade your plan"}, 403)
NOT_FOUND = Reply.of({"status": "NOT_FOUND"}, 404)
VERDICTS: list[tuple[Reply, type[SeawallError], str]] = [
    (UNKNOWN_KEY, ConfigError, "401 Unknown API Key.*POLYGON_API_KEY or MASSIVE_API_KEY"),
    (NOT_IN_PLAN, DataError, "403 upgrade your plan.*plan does not include.*POLYGON_API_KEY"),
    (NOT_FOUND, DataError, "404 NOT_FOUND.*check the ticker"),
    (Reply(400, "bad range"), DataError, "400 bad range: mend the request"),
    (Reply(302, "moved", {"Location": "/elsewhere"}), DataError, "no connection.*moved"),
]


@pytest.mark.parametrize(("reply", "kind", "text"), VERDICTS)
def test_a_verdict_is_told_at_once_and_says_what_to_do(
    reply: Reply, kind: type[SeawallError], text: str
) -> None:
    clock = ManualClock(NOW)
    with pytest.raises(kind, match=text):
        fetch(PolygonServer(always=reply), clock=clock)
    assert clock.monotonic() == 0


FAULTS = [
    (Reply(500, "oops"), "a fault at its side.*500 oops"),
    (Reply.of([1], 503, Retry_After="5"), "a fault at its side.*503"),
    (Reply(200, "<html>not json</html>"), "no usable answer"),
    (Reply(200, "[]"), "no usable answer.*the body is no JSON object"),
    (Reply.of({"status": "ERROR", "error": "out of order"}), "no usable answer.*out of order"),
]


@pytest.mark.parametrize(("reply", "text"), FAULTS)
def test_a_fault_is_asked_for_again_and_then_named(reply: Reply, text: str) -> None:
    clock = ManualClock(NOW)
    with pytest.raises(DataError, match=f"polygon: {text}.*gave up after"):
        fetch(PolygonServer(always=reply), clock=clock)
    assert clock.monotonic() > 60


def test_one_fault_is_survived(clock: ManualClock) -> None:
    with Loopback(PolygonServer({"AAPL": MARCH}, failures=[Reply(502, "")])) as loopback:
        assert len(march(client(loopback, clock))) == 3


def test_a_server_that_hangs_is_given_up_in_the_end(clock: ManualClock) -> None:
    refused = pytest.raises(DataError, match=r"ReadTimeoutError.*gave up")
    with Loopback(PolygonServer(always=HANG)) as loopback, refused:
        march(client(loopback, clock, timeout_s=0.05))
    assert 60 < clock.monotonic() <= 180


def test_no_network_is_told_at_once(clock: ManualClock) -> None:
    with Loopback(PolygonServer()) as loopback:
        gone = loopback
    with pytest.raises(DataError, match=r"no connection for bars of AAPL.*check the network"):
        march(client(gone, clock))
    assert clock.monotonic() == 0


@pytest.mark.parametrize("name", ["POLYGON_API_KEY", "MASSIVE_API_KEY"])
def test_the_key_is_read_from_the_environment_when_called(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POLYGON_API_KEY", raising=False)
    monkeypatch.delenv("MASSIVE_API_KEY", raising=False)
    monkeypatch.setenv(name, "from-env")
    with Loopback(PolygonServer({"AAPL": MARCH})) as loopback:
        clock = ManualClock(NOW)
        history("polygon", "AAPL", "2024-03-07", base=loopback.url, clock=clock)
    assert loopback.requests[0].headers["Authorization"] == "Bearer from-env"


def test_without_a_key_both_variables_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POLYGON_API_KEY", raising=False)
    monkeypatch.delenv("MASSIVE_API_KEY", raising=False)
    with pytest.raises(ConfigError, match="no API key: set POLYGON_API_KEY or MASSIVE_API_KEY"):
        history("polygon", "AAPL")


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schl\u00fcssel"])
def test_a_key_that_cannot_be_one_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ConfigError, match="a blank or an odd character") as caught:
        Polygon(key)
    assert key not in str(caught.value)


def chain(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield f"{error!r} {error}"
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize(
    "reply", [Reply.of({"error": f"bad key {KEY}"}, status) for status in (400, 401, 403, 429, 500)]
)
def test_the_key_is_in_no_error_log_or_repr(
    reply: Reply, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with Loopback(PolygonServer(always=reply)) as loopback:
        polygon = client(loopback, clock)
        with pytest.raises(SeawallError) as caught:
            march(polygon)
    assert KEY not in " ".join(
        (*chain(caught.value), repr(polygon), str(vars(polygon)), caplog.text)
    )


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DataError):
        fetch(PolygonServer(always=Reply(200, "no json")))
    assert capfd.readouterr() == ("", "")


def test_no_symbol_and_a_base_that_is_no_url_are_refused() -> None:
    with pytest.raises(ConfigError, match="polygon: no symbol"):
        history("polygon", "", api_key=KEY)
    with pytest.raises(ConfigError, match=r"base 'api\.polygon\.io' is no URL"):
        Polygon(KEY, base="api.polygon.io")


def test_a_cached_series_is_not_asked_for_twice(tmp_path: Path, clock: ManualClock) -> None:
    with Loopback(PolygonServer({"AAPL": MARCH})) as loopback:
        options: dict[str, Any] = {"client": client(loopback, clock), "cache": tmp_path}
        first, again = (
            history("polygon", "AAPL", "2024-03-07", "2024-03-11", **options)["AAPL"]
            for _ in range(2)
        )
    assert len(loopback.requests) == 1
    assert passport(again).sha256 == passport(first).sha256


GROUPED = {
    "2024-03-08": [
        {"T": "AAPL", "o": 1.0, "h": 3.0, "l": 0.5, "c": 2.0, "v": 100.0, "vw": 1.9, "n": 7},
        {"T": "ZZZ", "o": 5.0, "h": 5.0, "l": 5.0, "c": 5.0, "v": 1.0},
    ]
}


def test_grouped_daily_is_the_whole_market_of_a_day_in_one_call(clock: ManualClock) -> None:
    with Loopback(PolygonServer(grouped=GROUPED)) as loopback:
        market = client(loopback, clock).grouped_daily(date(2024, 3, 8))
    assert len(loopback.requests) == 1
    assert market.loc["AAPL"].tolist() == [1.0, 3.0, 0.5, 2.0, 100.0, 1.9, 7.0]
    assert market.loc["ZZZ"].isna().sum() == 2
    assert (market.index.name, market.columns[-2:].tolist()) == ("symbol", ["vwap", "trades"])


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (date(2024, 3, 9), "is no session"),
        (date(2024, 7, 1), "is not over"),
        (date(2024, 3, 11), "no bars of 2024-03-11"),
    ],
)
def test_a_day_without_a_market_is_an_error(day: date, text: str, clock: ManualClock) -> None:
    server = PolygonServer(grouped=GROUPED)
    with Loopback(server) as loopback, pytest.raises(DataError, match=text):
        client(loopback, clock).grouped_daily(day)


def test_ticker_details_bring_the_sic_code(clock: ManualClock) -> None:
    facts = {"ticker": "AAPL", "name": "Apple Inc.", "sic_code": "3571", "branding": {}}
    with Loopback(PolygonServer(details={"AAPL": facts})) as loopback:
        details = client(loopback, clock).ticker_details("AAPL")
    assert details == TickerDetails("AAPL", name="Apple Inc.", sic_code="3571")


@pytest.mark.parametrize("symbol", ["NOPE", "A/B", "../x"])
def test_details_of_an_unknown_ticker_are_an_error(symbol: str, clock: ManualClock) -> None:
    refused = pytest.raises(DataError, match=r"404 Ticker not found.*check the ticker")
    with Loopback(PolygonServer()) as loopback, refused:
        client(loopback, clock).ticker_details(symbol)
    assert len(loopback.requests[0].path.split("/")) == 5
