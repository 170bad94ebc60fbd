from datetime import timedelta

import pytest

from analyzers.sector import SectorMap, sector_report
from analyzers.sectors import history
from tests.analyzers.sectors.market_of_six import MAP, SECTORS, days, frame, frames
from tests.analyzers.study.test_ranking import AT
from tests.dashboard.shown import shown

FILE = "sector_report.json"


def keep(folder, market, **options):
    made = sector_report(market, generated_at=AT, sector_map=MAP, **options)
    history.keep(made, folder / FILE)
    return made


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The reports of two days."""
    folder, market = tmp_path_factory.mktemp("data"), frames()
    last = market["SPY"].index[-1]
    for until in (last - timedelta(days=7), last):
        cut = {name: bars.loc[:until] for name, bars in market.items()}
        for name, bars in cut.items():
            bars.attrs = dict(market[name].attrs)
        keep(folder, cut)
    return folder


@pytest.fixture(scope="module")
def page(data):
    """As it is before anybody touched it."""
    return shown("sectors", data)


def test_the_last_report_is_shown_with_rotation_and_ranks(page):
    assert "Sectors 2024-03-08, members, equally weighted, against SPY · files, walk" in page.text
    assert "made 2024-01-01 19:00:00 New York (2024-01-02 00:00:00 UTC)" in page.text
    assert len(page.charts) == 3
    assert {
        "simple return (%)", "relative strength over its mean (%)", "change of that (percentage "
        "points)", "rank", "date of the report",
    } <= page.titles()  # fmt: skip


def test_every_measured_sector_is_a_row_by_rank(page):
    report = sector_report(frames(), generated_at=AT, sector_map=MAP)
    ordered = sorted((it for it in report.sectors if it.equal), key=lambda it: it.equal.rank)
    assert [it.name for it in ordered] == sorted(("Energy", "Utilities"), key=page.text.index)
    assert f"{ordered[0].equal.beta:.2f}" in page.text
    assert f"{ordered[0].best[0].symbol} {ordered[0].best[0].returned:+.1%}" in page.text
    assert "Materials 0 of 0 members have a bar on the day, 3 are needed" in page.text


def test_an_earlier_report_the_funds_and_the_excess_can_be_chosen(data):
    page = shown("sectors", data)
    page.then(lambda app: app.selectbox(key="sector-date").select_index(1))
    assert "Sectors 2024-03-01" in page.text
    page.then(lambda app: app.radio(key="form").set_value("fund"))
    assert "sector funds, against SPY" in page.text
    page.then(lambda app: app.toggle(key="excess").set_value(True))
    assert "return less SPY's (%)" in page.titles()


def test_what_is_missing_or_doubted_is_told_and_escaped(tmp_path):
    market = frames()
    split = market["OIL1"].copy()
    split.iloc[390:, :4] /= 4
    split.attrs = {}
    keep(tmp_path, {**market, "OIL1": split}, missing={"<b>NOPE</b>": "it is <i>unknown</i>"})
    page = shown("sectors", tmp_path)
    assert "<b>NOPE</b> it is <i>unknown</i>" in page.text
    assert "<b>NOPE" not in page.html
    assert "OIL1 its close of 2024-02-26 is 0.2" in page.text


def test_without_a_benchmark_nothing_is_drawn_against_it(tmp_path):
    market = {name: bars for name, bars in frames().items() if name != "SPY"}
    keep(tmp_path, market)
    assert "relative strength over its mean (%)" not in shown("sectors", tmp_path).titles()


def test_many_missing_symbols_are_counted(tmp_path):
    keep(tmp_path, frames(), missing={f"S{number}": "no bars" for number in range(20)})
    page = shown("sectors", tmp_path)
    assert "and 12 more, see the report" in page.text


def test_a_report_of_no_sector_has_no_chart(tmp_path):
    bars = frame("LONE", days(), 1)
    made = sector_report({"LONE": bars}, generated_at=AT, sector_map=SectorMap.of(SECTORS))
    made.save(tmp_path / FILE)
    assert shown("sectors", tmp_path).charts == []


def test_an_earlier_report_that_cannot_be_read_costs_its_ranks_alone(tmp_path):
    keep(tmp_path, frames())
    (tmp_path / "sector_report" / "2024-01-05.json").write_text('{"schema_version": 1}')
    page = shown("sectors", tmp_path)
    assert "2024-01-05.json has schema version 1, this program reads 2" in page.text
    assert "Measures rank won" in page.text


def test_without_a_report_the_command_is_named(tmp_path):
    page = shown("sectors", tmp_path)
    assert "There is no sector report yet. Make one: python -m analyzers sector" in page.text
