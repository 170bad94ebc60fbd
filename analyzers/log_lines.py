"""The lines of the decision log, one function a kind; docs/decision-log.md describes each field."""

from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from platform import python_version
from typing import Any

import backtrader as bt

from analyzers.market_context import instant
from analyzers.plain import plain
from brokers.events import Cancel, Decision, Halt
from brokers.translate import symbol

NOT_GIVEN = "not given"
LOGGED_VERSIONS = ("seawall", "backtrader", "numpy", "pandas")


def session(strategy: Any, config: Mapping[str, Any]) -> dict[str, Any]:
    """What is about to run; the first line of a run."""
    passports = (getattr(data, "passport", None) for data in strategy.datas)
    return {
        "kind": "session",
        "strategy": type(strategy).__name__,
        "params": plain(strategy.p._getkwargs()),
        "passports": [passport.as_dict() for passport in passports if passport],
        "versions": {"python": python_version()}
        | {name: version(name) for name in LOGGED_VERSIONS},
        "cash": strategy.broker.getcash(),
        "config": plain(config),
    }


def decision(event: Decision, context: Mapping[str, Any]) -> dict[str, Any]:
    """One order or family, with what was known and why; `asked` when it contradicts itself."""
    record: dict[str, Any] = {
        "kind": "decision",
        "order_id": event.order_id,
        "market_context": context,
        "agent_reasoning": str(event.reason or NOT_GIVEN),
        "order": None,
        "refusal": event.refusal and asdict(event.refusal),
    }
    if event.order is None:
        record["asked"] = _asked(event.asked)
    else:
        record["order"] = event.order.model_dump(mode="json", exclude_none=True)
    return record


def cancel(event: Cancel) -> dict[str, Any]:
    """A cancel, about to be handed on."""
    return {
        "kind": "cancel",
        "order_id": event.order_id,
        "symbol": symbol(event.data),
        "agent_reasoning": str(event.reason or NOT_GIVEN),
    }


def halt(event: Halt) -> dict[str, Any]:
    """The guard went reduce-only, and which orders it cancelled."""
    return {"kind": "halt", "refusal": asdict(event.refusal), "cancelled": event.cancelled}


def status(order: Any, order_id: str | None) -> dict[str, Any]:
    """An order came to another status, in Backtrader's word."""
    record = {
        "kind": "order",
        "order_id": order_id,
        "symbol": symbol(order.data),
        "status": order.getstatusname(),
    }
    if "refusal" in order.info:
        record["refusal"] = order.info["refusal"]
    return record


def fill(order: Any, order_id: str | None, bit: Any) -> dict[str, Any]:
    """One execution: its own time (the bar's end), unsigned units, the position after it."""
    return {
        "kind": "fill",
        "order_id": order_id,
        "symbol": symbol(order.data),
        "filled_at": instant(bit.dt),
        "side": "buy" if bit.size > 0 else "sell",
        "quantity": abs(bit.size),
        "price": bit.price,
        "commission": bit.comm,
        "pnl": bit.pnl if bit.closed else None,
        "position": bit.psize,
    }


def trade(trade: Any) -> dict[str, Any]:
    """A position was opened from flat, or closed to flat; `pnl_net` is less commission."""
    record = {
        "kind": "trade",
        "symbol": symbol(trade.data),
        "status": "closed" if trade.isclosed else "opened",
        "side": "long" if trade.long else "short",
        "opened_at": instant(trade.dtopen) if trade.dtopen else None,  # 0 in an order history
        "commission": trade.commission,
    }
    if not trade.isclosed:
        return record | {"quantity": abs(trade.size), "price": trade.price}
    return record | {
        "closed_at": instant(trade.dtclose),
        "bars": trade.barlen,
        "pnl": trade.pnl,
        "pnl_net": trade.pnlcomm,
    }


def _asked(words: Mapping[str, Any]) -> dict[str, Any]:
    """The caller's words, Backtrader's execution type by its name."""
    exectype = words.get("exectype")
    known = isinstance(exectype, int) and 0 <= exectype < len(bt.Order.ExecTypes)
    named = {"exectype": bt.Order.ExecTypes[exectype]} if known else {}
    return {name: plain(value) for name, value in (dict(words) | named).items()}
