"""What is to go wrong at the paper venue: a plan of faults, each with its place."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, Self, get_args

from brokers.errors import ConfigError

RequestKind = Literal[
    "too_many_requests",  # 429
    "server_error",  # `status`: 500, 502 or 503
    "accepted_then_504",  # the work is done, the answer says that it was not
    "hang",  # no answer until the client gives up
    "reset",  # the connection breaks
    "not_json",  # an answer that is a web page
]
MessageKind = Literal[
    "drop",  # the connection breaks after the message
    "mute",  # connected, but silent from the message on, for `count` connections, this one included
    "refuse",  # as drop, and new connections meet 429, at a gateway 326, for `wait_s` seconds
    "duplicate",  # sent twice
    "reorder",  # sent after the next one
    "delay",  # sent `wait_s` seconds late
    "lose",  # not sent, and the connection breaks: no TCP stream loses one message and lives
]
OtherKind = Literal[
    "partial_fill",  # the fill comes in two halves
    "kill",  # the harness kills the session
]
GatewayKind = Literal[  # of IB Gateway's socket alone
    "status_first",  # the order's state is told before the execution that led to it
    "late_commission",  # what an execution cost is told `wait_s` seconds after it
    "held",  # taken in with warning 399: not before the open
    "reject",  # 201
    "link_lost",  # 1100, and after `wait_s` seconds what `status` says: 1101 or 1102
    "restart",  # as every night: sockets closed for `wait_s` seconds, order ids from the beginning
]
PortalKind = Literal[  # of the Client Portal, besides status_first and restart
    "session_lost",  # the brokerage session is gone, or the gateway's login for `wait_s` seconds
    "competing",  # somebody else has it, or the gateway's live bars, for `wait_s` seconds
    "unknown_question",  # an order is asked about what nobody has heard of
]
Kind = Literal[RequestKind, MessageKind, OtherKind, GatewayKind, PortalKind]

REQUEST_KINDS: tuple[RequestKind, ...] = get_args(RequestKind)
MESSAGE_KINDS: tuple[MessageKind, ...] = get_args(MessageKind)
GATEWAY_KINDS: tuple[GatewayKind, ...] = get_args(GatewayKind)
KINDS: tuple[Kind, ...] = (
    *REQUEST_KINDS,
    *MESSAGE_KINDS,
    *get_args(OtherKind),
    *GATEWAY_KINDS,
    *get_args(PortalKind),
)
STREAMS = ("trade_updates", "data")
# What the breaker counts as a failure: a timeout, no connection, 5xx, an answer that is none.
FAILURES = frozenset(REQUEST_KINDS) - {"too_many_requests"}

_STATUSES = {"server_error": (500, 502, 503), "link_lost": (1101, 1102)}
_PLACES = {
    "partial_fill": "fill",
    "kill": "bar",
    "status_first": "execution",
    "late_commission": "execution",
    "held": "order",
    "reject": "order",
    "link_lost": "bar",
    "restart": "bar",
    "session_lost": "bar",
    "competing": "bar",
    "unknown_question": "order",
}
_DATA_KINDS = ("drop", "mute", "refuse", "lose")


@dataclass(frozen=True)
class Fault:
    """One fault: what happens, and at the nth of what.

    Args:
        kind: what happens.
        nth: it strikes at the nth of `on`, from 1, or at the first after that which is free.
        on: for requests a pattern of method and route, such as "POST /v2/orders" or "GET *", at a
            gateway of the API's name, such as "placeOrder" or "req*"; for messages "trade_updates"
            or "data"; each other kind has one place of its own. Empty: the first named here.
        count: how many requests in a row it strikes; for `mute` and `refuse` how many connections,
            at most.
        status: of a server_error; of a link_lost the code that ends it, 0 for 1101.
        wait_s: how long it lasts, in seconds of the venue's clock, where it lasts; after a
            too_many_requests the Client Portal answers nothing but 429 for so long.
        after: a hang, a reset or a not_json strikes after the work was done instead of before it.

    Raises:
        ConfigError: a field is out of range.
    """

    kind: Kind
    nth: int = 1
    on: str = ""
    count: int = 1
    status: int = 0
    wait_s: float = 0.0
    after: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(f"unknown fault {self.kind!r}: use one of {', '.join(KINDS)}")
        if self.nth < 1 or self.count < 1 or not self.wait_s >= 0:
            raise ConfigError(f"{self.kind}: nth and count start at 1, wait_s at 0")
        statuses = _STATUSES.get(self.kind, (self.status,))
        if self.status not in (0, *statuses):
            raise ConfigError(f"{self.kind}: status is one of {statuses}, not {self.status}")
        if self.kind in MESSAGE_KINDS and self.on not in ("", *STREAMS):
            raise ConfigError(f"{self.kind}: on is one of {STREAMS}, not {self.on!r}")
        if self.on == "data" and self.kind not in _DATA_KINDS:
            raise ConfigError(f"{self.kind} strikes trade_updates alone; data takes {_DATA_KINDS}")

    @property
    def place(self) -> str:
        """`on`, or what it stands for when it is empty."""
        if self.on:
            return self.on
        if self.kind in REQUEST_KINDS:
            return "POST /v2/orders"
        return _PLACES.get(self.kind, "trade_updates")


@dataclass(frozen=True)
class Plan:
    """Every fault of one run.

    Args:
        name: "none", "storm", "seed:7" or the file that it came from.
        faults: in the order in which those due at once strike.
        spare_breaker: a fault that would be the third failed request in a row waits for a later
            one, so that the client's breaker never opens.
    """

    name: str = "none"
    faults: tuple[Fault, ...] = ()
    spare_breaker: bool = True

    @property
    def kills(self) -> tuple[int, ...]:
        """The bars at which the harness kills the session, in order."""
        return tuple(sorted(fault.nth for fault in self.faults if fault.kind == "kill"))

    def to_toml(self) -> str:
        """The plan as a file that `from_toml` reads."""
        lines = [f"spare_breaker = {_toml(self.spare_breaker)}"]
        for fault in self.faults:
            lines += ["", "[[fault]]"]
            for field in fields(Fault):
                value = getattr(fault, field.name)
                if field.name in ("kind", "nth") or value != field.default:
                    lines.append(f"{field.name} = {_toml(value)}")
        return "\n".join(lines) + "\n"

    @classmethod
    def from_toml(cls, text: str, name: str) -> Self:
        """The plan that a file holds; `name` is the file's, for the plan and its errors.

        Raises:
            ConfigError: no TOML, an unknown field, or one of the wrong type or range.
        """
        try:
            content = tomllib.loads(text)
            if unknown := sorted(content.keys() - {"spare_breaker", "fault"}):
                raise ConfigError(f"unknown {', '.join(unknown)}: use spare_breaker and [[fault]]")
            faults = tuple(_fault(table) for table in content.get("fault", ()))
        except (tomllib.TOMLDecodeError, ConfigError) as error:
            raise ConfigError(f"fault plan {name}: {error}") from None
        return cls(name, faults, bool(content.get("spare_breaker", True)))


def _fault(table: Mapping[str, Any]) -> Fault:
    known = {field.name: type(field.default) for field in fields(Fault)} | {"kind": str}
    if unknown := sorted(table.keys() - known.keys()):
        raise ConfigError(f"a fault has no {', '.join(unknown)}: it has {', '.join(known)}")
    if "kind" not in table:
        raise ConfigError(f"a fault needs a kind: one of {', '.join(KINDS)}")
    for name, value in table.items():
        expected = known[name]
        numeric = expected is float and type(value) is int
        if type(value) is not expected and not numeric:
            raise ConfigError(f"{name} is a {expected.__name__}, not {value!r}")
    return Fault(**table)


def _toml(value: bool | float | str) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')
