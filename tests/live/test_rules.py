"""A session's own rules."""

from dataclasses import dataclass

import pytest

from brokers.errors import RiskRefused
from live.rules import NoOrders, QuietSymbol


@dataclass
class _Situation:
    """What the rules here ask for."""

    bar_at: float = 0.0


def test_nothing_leaves_during_the_warm_up() -> None:
    with pytest.raises(RiskRefused, match="warm_up"):
        NoOrders(lambda: True)(_Situation())  # type: ignore[arg-type]
    NoOrders(lambda: False)(_Situation())  # type: ignore[arg-type]


def test_a_symbol_that_falls_behind_the_others_is_refused() -> None:
    rule = QuietSymbol(300.0, lambda: 1000.0)
    rule(_Situation(700.0))  # type: ignore[arg-type]
    with pytest.raises(RiskRefused, match=r"quiet_symbol: limit 300\.0, value 301\.0"):
        rule(_Situation(699.0))  # type: ignore[arg-type]
