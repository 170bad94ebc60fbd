from datetime import UTC, datetime

import pytest

from analyzers.sector import sector_report
from analyzers.sectors.figure import figure
from tests.analyzers.sectors.market_of_six import MAP, frames


def report(count):
    at = datetime(2024, 3, 9, tzinfo=UTC)
    return sector_report(frames(count), generated_at=at, sector_map=MAP)


REPORT = report(400)


@pytest.mark.parametrize(
    ("form", "title"), [("equal", "members in equal shares"), ("fund", "funds")]
)
def test_sectors_stand_by_rank_with_their_returns(form, title):
    picture = figure(REPORT, form)
    heat, rotation = picture.axes
    measured = {item.name: getattr(item, form) for item in REPORT.sectors}
    names = sorted(("Energy", "Utilities"), key=lambda name: measured[name].rank)
    assert [text.get_text() for text in heat.get_yticklabels()] == names
    assert f"{measured[names[0]].returns['1']:+.1%}" in [text.get_text() for text in heat.texts]
    assert [text.get_text() for text in rotation.texts[:2]] == names
    assert picture.get_suptitle().endswith(title)


def test_what_is_null_is_not_drawn():
    heat, rotation = figure(report(10)).axes
    assert len(heat.texts) == 4  # two sectors, one and five days
    assert [text.get_text() for text in rotation.texts] == [
        "leading", "weakening", "lagging", "improving",
    ]  # fmt: skip


def test_a_report_of_no_sector_is_an_empty_picture():
    few = {name: bars for name, bars in frames(5).items() if name in ("SPY", "OIL1")}
    at = datetime(2024, 3, 9, tzinfo=UTC)
    heat, _ = figure(sector_report(few, generated_at=at, sector_map=MAP)).axes
    assert not heat.texts
