"""The lines of a decision log as models, and the JSON Schema that they make.

docs/decision-log.md says what the fields mean; `analyzers.log_lines` and live write them.
"""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from brokers.events import Refusal
from brokers.orders import OrderSchema

OrderId = Annotated[str, Field(description="client_order_id")]
Side = Literal["buy", "sell"]


class Line(BaseModel):
    """What every line has."""

    model_config = ConfigDict(extra="forbid")

    v: Literal[1]
    seq: int = Field(ge=1)
    at: AwareDatetime
    run_id: str
    hash: str = Field(pattern=r"^[0-9a-f]{64}$")


class StrategyLine(Line):
    """A line of one strategy; `strategy` is its name in a log of a live session."""

    strategy: str | None = None


class SessionLine(Line):
    """The first line of a run, one for each strategy."""

    kind: Literal["session"]
    strategy: str
    params: dict[str, Any]
    passports: list[dict[str, Any]]
    versions: dict[str, str]
    cash: float
    config: dict[str, Any]


class Bar(BaseModel):
    """The last bar that the strategy had seen; `time` is its end."""

    time: AwareDatetime
    open: float | None
    high: float | None
    low: float | None
    close: float | None
    volume: float | None


class Context(BaseModel):
    """What a decision was made on."""

    symbol: str
    bar: Bar | None
    indicators: dict[str, Any]
    position: float
    cash: float
    equity: float
    passport: str | None


class DecisionLine(StrategyLine):
    """Before an order, or a family of entry and legs, goes on or is refused."""

    kind: Literal["decision"]
    order_id: OrderId
    market_context: Context
    agent_reasoning: str
    order: OrderSchema | None
    refusal: Refusal | None
    asked: dict[str, Any] | None = None


class CancelLine(StrategyLine):
    """Before a cancel goes on."""

    kind: Literal["cancel"]
    order_id: OrderId | None
    symbol: str
    agent_reasoning: str


class OrderLine(StrategyLine):
    """An order came to another status, in Backtrader's word."""

    kind: Literal["order"]
    order_id: OrderId | None
    symbol: str
    status: str
    refusal: str | None = None


class FillLine(StrategyLine):
    """One execution; `position` is what is held after it."""

    kind: Literal["fill"]
    order_id: OrderId | None
    symbol: str
    filled_at: AwareDatetime
    side: Side
    quantity: float
    price: float
    commission: float
    pnl: float | None
    position: float


class TradeLine(StrategyLine):
    """A position was opened from flat, or closed to flat."""

    kind: Literal["trade"]
    symbol: str
    status: Literal["opened", "closed"]
    side: Literal["long", "short"]
    opened_at: AwareDatetime | None
    commission: float
    quantity: float | None = None
    price: float | None = None
    closed_at: AwareDatetime | None = None
    bars: int | None = None
    pnl: float | None = None
    pnl_net: float | None = None


class HaltLine(StrategyLine):
    """The guard went reduce-only."""

    kind: Literal["halt"]
    refusal: Refusal
    cancelled: list[OrderId]


class BarsLine(Line):
    """Live: one turn of bars, by symbol as start, open, high, low, close, volume."""

    kind: Literal["bars"]
    turn: int
    at_bar: AwareDatetime
    bars: dict[str, tuple[AwareDatetime, float, float, float, float, float]]


class VenueLine(Line):
    """Live: one fact from the venue with its fields; money and units are strings."""

    model_config = ConfigDict(extra="allow")

    kind: Literal["venue"]
    fact: Literal[
        "Accepted", "Filled", "Ended", "Replaced", "Split", "Restated", "Mismatch", "Broken"
    ]
    turns: int


class ReconcileLine(Line):
    """Live: what the venue has and the session does not explain; units are strings."""

    kind: Literal["reconcile"]
    symbol: str
    ours: str
    theirs: str
    venue_order_id: str | None
    adopted: bool


class BreakerLine(Line):
    """Live: a broker call failed, `counted` when it lengthens the row; or the row ended."""

    kind: Literal["breaker"]
    state: Literal["closed", "probing", "open"]
    failed_at: AwareDatetime | None = None
    text: str | None = None
    counted: bool | None = None


class ConnectionLine(Line):
    """Live: a stream went down, or is up again."""

    kind: Literal["connection"]
    stream: Literal["bars"]
    state: Literal["connecting", "connected", "down"]


class ShutdownLine(Line):
    """Live: a session ends on purpose."""

    kind: Literal["shutdown"]
    trigger: str
    text: str


class ResumeLine(Line):
    """Live: a session is taken up again."""

    kind: Literal["resume"]


class EndLine(Line):
    """The last line of a run that came to its end; `lines` counts it too."""

    kind: Literal["session_end"]
    lines: int


AnyLine = Annotated[
    SessionLine
    | DecisionLine
    | CancelLine
    | OrderLine
    | FillLine
    | TradeLine
    | HaltLine
    | BarsLine
    | VenueLine
    | ReconcileLine
    | BreakerLine
    | ConnectionLine
    | ShutdownLine
    | ResumeLine
    | EndLine,
    Field(discriminator="kind"),
]


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of one line."""
    made = TypeAdapter(AnyLine).json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "One line of a Seawall decision log",
        **made,
    }
