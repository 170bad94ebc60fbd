import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import backtrader as bt
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.picture import png
from backtest import figures
from brokers.errors import ConfigError
from feeds.passport import stamp
from tests.analyzers.small_runs import bars
from tests.backtest.small_results import result

CHECKOUT = Path(__file__).resolve().parents[2]
CLOSES = [10.0, 11.0, 12.0, 11.0, 14.0, 15.0, 13.0, 16.0]
ROUND_TRIP = {1: lambda s: s.buy(size=10), 4: lambda s: s.close()}
PNG = b"\x89PNG"

HEADLESS = """
import sys
import backtrader as bt
from backtest import figures

import matplotlib
cerebro = bt.Cerebro()
cerebro.adddata(bt.feeds.GenericCSVData(dataname=sys.argv[1], dtformat="%Y-%m-%d", openinterest=-1))
cerebro.addindicator(bt.ind.SMA, period=3)
cerebro.addstrategy(bt.Strategy)
cerebro.run()
drawn = figures.plot(cerebro, style="candle")
drawn[0].savefig(sys.argv[2])
assert matplotlib.get_backend().lower() == "agg", matplotlib.get_backend()
print(len(drawn))
"""


@pytest.fixture
def run():
    return result(ROUND_TRIP, bars(CLOSES))


def lines(axes):
    return {line.get_label().partition(",")[0]: line for line in axes.lines}


def test_fills_stand_at_their_bar_and_price(run):
    price = lines(run.figure().axes[0])
    assert price["ACME"].get_ydata().tolist() == CLOSES
    assert price["buy fill"].get_xydata().tolist() == [[1.0, 10.0]]
    assert price["sell fill"].get_xydata().tolist() == [[4.0, 11.0]]


def test_equity_is_held_against_the_same_cash_in_the_symbol(run):
    drawn = lines(run.figure().axes[1])
    assert drawn["equity"].get_ydata().tolist() == run.equity.tolist()
    assert drawn["buy and hold"].get_ydata() == pytest.approx([100 * close for close in CLOSES])


def test_the_legend_says_where_equity_and_its_yardstick_end(run):
    labels = [text.get_text() for text in run.figure().axes[1].get_legend().get_texts()]
    assert labels[:2] == ["buy and hold, 1,600 at the end", "equity, 1,010 at the end"]


def test_several_symbols_are_held_in_equal_parts():
    late = bars([50.0, 25.0], "B", start="2024-01-07")
    run = result({}, bars(CLOSES, "A"), late)
    held = figures.buy_and_hold(run, figures.known_closes(run))
    expected = [50 * close + 500 for close in CLOSES]
    expected[-1] -= 250
    assert held == pytest.approx(expected)


def test_several_symbols_are_rebased_and_one_alone_is_not():
    run = result(ROUND_TRIP, bars(CLOSES, "A"), bars([50.0] * 8, "B"))
    assert lines(run.figure().axes[0])["A"].get_ydata() == pytest.approx(np.array(CLOSES) * 10)
    assert lines(run.figure("A").axes[0])["A"].get_ydata().tolist() == CLOSES


def test_an_unknown_symbol_is_named(run):
    with pytest.raises(ConfigError, match="no bars of 'XXX' in this run: it has ACME"):
        run.figure("XXX")


def test_units_and_time_zone_are_named(run):
    price, equity, drawdown = run.figure().axes
    labels = [axes.get_ylabel() for axes in (price, equity, drawdown)]
    assert labels == ["price", "account value", "drawdown, %"]
    assert "UTC" in drawdown.get_xlabel()


def test_legends_lie_above_their_axes(run):
    chart = run.figure()
    chart.canvas.draw()
    for axes in chart.axes[:2]:
        assert axes.get_legend().get_window_extent().y0 >= axes.get_window_extent().y1 - 1


def test_drawdown_is_drawn_in_per_cent():
    run = result({1: lambda s: s.buy(size=100)}, bars([10.0, 10.0, 5.0]))
    assert run.figure().axes[2].lines[0].get_ydata().tolist() == [0.0, 0.0, -50.0]


@pytest.mark.parametrize(
    ("start", "freq", "periods", "labels"),
    [
        ("2012-03-01", "D", 1200, ["2013", "2014", "2015"]),
        ("2024-01-15", "D", 100, ["2024-02", "2024-03", "2024-04"]),
        ("2024-01-15", "D", 20, ["2024-01-22", "2024-01-29"]),
        ("2024-01-15 12:00", "6h", 16, ["2024-01-16", "2024-01-17", "2024-01-18", "2024-01-19"]),
        ("2024-01-15 14:31", "min", 100, ["01-15 15:00", "01-15 16:00"]),
        ("2024-01-15 14:31", "min", 3, ["2024-01-15 14:31", "2024-01-15 14:33"]),
        ("2024-01-15", "D", 1, ["2024-01-15 00:00"]),
        ("2024-01-15", "D", 0, []),
    ],
)  # fmt: skip
def test_ticks_stand_where_a_unit_of_time_begins(start, freq, periods, labels):
    index = pd.date_range(start, periods=periods, freq=freq, tz="UTC")
    ticks, layout = figures._ticks(index)
    assert list(index[ticks].strftime(layout)) == labels


