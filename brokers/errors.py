"""Every error that Seawall raises, by what one can do about it.

SeawallError
├── ConfigError            a wrong parameter, option or setting: mend it and start again
├── DataError              bars or files that cannot be used: mend or fetch them anew
│   └── DataMute           live bars that stopped while the market is open: look at the network
├── OrderRefused           a verdict on one order, never retried
│   ├── SchemaRefused      it contradicts itself, or the profile's tick, lot or holding
│   ├── RiskRefused        a risk rule said no
│   ├── VenueRefused       the venue said no
│   │   └── DuplicateOrderId   because it has seen the id before, perhaps with this very order
│   └── BreakerOpen        no order leaves while the breaker is open
└── TransportError         a call to a venue that brought no verdict
    ├── Transient          surely not accepted: try again
    │   └── Throttled      too many calls: wait, and no sign of a broken venue
    └── Unknown            perhaps accepted: ask the venue before anything else
"""


class SeawallError(Exception):
    """Anything that Seawall raises on purpose; its text is one line for a person."""


class ConfigError(SeawallError):
    """A parameter, option or setting is wrong; the text names it and what would be right."""


class DataError(SeawallError):
    """Bars or files cannot be used; the text names the place and the next step."""


class DataMute(DataError):
    """No live bar came for long while the market was open, and connecting again did not help."""


class OrderRefused(SeawallError):
    """A verdict on one order; sending it again changes nothing."""


class SchemaRefused(OrderRefused):
    """The order contradicts itself or the profile it is meant for."""


class RiskRefused(OrderRefused):
    """A risk rule said no.

    Args:
        rule: the rule's name, such as ``max_order_notional``.
        limit: what the rule allows.
        value: what the order would have made it.
    """

    def __init__(self, rule: str, limit: float | str, value: float | str) -> None:
        super().__init__(f"{rule}: limit {limit}, value {value}")
        self.rule = rule
        self.limit = limit
        self.value = value


class VenueRefused(OrderRefused):
    """The venue said no, with its own code and text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"the venue refused the order: {text} (code {code})")
        self.code = code
        self.text = text


class DuplicateOrderId(VenueRefused):
    """The venue has seen this client order id before, whatever became of that order."""


class BreakerOpen(OrderRefused):
    """Too many calls failed in a row; the session is shutting down."""


class TransportError(SeawallError):
    """A call to a venue or a data source brought no verdict."""


class Transient(TransportError):
    """The request was surely not accepted; it may be sent again.

    Args:
        text: what happened.
        retry_after_s: seconds that the far side asked to wait, if it said so.
    """

    def __init__(self, text: str, retry_after_s: float | None = None) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class Throttled(Transient):
    """The venue answered 429, or its like: surely not accepted, and no sign of a broken venue."""


class Unknown(TransportError):
    """The order was perhaps accepted: look for it at the venue before sending it again."""

    def __init__(self, text: str, client_order_id: str) -> None:
        super().__init__(f"{text} (order {client_order_id})")
        self.client_order_id = client_order_id
