from datetime import UTC, datetime

import pytest

from analyzers.sector import sector_report
from analyzers.sectors.history import keep, ranks
from brokers.errors import DataError
from tests.analyzers.sectors.market_of_six import MAP, frames

AT = datetime(2024, 3, 9, tzinfo=UTC)
NOW = frames()
BEFORE = {name: bars.iloc[:-1] for name, bars in NOW.items()}


def report(market):
    return sector_report(market, generated_at=AT, sector_map=MAP)


def test_each_date_is_kept_and_the_last_one_is_the_report(tmp_path):
    path = tmp_path / "data" / "sector_report.json"
    keep(report(BEFORE), path)
    keep(report(NOW), path)
    kept = path.with_suffix("")
    assert sorted(file.name for file in kept.iterdir()) == ["2024-03-07.json", "2024-03-08.json"]
    assert path.read_bytes() == (kept / "2024-03-08.json").read_bytes()


@pytest.mark.parametrize("form", ["equal", "fund"])
def test_ranks_are_told_by_date(tmp_path, form):
    path = tmp_path / "report"
    for market in (NOW, BEFORE):
        keep(report(market), path)
    told = ranks(path, form)
    assert list(told) == ["2024-03-07", "2024-03-08"]
    assert {told["2024-03-08"][name] for name in ("Energy", "Utilities")} == {1, 2}
    assert told["2024-03-08"]["Materials"] is None
    assert list(ranks(path, form, 1)) == ["2024-03-08"]


def test_a_kept_report_that_is_damaged_is_named(tmp_path):
    path = tmp_path / "sector_report.json"
    keep(report(NOW), path)
    (path.with_suffix("") / "2024-03-01.json").write_text("{")
    with pytest.raises(DataError, match=r"2024-03-01.json is no JSON"):
        ranks(path)


def test_nothing_kept_has_no_ranks(tmp_path):
    assert ranks(tmp_path / "sector_report.json") == {}
