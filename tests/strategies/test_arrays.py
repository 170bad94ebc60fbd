import math

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from strategies import arrays
from tests.strategies.stage import flat, play, walk

BARS = walk(160, seed=3)
CLOSE = BARS["close"].to_numpy()
HIGH = BARS["high"].to_numpy()
LOW = BARS["low"].to_numpy()
OTHER = walk(160, seed=4)["close"].to_numpy()


def backtrader_line(make, frame=BARS, **options):
    """The values of an indicator in a stock run, NaN before its first bar."""

    class Shows(bt.Strategy):
        def __init__(self):
            self.shown = make(self.data)

        def next(self):
            pass

    shown = play(Shows, frame, options=options).strategy.shown.lines[0].array
    return np.array(shown)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (arrays.sma(CLOSE, 30), lambda d: bt.ind.SMA(d, period=30)),
        (arrays.sma(CLOSE, 1), lambda d: bt.ind.SMA(d, period=1)),
        (arrays.ema(CLOSE, 12), lambda d: bt.ind.EMA(d, period=12)),
        (arrays.wilder(CLOSE, 9), lambda d: bt.ind.SMMA(d, period=9)),
        (arrays.rsi(CLOSE, 14), lambda d: bt.ind.RSI(d, period=14)),
        (arrays.atr(HIGH, LOW, CLOSE, 14), lambda d: bt.ind.ATR(d, period=14)),
        (arrays.highest(HIGH, 20), lambda d: bt.ind.Highest(d.high, period=20)),
        (arrays.lowest(LOW, 10), lambda d: bt.ind.Lowest(d.low, period=10)),
        (arrays.momentum(CLOSE, 12), lambda d: bt.ind.ROC(d, period=12)),
        (
            arrays.crossover(arrays.sma(CLOSE, 3), arrays.sma(CLOSE, 8)),
            lambda d: bt.ind.CrossOver(bt.ind.SMA(d, period=3), bt.ind.SMA(d, period=8)),
        ),
    ],
)
def test_an_indicator_is_backtraders_to_the_last_bit(ours, theirs):
    np.testing.assert_array_equal(ours, backtrader_line(theirs))


def test_the_rsi_without_a_fall_is_100_and_without_a_move_50():
    rising = flat([1, 2, 3, 4, 5, 6])
    np.testing.assert_array_equal(
        arrays.rsi(rising["close"].to_numpy(), 3),
        backtrader_line(lambda d: bt.ind.RSI_Safe(d, period=3), rising),
    )
    assert arrays.rsi(np.arange(6.0), 3)[-1] == 100
    assert arrays.rsi(np.ones(6), 3)[-1] == 50


@pytest.mark.parametrize(
    "path",
    [
        [5, 5, 6, 4, 4, 6],
        [1, 0, 0, 0, 9, 0, 0, 9],
        [3, 3, 3, 3],
        [0, 1, 2, 1, 0, 0, 1],
        [4, 4, 6, 7],
    ],
)
def test_a_cross_counts_from_the_last_difference_that_was_not_zero(path):
    prices = flat([float(price) for price in path])
    line = backtrader_line(lambda d: bt.ind.CrossOver(d.close, d.close * 0.0 + 4.0), prices)
    ours = arrays.crossover(prices["close"].to_numpy(), np.full(len(path), 4.0))
    np.testing.assert_array_equal(ours, line)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_mean_is_that_of_fsum_whatever_the_numbers(data):
    number = st.one_of(
        st.floats(-1e6, 1e6), st.floats(-1e300, 1e300), st.floats(-1e-300, 1e-300), st.just(0.0)
    )
    values = np.array(data.draw(st.lists(number, min_size=1, max_size=30)))
    period = data.draw(st.integers(1, 12))
    wanted = [math.fsum(values[i + 1 - period : i + 1]) / period for i in range(len(values))]
    np.testing.assert_array_equal(arrays.sma(values, period)[period - 1 :], wanted[period - 1 :])


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e9])
def test_a_mean_over_a_long_series_never_drifts(scale):
    values = walk(20_000, seed=9)["close"].to_numpy() * scale
    wanted = [math.fsum(values[i - 199 : i + 1].tolist()) / 200 for i in range(199, 20_000)]
    np.testing.assert_array_equal(arrays.sma(values, 200)[199:], wanted)


