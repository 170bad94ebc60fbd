import pytest

from tests.analyzers.outliers.stage import Stage
from tests.dashboard.shown import shown


def put(folder, report, name="2024-02-07"):
    report.save(folder / "outliers" / f"{name}.json")


@pytest.fixture(scope="module")
def report():
    stage = Stage()
    stage.set("AAA", slice(2, 10), "close", 130.0)
    stage.set("BBB", slice(5, 10), "close", 97.0)
    return stage.report()


@pytest.fixture
def data(tmp_path, report):
    put(tmp_path, report)
    return tmp_path


def test_candidates_and_hits_are_shown_with_their_reasons(data, report):
    page = shown("outliers", data)
    hits = report.days[0].hits
    assert "Outliers 2024-02-07, bars of 1 min, 7 symbols against SPY" in page.text
    assert f"Hits {len(hits)} of {len({hit.symbol for hit in hits})} symbols" in page.text
    assert "Candidates rank symbol sessions hits" in page.text
    assert all(reason in page.text for hit in hits for reason in hit.reasons)
    assert "2024-02-07 09:34 New York (14:34 UTC)" in page.text


def test_hits_are_filtered_by_symbol(data, report):
    page = shown("outliers", data)
    page.then(lambda app: app.multiselect[0].set_value(["BBB"]))
    found = page.text.partition("Hits (")[2]
    assert found.startswith(f"{sum(hit.symbol == 'BBB' for hit in report.days[0].hits)})")
    assert "AAA at" not in found


def test_discoveries_alone_can_be_shown(data, report):
    page = shown("outliers", data).then(lambda app: app.toggle(key="discoveries").set_value(True))
    assert f"Hits ({sum(hit.is_discovery for hit in report.days[0].hits)})" in page.text
    assert page.downloads == ["Download these hits"]


def test_pictures_that_lie_beside_the_report_are_shown(data):
    png = bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
        "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
    )
    (data / "outliers" / "2024-02-07-AAA.png").write_bytes(png)
    page = shown("outliers", data)
    assert page.app.selectbox(key="picture").options == ["AAA"]


def test_one_of_several_reports_is_chosen_the_last_one_first(data, report):
    quiet = report.days[0].model_copy(update={"hits": ()})
    put(data, report.model_copy(update={"days": (quiet,), "candidates": ()}), "2024-02-06")
    page = shown("outliers", data)
    assert page.app.selectbox(key="outliers").options == ["2024-02-07", "2024-02-06"]
    page.then(lambda app: app.selectbox(key="outliers").select_index(1))
    assert "Nothing was out of line." in page.text


def test_what_could_not_be_measured_is_told(tmp_path):
    stage = Stage(("AAA", "SPY"))
    stage.set("AAA", slice(2, 10), "close", 130.0)
    put(tmp_path, stage.report(missing={"NOPE": "no bars"}))
    page = shown("outliers", tmp_path)
    assert "NOPE no bars" in page.text
    assert "universe_z, 2024-02-07" in page.text


def test_without_a_report_the_command_is_named(tmp_path):
    assert "Make one: python -m analyzers outliers" in shown("outliers", tmp_path).text
