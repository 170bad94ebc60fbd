from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from analyzers.sector import SectorMap, SectorReport, SectorSettings, sector_report
from analyzers.volatility import yang_zhang
from brokers.errors import ConfigError, DataError
from feeds import calendars
from feeds.passport import stamp
from feeds.ranges import midnights
from tests.analyzers.sectors.market_of_six import MAP, changed, days, frame, frames

AT = datetime(2024, 3, 9, tzinfo=UTC)
MARKET = frames()


def report(market=None, **options):
    options = {"generated_at": AT, "sector_map": MAP, **options}
    return sector_report(MARKET if market is None else market, **options)


def part(made, name="Energy"):
    return next(sector for sector in made.sectors if sector.name == name)


REPORT = report()


def test_the_header_says_what_was_measured():
    assert (REPORT.schema_version, REPORT.as_of, REPORT.generated_at) == (2, date(2024, 3, 8), AT)
    assert (REPORT.benchmark, REPORT.source, REPORT.feed) == ("SPY", "files", "walk")
    assert (REPORT.universe, REPORT.missing, REPORT.sector_map) == (9, {}, MAP.version)
    assert REPORT.parameters["min_members"] == 3
    assert len(REPORT.sectors) == 11
    assert {row.symbol: row.rule for row in REPORT.members}["UTI1"] == "override: Utilities"


def test_members_and_fund_stand_side_by_side():
    energy = part(REPORT)
    fund = MARKET["XLE"]["close"]
    assert energy.fund.returns["21"] == pytest.approx(fund.iloc[-1] / fund.iloc[-22] - 1)
    members = [MARKET[name]["close"] for name in ("OIL1", "OIL2", "OIL3")]
    month = np.mean([close.iloc[-1] / close.iloc[-22] - 1 for close in members])
    assert energy.equal.returns["21"] == pytest.approx(month)
    assert energy.reasons == energy.fund.reasons == energy.equal.reasons == {}


def test_volatility_is_yang_zhangs_and_volume_is_against_its_mean():
    bars, energy = MARKET["XLE"].iloc[-22:], part(REPORT)
    prices = [bars[column].to_numpy() for column in ("open", "high", "low", "close")]
    assert energy.fund.volatility == pytest.approx(yang_zhang(*prices, 21, 252)[-1])
    volume = bars["volume"]
    assert energy.fund.volume_ratio == pytest.approx(volume.iloc[-1] / volume.iloc[-20:].mean())


def test_risk_on_is_discretionary_over_staples():
    index = days()
    market = {**MARKET, "XLY": frame("XLY", index, 50), "XLP": frame("XLP", index, 51)}
    ratio = market["XLY"]["close"] / market["XLP"]["close"]
    made = report(market).market
    assert made.risk_on == pytest.approx(ratio.iloc[-1])
    assert made.risk_on_change == pytest.approx(ratio.iloc[-1] / ratio.iloc[-22] - 1)
    ended = report({**market, "XLP": market["XLP"].iloc[:-1]})
    assert ended.market.reasons["risk_on"] == "XLY or XLP has no bar on the day"


def test_the_order_of_symbols_changes_nothing():
    assert report(dict(reversed(MARKET.items()))).as_bytes() == REPORT.as_bytes()


def test_bars_long_past_change_nothing():
    recent = {name: bars.iloc[-399:] for name, bars in MARKET.items()}
    for bars in recent.values():
        bars.attrs = dict(MARKET["SPY"].attrs)
    found = part(report(recent)).equal.model_dump()
    expected = part(REPORT).equal.model_dump()
    assert found.pop("returns") == pytest.approx(expected.pop("returns"))
    assert found["beta"] == pytest.approx(expected["beta"], rel=1e-12)


def test_no_bar_after_the_day_is_looked_at():
    earlier = {name: bars.iloc[:-30] for name, bars in MARKET.items()}
    scrambled = {
        name: pd.concat([bars, MARKET[name].iloc[-30:] * 7]) for name, bars in earlier.items()
    }
    scrambled["SPY"] = earlier["SPY"]  # which ends the report there
    for name, bars in earlier.items():
        scrambled[name].attrs = bars.attrs = dict(MARKET[name].attrs)
    made, expected = report(scrambled), report(earlier)
    assert made.sectors == expected.sectors
    assert made.market == expected.market


