import math

import backtrader as bt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.trades import FILLS, ORDERS, POSITIONS, TRADES
from brokers.risk import RiskLimits
from tests.analyzers.small_runs import bars, play

RISING = [10, 11, 12, 13, 14, 15]
CAREFUL = RiskLimits(max_order_notional=50.0).rules()


class StockTrades(bt.Analyzer):
    """What Backtrader itself says of the closed trades."""

    def start(self):
        self.closed = []

    def notify_trade(self, trade):
        if trade.isclosed:
            self.closed.append(
                (trade.price, trade.pnl, trade.pnlcomm, trade.commission, trade.barlen, trade.long)
            )


def day(number):
    """End of bar `number`, from 1: daily bars without a calendar end at midnight."""
    return pd.Timestamp("2024-01-01", tz="UTC") + pd.Timedelta(days=number)


def ledger(script, *frames, **how):
    return play(script, *(frames or (bars(RISING),)), **how).analyzers.ledger


@pytest.mark.parametrize("script", [{}, {1: lambda s: s.buy(), 2: lambda s: s.close()}])
def test_columns_and_types_are_fixed_even_when_empty(script):
    frames = ledger(script).get_analysis()
    for name, columns in (
        ("orders", ORDERS), ("fills", FILLS), ("trades", TRADES), ("positions", POSITIONS)
    ):  # fmt: skip
        assert {key: str(dtype) for key, dtype in frames[name].dtypes.items()} == columns


def test_an_order_tells_its_whole_story():
    orders = ledger({1: lambda s: s.buy(size=10, reason="it rose")}, commission=0.01).orders()
    row = orders.iloc[0].to_dict()
    assert row.pop("order_id").isalnum()
    nothing = {name: row.pop(name) for name in ("limit_price", "stop_price", "refusal")}
    assert all(map(pd.isna, nothing.values()))
    assert row == {
        "symbol": "ACME", "side": "buy", "order_type": "market", "quantity": 10.0,
        "status": "Completed", "created_at": day(1), "executed_at": day(2),
        "filled_quantity": 10.0, "filled_price": 10.0, "commission": 1.0, "pnl": 0.0,
        "reason": "it rose",
    }  # fmt: skip


def test_prices_asked_for_stand_in_the_column_of_their_kind():
    def ask(strategy):
        strategy.buy(exectype=bt.Order.Limit, price=5)
        strategy.buy(exectype=bt.Order.Stop, price=50)
        strategy.buy(exectype=bt.Order.StopLimit, price=51, plimit=52)
        strategy.sell(exectype=bt.Order.StopTrail, trailamount=20)

    orders = ledger({1: ask}).orders()
    assert orders["order_type"].tolist() == ["limit", "stop", "stop_limit", "trailing_stop"]
    assert orders["limit_price"].fillna(0).tolist() == [5, 0, 52, 0]
    assert orders["stop_price"].fillna(0).tolist()[:3] == [0, 50, 51]


def test_an_order_of_the_last_bar_is_there_unfilled():
    orders = ledger({6: lambda s: s.sell(size=3)}).orders()
    assert orders["status"].tolist() == ["Submitted"]
    assert orders["filled_quantity"].tolist() == [0.0]
    assert orders["executed_at"].isna().all()
    assert orders["pnl"].isna().all()


def test_refused_orders_say_why_and_never_fill():
    script = {1: lambda s: s.buy(size=9, reason="greed"), 2: lambda s: s.buy(size=2)}
    book = ledger(script, rules=CAREFUL)
    orders = book.orders()
    assert orders["status"].tolist() == ["Rejected", "Completed"]
    assert orders["refusal"].tolist()[0] == "max_order_notional: limit 50.0, value 90.0"
    assert len(book.fills()) == 1


def test_a_refusal_of_the_last_bar_is_told_too():
    script = {6: lambda s: s.buy(size=9, reason="late", exectype=bt.Order.Limit, price=14)}
    orders = ledger(script, rules=CAREFUL).orders()
    row = orders.iloc[0]
    assert len(orders) == 1
    assert (row["status"], row["reason"], row["limit_price"]) == ("Rejected", "late", 14.0)
    assert row["refusal"].startswith("max_order_notional")


def test_legs_of_a_bracket_are_orders_named_after_their_entry():
    script = {1: lambda s: s.buy_bracket(size=1, price=10, limitprice=13, stopprice=5)}
    orders = ledger(script).orders()
    entry, stop, target = orders["order_id"]
    assert (stop, target) == (f"{entry}-sl", f"{entry}-tp")
    assert orders["status"].tolist() == ["Completed", "Canceled", "Completed"]


def test_without_a_guard_orders_are_numbered_from_one_in_every_run():
    script = {1: lambda s: s.buy(), 3: lambda s: s.close()}
    first, second = (ledger(script, guarded=False) for _ in range(2))
    assert first.orders()["order_id"].tolist() == ["1", "2"]
    assert first.fills()["order_id"].tolist() == ["1", "2"]
    for name, frame in first.get_analysis().items():
        pd.testing.assert_frame_equal(frame, second.get_analysis()[name])


