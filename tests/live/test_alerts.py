"""Alerts: delivered from a thread of their own, and never in the way."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from brokers.errors import ConfigError
from live.alerts import WAITING, Alerts, through_apprise


@contextmanager
def _receiver() -> Iterator[tuple[str, list[dict[str, object]]]]:
    """A loopback server that keeps what Apprise's json:// sends."""
    got: list[dict[str, object]] = []

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Keep) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"json://127.0.0.1:{server.server_port}", got
        finally:
            server.shutdown()
            thread.join()


def test_an_alert_reaches_an_apprise_url() -> None:
    with _receiver() as (url, got):
        alerts = Alerts(through_apprise([url], 5.0))
        alerts.send("seawall stopped", "the breaker opened")
        assert alerts.close(5.0) == ()
    assert (got[0]["title"], got[0]["message"]) == ("seawall stopped", "the breaker opened")


def test_an_alert_that_reaches_nobody_is_told_at_the_end() -> None:
    alerts = Alerts(lambda title, text: False)
    alerts.send("stopped", "")
    assert alerts.close(5.0) == ("alert 'stopped' did not reach everybody",)


def test_an_alert_that_fails_is_told_without_its_text() -> None:
    def fail(title: str, text: str) -> bool:
        raise RuntimeError("slack://token")

    alerts = Alerts(fail)
    alerts.send("stopped", "")
    assert alerts.close(5.0) == ("alert 'stopped' failed: RuntimeError",)


def test_an_alert_that_hangs_holds_nothing_up() -> None:
    release = threading.Event()
    alerts = Alerts(lambda title, text: release.wait(30.0))
    alerts.send("stopped", "")
    assert alerts.close(0.01) == ("alert 'stopped' was not delivered in time",)
    release.set()


def test_nobody_to_tell_starts_no_thread() -> None:
    before = threading.active_count()
    alerts = Alerts(through_apprise([], 5.0))
    alerts.send("stopped", "")
    assert alerts.close(5.0) == ()
    assert threading.active_count() == before


def test_a_flood_of_alerts_is_cut() -> None:
    sent: list[str] = []
    alerts = Alerts(lambda title, text: not sent.append(title))
    for number in range(WAITING + 5):
        alerts.send(str(number), "")
    alerts.close(5.0)
    assert len(sent) == WAITING


def test_a_wrong_url_is_named_by_its_place_alone() -> None:
    with pytest.raises(ConfigError, match="number 2 is no URL") as error:
        through_apprise(["json://127.0.0.1", "nonsense-token"], 5.0)
    assert "token" not in str(error.value)
