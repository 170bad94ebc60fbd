"""What the account is worth, computed when somebody asks."""

from typing import Any


class Settled:
    """An attribute of a broker that is worked out first when it is read or written."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, broker: Any, owner: type | None = None) -> Any:
        broker.appraise()
        return broker.__dict__[self._name]

    def __set__(self, broker: Any, value: Any) -> None:
        broker.appraise()
        broker.__dict__[self._name] = value


class Cash(Settled):
    """The account's cash: values are worked out before it is written, not when it is read."""

    def __get__(self, broker: Any, owner: type | None = None) -> Any:
        return broker.__dict__["cash"]


def revalue(broker: Any) -> None:
    """Mark the account at the bars as they stand, with the arithmetic of BackBroker._get_value.

    Args:
        broker: a LeanBroker without a history of its fund and without cash on its way.
    """
    own, shortcash = broker.__dict__, broker.p.shortcash
    worth = unlevered = unrealized = 0.0
    for data, position in broker.positions.items():
        scheme, close = broker.getcommissioninfo(data), data.lines.close[0]
        size = position.size
        if shortcash:
            value = scheme.getvaluesize(size, close)
        else:
            value = abs(scheme.getvalue(position, close))
        gain = scheme.profitandloss(size, position.price, close)
        worth += value
        unrealized += gain
        if value > 0:
            unlevered += (value - gain) / scheme.get_leverage()
            unlevered += gain
        else:
            unlevered += value
    cash = own["cash"]
    own["_value"] = cash + unlevered
    own["_fundval"] = own["_value"] / own["_fundshares"]
    own["_valuemkt"] = unlevered
    own["_valuelever"] = cash + worth
    own["_valuemktlever"] = worth
    own["_leverage"] = worth / (unlevered or 1.0)
    own["_unrealized"] = unrealized
