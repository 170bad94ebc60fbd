"""Each signal of a hit, by hand from its inputs, and why a score is not known."""

import numpy as np
import pandas as pd
import pytest

from analyzers.outlier import Limits
from brokers.errors import DataError
from feeds.actions import Action
from feeds.passport import stamp
from strategies.arrays import atr, modified_zscore
from tests.analyzers.outliers.stage import DAY, SYMBOLS, Stage, flat, session


@pytest.fixture
def stage() -> Stage:
    made = Stage()
    made.scale("AAA", 1.08)
    return made


def test_the_gap_is_from_the_close_before_to_the_first_open(stage: Stage) -> None:
    score = stage.hits("AAA")[0].scores["gap"]
    before = stage.daily["AAA"]["close"].iloc[-1]
    assert score.value == pytest.approx(1.08 * before / before - 1)
    assert score.inputs["previous_close"] == before


def test_gap_range_and_vwap_are_measured_in_average_true_ranges(stage: Stage) -> None:
    hit = stage.hits("AAA")[0]
    days, today = stage.daily["AAA"], stage.today("AAA").iloc[: hit.minute]
    usual = atr(*(days[name].to_numpy() for name in ("high", "low", "close")), 14)[-1]
    typical = (today["high"] + today["low"] + today["close"]) / 3
    vwap = (typical * today["volume"]).sum() / today["volume"].sum()
    gap = today["open"].iloc[0] - days["close"].iloc[-1]
    spread = today["high"].max() - today["low"].min()
    values = {name: score.value for name, score in hit.scores.items()}
    assert values["gap_atr"] == pytest.approx(gap / usual)
    assert values["range_atr"] == pytest.approx(spread / usual)
    assert values["vwap_atr"] == pytest.approx((today["close"].iloc[-1] - vwap) / usual)


def test_relative_volume_is_against_the_same_minute_of_twenty_sessions(stage: Stage) -> None:
    for number, symbol in enumerate(SYMBOLS):
        stage.bars[symbol]["volume"] = 1000.0 + number
    stage.set("AAA", slice(0, 10), "volume", 6000.0)
    hit = stage.hits("AAA")[0]
    assert hit.scores["rvol"].value == 6.0
    assert hit.scores["rvol"].inputs == {"volume": 12000, "mean_volume": 2000, "sessions": 20}
    assert any("relative volume 6.00" in reason for reason in hit.reasons)


def test_active_volume_supports_a_hit_and_makes_none(stage: Stage) -> None:
    for symbol in SYMBOLS:
        stage.bars[symbol]["volume"] = 1000.0
    for symbol in ("AAA", "BBB"):
        stage.set(symbol, slice(0, 10), "volume", 3000.0)
    assert (
        "relative volume 3.00 to this minute (active) supports it" in stage.hits("AAA")[0].reasons
    )
    assert not any("volume" in text for hit in stage.hits("BBB") for text in hit.reasons[:1])


def test_the_modified_z_is_among_the_same_minute_of_the_sessions_before(stage: Stage) -> None:
    hit = stage.hits("AAA")[0]
    close, days = stage.bars["AAA"]["close"].to_numpy(), stage.daily["AAA"]["close"].to_numpy()
    to_minute = close.reshape(21, 10)[:, hit.minute - 1] / days[-21:] - 1
    expected = modified_zscore(to_minute, 21)[-1]
    assert hit.scores["modified_z"].value == pytest.approx(expected)


def test_the_cross_section_is_across_the_universe_and_the_sector(stage: Stage) -> None:
    hit = stage.hits("AAA")[0]
    closes = [stage.today(symbol)["close"].iloc[hit.minute - 1] for symbol in reversed(SYMBOLS)]
    before = [stage.daily[symbol]["close"].iloc[-1] for symbol in reversed(SYMBOLS)]
    returns = np.array(closes) / np.array(before) - 1
    assert hit.scores["universe_z"].value == pytest.approx(modified_zscore(returns, 7)[-1])
    assert hit.scores["sector_z"].value == pytest.approx(modified_zscore(returns[1:], 6)[-1])


