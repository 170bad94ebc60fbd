"""Polygon's failures and pace, through the real massive client against a local server."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from brokers.clock import ManualClock
from brokers.errors import ConfigError, DataError, SeawallError
from feeds import history
from feeds.polygon import Polygon
from tests.feeds.polygon_server import KEY, MARCH, NOW, PolygonServer, march, polygon
from tests.feeds.servers import HANG, Loopback, Reply

TOO_MANY = Reply.of(
    {"status": "ERROR", "error": "You've exceeded the maximum requests per minute"}, 429
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


def fetch(server: PolygonServer, clock: ManualClock | None = None) -> None:
    with Loopback(server) as loopback:
        march(polygon(loopback, clock or ManualClock(NOW)))


def test_all_pages_are_read_from_our_own_host(clock: ManualClock) -> None:
    with Loopback(PolygonServer({"AAPL": MARCH}, page_size=1)) as loopback:
        bars = march(polygon(loopback, clock))
    assert bars["close"].tolist() == [102.0, 104.0, 106.0]
    assert [request.query.get("cursor") for request in loopback.requests] == [None, "1", "2"]
    assert all(request.headers["Authorization"] == f"Bearer {KEY}" for request in loopback.requests)


@pytest.mark.parametrize("path", ["/v2/aggs/ticker/A/range/1/day/a/b", ""])
def test_pages_that_lead_nowhere_are_an_error(path: str) -> None:
    page = {"results": MARCH[:1], "next_url": f"https://x{path}?cursor=1"}
    with pytest.raises(DataError, match="pages of AAPL lead nowhere"):
        fetch(PolygonServer(always=Reply.of(page)))


def test_the_sixth_call_within_a_minute_waits_for_the_minute(clock: ManualClock) -> None:
    with Loopback(PolygonServer({"AAPL": MARCH})) as loopback:
        client = polygon(loopback, clock)
        at_s = []
        for _ in range(6):
            march(client)
            at_s.append(clock.monotonic())
    assert at_s == [0, 0, 0, 0, 0, 60]


def test_pages_and_all_calls_of_a_shared_client_take_slots(clock: ManualClock) -> None:
    with Loopback(PolygonServer({"A": MARCH, "B": MARCH}, page_size=1)) as loopback:
        client = polygon(loopback, clock, calls_per_minute=3)
        for symbol in ("A", "B"):
            history("polygon", symbol, "2024-03-07", "2024-03-11", client=client)
    assert (len(loopback.requests), clock.monotonic()) == (6, 60)


def test_a_rate_limit_waits_as_long_as_retry_after_says(clock: ManualClock) -> None:
    refusal = Reply(429, "", {"Retry-After": "37"})
    with Loopback(PolygonServer({"AAPL": MARCH}, failures=[refusal])) as loopback:
        assert len(march(polygon(loopback, clock))) == 3
    assert clock.monotonic() == pytest.approx(37 + random.Random(1).uniform(0, 15))


@pytest.mark.parametrize("header", [{}, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}])
def test_a_rate_limit_without_a_number_waits_a_slot_at_least(
    header: dict[str, str], clock: ManualClock
) -> None:
    refusal = Reply(429, TOO_MANY.body, header)
    with Loopback(PolygonServer({"AAPL": MARCH}, failures=[refusal])) as loopback:
        assert len(march(polygon(loopback, clock))) == 3
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


def test_a_body_that_breaks_off_is_asked_for_again(clock: ManualClock) -> None:
    short = Reply(200, "{", {"Content-Length": "99"})
    with Loopback(PolygonServer({"AAPL": MARCH}, failures=[short])) as loopback:
        assert len(march(polygon(loopback, clock))) == 3


def test_one_fault_is_survived(clock: ManualClock) -> None:
    with Loopback(PolygonServer({"AAPL": MARCH}, failures=[Reply(502, "")])) as loopback:
        assert len(march(polygon(loopback, clock))) == 3


def test_a_server_that_hangs_is_given_up_in_the_end(clock: ManualClock) -> None:
    refused = pytest.raises(DataError, match=r"ReadTimeoutError.*gave up")
    with Loopback(PolygonServer(always=HANG)) as loopback, refused:
        march(polygon(loopback, clock, timeout_s=0.05))
    assert 60 < clock.monotonic() <= 180


def test_no_network_is_told_at_once(clock: ManualClock) -> None:
    with Loopback(PolygonServer()) as loopback:
        gone = loopback
    with pytest.raises(DataError, match=r"no connection for bars of AAPL.*check the network"):
        march(polygon(gone, clock))
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


def test_a_line_end_after_the_key_is_no_part_of_it(clock: ManualClock) -> None:
    with Loopback(PolygonServer({"AAPL": MARCH})) as loopback:
        march(Polygon(f"{KEY}\n", base=loopback.url, clock=clock))
    assert loopback.requests[0].headers["Authorization"] == f"Bearer {KEY}"


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
    "reply",
    [Reply.of({"error": f"bad key {KEY}"}, status) for status in (400, 401, 403, 429, 500)],
)
def test_the_key_is_in_no_error_log_or_repr(
    reply: Reply, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with Loopback(PolygonServer(always=reply)) as loopback:
        client = polygon(loopback, clock)
        with pytest.raises(SeawallError) as caught:
            march(client)
    assert KEY not in " ".join((*chain(caught.value), repr(client), str(vars(client)), caplog.text))


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DataError):
        fetch(PolygonServer(always=Reply(200, "no json")))
    assert capfd.readouterr() == ("", "")


def test_massives_warnings_stay_off_stdout(tmp_path: Path) -> None:
    code = (
        "from tests.feeds.test_polygon_client import *\n"
        "fetch(PolygonServer({'AAPL': MARCH}))\n"
        "import logging; print(logging.getLogger('RESTClient').handlers)"
    )
    missing = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), str(tmp_path / "gone.pem"))
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **missing}, check=True
    )
    assert done.stdout == "[]\n"
    assert "gone.pem" in done.stderr


def test_no_symbol_and_a_base_that_is_no_url_are_refused() -> None:
    with pytest.raises(ConfigError, match="polygon: no symbol"):
        history("polygon", "", api_key=KEY)
    with pytest.raises(ConfigError, match=r"base 'api\.polygon\.io' is no URL"):
        Polygon(KEY, base="api.polygon.io")
