import asyncio
import sys

import pytest

from brokers.clock import SystemClock
from brokers.errors import ConfigError, Transient
from brokers.wire.ibkr_access import Gateway
from brokers.wire.ibkr_line import Line


def line():
    return Line(Gateway(port=1), lambda *_: None, clock=SystemClock(), timeout_s=1.0)


def test_line_that_is_down_sends_nothing():
    with pytest.raises(Transient, match="not connected"):
        line().next_id()
    assert line().heard == -1


def test_library_that_is_not_installed_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ib_async", None)
    with pytest.raises(ConfigError, match=r"pip install 'seawall\[ibkr\]'"):
        asyncio.run(line().open())


def test_reason_why_nobody_answers_is_the_system_s():
    with pytest.raises(Transient, match=r"nobody answers \(Connection refused\): start IB Gateway"):
        asyncio.run(line().open())
