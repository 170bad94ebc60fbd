"""What a notebook shows of a report: ranks first, both times, escaped, and nothing for null."""

from datetime import UTC, date, datetime

import pytest

from analyzers import markup
from analyzers.outliers.report import Candidate, Chance, OutlierReport, ScreenedDay
from analyzers.sector import SectorMap, sector_report
from analyzers.study.ranking import ranking
from feeds import history, universe

AT = datetime(2025, 12, 31, 22, tzinfo=UTC)


@pytest.fixture(scope="module")
def daily():
    symbols = ["SPY", *universe.etfs().values(), *list(universe.sectors())[:20]]
    return history("synthetic", symbols, "2024-10-01", "2025-12-31")


def outliers():
    strongest = datetime(2025, 12, 5, 15, 4, tzinfo=UTC)
    one = Candidate(
        symbol="<i>", sector=None, rank=1, days=1, hits=2, discoveries=1, strength=3.0,
        strongest_at=strongest, reasons=("jump", "volume"), flags=(),
    )  # fmt: skip
    chance = Chance(tests=1_000, beyond=7, expected=2.7, note="")
    day = ScreenedDay(
        date=date(2025, 12, 5), bars=390, symbols=4, hits=(), chance=chance, nulls=(), missing={}
    )
    return OutlierReport(
        schema_version=1, generated_at=AT, as_of=date(2025, 12, 5), source="x", feed="x",
        adjustment="none", calendar="XNYS", bar_minutes=1, benchmark="SPY", universe=5,
        parameters={}, days=(day,), candidates=(one,),
    )  # fmt: skip


def test_sectors_come_by_rank_with_what_is_missing(daily):
    members = universe.sectors()
    made = sector_report(
        daily, generated_at=AT, sector_map=SectorMap.of(members), missing={"ZZ": "no <bars>"}
    )
    shown = made._repr_html_()
    ranked = sorted((it for it in made.sectors if it.equal), key=lambda it: it.equal.rank)
    places = [shown.index(f">{it.name}<") for it in ranked]
    assert places == sorted(places)
    assert "1 symbols are missing, such as ZZ: no &lt;bars&gt;" in shown


def test_a_sector_without_members_and_fund_shows_the_reason(daily):
    made = sector_report({"SPY": daily["SPY"]}, generated_at=AT, sector_map=SectorMap())
    part = made.sectors[0]
    assert (part.equal, part.fund) == (None, None)
    assert next(iter(part.reasons.values())) in made._repr_html_()


def test_outliers_show_exchange_time_and_utc_and_what_chance_expects():
    shown = outliers()._repr_html_()
    assert "2025-12-05 10:04 EST (15:04 UTC)" in shown
    assert "7 scores beyond the limit, 2.7 expected by chance alone" in shown
    assert "&lt;i&gt;" in shown


def test_the_ranking_shows_factors_and_what_earlier_ranks_were_worth(daily):
    names = [name for name in daily if name in universe.sectors()]
    made = ranking({name: daily[name] for name in names}, generated_at=AT)
    shown = made._repr_html_()
    assert shown.index(">1<") < shown.index(f">{made.ranking[0].symbol}<")
    assert "momentum 12 1" in shown
    assert "mean IC" in shown


def test_a_row_of_another_length_than_its_header_is_an_error():
    with pytest.raises(ValueError, match="zip"):
        markup.table(["a", "b"], [["1"]])
