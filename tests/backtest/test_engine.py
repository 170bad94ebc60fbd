import signal
import threading

import backtrader as bt
import numpy as np
import pandas as pd
import pytest

from analyzers.journal import verify
from backtest import RunSpec, assemble, run
from backtest.engine import execute
from backtest.inputs import named_feeds
from brokers.errors import ConfigError, DataError, RiskRefused
from brokers.guard import GuardedBroker
from brokers.profile import Profile
from brokers.risk import RiskLimits
from feeds.frames import as_feed
from strategies.signals import SignalStrategy
from tests.analyzers.small_runs import Scripted, bars

CLOSES = [10, 11, 12, 11, 14, 15, 13, 16]
BUY = {2: lambda s: s.buy()}


def played(script, frames=None, **how):
    given = bars(CLOSES) if frames is None else frames
    return run(Scripted, given, params={"script": script}, **how)


class Mean(bt.Strategy):
    params = (("period", 9),)

    def __init__(self):
        self.means = [bt.ind.SMA(data, period=self.p.period) for data in self.datas]


class Skips(bt.Strategy):
    def __init__(self):
        raise bt.errors.StrategySkipError


def stock_feed(name=""):
    frame = bars(CLOSES).tz_localize(None)
    return bt.feeds.PandasData(dataname=frame, name=name, openinterest=None)


# -- bars ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (lambda: bars(CLOSES), ("ACME",)),
        (lambda: pd.DataFrame(bars(CLOSES).to_dict()), ("data0",)),
        (lambda: {"A": bars(CLOSES), "B": bars(CLOSES)}, ("A", "B")),
        (lambda: [bars(CLOSES, "A"), bars(CLOSES, "B")], ("A", "B")),
        (lambda: as_feed(bars(CLOSES), "mine"), ("mine",)),
        (lambda: (stock_feed(), stock_feed("two")), ("data0", "two")),
        (lambda: {"A": stock_feed()}, ("A",)),
    ],
)
def test_bars_come_as_frames_and_feeds_alone_or_together(given, names):
    seen = []
    played({1: lambda s: seen.extend(data._name for data in s.datas)}, given())
    assert tuple(seen) == names


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "there are none"),
        ([], "there are none"),
        ("prices.csv", "got str, not bars.*feeds.history"),
        (5, "got int"),
        ([5], "got int"),
        ({"A": [1.0]}, "got list"),
        ([bars(CLOSES), bars(CLOSES)], "two feeds have the same name"),
    ],
)
def test_what_is_not_bars_is_refused(given, words):
    with pytest.raises(ConfigError, match=words):
        played({}, given)


def test_the_result_holds_the_checked_frames_with_their_passports():
    frame = bars(CLOSES)
    result = played({}, frame[["volume", "close", "low", "high", "open"]])
    assert list(result.bars["ACME"].columns) == ["open", "high", "low", "close", "volume"]
    assert result.bars["ACME"].attrs["passport"] == frame.attrs["passport"]
    assert result.passports == {"ACME": frame.attrs["passport"]}


def test_feeds_of_backtrader_run_without_passports():
    result = played(BUY, stock_feed("X"))
    assert (result.passports, result.bars, len(result.orders)) == ({}, {}, 1)


# -- the broker ------------------------------------------------------------------------------------


def test_without_a_size_the_stake_is_one():
    assert played(BUY).orders["quantity"].tolist() == [1.0]


def test_a_size_in_units_is_the_stake():
    assert played(BUY, size=7).orders["quantity"].tolist() == [7.0]


def test_a_size_in_per_cent_is_a_share_of_equity():
    assert played(BUY, size="50%", cash=100).orders["quantity"].tolist() == [4.0]  # 50 / 11 = 4.5


def test_commission_is_a_fraction_of_the_notional():
    result = played(BUY, size=10, commission=0.01)
    assert result.fills["commission"].tolist() == [pytest.approx(10 * 11 * 0.01)]


def test_a_scheme_of_backtrader_charges_as_it_likes():
    scheme = bt.CommissionInfo(commission=2.5, commtype=bt.CommInfoBase.COMM_FIXED, stocklike=True)
    assert played(BUY, size=10, commission=scheme).fills["commission"].tolist() == [25.0]


