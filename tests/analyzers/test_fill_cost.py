"""Fill cost: by hand, from logs of a few lines."""

from datetime import UTC, datetime
from math import isnan
from pathlib import Path
from typing import Any

import pytest

from analyzers.fill_cost import COLUMNS, averages, fill_cost, matching_slippage_bps
from analyzers.journal import Journal
from brokers.clock import ManualClock

Line = dict[str, Any]


def _log(folder: Path, *lines: Line) -> Path:
    path = folder / "decisions.jsonl"
    with Journal(path, "s1", ManualClock(datetime(2025, 6, 2, 14, tzinfo=UTC))) as journal:
        for line in lines:
            journal.append(line)
    return path


def _decision(
    side: str = "buy", close: float = 100.0, refusal: object = None, **terms: Any
) -> Line:
    order = {"client_order_id": "a1", "side": side, "quantity": "10", "symbol": "SPY",
             "order_type": "market"} | terms  # fmt: skip
    bar = {"time": "2025-06-02T14:00:00Z", "close": close}
    return {"kind": "decision", "order_id": "a1", "order": order, "refusal": refusal,
            "market_context": {"bar": bar}}  # fmt: skip


def _bars(minute: int, opened: float, high: float, low: float, close: float) -> Line:
    start = f"2025-06-02T14:{minute:02}:00+00:00"
    return {"kind": "bars", "turn": minute, "bars": {"SPY": [start, opened, high, low, close, 1.0]}}


def _fill(price: float, quantity: float = 10.0, order_id: str = "a1", at: int = 1) -> Line:
    at_text = f"2025-06-02T14:{at:02}:00Z"
    return {"kind": "fill", "order_id": order_id, "symbol": "SPY", "quantity": quantity,
            "price": price, "commission": 0.5, "filled_at": at_text}  # fmt: skip


def _ended(order_id: str = "a1", status: str = "Completed") -> Line:
    return {"kind": "order", "order_id": order_id, "status": status}


def test_a_market_order_is_measured_from_decision_over_arrival_to_fill(tmp_path: Path) -> None:
    log = _log(tmp_path, _decision(), _fill(102.0), _ended(), _bars(0, 101.0, 103.0, 100.0, 102.0))
    (row,) = fill_cost(log).to_dict("records")
    assert (row["decision_price"], row["arrival_price"], row["fill_price"]) == (100.0, 101.0, 102.0)
    assert row["model_price"] == 101.0
    assert row["cost_bps"] == pytest.approx(200.0)
    assert row["delay_bps"] == pytest.approx(100.0)
    assert row["impact_bps"] == pytest.approx(99.00990099)
    assert row["slippage_bps"] == pytest.approx(99.00990099)
    assert row["commission"] == 0.5


def test_a_sale_above_the_model_is_a_gain(tmp_path: Path) -> None:
    log = _log(tmp_path, _decision("sell"), _bars(0, 100.0, 103.0, 99.0, 102.0), _fill(101.0))
    (row,) = fill_cost(log).to_dict("records")
    assert row["slippage_bps"] == pytest.approx(-100.0)


def test_partial_fills_are_averaged_by_quantity(tmp_path: Path) -> None:
    log = _log(tmp_path, _decision(), _fill(100.0, 4.0), _fill(105.0, 6.0))
    (row,) = fill_cost(log).to_dict("records")
    assert row["fill_price"] == pytest.approx(103.0)
    assert row["quantity"] == 10.0
    assert row["commission"] == 1.0


def test_a_limit_order_is_modelled_on_the_bar_that_reaches_it(tmp_path: Path) -> None:
    log = _log(
        tmp_path,
        _decision(order_type="limit", limit_price="99"),
        _bars(0, 100.0, 101.0, 99.5, 100.0),
        _bars(1, 99.8, 100.0, 98.0, 99.0),
        _fill(98.9, at=2),
        _ended(),
        _bars(2, 90.0, 91.0, 89.0, 90.0),
        _bars(3, 80.0, 81.0, 79.0, 80.0),
    )
    (row,) = fill_cost(log).to_dict("records")
    assert row["arrival_price"] == 100.0
    assert row["model_price"] == 99.0


def test_a_leg_is_modelled_from_its_entrys_fill_on_and_has_no_decision_price(
    tmp_path: Path,
) -> None:
    stop = {"client_order_id": "a1-sl", "role": "stop_loss", "side": "sell", "quantity": "10",
            "order_type": "stop", "stop_price": "95"}  # fmt: skip
    log = _log(
        tmp_path,
        _decision(legs=[stop]),
        _bars(0, 94.0, 101.0, 93.0, 100.0),
        _fill(94.0),
        _bars(1, 96.0, 97.0, 94.0, 96.0),
        _fill(94.5, order_id="a1-sl", at=2),
    )
    entry, leg = fill_cost(log).to_dict("records")
    assert (entry["order_id"], leg["order_id"]) == ("a1", "a1-sl")
    assert isnan(leg["decision_price"])
    assert leg["model_price"] == 95.0


@pytest.mark.parametrize("kind", ["trailing_stop", "market_on_close"])
def test_what_has_no_model_says_so(tmp_path: Path, kind: str) -> None:
    log = _log(tmp_path, _decision(order_type=kind), _bars(0, 1.0, 1.0, 1.0, 1.0), _fill(1.0))
    assert isnan(fill_cost(log)["model_price"][0])


def test_the_slippage_that_would_have_matched_is_weighted_by_what_was_traded(
    tmp_path: Path,
) -> None:
    other = _decision(client_order_id="b2") | {"order_id": "b2"}
    limit = _decision(client_order_id="c3", order_type="limit", limit_price="120")
    log = _log(
        tmp_path,
        _decision(),
        other,
        limit | {"order_id": "c3"},
        _bars(0, 100.0, 110.0, 90.0, 100.0),
        _fill(101.0, 30.0),
        _fill(100.0, 10.0, order_id="b2"),
        _fill(50.0, 10.0, order_id="c3"),
    )
    costs = fill_cost(log)
    assert matching_slippage_bps(costs) == pytest.approx(75.0)  # (100 x 30 + 0 x 10) / 40
    assert averages(costs)["cost_bps"] == pytest.approx((100 * 3030 + 0 * 1000 - 5000 * 500) / 4530)


def test_a_log_without_fills_gives_an_empty_frame_with_all_columns(tmp_path: Path) -> None:
    log = _log(tmp_path, _decision(refusal={"text": "no"}), _decision(), _bars(0, 1, 1, 1, 1))
    costs = fill_cost(log)
    assert list(costs.columns) == list(COLUMNS)
    assert costs.empty
    assert isnan(matching_slippage_bps(costs))
    assert isnan(averages(costs)["cost_bps"])


def test_bars_and_fills_of_others_are_passed_over(tmp_path: Path) -> None:
    stranger = _bars(0, 1.0, 1.0, 1.0, 1.0) | {"bars": {"XLK": ["", 1, 1, 1, 1, 1]}}
    log = _log(tmp_path, _decision(), stranger, _fill(1.0, order_id="z9"), _fill(100.0))
    assert len(fill_cost(log)) == 1
    assert isnan(fill_cost(log)["arrival_price"][0])