def test_more_symbols_than_colours_are_counted_not_named():
    run = result({}, *(bars(CLOSES, f"S{n}") for n in range(7)))
    assert "7 symbols" in lines(run.figure().axes[0])


def test_a_partial_run_and_one_without_bars_can_be_drawn(run):
    chart = dataclasses.replace(run, bars={}, partial=True).figure()
    assert "PARTIAL" in chart.get_suptitle()
    assert chart.axes[0].texts[0].get_text() == "no bars were kept"
    assert "buy and hold" not in lines(chart.axes[1])


def test_a_run_that_never_saw_a_bar_can_be_drawn(run):
    empty = {name: getattr(run, name).iloc[:0] for name in ("equity", "fills")}
    assert png(dataclasses.replace(run, **empty).figure()).startswith(PNG)


def test_a_million_bars_draw_few_points():
    count = 1_000_000
    values = 100 + np.cumsum(np.random.default_rng(3).normal(0, 0.01, count))
    _, y = figures.thinned(np.arange(count, dtype=float), values)
    assert len(y) <= 2 * figures.COLUMNS + 2
    assert (y.min(), y.max()) == (values.min(), values.max())


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=200),
    st.integers(1, 20),
)
def test_thinning_keeps_the_ends_the_extremes_and_the_order(values, columns):
    y = np.array(values)
    x = np.arange(len(y), dtype=float)
    kept_x, kept_y = figures.thinned(x, y, columns)
    assert (np.diff(kept_x) > 0).all()
    assert {0.0, len(y) - 1.0} <= set(kept_x)
    np.testing.assert_array_equal(kept_y, y[kept_x.astype(int)])
    if not np.isnan(y).all():
        assert (np.nanmin(kept_y), np.nanmax(kept_y)) == (np.nanmin(y), np.nanmax(y))


def test_the_same_run_gives_the_same_picture(run):
    first, second = (png(run.figure()) for _ in range(2))
    assert first == second
    assert first.startswith(PNG)


def test_a_notebook_shows_the_figure_without_pyplot(run):
    assert run.figure()._repr_png_().startswith(PNG)


def test_drawing_touches_neither_pyplot_nor_a_backend(tmp_path):
    code = """
import sys
from tests.backtest.test_figures import ROUND_TRIP, CLOSES, bars, result
import matplotlib
result(ROUND_TRIP, bars(CLOSES)).figure()._repr_png_()
assert "matplotlib.pyplot" not in sys.modules
assert "backtrader.plot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=CHECKOUT, env=headless())


def headless():
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND")
    return {name: value for name, value in os.environ.items() if name not in hidden}


def test_backtraders_own_plot_works_without_a_display(tmp_path):
    table = pd.DataFrame(bars(CLOSES)).tz_localize(None)
    table.to_csv(tmp_path / "bars.csv", date_format="%Y-%m-%d")
    out = tmp_path / "plot.png"
    done = subprocess.run(
        [sys.executable, "-c", HEADLESS, str(tmp_path / "bars.csv"), str(out)],
        check=True, cwd=CHECKOUT, env=headless(), capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.strip() == "1"
    assert out.read_bytes().startswith(PNG)
    assert not done.stderr


def stock_run():
    cerebro = bt.Cerebro()
    cerebro.adddata(bt.feeds.PandasData(dataname=bars(CLOSES).tz_localize(None)))
    cerebro.addstrategy(bt.Strategy)
    cerebro.run()
    return cerebro


def test_backtraders_plot_shows_its_dates():
    (drawn,) = figures.plot(stock_run())
    drawn.canvas.draw()
    shown = [label.get_text() for axes in drawn.axes for label in axes.get_xticklabels()]
    assert any(text.startswith("2024-01-0") for text in shown)


def test_backtraders_plots_of_two_runs_do_not_share_a_figure():
    drawn = [one for _ in range(2) for one in figures.plot(stock_run(), numfigs=2, volume=False)]
    assert len({id(one) for one in drawn}) == 4
    assert len({len(one.axes) for one in drawn}) == 1
    assert mpl.get_backend().lower() == "agg"


@pytest.mark.parametrize("cerebro", [bt.Cerebro(), bt.Cerebro(exactbars=1)])
def test_backtraders_plot_of_nothing_says_what_to_do(cerebro):
    with pytest.raises(ConfigError, match="run Cerebro first"):
        figures.plot(cerebro)


def test_price_is_drawn_at_the_end_of_the_session():
    frame = bars(CLOSES, start="2024-01-02").iloc[:2]
    frame = stamp(frame, symbol="ACME", source="files", timeframe="1d", calendar="XNYS")
    assert result({}, frame).figure().axes[0].lines[0].get_xdata().tolist() == [0.0, 1.0]
