import pytest

from analyzers.study.ranking import RankingSettings, ranking
from tests.analyzers.study.test_ranking import AT, FRAMES, MOMENTUM, SECTORS
from tests.dashboard.shown import shown


@pytest.fixture(scope="module")
def report():
    return ranking(
        {**FRAMES, "NEW": FRAMES["S1"].iloc[300:]},
        generated_at=AT,
        settings=MOMENTUM,
        sectors=SECTORS,
        missing={"GONE": "no bars"},
    )


@pytest.fixture(scope="module")
def page(report, tmp_path_factory):
    """As it is before anybody touched it."""
    folder = tmp_path_factory.mktemp("data")
    report.save(folder / "ranking.json")
    return shown("ranking", folder)


def test_scores_and_what_they_foretold_are_shown(page, report):
    assert "Ranking 2021-07-13, 9 of 11 symbols · files, adjustment total" in page.text
    first = report.judged[0]
    assert f"IC, 5 bars ahead {first.ic_mean:+.3f} t {first.ic_t:.1f}" in page.text
    assert {"score", "mean rank correlation", "mean simple return over them"} <= page.titles()
    assert "weights: momentum 12-1 1." in page.text


def test_all_symbols_are_listed_those_without_a_rank_with_the_reason(page, report):
    best = report.ranking[0]
    assert f"1 {best.symbol} {best.sector} {best.score:+.3f}" in page.text
    assert "100 bars do not determine momentum_12_1" in page.text
    assert "GONE no bars" in page.text


def test_rows_are_filtered_by_symbol_and_sector(report, tmp_path):
    report.save(tmp_path / "ranking.json")
    page = shown("ranking", tmp_path)
    page.then(lambda app: app.multiselect[1].set_value(["Utilities"]))
    listed = page.text.partition("All symbols")[2]
    assert "S5 Utilities" in listed
    assert "S1 Energy" not in listed
    page.then(lambda app: app.multiselect[0].set_value(["S5"]))
    assert "S6" not in page.text.partition("All symbols")[2]
    assert page.downloads == ["Download these rows"]


def test_a_ranking_that_foretold_nothing_has_the_scores_alone(tmp_path):
    made = ranking(
        {"S0": FRAMES["S0"]}, generated_at=AT, settings=RankingSettings(weights={"reversal": 1.0})
    )
    made.save(tmp_path / "ranking.json")
    page = shown("ranking", tmp_path)
    assert len(page.charts) == 1
    assert "IC, 5 bars ahead - t -" in page.text


def test_a_neutral_ranking_says_so(tmp_path):
    settings = RankingSettings(neutral=True)
    ranking(FRAMES, generated_at=AT, settings=settings, sectors=SECTORS).save(
        tmp_path / "ranking.json"
    )
    assert "9 of 9 symbols, each against its own sector" in shown("ranking", tmp_path).text


def test_a_ranking_of_nobody_has_no_chart(tmp_path):
    made = ranking({"S0": FRAMES["S0"].iloc[:5]}, generated_at=AT)
    made.save(tmp_path / "ranking.json")
    assert shown("ranking", tmp_path).charts == []


def test_without_a_ranking_the_command_is_named(tmp_path):
    assert "Make one: python -m analyzers ranking" in shown("ranking", tmp_path).text