def test_a_mean_with_a_missing_value_is_missing_and_the_rest_is_not():
    values = np.array([1.0, 2.0, math.nan, 4.0, 5.0, 6.0])
    np.testing.assert_array_equal(arrays.sma(values, 2), [math.nan, 1.5, *[math.nan] * 2, 4.5, 5.5])


def test_a_mean_of_infinite_values_is_infinite():
    values = np.array([1.0, math.inf, 2.0, 2.0])
    np.testing.assert_array_equal(arrays.sma(values, 2), [math.nan, math.inf, math.inf, 2.0])


def test_each_column_of_a_table_is_summed_as_if_it_were_alone():
    wide = CLOSE * 2.0 ** np.linspace(-40, 40, len(CLOSE))  # more than 106 bits hold
    holed = np.where(np.arange(len(CLOSE)) < 7, math.nan, CLOSE)
    endless = np.where(np.arange(len(CLOSE)) == 50, math.inf, CLOSE)
    columns = [CLOSE, wide, holed, endless, np.zeros(len(CLOSE))]
    together = arrays.sma(np.stack(columns, axis=1), 10)
    for column, values in enumerate(columns):
        np.testing.assert_array_equal(together[:, column], arrays.sma(values, 10))


@pytest.mark.parametrize(
    "function", [arrays.sma, arrays.highest, arrays.lowest, arrays.zscore, arrays.modified_zscore]
)
def test_a_period_below_one_bar_is_refused(function):
    with pytest.raises(ValueError, match="at least 1 bar, not 0"):
        function(CLOSE, 0)


@pytest.mark.parametrize("function", [arrays.sma, arrays.ema, arrays.rsi, arrays.zscore])
@pytest.mark.parametrize("bars", [0, 1, 4])
def test_too_few_bars_give_nothing(function, bars):
    assert np.isnan(function(CLOSE[:bars], 5)).all()


def test_smoothing_starts_where_the_values_do():
    values = np.concatenate(([math.nan] * 3, CLOSE))
    np.testing.assert_array_equal(arrays.ema(values, 5)[3:], arrays.ema(CLOSE, 5))


def test_momentum_may_leave_out_the_latest_bars():
    series = pd.Series(CLOSE)
    wanted = series.shift(21) / series.shift(100) - 1
    np.testing.assert_allclose(arrays.momentum(CLOSE, 100, 21), wanted, rtol=1e-12)


@pytest.mark.parametrize(("period", "skip"), [(5, 5), (5, -1), (0, 0)])
def test_momentum_over_nothing_is_refused(period, skip):
    with pytest.raises(ValueError, match="0 <= skip < period"):
        arrays.momentum(CLOSE, period, skip)


def test_momentum_from_a_price_of_zero_is_infinite():
    assert arrays.momentum(np.array([0.0, 1.0]), 1)[1] == math.inf


def test_the_z_score_is_that_of_pandas():
    rolling = pd.Series(CLOSE).rolling(20)
    wanted = (pd.Series(CLOSE) - rolling.mean()) / rolling.std(ddof=1)
    np.testing.assert_allclose(arrays.zscore(CLOSE, 20), wanted, rtol=1e-9)


def test_the_modified_z_score_is_that_of_scipy():
    windows = [CLOSE[i - 19 : i + 1] for i in range(19, 160)]
    mad = [stats.median_abs_deviation(window) for window in windows]
    wanted = [0.6745 * (w[-1] - np.median(w)) / m for w, m in zip(windows, mad, strict=True)]
    np.testing.assert_allclose(arrays.modified_zscore(CLOSE, 20)[19:], wanted, rtol=1e-12)


def test_the_modified_z_score_of_iglewicz_and_hoaglin():
    values = np.array([10.0, 12.0, 12.0, 13.0, 12.0, 11.0, 14.0, 300.0])
    assert arrays.modified_zscore(values, 8)[-1] == pytest.approx(194.256)


