"""Alerts: delivered from a thread of their own, and never in the way."""

import threading

import pytest

from brokers.errors import ConfigError
from live.alerts import WAITING, Alerts, through_apprise
from tests.live.receiver import receiver


def test_an_alert_reaches_an_apprise_url() -> None:
    with receiver() as (url, got):
        alerts = Alerts(through_apprise([url]))
        alerts.send("seawall stopped", "the breaker opened")
        assert alerts.close(5.0) == ()
    assert (got[0]["title"], got[0]["message"]) == ("seawall stopped", "the breaker opened")


def test_alerts_leave_no_thread_behind() -> None:
    before = set(threading.enumerate())
    with receiver() as (one, _), receiver() as (other, got):
        alerts = Alerts(through_apprise([one, other]))
        alerts.send("seawall stopped", "the breaker opened")
        alerts.close(5.0)
    assert len(got) == 1
    assert set(threading.enumerate()) == before


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
    alerts = Alerts(through_apprise([]))
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
        through_apprise(["json://127.0.0.1", "nonsense-token"])
    assert "token" not in str(error.value)