def test_without_a_benchmark_what_needs_one_is_null_with_the_reason():
    made = report({name: bars for name, bars in MARKET.items() if name != "SPY"})
    equal = part(made).equal
    assert equal.returns["21"] == part(REPORT).equal.returns["21"]
    assert (equal.excess["21"], equal.beta, equal.quadrant) == (None, None, None)
    assert equal.reasons["excess.21"] == equal.reasons["beta"] == "SPY: no bars"
    assert made.market.reasons["benchmark_returns.1"] == "SPY: no bars"


def test_one_bar_only_measures_nothing_and_says_so():
    made = report(frames(1))
    equal = part(made).equal
    assert set(equal.returns.values()) == {None}
    assert equal.reasons["returns.5"] == (
        "it needs 6 days, there are 1 of the 3 longest of its members"
    )
    assert part(made).reasons["correlation"].startswith("it needs 64 days")
    assert (part(made).breadth.advancers, part(made).best) == (None, ())
    assert made.market.reasons["above_50"] == "no sector's line has 50 days"


def test_few_bars_measure_what_they_can():
    equal = part(report(frames(100))).equal
    assert equal.returns["63"] is not None
    assert (equal.returns["126"], equal.beta, equal.drawdown) == (None, None, None)
    assert set(equal.reasons) >= {"rank", "rank_change", "momentum_12_1", "strength_level"}


def test_constant_prices_have_no_beta_to_them_and_no_correlation():
    flat = dict.fromkeys(("open", "high", "low", "close"), 5.0)
    market = {**MARKET, **{name: changed(MARKET[name], **flat) for name in ("SPY", "XLU")}}
    made = report(market)
    assert part(made).equal.beta is None
    assert part(made).equal.reasons["beta"] == "the prices do not determine it"
    fund = part(made, "Utilities").fund
    assert (fund.returns["21"], fund.volatility, fund.drawdown) == (0.0, 0.0, 0.0)
    still = {**MARKET, **{f"OIL{it}": changed(MARKET[f"OIL{it}"], **flat) for it in (1, 2, 3)}}
    assert part(report(still)).correlation is None


def test_zero_volume_has_no_ratio():
    market = {**MARKET, "XLE": changed(MARKET["XLE"], volume=0.0)}
    fund = part(report(market)).fund
    assert fund.volume_ratio is None
    assert fund.reasons == {"volume_ratio": "nothing was traded in 20 days"}


def test_missing_sessions_are_bridged_by_the_last_close():
    rows = np.delete(np.arange(400), [370, 371, 395])
    market = {**MARKET, "OIL1": MARKET["OIL1"].iloc[rows]}
    market["OIL1"].attrs = dict(MARKET["OIL1"].attrs)
    equal = part(report(market)).equal
    assert equal.returns["21"] == part(REPORT).equal.returns["21"]
    assert part(report(market)).reasons["correlation"] == "the prices do not determine it"


def test_a_symbol_that_has_ended_is_missing_and_its_sector_counts_the_others():
    gone = MARKET["OIL1"].iloc[:-5]
    made = report({**MARKET, "OIL1": gone})
    assert made.missing == {"OIL1": f"its last bar is of {gone.index[-1]:%Y-%m-%d}"}
    energy = part(made)
    assert (energy.members_used, energy.members_total, energy.equal) == (2, 3, None)
    assert energy.reasons == {"equal": "2 of 3 members have a bar on the day, 3 are needed"}
    assert energy.fund == part(REPORT).fund.model_copy(update={"rank": energy.fund.rank})


def test_a_symbol_that_begins_after_the_benchmark_ends_is_missing():
    late = frame("OIL9", days(3, "2024-03-13")[-2:], 9)
    made = report({**MARKET, "OIL9": late})
    assert made.missing == {"OIL9": "its first bar is of 2024-03-12"}


