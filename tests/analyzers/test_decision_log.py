"""The decision log of runs behind the real guard."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import backtrader as bt
import pandas as pd
import pytest

from analyzers.decision_log import DecisionLog
from analyzers.journal import Journal, tail, verify
from analyzers.market_context import BarClock
from brokers.clock import ManualClock
from brokers.errors import ConfigError
from brokers.events import Refusal
from brokers.guard import GuardedBroker
from brokers.risk import RiskLimits

START = datetime(2024, 1, 1, tzinfo=UTC)
CLOSES = (10.0, 11.0, 12.0, 13.0, 12.0, 11.0, 10.0, 9.0)
Act = Callable[[Any], object]
Record = dict[str, Any]


def bars(*closes: float) -> pd.DataFrame:
    index = pd.date_range("2024-01-02", periods=len(closes), freq="D")
    close = pd.Series(closes, index)
    return pd.DataFrame(
        {"open": close, "high": close + 1, "low": close - 1, "close": close, "volume": 100.0}
    )


class Scripted(bt.Strategy):
    """Does at bar i, from 1, what the script says."""

    params = (("script", {}),)

    def __init__(self) -> None:
        self.mean = bt.ind.SMA(period=2)
        self.memory: list[Any] = []
        self.notes: list[Any] = []

    def notify_order(self, order: Any) -> None:
        self.notes.append(order)

    def prenext(self) -> None:
        self.next()

    def next(self) -> None:
        act = self.p.script.get(len(self))
        if act:
            self.memory.append(act(self))


def stage(script: dict[int, Act], *, feeds: int = 1, **guard: Any) -> bt.Cerebro:
    cerebro = bt.Cerebro(stdstats=False)
    for number in range(feeds):
        data = bt.feeds.PandasData(dataname=bars(*CLOSES), name=f"S{number}")
        data.passport = SimpleNamespace(id=f"passport-{number}", as_dict=lambda: {"symbol": "S"})
        cerebro.adddata(data)
    inner = bt.brokers.BackBroker(cash=10_000.0)
    inner.setcommission(0.01)
    cerebro.broker = GuardedBroker(inner, **guard)
    cerebro.addstrategy(Scripted, script=script)
    return cerebro


def logged(path: Path, cerebro: bt.Cerebro) -> list[Record]:
    clock = BarClock(START)
    with Journal(path, "run-1", clock) as journal:
        cerebro.addanalyzer(DecisionLog, journal=journal, config={"cash": 1e4}, bar_clock=clock)
        cerebro.run()
    assert verify(path).state == "complete"
    return [record for record, _ in tail(path)]


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., list[Record]]:
    def run(script: dict[int, Act], **how: Any) -> list[Record]:
        return logged(tmp_path / "log", stage(script, **how))

    return run


Run = Callable[..., list[Record]]


def of_kind(records: list[Record], *kinds: str) -> list[Record]:
    return [record for record in records if record["kind"] in kinds]


def test_session_line_comes_first_and_session_end_last(run: Run) -> None:
    records = run({2: lambda s: s.buy()})
    first = records[0]
    assert (first["kind"], first["at"]) == ("session", "2024-01-01T00:00:00Z")
    assert first["strategy"] == "Scripted"
    assert first["params"]["script"]["2"].endswith("<lambda>")
    assert (first["cash"], first["config"]) == (10_000.0, {"cash": 10_000.0})
    assert first["passports"] == [{"symbol": "S"}]
    assert first["versions"]["backtrader"] == "1.9.78.123"
    assert (records[-1]["kind"], records[-1]["lines"]) == ("session_end", len(records))


def test_decision_says_what_was_known_and_why(run: Run) -> None:
    records = run({2: lambda s: s.buy(size=3, reason="it rises")})
    decision = of_kind(records, "decision")[0]
    assert decision["at"] == "2024-01-03T00:00:00Z"
    assert decision["market_context"] == {
        "symbol": "S0",
        "bar": {
            "time": "2024-01-03T00:00:00Z",
            "open": 11.0,
            "high": 12.0,
            "low": 10.0,
            "close": 11.0,
            "volume": 100.0,
        },
        "indicators": {"mean": 10.5},
        "position": 0.0,
        "cash": 10_000.0,
        "equity": 10_000.0,
        "passport": "passport-0",
    }
    assert decision["agent_reasoning"] == "it rises"
    assert decision["order"]["client_order_id"] == decision["order_id"]
    assert Decimal(decision["order"]["quantity"]) == 3
    assert isinstance(decision["order"]["quantity"], str)
    assert decision["refusal"] is None


def test_nothing_is_invented_where_no_reason_was_given(run: Run) -> None:
    records = run({2: lambda s: s.buy(), 4: lambda s: s.broker.cancel(s.memory[0])})
    assert {r["agent_reasoning"] for r in of_kind(records, "decision", "cancel")} == {"not given"}


def test_indicator_that_is_not_ready_is_null(run: Run) -> None:
    decision = of_kind(run({1: lambda s: s.buy()}), "decision")[0]
    assert decision["market_context"]["indicators"] == {"mean": None}


def test_every_order_has_its_context_reasoning_and_id(run: Run) -> None:
    records = run(
        {
            1: lambda s: s.buy(size=2),
            2: lambda s: s.buy_bracket(size=1, price=11.5, stopprice=9.5, limitprice=13.5),
            3: lambda s: s.sell(exectype=bt.Order.Stop, price=9.5),
            5: lambda s: s.sell(size=float("nan")),
            6: lambda s: s.close(),
        }
    )
    decided = {record["order_id"]: record for record in of_kind(records, "decision")}
    assert len(decided) == 5
    assert all(r["market_context"]["bar"] and r["agent_reasoning"] for r in decided.values())
    for record in of_kind(records, "order", "fill"):
        assert record["order_id"].removesuffix("-tp").removesuffix("-sl") in decided


def test_an_order_its_changes_and_its_fill_carry_one_id(run: Run) -> None:
    records = of_kind(run({2: lambda s: s.buy(size=3)}), "decision", "order", "fill")
    assert [(r["kind"], r.get("status")) for r in records] == [
        ("decision", None),
        ("order", "Submitted"),
        ("order", "Accepted"),
        ("fill", None),
        ("order", "Completed"),
    ]
    assert len({record["order_id"] for record in records}) == 1


def test_fill_has_its_own_time_and_what_it_cost(run: Run) -> None:
    records = run({2: lambda s: s.buy(size=3), 4: lambda s: s.sell(size=2)})
    bought, sold = of_kind(records, "fill")
    assert (bought["filled_at"], bought["side"], bought["quantity"]) == (
        "2024-01-04T00:00:00Z",
        "buy",
        3,
    )
    assert (bought["price"], bought["commission"], bought["pnl"]) == (12.0, 0.36, None)
    assert (sold["filled_at"], sold["side"], sold["quantity"]) == (
        "2024-01-06T00:00:00Z",
        "sell",
        2,
    )
    assert (sold["price"], sold["commission"], sold["pnl"]) == (12.0, 0.24, 0.0)
    assert (bought["position"], sold["position"]) == (3, 1)


def test_partial_fills_have_one_line_each(run: Run) -> None:
    def in_parts(strategy: Any) -> Any:
        strategy.broker.set_filler(bt.fillers.FixedSize(size=2))
        return strategy.buy(size=5)

    def tell_again(strategy: Any) -> None:
        strategy.analyzers[0].notify_order(strategy.notes[-1])

    records = run({2: in_parts, 3: tell_again, 4: tell_again})
    assert [(r["quantity"], r["position"]) for r in of_kind(records, "fill")] == [
        (2, 2),
        (2, 4),
        (1, 5),
    ]
    assert [r["status"] for r in of_kind(records, "order")] == [
        "Submitted",
        "Accepted",
        "Partial",
        "Completed",
    ]


def test_bracket_legs_have_ids_of_their_own(run: Run) -> None:
    records = run({2: lambda s: s.buy_bracket(size=1, price=12.0, stopprice=9.5, limitprice=13.5)})
    entry = of_kind(records, "decision")[0]["order_id"]
    last = {record["order_id"]: record["status"] for record in of_kind(records, "order")}
    assert last == {entry: "Completed", f"{entry}-sl": "Canceled", f"{entry}-tp": "Completed"}
    assert [record["order_id"] for record in of_kind(records, "fill")] == [entry, f"{entry}-tp"]


def test_refused_order_is_logged_with_rule_limit_and_value(run: Run) -> None:
    limits = RiskLimits(max_order_notional=10.0)
    records = run({2: lambda s: s.buy()}, rules=limits.rules())
    assert of_kind(records, "decision")[0]["refusal"] == {
        "kind": "risk",
        "text": "max_order_notional: limit 10.0, value 11.0",
        "rule": "max_order_notional",
        "limit": 10.0,
        "value": 11.0,
    }
    (rejected,) = of_kind(records, "order")
    assert rejected["status"] == "Rejected"
    assert rejected["refusal"] == "max_order_notional: limit 10.0, value 11.0"
    assert rejected["order_id"] == of_kind(records, "decision")[0]["order_id"]


def test_order_that_contradicts_itself_is_logged_as_it_was_asked(run: Run) -> None:
    records = run({2: lambda s: s.buy(size=float("inf"), exectype=bt.Order.Limit, price=9.0)})
    decision = of_kind(records, "decision")[0]
    assert decision["order"] is None
    assert decision["asked"]["size"] == "inf"
    assert decision["asked"]["exectype"] == "Limit"
    assert decision["asked"]["price"] == 9.0
    assert decision["refusal"]["kind"] == "schema"


def test_unknown_execution_type_is_logged_as_it_was_asked(run: Run) -> None:
    records = run({2: lambda s: s.buy(exectype=99)})
    assert of_kind(records, "decision")[0]["asked"]["exectype"] == 99


def test_cancel_is_logged_with_its_reason_before_it_takes_effect(run: Run) -> None:
    records = run(
        {
            2: lambda s: s.buy(exectype=bt.Order.Limit, price=1.0),
            4: lambda s: s.broker.cancel(s.memory[0], reason="no longer"),
        }
    )
    cancel, status = of_kind(records, "cancel", "order")[-2:]
    assert (cancel["kind"], cancel["agent_reasoning"]) == ("cancel", "no longer")
    assert (cancel["symbol"], status["status"]) == ("S0", "Canceled")
    assert cancel["order_id"] == status["order_id"] == of_kind(records, "decision")[0]["order_id"]


def test_halt_names_what_tripped_and_what_was_cancelled(run: Run) -> None:
    records = run(
        {
            2: lambda s: s.buy(exectype=bt.Order.Limit, price=1.0),
            4: lambda s: s.broker.halt(Refusal("halt", "the operator said stop")),
        }
    )
    (halt,) = of_kind(records, "halt")
    assert halt["refusal"]["text"] == "the operator said stop"
    assert halt["cancelled"] == [of_kind(records, "decision")[0]["order_id"]]


def test_trade_is_logged_when_it_opens_and_when_it_closes(run: Run) -> None:
    records = run({2: lambda s: s.buy(size=2), 5: lambda s: s.close()})
    opened, closed = of_kind(records, "trade")
    assert (opened["status"], opened["side"], opened["quantity"], opened["price"]) == (
        "opened",
        "long",
        2,
        12.0,
    )
    assert (closed["status"], closed["opened_at"], closed["closed_at"], closed["bars"]) == (
        "closed",
        "2024-01-04T00:00:00Z",
        "2024-01-07T00:00:00Z",
        3,
    )
    # 2 bought at 12 and sold at 11, each side at one per cent
    assert closed["pnl"] == -2.0
    assert closed["pnl_net"] == pytest.approx(-2.0 - 0.24 - 0.22)


def test_orders_of_a_history_are_facts_without_a_decision(tmp_path: Path) -> None:
    cerebro = stage({})
    cerebro.add_order_history([["2024-01-03", 2, 11.0], ["2024-01-05", -2, 13.0]], notify=True)
    records = logged(tmp_path / "log", cerebro)
    assert of_kind(records, "decision") == []
    assert [r["order_id"] for r in of_kind(records, "fill")] == [None, None]
    assert [r["status"] for r in of_kind(records, "trade")] == ["opened", "closed"]


def test_decision_is_in_the_file_before_the_inner_broker_hears_of_it(tmp_path: Path) -> None:
    class Witness(bt.brokers.BackBroker):
        def buy(self, *args: Any, **how: Any) -> Any:
            kinds = [record["kind"] for record, _ in tail(tmp_path / "log")]
            assert kinds == ["session", "decision"]
            return super().buy(*args, **how)

    cerebro = stage({2: lambda s: s.buy()})
    cerebro.broker = GuardedBroker(Witness())
    assert len(of_kind(logged(tmp_path / "log", cerebro), "fill")) == 1


def test_each_strategy_logs_its_own_decisions_alone(tmp_path: Path) -> None:
    cerebro = stage({2: lambda s: s.buy()})
    cerebro.addstrategy(Scripted, script={2: lambda s: s.sell(), 3: lambda s: s.cancel(*s.memory)})
    records = logged(tmp_path / "log", cerebro)
    assert len(of_kind(records, "session")) == 2
    assert [r["order"]["side"] for r in of_kind(records, "decision")] == ["buy", "sell"]
    assert len(of_kind(records, "fill")) == 2


def test_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    script: dict[int, Act] = {2: lambda s: s.buy(), 4: lambda s: s.sell(size=3)}
    for name in ("a", "b"):
        logged(tmp_path / name, stage(script))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_log_changes_no_result(tmp_path: Path) -> None:
    script: dict[int, Act] = {
        2: lambda s: s.buy(s.data0, size=float("nan")),  # refused, it must leave no position
        3: lambda s: s.buy(s.data1, size=0.1),
        4: lambda s: s.buy(s.data0, size=0.7),
    }
    bare, watched = stage(script, feeds=2), stage(script, feeds=2)
    bare.run()
    logged(tmp_path / "log", watched)
    assert watched.broker.getvalue() == bare.broker.getvalue()
    assert [d._name for d in watched.broker.positions] == [d._name for d in bare.broker.positions]


def test_broker_without_a_guard_is_a_clear_error(tmp_path: Path) -> None:
    cerebro = stage({})
    cerebro.broker = bt.brokers.BackBroker()
    with Journal(tmp_path / "log", "run-1", ManualClock(START)) as journal:
        cerebro.addanalyzer(DecisionLog, journal=journal)
        with pytest.raises(ConfigError, match=r"cerebro\.broker = GuardedBroker"):
            cerebro.run()
