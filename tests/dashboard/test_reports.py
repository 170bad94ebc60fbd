import os
from pathlib import Path

import pytest

from analyzers.outlier import OutlierReport
from analyzers.sector import SectorReport, sector_report
from brokers.errors import DataError
from dashboard import reports
from tests.analyzers.outliers.stage import Stage
from tests.analyzers.sectors.market_of_six import MAP, frames
from tests.analyzers.study.test_ranking import AT


def test_what_the_dashboard_reads_is_the_same_bytes(tmp_path):
    made = sector_report(frames(), generated_at=AT, sector_map=MAP)
    made.save(tmp_path / "sectors.json")
    read = reports.read(SectorReport.load, tmp_path / "sectors.json")
    assert read.as_bytes() == made.as_bytes() == (tmp_path / "sectors.json").read_bytes()
    stage = Stage()
    stage.set("AAA", slice(2, 10), "close", 130.0)
    screened = stage.report()
    screened.save(tmp_path / "outliers.json")
    read_again = reports.read(OutlierReport.load, tmp_path / "outliers.json")
    assert read_again.as_bytes() == screened.as_bytes()


def test_a_file_is_read_once_as_long_as_it_stays_as_it_is(tmp_path):
    asked = []

    def reader(path: Path) -> str:
        asked.append(path)
        return path.read_text()

    path = tmp_path / "x.json"
    path.write_text("one")
    assert [reports.read(reader, path) for _ in range(3)] == ["one"] * 3
    path.write_text("another")
    assert reports.read(reader, path) == "another"
    assert len(asked) == 2


def test_a_file_that_is_not_there_or_older_is_told(tmp_path):
    with pytest.raises(DataError, match="No such file or directory: write it anew with python"):
        reports.read(SectorReport.load, tmp_path / "none.json")
    (tmp_path / "old.json").write_text('{"schema_version": 1}')
    with pytest.raises(DataError, match="schema version 1, this program reads 2"):
        reports.read(SectorReport.load, tmp_path / "old.json")


def test_files_at_any_depth_come_newest_first(tmp_path):
    for number, name in enumerate(("a", "b/c", "d")):
        place = tmp_path / name / "sweep.json"
        place.parent.mkdir(parents=True)
        place.write_text("{}")
        os.utime(place, (number, number))
    found = reports.below(tmp_path, "sweep.json")
    assert [f"{it.parent.relative_to(tmp_path)}" for it in found] == ["d", "b/c", "a"]
    assert reports.below(tmp_path / "none", "sweep.json") == []


def test_files_of_a_folder_come_by_name_the_last_first(tmp_path):
    for name in ("2024-02-07.json", "2024-02-08.json", "other.txt"):
        (tmp_path / name).write_text("")
    found = reports.within(tmp_path, "*.json")
    assert [it.name for it in found] == ["2024-02-08.json", "2024-02-07.json"]