def test_the_residual_is_scored_against_sixty_days_of_residuals(stage: Stage) -> None:
    hit = stage.hits("AAA")[0]
    closes = np.column_stack([stage.daily[symbol]["close"] for symbol in SYMBOLS])[-61:]
    daily = closes[1:] / closes[:-1] - 1
    market, excess = daily[:, 6], daily[:, 1:6].mean(axis=1) - daily[:, 6]
    design = np.column_stack((np.ones(60), market, excess))
    _, beta, beta_sector = np.linalg.lstsq(design, daily[:, 0])[0]
    left = daily[:, 0] - beta * market - beta_sector * excess
    inputs = hit.scores["residual_z"].inputs
    today = (
        inputs["return"] - beta * inputs["benchmark_return"] - beta_sector * inputs["sector_excess"]
    )
    expected = (today - left.mean()) / left.std(ddof=1)
    assert hit.scores["residual_z"].value == pytest.approx(expected)


def test_a_split_and_a_dividend_of_today_make_no_gap() -> None:
    stage = Stage()
    before = stage.daily["AAA"]["close"].iloc[-1]
    stage.scale("AAA", (1 - 5.0 / before) / 2)
    raw = stage.hits("AAA")
    assert "looks like a split" not in raw[0].flags
    told = [Action("AAA", DAY, split=2.0), Action("AAA", DAY, dividend=5.0)]
    assert abs(raw[0].scores["gap"].value) > 0.5
    assert stage.hits("AAA", actions=told) == []


def test_volumes_before_a_split_are_counted_in_new_shares() -> None:
    stage = Stage()
    for symbol in SYMBOLS:
        stage.bars[symbol]["volume"] = 1000.0
    stage.scale("AAA", 0.5)
    stage.set("AAA", slice(0, 10), "volume", 2000.0)
    told = [Action("AAA", DAY, split=2.0)]
    limits = Limits(rvol_active=0.4, rvol=0.5)
    assert stage.hits("AAA", actions=told, limits=limits)[0].scores["rvol"].value == 1.0
    assert "split today" in stage.hits("AAA", actions=told, limits=limits)[0].flags


def test_a_missing_benchmark_leaves_residuals_null_with_a_reason() -> None:
    stage = Stage()
    del stage.bars["SPY"]
    assert "the benchmark SPY has no bars" in stage.nulls()["residual_z"]


def test_volumes_that_are_zero_give_no_score_rather_than_zero() -> None:
    stage = Stage()
    stage.bars["AAA"]["volume"] = 0.0
    stage.set("BBB", slice(0, 10), "volume", 0.0)
    nulls = stage.nulls()
    assert nulls["rvol"]["no volume in the sessions before"] == ("AAA",)
    assert nulls["rvol"]["no volume today"] == ("BBB",)
    assert nulls["vwap_atr"]["no volume today"] == ("AAA", "BBB")


def test_constant_prices_give_null_scores() -> None:
    stage = Stage()
    for frames in (stage.bars, stage.daily):
        for symbol in SYMBOLS:
            frames[symbol] = flat(pd.DatetimeIndex(frames[symbol].index))
    nulls = stage.nulls()
    for name in ("modified_z", "universe_z", "sector_z"):
        assert "the sample does not vary" in nulls[name]
    assert "fewer than 40 of 60 daily returns beside the benchmark's" not in nulls["residual_z"]
    assert "the residuals do not vary" in nulls["residual_z"]


def test_no_true_range_at_all_is_a_reason() -> None:
    stage = Stage()
    days = stage.daily["AAA"]
    days[["open", "high", "low", "close"]] = 100.0
    assert stage.nulls()["range_atr"]["the average true range is 0"] == ("AAA",)


def test_a_symbol_without_days_or_with_one_says_so() -> None:
    stage = Stage()
    del stage.daily["AAA"]
    stage.daily["BBB"] = stage.daily["BBB"].iloc[-1:]
    nulls = stage.nulls()
    assert nulls["gap"]["no daily bars"] == ("AAA",)
    assert nulls["gap_atr"]["fewer than 15 daily bars before this session"] == ("BBB",)
    assert nulls["residual_z"]["fewer than 40 of 60 daily returns beside the benchmark's"] == (
        "BBB",
    )


