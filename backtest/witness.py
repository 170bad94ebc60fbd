"""What a strategy decided in one run, bar by bar, in words that two runs can be compared by."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import backtrader as bt
import pandas as pd

from backtest.engine import assemble
from backtest.inputs import named_feeds
from backtest.spec import RunSpec
from brokers.events import Cancel, Decision, Event

# Enters the order ids: runs that shall be compared share it.
WITNESSED = "witnessed"


@dataclass(frozen=True)
class Decided:
    """One decision: `at` is the end of the newest bar that the strategy had, aware UTC."""

    at: datetime
    symbol: str
    text: str


def decisions_of(spec: RunSpec, frames: Mapping[str, pd.DataFrame]) -> list[Decided]:
    """Run the strategy behind a guard that refuses what `spec` says; every order and cancel.

    Raises:
        Exception: whatever the strategy raises.
    """
    cerebro = assemble(spec, named_feeds(frames), session_id=WITNESSED)
    seen: list[Decided] = []

    def note(event: Event) -> None:
        if isinstance(event, Decision | Cancel):
            seen.append(Decided(_now(event.owner), _symbol(event.data), _text(event)))

    cerebro.broker.listen(note)
    cerebro.run()
    return seen


def _now(owner: bt.Strategy) -> datetime:
    newest = max(data.datetime[0] for data in owner.datas if len(data))
    moment: datetime = bt.num2date(newest)
    return moment.replace(tzinfo=UTC)


def _symbol(data: Any) -> str:
    return str(getattr(data, "_name", ""))


def _text(event: Decision | Cancel) -> str:
    if isinstance(event, Cancel):
        return f"cancel {event.order_id}"
    if event.order is None:
        return f"refused: {event.refusal and event.refusal.text}"
    order = event.order
    parts = [order.side, f"{order.quantity.normalize():f}", order.order_type]
    parts += [f"{name} {value}" for name, value in _prices(order) if value is not None]
    parts += [
        f"{leg.role} {leg.reference_price if leg.reference_price is not None else 'trailing'}"
        for leg in order.legs
    ]
    refused = f" refused: {event.refusal.text}" if event.refusal else ""
    return " ".join(parts) + refused


def _prices(order: Any) -> list[tuple[str, Any]]:
    fields = ("limit_price", "stop_price", "trail_amount", "trail_frac", "expires_at")
    return [(name.removesuffix("_price"), getattr(order, name)) for name in fields]
