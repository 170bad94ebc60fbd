from datetime import datetime

import pandas as pd
import pytest

from live.rehearsal.canon import canonical
from live.rehearsal.difference import first_difference
from live.rehearsal.worth import equity_from_fills

LAST = datetime.fromisoformat("2024-01-09T21:00:00+00:00")


def bar(day):
    return f"2024-01-0{day}T21:00:00Z"


def decision(day, order_id="a", **context):
    known = {"symbol": "X", "indicators": {}, "position": 0.0, "cash": 100.0, "equity": 100.0}
    prices = {"open": 1.0, "high": 1.0, "low": 1.0, "close": context.pop("close", 1.0)}
    term = context.pop("time_in_force", "gtc")
    order = {"client_order_id": order_id, "side": "buy", "quantity": "1.0", "time_in_force": term}
    return {
        "kind": "decision",
        "at": bar(day),
        "order_id": order_id,
        "market_context": known | context | {"bar": {"time": bar(day), **prices}},
        "agent_reasoning": "why not",
        "order": order,
        "refusal": None,
    }


def fill(day, order_id="a", quantity=1.0, price=2.0, side="buy"):
    words = {"symbol": "X", "side": side, "quantity": quantity, "price": price}
    rest = {"commission": 0.0, "pnl": None, "position": quantity}
    return {"kind": "fill", "filled_at": bar(day), "order_id": order_id, **words, **rest}


def venue(fact, **words):
    return {"kind": "venue", "fact": fact, "order_id": "a", **words}


def between(backtest, live):
    halves = [canonical(records, LAST) for records in (backtest, live)]
    return first_difference(*halves, live)


def test_names_of_orders_and_times_of_lines_make_no_difference():
    ours, theirs = [decision(2), fill(3)], [decision(2, "zzz") | {"at": bar(4)}, fill(3, "zzz")]
    assert between(ours, theirs) is None


CASES = [
    ([decision(2)], [decision(2, close=1.5)], "decision of order 1: prices.close", "other bars"),
    ([decision(2)], [decision(2, cash=99.0)], "decision of order 1: cash", "accounts differ"),
    ([decision(2), fill(3)], [decision(2)], "fill of order 1", "nobody heard of it"),
    ([decision(3)], [decision(2)], "decision of order 1: bar", "born in notify_order"),
    ([decision(2), fill(3)], [decision(2), fill(3, price=2.5)], "fill of order 1: price", "none"),
    (
        [decision(2, time_in_force="day")],
        [decision(2, time_in_force="day"), fill(3)],
        "fill of order 1",
        "Backtrader lets it lapse untried: use valid=None",
    ),
    ([decision(2)], [decision(2), fill(3)], "fill of order 1", "none"),
    (
        [decision(2), fill(3)],
        [decision(2), venue("Ended", reason="no buying power")],
        "fill of order 1",
        "refused a: no buying power",
    ),
    (
        [decision(2), fill(3)],
        [decision(2), venue("Mismatch", symbol="X", ours="0", theirs="1")],
        "fill of order 1",
        "books and the venue parted",
    ),
    (
        [decision(2)],
        [{"kind": "shutdown", "trigger": "breaker", "text": "three failures"}],
        "decision of order 1",
        "shut down (breaker): three failures",
    ),
]


@pytest.mark.parametrize(("ours", "theirs", "what", "cause"), CASES)
def test_the_first_difference_is_named_with_its_cause(ours, theirs, what, cause):
    found = between(ours, theirs)
    assert found.what == what
    assert cause in found.cause
    assert found.text.startswith(what)
    assert found.as_dict()["cause"] == found.cause


def test_parts_of_a_fill_count_as_one_in_any_order():
    orders = [decision(2, "a"), decision(2, "b")]
    whole = [*orders, fill(3, "a", 2.0), fill(3, "b")]
    parts = [*orders, fill(3, "b"), fill(3, "a"), fill(3, "a") | {"position": 2.0}]
    ours, theirs = (canonical(records, LAST).by_order() for records in (whole, parts))
    assert first_difference(ours, theirs, []) is None


def test_what_came_to_its_end_on_the_last_bar_only_one_half_can_tell():
    told = {"kind": "order", "order_id": "a", "symbol": "X", "status": "Accepted"}
    assert between([decision(9)], [decision(9), told]) is None


def test_nothing_decided_in_the_warm_up_counts():
    after = datetime.fromisoformat("2024-01-02T21:00:00+00:00")
    records = [decision(2), decision(3, "b")]
    assert [act.key for act in canonical(records, LAST, after).acts] == ["order 1"]


def test_equity_is_cash_and_positions_at_the_last_closes():
    # 1 bought at 2 on day 3 and sold at 4 on day 5, ten per cent of each paid
    fills = canonical([decision(2), fill(3), fill(5, price=4.0, side="sell")], LAST).fills
    closes = pd.DataFrame(
        {"X": [1.0, 3.0, 5.0]},
        index=pd.DatetimeIndex([bar(2), bar(3), bar(5)]),
    )
    worth = equity_from_fills(fills, closes, 100.0, 0.1).tolist()
    assert worth == pytest.approx([100.0, 100.8, 101.4], abs=1e-9)
