"""The candidates of several sessions, and their pictures."""

from datetime import date
from pathlib import Path

import pytest

from analyzers.outlier import OutlierReport, outliers
from analyzers.outliers.figures import candidate, save
from analyzers.picture import png
from brokers.errors import ConfigError
from tests.analyzers.outliers.stage import NOW, SECTORS, Stage

WEEK = [date(2024, 2, 5), date(2024, 2, 6), date(2024, 2, 7)]


@pytest.fixture(scope="module")
def stage() -> Stage:
    made = Stage()
    made.set("AAA", slice(2, 10), "close", 130.0)
    made.set("BBB", slice(-1, None), "close", 101.0)
    frame = made.bars["AAA"].copy()
    frame.iloc[-20:-10, :4] *= 1.2  # the day before
    made.bars["AAA"] = frame
    return made


@pytest.fixture(scope="module")
def report(stage: Stage) -> OutlierReport:
    return outliers(stage.bars, stage.daily, WEEK, generated_at=NOW, sectors=SECTORS)


def test_who_stood_out_on_most_days_comes_first(report: OutlierReport) -> None:
    first = report.candidates[0]
    hits = [hit for day in report.days for hit in day.hits if hit.symbol == "AAA"]
    assert (first.symbol, first.rank, first.days, first.hits) == ("AAA", 1, 2, len(hits))
    assert first.discoveries == sum(hit.is_discovery for hit in hits)
    strongest = max(hits, key=lambda hit: hit.strength)
    assert (first.strongest_at, first.reasons) == (strongest.at, strongest.reasons)
    assert [one.rank for one in report.candidates] == list(range(1, len(report.candidates) + 1))


def test_a_week_screens_each_day_as_if_alone(report: OutlierReport, stage: Stage) -> None:
    assert [day.date for day in report.days] == WEEK
    assert report.as_of == WEEK[-1]
    assert report.days[2] == stage.report().days[0]


def test_a_candidate_is_drawn_with_its_hits(report: OutlierReport, stage: Stage) -> None:
    figure = candidate(report, stage.bars, "AAA")
    price, volume = figure.axes
    marks = [line for line in price.lines if line.get_marker() == "v"]
    assert len(marks) == report.candidates[0].hits
    assert [label.get_text() for label in volume.get_xticklabels()] == [f"{day}" for day in WEEK]
    assert png(figure)[:4] == b"\x89PNG"


def test_a_symbol_without_hits_can_be_drawn(report: OutlierReport, stage: Stage) -> None:
    assert len(candidate(report, stage.bars, "SPY").axes) == 2


def test_a_symbol_without_bars_cannot(report: OutlierReport) -> None:
    with pytest.raises(ConfigError, match="no bars of 'AAA' to draw"):
        candidate(report, {}, "AAA")


def test_pictures_lie_beside_the_report(
    report: OutlierReport, stage: Stage, tmp_path: Path
) -> None:
    paths = save(report, stage.bars, tmp_path / "week.json", 1)
    assert paths == (tmp_path / "week-AAA.png",)
    assert paths[0].stat().st_size > 10_000
    with pytest.raises(ConfigError, match="cannot write"):
        save(report, stage.bars, paths[0] / "week.json", 1)