def test_guarded_runs_give_equal_frames():
    script = {1: lambda s: s.buy(), 3: lambda s: s.close()}
    pd.testing.assert_frame_equal(ledger(script).orders(), ledger(script).orders())


def test_fills_are_signed_and_dated_at_the_end_of_their_bar():
    fills = ledger({1: lambda s: s.buy(size=2), 3: lambda s: s.sell(size=2)}).fills()
    assert fills["quantity"].tolist() == [2.0, -2.0]
    assert fills["at"].tolist() == [day(2), day(4)]
    assert fills["price"].tolist() == [10.0, 12.0]


def test_a_round_trip_by_hand():
    script = {1: lambda s: s.buy(size=10), 4: lambda s: s.close()}
    trade = ledger(script, commission=0.01).trades().iloc[0].to_dict()
    assert trade == {
        "symbol": "ACME", "side": "long", "quantity": 10.0, "entry_at": day(2),
        "entry_price": 10.0, "exit_at": day(5), "exit_price": 13.0, "pnl": 30.0,
        "pnl_net": pytest.approx(27.7), "commission": pytest.approx(2.3), "bars": 3, "open": False,
    }  # fmt: skip


def test_an_open_trade_is_valued_at_the_last_close():
    trade = ledger({1: lambda s: s.buy(size=10)}, commission=0.01).trades().iloc[0]
    assert trade["open"]
    assert trade["exit_at"] is pd.NaT
    assert (trade["exit_price"], trade["pnl"], trade["pnl_net"]) == (15.0, 50.0, 49.0)
    assert trade["bars"] == 4


def test_scaling_in_and_out_averages_both_sides():
    script = {
        1: lambda s: s.buy(size=10),  # at 10
        2: lambda s: s.buy(size=10),  # at 11
        3: lambda s: s.sell(size=5),  # at 12
        4: lambda s: s.sell(size=15),  # at 13
    }
    trade = ledger(script).trades().iloc[0]
    assert (trade["quantity"], trade["entry_price"], trade["exit_price"]) == (20, 10.5, 12.75)
    assert trade["pnl"] == 45.0


def test_a_reversal_closes_one_trade_and_opens_another():
    script = {1: lambda s: s.buy(size=1), 3: lambda s: s.sell(size=3)}
    trades = ledger(script).trades()
    assert trades["side"].tolist() == ["long", "short"]
    assert trades["quantity"].tolist() == [1.0, 2.0]
    assert trades["open"].tolist() == [False, True]
    assert trades["entry_at"].tolist() == [day(2), day(4)]


def test_positions_have_a_row_for_each_change():
    script = {1: lambda s: s.buy(size=2), 3: lambda s: s.close()}
    positions = ledger(script).positions()
    assert positions["time"].tolist() == [day(2), day(4)]
    assert positions["size"].tolist() == [2.0, 0.0]
    assert positions["value"].tolist() == [20.0, 0.0]
    assert positions["price"].iloc[0] == 10.0
    assert math.isnan(positions["price"].iloc[1])


def test_two_fills_of_one_symbol_at_one_time_are_one_change():
    script = {1: lambda s: (s.buy(size=2), s.buy(size=3))}
    positions = ledger(script).positions()
    assert positions[["time", "size"]].to_numpy().tolist() == [[day(2), 5.0]]


def test_symbols_are_kept_apart():
    def both(strategy):
        strategy.buy(data=strategy.data0, size=1)
        strategy.sell(data=strategy.data1, size=2)

    book = ledger({1: both}, bars(RISING, "A"), bars(RISING, "B"))
    assert book.trades()["symbol"].tolist() == ["A", "B"]
    assert book.positions()[["symbol", "size"]].to_numpy().tolist() == [["A", 1.0], ["B", -2.0]]


def test_trades_of_a_compensated_feed_belong_to_the_other():
    def hedge(strategy):
        strategy.data1.compensate(strategy.data0)
        strategy.sell(data=strategy.data1, size=1)

    book = ledger({1: hedge}, bars(RISING, "A"), bars(RISING, "B"))
    assert book.trades()["symbol"].tolist() == ["A"]


SIZES = st.lists(st.sampled_from([-3, -2, -1, -0.5, 0, 0.25, 1, 2, 4]), min_size=8, max_size=30)


@settings(max_examples=25, deadline=None)
@given(sizes=SIZES, seed=st.integers(0, 5))
def test_closed_trades_equal_backtraders_own_to_the_last_bit(sizes, seed):
    closes = [100 + (seed + 3) * ((7 * n * n + seed) % 11) / 7 for n in range(len(sizes) + 2)]
    script = {
        n: lambda s, size=size: s.buy(size=size) if size > 0 else s.sell(size=-size)
        for n, size in enumerate(sizes, 1)
        if size
    }
    run = play(script, bars(closes), cash=1e6, commission=0.0013, analyzers=(StockTrades,))
    trades = run.analyzers.ledger.trades()
    closed = trades[~trades["open"]]
    ours = list(
        zip(
            closed["entry_price"], closed["pnl"], closed["pnl_net"], closed["commission"],
            closed["bars"], closed["side"] == "long", strict=True,
        )
    )  # fmt: skip
    assert ours == run.analyzers.StockTrades.closed