@pytest.mark.parametrize(
    ("slippage_bps", "price"), [(0, 11.0), (100, 11.11), (5_000, 13.0)], ids=["none", "1%", "high"]
)
def test_slippage_makes_a_market_order_worse_but_stays_inside_the_bar(slippage_bps, price):
    # Bought on bar 2; bar 3 opens at 11 and goes up to 13.
    result = played(BUY, slippage_bps=slippage_bps)
    assert result.fills["price"].tolist() == [pytest.approx(price)]


def test_slippage_never_takes_a_limit_order_beyond_its_limit():
    script = {2: lambda s: s.buy(exectype=bt.Order.Limit, price=10.5)}
    assert played(script, slippage_bps=100).fills["price"].tolist() == [10.5]


def test_a_refused_order_is_counted_by_its_rule():
    result = played(BUY, size=10, risk={"max_order_notional": 100})
    assert result.refusals == {"max_order_notional": 1}
    assert (result.final_value, len(result.fills)) == (100_000.0, 0)


def test_a_breached_account_limit_halts_the_run_s_guard():
    closes = [10, 10, 10, 5, 5, 5]
    script = {1: lambda s: s.buy(size=10), 5: lambda s: s.buy(size=1)}
    limits = RiskLimits(max_drawdown_frac=0.2)
    result = played(script, bars(closes), cash=200, risk=limits)
    assert result.refusals == {"reduce_only": 1}


def test_assemble_wires_the_guard_round_any_broker():
    spec = RunSpec("buy_and_hold", risk={"max_order_notional": 1.0})
    inner, profile = bt.brokers.BackBroker(cash=5.0), Profile("venue")
    feeds = named_feeds(bars(CLOSES))
    cerebro = assemble(spec, feeds, broker=inner, profile=profile, session_id="s", quicknotify=True)
    assert isinstance(cerebro.broker, GuardedBroker)
    assert cerebro.broker.inner is inner
    assert cerebro.p.quicknotify
    assert cerebro.datas == [feeds["ACME"]]


# -- analyzers -------------------------------------------------------------------------------------


def test_analyzers_answer_under_backtrader_s_names_for_them():
    years = {"timeframe": bt.TimeFrame.Years}
    result = played(
        {},
        analyzers=[
            bt.analyzers.SQN,
            bt.analyzers.SQN,
            (bt.analyzers.TimeReturn, years),
            (bt.analyzers.DrawDown, {"_name": "falls"}),
        ],
    )
    assert list(result.analyses) == ["sqn", "sqn1", "timereturn", "falls"]
    assert list(result.analyses["timereturn"].values()) == [0.0]


# -- too few bars ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strategy", "params", "needed"),
    [(Mean, {}, 9), ("sma_cross", {"fast": 2, "slow": 9}, 9), ("outlier_fade", {}, 61)],
)
def test_too_few_bars_say_how_many_are_needed_and_how_many_there_are(strategy, params, needed):
    with pytest.raises(DataError, match=f"ACME: 8 bars are too few: .* at least {needed} before"):
        run(strategy, bars(CLOSES), params=params)


def test_as_many_bars_as_needed_are_enough():
    assert len(run(Mean, bars(CLOSES), params={"period": 8}).equity) == 8


def test_the_shorter_of_two_feeds_is_named():
    with pytest.raises(DataError, match="short: 1 bars are too few"):
        run(Mean, {"long": bars(CLOSES), "short": bars([10])}, params={"period": 8})


def test_a_signal_strategy_waits_for_the_longest_feed_alone():
    frames = {"long": bars(CLOSES), "short": bars([10])}
    assert len(run("sma_cross", frames, params={"fast": 2, "slow": 4}).equity) == 8


def test_a_signal_strategy_whose_features_never_come_is_left_alone():
    class Blind(SignalStrategy):
        @staticmethod
        def features(config, bars):
            return {"nothing": np.full(len(bars.close), np.nan)}

        @staticmethod
        def signals(config, bars):
            return np.full(len(bars.close), np.nan)

    assert len(run(Blind, bars(CLOSES)).equity) == 8


def test_a_replayed_feed_is_left_to_grow():
    feed = as_feed(bars(CLOSES * 4))
    feed.replay(timeframe=bt.TimeFrame.Weeks, compression=1)
    assert len(run(Mean, feed, params={"period": 3}).equity) > 3


# -- errors and interrupts -------------------------------------------------------------------------


def test_an_error_of_the_strategy_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        played({3: lambda s: 1 / 0})


