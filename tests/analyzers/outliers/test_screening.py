"""From scores to hits: persistence, ranks, false discoveries, flags and the document."""

from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

from analyzers.outlier import Limits, OutlierReport
from brokers.errors import ConfigError, DataError
from feeds.actions import Action
from tests.analyzers.outliers.stage import DAY, SYMBOLS, Stage


def spike(rows: slice, value: float = 130.0, symbol: str = "AAA") -> Stage:
    stage = Stage()
    stage.set(symbol, rows, "close", value)
    return stage


def test_one_bar_beyond_a_limit_is_no_hit() -> None:
    limits = Limits(range_atr=1000, vwap_atr=1000)
    assert spike(slice(4, 5)).hits("AAA", limits=limits) == []


def test_two_bars_in_a_row_are_one_hit_at_the_second() -> None:
    hits = spike(slice(4, 8)).hits("AAA", limits=Limits(range_atr=1000, vwap_atr=1000))
    assert [(hit.minute, hit.at.isoformat()) for hit in hits] == [(6, "2024-02-07T14:36:00+00:00")]
    assert hits[0].bars_in_a_row["modified_z"] == 2


def test_the_bars_in_a_row_are_the_symbols_own() -> None:
    stage = spike(slice(4, 8))
    stage.drop("AAA", slice(5, 6))
    hits = stage.hits("AAA", limits=Limits(range_atr=1000, vwap_atr=1000))
    assert [hit.minute for hit in hits] == [7]


def test_a_reason_that_comes_later_is_a_further_hit_with_all_that_lasts() -> None:
    stage = spike(slice(2, 10))
    stage.set("AAA", slice(6, 10), "volume", 90_000.0)
    first, second = stage.hits("AAA", limits=Limits(vwap_atr=1000))[-2:]
    assert not any("relative volume" in reason for reason in first.reasons)
    assert any("relative volume" in reason for reason in second.reasons)
    assert set(first.bars_in_a_row) < set(second.bars_in_a_row)


def test_the_strongest_of_a_minute_ranks_first() -> None:
    stage = spike(slice(2, 10), 130.0)
    stage.set("BBB", slice(2, 10), "close", 400.0)
    hits = [hit for hit in stage.report().days[0].hits if hit.minute == 4]
    assert [(hit.symbol, hit.rank) for hit in hits[:2]] == [("BBB", 1), ("AAA", 2)]


def test_q_values_are_scipys_over_the_symbols_of_the_minute() -> None:
    stage = Stage()
    for symbol in SYMBOLS:
        stage.set(symbol, slice(4, 5), "open", 1000.0)  # makes every one a hit
    limits = Limits(range_atr=0.01, in_a_row=1)
    hits = [hit for hit in stage.report(limits=limits).days[0].hits if hit.minute == 5]
    p = []
    for hit in hits:
        names = ("modified_z", "residual_z", "universe_z", "sector_z")
        z = [abs(v) for name in names if (v := hit.scores[name].value) is not None]
        p.append(min(1.0, len(z) * 2 * stats.norm.sf(max(z))))
    expected = stats.false_discovery_control(p)
    assert len(hits) >= 6
    if len(hits) == len(SYMBOLS):
        assert [hit.q_value for hit in hits] == pytest.approx(list(expected))
    assert all(hit.is_discovery == (hit.q_value <= 0.05) for hit in hits)


def test_what_chance_would_flag_is_told() -> None:
    chance = Stage().report().days[0].chance
    assert chance.tests == 7 * 10 * 4 - 10 - 10  # SPY has no sector and is the benchmark
    assert chance.expected == pytest.approx(chance.tests * 2 * stats.norm.sf(3.5))
    assert "q_value" in chance.note


def halted(one_in: int) -> list[str]:
    """The flags of the first hit after bars were missing, one in so many of the past kept."""
    stage = Stage(("AAA", "SPY"), minutes=390)
    stage.set("AAA", slice(7, 390), "close", 130.0)
    stage.drop("AAA", slice(1, 7))
    frame = stage.bars["AAA"]
    past = frame[: -len(stage.today("AAA"))]
    stage.bars["AAA"] = pd.concat([past.iloc[::one_in], stage.today("AAA")])
    return list(stage.hits("AAA")[0].flags)


def test_a_halt_and_few_prints_are_flagged() -> None:
    assert halted(one_in=1) == ["halt", "few prints"]


def test_a_thin_symbol_is_not_called_halted() -> None:
    assert halted(one_in=2) == ["few prints"]


def test_a_halved_price_looks_like_a_split_unless_one_is_known() -> None:
    stage = Stage()
    stage.scale("AAA", 0.5)
    assert "looks like a split" in stage.hits("AAA")[0].flags
    stage.stamped("AAA", adjustment="split")
    told = stage.hits("AAA", actions=[Action("AAA", DAY, split=2.0), Action("ZZZ", DAY, split=2.0)])
    assert told[0].flags == ("split today",)


def test_a_dividend_and_a_stale_close_are_flagged() -> None:
    stage = spike(slice(2, 10))
    stage.daily["AAA"] = stage.daily["AAA"].iloc[:-1]
    told = [Action("AAA", DAY, dividend=0.1)]
    assert stage.hits("AAA", actions=told)[0].flags[:2] == (
        "dividend today",
        "no bar on the session before",
    )


def test_symbols_without_bars_today_or_at_all_are_named() -> None:
    stage = Stage()
    stage.drop("AAA", slice(0, 10))
    day = stage.report(missing={"XYZ": "unknown"}).days[0]
    assert day.missing == {"AAA": "no bar on 2024-02-07", "XYZ": "unknown"}
    assert day.symbols == 6


def test_a_day_on_which_nobody_traded_has_no_scores() -> None:
    stage = Stage()
    for symbol in SYMBOLS:
        stage.drop(symbol, slice(0, 10))
    day = stage.report().days[0]
    assert (day.bars, day.symbols, day.hits, day.nulls) == (0, 0, (), ())


def test_the_order_of_symbols_makes_no_difference() -> None:
    stage = spike(slice(2, 10))
    before = stage.report().as_bytes()
    for frames in (stage.bars, stage.daily):
        for symbol in SYMBOLS:
            frames[symbol] = frames.pop(symbol)
    stage.bars = dict(reversed(stage.bars.items()))
    assert stage.report().as_bytes() == before


def test_the_report_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    report = spike(slice(2, 10)).report()
    report.save(tmp_path / "2024-02-07.json")
    assert OutlierReport.load(tmp_path / "2024-02-07.json") == report


def test_a_report_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_text('{"schema_version": 0}')
    with pytest.raises(DataError, match="schema version 0, this program reads 1: write it anew"):
        OutlierReport.load(path)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"z": 0.0}, "z must be positive"),
        ({"least_sessions": 21}, "a window is shorter"),
        ({"least_residual_days": 4}, "at least 5"),
        ({"rvol_active": 6.0}, "rvol_active is at most rvol"),
        ({"fdr": 1.0}, "fdr below 1"),
    ],
)
def test_limits_that_make_no_sense_are_refused(options: dict[str, float], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        Limits(**options)  # type: ignore[arg-type]