def test_nobody_has_days() -> None:
    stage = Stage()
    stage.daily = {}
    nulls = stage.nulls()
    assert set(nulls["gap"]) == {"no daily bars"}
    assert set(nulls["range_atr"]) == {"no daily bars"}


def test_too_few_sessions_before_give_no_usual_volume() -> None:
    stage = Stage()
    stage.bars["AAA"] = stage.bars["AAA"].iloc[-60:]
    reason = "fewer than 10 of the 20 sessions before have this minute"
    nulls = stage.nulls()
    assert nulls["rvol"][reason] == nulls["modified_z"][reason] == ("AAA",)


def test_a_missing_session_is_left_out_of_the_mean() -> None:
    stage = Stage()
    for symbol in SYMBOLS:
        stage.bars[symbol]["volume"] = 1000.0
    stage.scale("AAA", 1.08)
    stage.bars["AAA"] = stage.bars["AAA"].drop(stage.bars["AAA"].index[20:50])
    inputs = stage.hits("AAA")[0].scores["rvol"].inputs
    assert (inputs["sessions"], inputs["mean_volume"]) == (17, 2000)


def test_days_and_minutes_of_different_adjustment_are_not_compared() -> None:
    stage = Stage()
    stage.stamped("AAA", adjustment="split")
    stage.daily["AAA"] = stamp(
        stage.daily["AAA"], symbol="AAA", source="files", timeframe="1d", adjustment="total"
    )
    reason = "daily bars are adjusted total, intraday bars split"
    assert stage.nulls()["gap"][reason] == ("AAA",)


def test_a_single_bar_gives_null_scores_and_no_hit() -> None:
    stage = Stage()
    stage.bars["AAA"] = flat(session("2024-02-07", 1), 500.0)
    del stage.daily["AAA"]
    assert stage.hits("AAA") == []
    assert "AAA" in stage.nulls()["universe_z"]["no daily bars"]


def test_a_benchmark_without_a_bar_yet_is_told() -> None:
    stage = Stage()
    stage.drop("SPY", slice(0, 10))
    reason = "the benchmark SPY has no bar yet, or no previous close"
    assert "AAA" in stage.nulls()["residual_z"][reason]


def test_what_trades_on_other_dates_leaves_the_rest_as_it_was() -> None:
    stage = Stage()
    stage.set("AAA", slice(2, 10), "close", 130.0)
    before = stage.report().days[0].hits
    index = pd.date_range("2023-10-02", DAY, tz="UTC")
    stage.daily["COIN"] = flat(index)
    assert stage.report().days[0].hits == before


def test_dates_that_sources_stamp_differently_are_one_date() -> None:
    stage = Stage()
    stage.set("AAA", slice(2, 10), "close", 130.0)
    before = stage.report().days[0].hits
    days = pd.DatetimeIndex(stage.daily["AAA"].index).tz_localize(None)
    stage.daily["AAA"].index = days.tz_localize("America/New_York").tz_convert("UTC")
    assert stage.report().days[0].hits == before


def test_days_that_are_no_days_are_refused() -> None:
    stage = Stage()
    stage.stamped("AAA")
    stage.daily["AAA"] = stage.bars["AAA"]
    with pytest.raises(DataError, match="AAA: what is usual comes from days, these bars are 1m"):
        stage.report()


def test_a_symbol_without_days_can_be_a_hit_by_its_volume() -> None:
    stage = Stage()
    del stage.daily["AAA"]
    stage.set("AAA", slice(0, 10), "volume", 90_000.0)
    hit = stage.hits("AAA")[0]
    assert (hit.scores["gap"].value, hit.scores["gap"].reason) == (None, "no daily bars")
    assert hit.q_value is None
    assert not hit.is_discovery


def test_a_sector_in_which_nobody_else_trades_is_told() -> None:
    stage = Stage()
    stage.drop("BBB", slice(0, 10))
    pair = {"AAA": "Pair", "BBB": "Pair"}
    nulls = stage.nulls(sectors=pair)
    assert nulls["residual_z"]["nobody else of its sector has a bar yet"] == ("AAA",)
