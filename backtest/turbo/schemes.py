"""The commission schemes of a run, and which of them move cash from bar to bar."""

from typing import Any

from backtrader.comminfo import CommInfoBase, CommissionInfo

_STOCK = (CommInfoBase, CommissionInfo)
_INTEREST = ("get_credit_interest", "_get_credit_interest")


class Schemes(dict[Any, Any]):
    """A broker's schemes by name of feed, watched: they may change during a run.

    Args:
        broker: a LeanBroker, which settles before a scheme changes.
    """

    def __init__(self, schemes: dict[Any, Any], broker: Any) -> None:
        super().__init__(schemes)
        self._broker = broker
        self.weigh()

    def __setitem__(self, name: Any, scheme: Any) -> None:
        self._broker.settle()
        super().__setitem__(name, scheme)
        self.weigh()

    def weigh(self) -> None:
        """Find out what the schemes of now make a turn do, orders or not."""
        broker = self._broker
        self.bear_interest = any(map(_bears_interest, self.values()))
        self.are_custom = any(type(scheme) not in _STOCK for scheme in self.values())
        self.moves_cash = self.bear_interest or any(map(_adjusts_cash, self.values()))
        asks = self.are_custom or broker.p.filler is not None
        broker.is_restless = bool(self.moves_cash or asks)


def _bears_interest(scheme: Any) -> bool:
    return any(_overrides(scheme, name) for name in _INTEREST) or bool(scheme._creditrate)


def _adjusts_cash(scheme: Any) -> bool:
    return _overrides(scheme, "cashadjust") or not scheme._stocklike


def _overrides(scheme: Any, method: str) -> bool:
    stock = getattr(CommInfoBase, method)
    return getattr(getattr(scheme, method), "__func__", None) is not stock
