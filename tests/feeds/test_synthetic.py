import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brokers.errors import ConfigError, DataError
from feeds import history as any_history
from feeds.market import market
from feeds.simulation import Sessions, earnings_sessions
from feeds.synthetic import history
from feeds.timeframe import Timeframe
from feeds.universe import SECTORS, home, names, sectors, traits

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "synthetic.json"
ALL = names()


def bars_of(symbols, timeframe="1d", start=None, end=None, **options):
    listed = symbols.split(",") if isinstance(symbols, str) else symbols
    return history(listed, start, end, Timeframe(timeframe), **options)


def day(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def days():
    return bars_of(ALL, start=day("2016-01-01"))


@pytest.fixture(scope="module")
def returns(days):
    return pd.DataFrame({name: bars["close"].pct_change() for name, bars in days.items()}).dropna()


def kurtosis(values):
    centred = values - values.mean()
    return (centred**4).mean() / (centred**2).mean() ** 2


@pytest.mark.parametrize("case", json.loads(GOLDEN.read_text())["frames"], ids=str)
def test_the_bytes_are_those_of_every_other_platform(case):
    bars = bars_of(case["symbol"], case["timeframe"], seed=case["seed"])[case["symbol"]]
    assert len(bars) == case["bars"]
    assert bars.iloc[-1].tolist() == case["last"]
    assert bars.attrs["passport"].sha256 == case["sha256"]


def test_the_market_movehas_72_symbols_in_eleven_sectors():
    assert len(ALL) == len(set(ALL)) == 72
    assert len(SECTORS) == len(set(sectors().values())) == 11
    assert len(sectors()) == 60
    assert (home("TEC1"), home("XLK"), home("SPY")) == ("XLK", "XLK", "SPY")


def test_the_passport_says_that_the_bars_are_invented():
    passport = bars_of("SPY")["SPY"].attrs["passport"]
    assert passport.synthetic
    assert (passport.source, passport.feed, passport.adjustment) == ("synthetic", "seed 7", "none")
    assert (passport.calendar, passport.gap_count, passport.fetched_at) == ("XNYS", 0, None)


def test_without_symbols_there_is_spy_and_without_a_start_five_years():
    bars = bars_of([])
    assert list(bars) == ["SPY"]
    assert bars["SPY"].index[0] == pd.Timestamp("2021-01-04", tz="America/New_York")
    assert bars["SPY"].index[-1] == pd.Timestamp("2025-12-31", tz="America/New_York")
    earlier = bars_of([], end=day("2024-07-01"))["SPY"]
    assert earlier.index[0] == pd.Timestamp("2019-07-01", tz="America/New_York")


def test_without_a_start_there_are_twenty_sessions_of_minutes():
    index = bars_of("TEC1", "1m")["TEC1"].index
    assert len(set(index.date)) == 20
    assert index[-1] == pd.Timestamp("2025-12-31 15:59", tz="America/New_York")


def test_a_range_of_dates_includes_both():
    bars = any_history("synthetic", "SPY", "2024-07-01", "2024-07-05")["SPY"]
    assert bars.index.tz_convert("America/New_York").day.tolist() == [1, 2, 3, 5]


def test_a_symbol_does_not_depend_on_what_else_is_asked_for(days):
    alone = bars_of("FIN3", start=day("2020-03-01"), end=day("2020-04-01"))["FIN3"]
    month = days["FIN3"].loc["2020-03"]
    pd.testing.assert_frame_equal(alone, month, check_freq=False)


def test_a_minute_does_not_depend_on_the_range_asked_for():
    month = bars_of("FIN3,XLF", "1m", day("2020-03-02"), day("2020-04-01"))["FIN3"]
    start, end = pd.Timestamp("2020-03-09 15:00Z"), pd.Timestamp("2020-03-10 16:00Z")
    alone = bars_of("FIN3", "1m", start, end)["FIN3"]
    inside = (month.index >= start) & (month.index < end)
    pd.testing.assert_frame_equal(alone, month[inside], check_freq=False)


def test_another_seed_is_another_market():
    assert (
        bars_of("SPY", seed=8)["SPY"]["close"].iloc[-1] != bars_of("SPY")["SPY"]["close"].iloc[-1]
    )


@pytest.mark.parametrize("seed", [-1, 1.5, "7", True])
def test_a_seed_is_a_whole_number_from_zero_on(seed):
    with pytest.raises(ConfigError, match="give a whole number from 0 on"):
        bars_of("SPY", seed=seed)


@pytest.mark.parametrize(("asked", "near"), [("tec1", "TEC1"), ("XLKK", "XLK"), ("1234", "SPY")])
def test_an_unknown_symbol_names_the_nearest(asked, near):
    with pytest.raises(DataError, match=f"no symbol {asked!r}: try .*{near}"):
        bars_of(asked)


@pytest.mark.parametrize("timeframe", ["1d", "1m"])
@pytest.mark.parametrize("span", [("2026-01-02", None), (None, "2015-06-01")])
def test_a_range_outside_the_market_movenames_the_one_that_exists(timeframe, span):
    start, end = (text and day(text) for text in span)
    with pytest.raises(DataError, match=r"2016-01-04.* to 2025-12-31"):
        bars_of("SPY", timeframe, start, end)


@pytest.mark.parametrize("symbol", ["SPY", "XLE", "OIL2"])
def test_the_minutes_of_a_day_add_up_to_the_day(days, symbol):
    # Thanksgiving week: the Friday closes at 13:00.
    minutes = bars_of(symbol, "1m", day("2023-11-20"), day("2023-11-28"))[symbol]
    local = minutes.set_axis(minutes.index.tz_convert("America/New_York"))
    added = local.groupby(local.index.date).agg(
        {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    )
    assert local.groupby(local.index.date).size().tolist() == [390, 390, 390, 210, 390]
    whole_days = days[symbol].loc["2023-11-20":"2023-11-27 23:00"]
    assert added.to_numpy().tolist() == whole_days.to_numpy().tolist()


@pytest.mark.parametrize(
    ("timeframe", "minutes"), [("5m", 5), ("15m", 15), ("30m", 30), ("1h", 60)]
)
def test_longer_bars_are_the_sum_of_minutes_from_the_open_on(timeframe, minutes):
    span = day("2023-11-24"), day("2023-11-25")  # 210 minutes
    single = bars_of("TEC2", "1m", *span)["TEC2"]
    longer = bars_of("TEC2", timeframe, *span)["TEC2"]
    assert longer.index[0] == single.index[0]
    assert len(longer) == -(-210 // minutes)
    part = single.iloc[minutes : 2 * minutes]
    assert longer.iloc[1].tolist() == [
        part["open"].iloc[0],
        part["high"].max(),
        part["low"].min(),
        part["close"].iloc[-1],
        part["volume"].sum(),
    ]
    assert longer["volume"].sum() == single["volume"].sum()


def test_weeks_and_months_are_the_sum_of_days_from_their_first_session_on(days):
    week = bars_of("TEC2", "1w", day("2024-01-01"), day("2024-01-08"))["TEC2"].iloc[0]
    month = bars_of("TEC2", "1mo", day("2024-01-01"), day("2024-02-01"))["TEC2"].iloc[0]
    for bar, part in ((week, "2024-01-05"), (month, "2024-01-31")):
        sessions = days["TEC2"].loc["2024-01-01" : f"{part} 23:00"]
        assert bar.name == sessions.index[0] == pd.Timestamp("2024-01-02 05:00Z")
        assert bar["close"] == sessions["close"].iloc[-1]
        assert bar["high"] == sessions["high"].max()
        assert bar["volume"] == sessions["volume"].sum()


def test_prices_are_whole_cents_and_volumes_whole_shares(days):
    values = days["UTI1"].to_numpy()
    assert (np.rint(values[:, :4] * 100) / 100 == values[:, :4]).all()
    assert (np.rint(values[:, 4]) == values[:, 4]).all()


def test_a_fund_opens_and_closes_as_the_basket_of_its_members(days):
    known, members = traits(7), SECTORS[0].members
    for column in ("open", "close"):
        basket = sum(known[name].shares * days[name][column] for name in members)
        ratio = days["XLK"][column] / basket
        assert ratio.max() / ratio.min() - 1 < 2e-4  # cents of a price of at least 50


def test_daily_volatility_is_that_of_shares(returns):
    yearly = returns.std() * np.sqrt(252)
    assert 0.10 < yearly["SPY"] < 0.25
    assert yearly[list(sectors())].between(0.18, 0.60).all()


def test_returns_have_fat_tails(returns):
    assert kurtosis(returns["SPY"]) > 4
    assert min(kurtosis(returns[name]) for name in ALL) > 3


def test_volatility_clusters(returns):
    size = returns.abs()
    assert size["SPY"].autocorr(1) > 0.1
    assert np.mean([size[name].autocorr(1) for name in ALL]) > 0.05


def test_a_fall_raises_volatility_more_than_a_rise(returns):
    market_move, after = returns["SPY"], returns["SPY"].abs().shift(-1)
    size = market_move.std()
    assert after[market_move < -size].mean() > after[market_move > size].mean()


def test_a_name_moves_with_its_own_sector_more_than_with_others(returns):
    correlation = returns[list(sectors())].corr().to_numpy(copy=True)
    sector = np.array(list(sectors().values()))
    same = sector[:, None] == sector[None, :]
    np.fill_diagonal(correlation, np.nan)
    own = np.nanmean(np.where(same, correlation, np.nan), axis=1)
    others = np.nanmean(np.where(same, np.nan, correlation), axis=1)
    assert (own > others).mean() > 0.95


def test_names_gap_on_their_earnings(days):
    dates = pd.Series(market(7).dates)
    in_quarter = dates.groupby(dates.dt.to_period("Q")).cumcount().to_numpy()
    sessions = Sessions(in_quarter, np.ones(len(dates)))
    ratios = []
    for name in sectors():
        gaps = (days[name]["open"] / days[name]["close"].shift(1) - 1).abs().to_numpy()
        opens = earnings_sessions(traits(7)[name], sessions)
        assert opens.sum() == 40  # ten years of quarters
        ratios.append(np.median(gaps[opens]) / np.nanmedian(gaps[~opens]))
    assert min(ratios) > 1.5


def test_volume_follows_movement_and_the_time_of_day(days):
    bars = days["TEC3"]
    assert (bars["close"] / bars["open"] - 1).abs().corr(bars["volume"]) > 0.3
    minutes = bars_of("TEC3", "1m", end=day("2025-12-20"))["TEC3"]["volume"].to_numpy()
    minutes = minutes[-10 * 390 :].reshape(10, 390)  # whole sessions
    halves = minutes.mean(axis=0).reshape(13, 30).mean(axis=1)
    assert halves[0] > 1.5 * halves[6] < halves[12]


def test_minutes_of_one_sector_move_together():
    bars = bars_of("TEC1,TEC2,UTI1", "1m")
    moves = pd.DataFrame({name: frame["close"].pct_change() for name, frame in bars.items()})
    together = moves.corr()
    assert together.loc["TEC1", "TEC2"] > together.loc["TEC1", "UTI1"] > -0.05
    assert together.loc["TEC1", "TEC2"] > 0.1