def test_another_calendar_and_zone_meet_on_the_date():
    dates = calendars.sessions("XNYS", "2022-08-01", "2024-03-08")
    facts = {"calendar": "XNYS", "zone": "America/New_York"}
    local = midnights(dates, facts["zone"]).rename("time")
    everyday = pd.date_range(end="2024-03-10", periods=560, tz="UTC", name="time")
    market = {
        **MARKET,
        "OIL1": frame("OIL1", local, 0, **facts),
        "OIL2": frame("OIL2", local, 1, zone=facts["zone"]),
        "OIL3": frame("OIL3", everyday, 2),
    }
    made = report(market)
    assert (made.as_of, part(made).members_used, made.missing) == (date(2024, 3, 8), 3, {})
    closes = [market[f"OIL{number}"]["close"] for number in (1, 2)]
    returns = [close.iloc[-1] / close.iloc[-2] - 1 for close in closes]
    third = market["OIL3"]["close"][["2024-03-07", "2024-03-08"]].to_numpy()
    expected = np.mean([*returns, third[1] / third[0] - 1])
    assert part(made).equal.returns["1"] == pytest.approx(expected)


@pytest.mark.parametrize("facts", [{"timeframe": "1h"}, {}])
def test_hours_become_days(facts):
    hours = [pd.Timedelta(hours=15), pd.Timedelta(hours=16)]
    index = pd.DatetimeIndex([day + hour for day in days(3) for hour in hours], name="time")
    bars = frame("OIL1", index, 3)
    close, bars.attrs = bars["close"], {}
    if facts:
        bars = stamp(bars, symbol="OIL1", source="files", **facts)
    few = SectorSettings(min_members=1)
    made = report({"SPY": MARKET["SPY"], "OIL1": bars}, settings=few)
    expected = close.iloc[-1] / close.iloc[-3] - 1
    assert part(made).equal.returns["1"] == pytest.approx(expected)


def test_weeks_are_refused():
    weekly = frame("OIL1", pd.date_range("2024-01-05", periods=5, freq="W", tz="UTC"), 1)
    weekly = stamp(weekly, symbol="OIL1", source="files", timeframe="1w")
    with pytest.raises(DataError, match="OIL1 has bars of 1w: a sector report needs days"):
        report({"OIL1": weekly})


def test_two_bars_of_one_date_are_refused():
    index = pd.DatetimeIndex(["2024-03-07 01:00", "2024-03-07 22:00"], tz="UTC", name="time")
    with pytest.raises(DataError, match="two bars of 2024-03-07"):
        report({"OIL1": frame("OIL1", index, 1)})


def test_no_bars_at_all_are_refused():
    with pytest.raises(DataError, match="name at least one symbol"):
        report({})


def test_symbols_that_nobody_knows_are_named_with_the_reason():
    made = report(missing={"NOPE": "no such symbol"}, sector_map=SectorMap())
    assert (made.universe, made.missing) == (10, {"NOPE": "no such symbol"})
    assert {row.rule for row in made.members} == {"it is not in the sector map"}
    assert part(made).reasons["equal"] == "0 of 0 members have a bar on the day, 3 are needed"
    assert made.market.reasons["dispersion.1"] == "fewer than two sectors have a return"


def test_there_are_as_many_sectors_as_funds_on_the_day():
    old = {name: bars.set_axis(days(400, "2014-12-31")) for name, bars in MARKET.items()}
    for name, bars in old.items():
        bars.attrs = dict(MARKET[name].attrs)
    assert len(report(old).sectors) == 9


def test_many_feeds_are_counted_not_listed():
    market = {name: bars.copy() for name, bars in MARKET.items()}
    for name, bars in market.items():
        market[name] = stamp(bars, symbol=name, source="files", timeframe="1d", feed=f"{name}.csv")
    assert report(market).feed == "9 different ones"


def test_a_report_is_read_as_it_was_saved(tmp_path):
    REPORT.save(tmp_path / "sector_report.json")
    assert SectorReport.load(tmp_path / "sector_report.json") == REPORT


def test_a_report_of_an_older_schema_is_refused_with_what_to_do(tmp_path):
    path = tmp_path / "sector_report.json"
    path.write_bytes(REPORT.as_bytes().replace(b'"schema_version": 2', b'"schema_version": 1'))
    with pytest.raises(DataError, match=r"schema version 1.*python -m analyzers sector"):
        SectorReport.load(path)


@pytest.mark.parametrize(
    ("options", "text"),
    [({"slope": 1}, "slope=1: at least 2"), ({"benchmark": ""}, "benchmark is empty"),
     ({"rank": 0}, "rank=0: at least 1")],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(options, text):
    with pytest.raises(ConfigError, match=text):
        SectorSettings(**options)