def test_without_a_median_deviation_the_mean_one_serves():
    values = np.array([5.0, 5.0, 5.0, 5.0, 9.0])
    assert arrays.modified_zscore(values, 5)[-1] == pytest.approx(4 / (1.253314 * 0.8))


@pytest.mark.parametrize("function", [arrays.zscore, arrays.modified_zscore])
def test_values_that_do_not_vary_are_no_outliers(function):
    assert function(np.full(9, 7.5), 5)[-1] == 0


def test_the_largest_value_ranks_first_and_ties_keep_the_order_of_columns():
    table = np.array([[1.0, 3.0, 3.0, 2.0], [math.nan, 1.0, 2.0, math.nan]])
    wanted = [[4, 1, 2, 3], [math.nan, 2, 1, math.nan]]
    np.testing.assert_array_equal(arrays.rank(table), wanted)


def test_one_feed_alone_ranks_first():
    np.testing.assert_array_equal(arrays.rank(np.array([5.0, math.nan, 2.0])), [1, math.nan, 1])


def test_a_sector_scores_the_mean_of_its_members_that_have_a_value():
    table = np.array([[1.0, 2.0, 3.0], [math.nan, 5.0, 7.0], [math.nan, 5.0, math.nan]])
    scores = arrays.sector_scores(table, ["Energy", "Utilities", "Energy"])
    np.testing.assert_array_equal(scores, [[2, 2], [7, 5], [math.nan, 5]])


def test_a_latch_holds_between_on_and_off_and_off_wins():
    on = np.array([0, 1, 0, 1, 0, 0, 1, 1], dtype=bool)
    off = np.array([1, 0, 0, 0, 1, 0, 1, 0], dtype=bool)
    state = arrays.latch(on, off)
    np.testing.assert_array_equal(state, [0, 1, 1, 1, 0, 0, 0, 1])
    nan = math.nan
    np.testing.assert_array_equal(arrays.changes(state), [nan, 1, nan, nan, 0, nan, nan, 1])


FUNCTIONS = {
    "shift": lambda x: arrays.shift(x, 3),
    "sma": lambda x: arrays.sma(x, 4),
    "ema": lambda x: arrays.ema(x, 4),
    "wilder": lambda x: arrays.wilder(x, 4),
    "rsi": lambda x: arrays.rsi(x, 4),
    "atr": lambda x: arrays.atr(x + 1, x - 1, x, 4),
    "highest": lambda x: arrays.highest(x, 4),
    "lowest": lambda x: arrays.lowest(x, 4),
    "crossover": lambda x: arrays.crossover(x, np.full_like(x, 100.0)),
    "latch": lambda x: arrays.latch(x > 110, x < 90),
    "changes": lambda x: arrays.changes(np.sign(x - 100.0)),
    "momentum": lambda x: arrays.momentum(x, 4, 1),
    "zscore": lambda x: arrays.zscore(x, 4),
    "modified_zscore": lambda x: arrays.modified_zscore(x, 4),
    "rank": arrays.rank,
    "sector_scores": lambda x: arrays.sector_scores(np.reshape(x, (len(x), -1)), ["a", "b", "a"]),
}
price = st.one_of(st.floats(1.0, 200.0), st.just(100.0), st.just(math.nan))


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(price, price, price), min_size=1, max_size=25), st.data())
def test_a_row_depends_on_earlier_rows_alone(name, rows, data):
    function = FUNCTIONS[name]
    values = np.array(rows)
    cut = data.draw(st.integers(1, len(values)))
    np.testing.assert_array_equal(function(values[:cut]), function(values)[:cut])


@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() - {"rank", "sector_scores"}))
def test_a_table_gives_what_its_columns_give(name):
    function = FUNCTIONS[name]
    late = np.concatenate(([math.nan] * 10, OTHER[10:]))
    table = function(np.stack([CLOSE, late, OTHER], axis=1))
    for column, values in enumerate((CLOSE, late, OTHER)):
        np.testing.assert_array_equal(table[:, column], function(values))