def test_a_strategy_that_skips_itself_leaves_no_result():
    with pytest.raises(ConfigError, match="StrategySkipError"):
        run(Skips, bars(CLOSES))


def interrupt(strategy):
    signal.raise_signal(signal.SIGINT)


def test_an_interrupt_ends_the_run_after_the_bar_and_marks_it_partial(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    log = tmp_path / "log.jsonl"
    result = played({3: interrupt}, log=log)
    assert (result.partial, len(result.equity)) == (True, 3)
    assert signal.getsignal(signal.SIGINT) is before
    assert verify(log).state == "unfinished"


def test_a_second_interrupt_ends_it_at_once():
    with pytest.raises(KeyboardInterrupt):
        played({3: lambda s: (interrupt(s), interrupt(s))})


def test_an_interrupt_before_the_first_bar_leaves_nothing_to_report():
    class Hasty(bt.Strategy):
        def start(self):
            interrupt(self)

    with pytest.raises(KeyboardInterrupt):
        run(Hasty, bars(CLOSES))


def test_where_interrupts_are_ignored_the_run_goes_on():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        result = played({3: interrupt})
    finally:
        signal.signal(signal.SIGINT, before)
    assert (result.partial, len(result.equity)) == (False, len(CLOSES))


def test_a_run_in_another_thread_leaves_signals_alone():
    before = signal.getsignal(signal.SIGINT)
    seen = []
    look = {1: lambda s: seen.append(signal.getsignal(signal.SIGINT))}
    thread = threading.Thread(target=played, args=(look,))
    thread.start()
    thread.join()
    assert seen == [before]


def test_rules_of_the_callers_own_are_asked_before_the_limits():
    def mine(situation):
        raise RiskRefused("mine", 0, 1)

    spec = RunSpec(Scripted, {"script": {1: lambda s: s.buy()}}, risk={"max_order_notional": 1.0})
    (reason,) = execute(spec, bars(CLOSES), rules=[mine]).orders["refusal"]
    assert reason == "mine: limit 0, value 1"
    (reason,) = execute(spec, bars(CLOSES)).orders["refusal"]
    assert reason.startswith("max_order_notional: limit 1.0")


# -- the log ---------------------------------------------------------------------------------------


def test_the_same_run_gives_the_same_log_bytes(tmp_path):
    logs = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    for log in logs:
        run("sma_cross", bars(CLOSES * 9), params={"fast": 2, "slow": 3}, log=log)
    assert logs[0].read_bytes() == logs[1].read_bytes()
    assert verify(logs[0]).state == "complete"


def test_an_earlier_log_is_kept(tmp_path):
    log = tmp_path / "log.jsonl"
    played(BUY, log=log)
    first = log.read_bytes()
    played({}, log=log)
    assert (tmp_path / "log.jsonl.1").read_bytes() == first


def test_a_strategy_s_own_failure_to_write_is_not_taken_for_the_log_s(tmp_path):
    with pytest.raises(FileNotFoundError):
        played({3: lambda s: (tmp_path / "no" / "file").write_text("x")}, log=tmp_path / "log")
    assert verify(tmp_path / "log").state == "unfinished"


def test_a_log_without_room_for_its_last_line_fails_the_run(tmp_path, file_size_limit):
    whole, cut = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    played(BUY, log=whole)
    file_size_limit(whole.stat().st_size - 1)
    with pytest.raises(DataError, match="could not be written"):
        played(BUY, log=cut)
    file_size_limit(None)
    assert cut.read_bytes() == whole.read_bytes()[: cut.stat().st_size]
    assert verify(cut).state == "unfinished"


@pytest.mark.parametrize("room", [3_000, 4_500, 6_000])
def test_a_log_without_room_refuses_orders_and_fails_the_run(tmp_path, room, file_size_limit):
    log = tmp_path / "log.jsonl"
    script = dict.fromkeys(range(1, 8), lambda s: s.buy())
    file_size_limit(room)
    with pytest.raises(DataError, match=r"log\.jsonl: the decision log could not be written"):
        played(script, log=log)
    file_size_limit(None)
    assert verify(log).state == "unfinished"
    assert log.stat().st_size <= room


def test_the_folder_of_a_log_is_made(tmp_path):
    played(BUY, log=tmp_path / "new" / "folder" / "log.jsonl")
    assert (tmp_path / "new" / "folder" / "log.jsonl").exists()
