from dataclasses import replace

from live.rehearsal.kept import PAGE, keep
from tests.dashboard.shown import shown
from tests.live.test_certificate import BAD, GOOD


def test_a_certificate_says_what_was_rehearsed_and_what_struck(tmp_path):
    keep(GOOD, tmp_path / "storm")
    page = shown("certificates", tmp_path)
    assert "Certificates identical sma_cross on SPY, XLK, 1m bars, 2024-01-02" in page.text
    assert "Orders 43" in page.text
    assert "faults struck hang 1, server error 3" in page.text
    assert f"SHA-256 of bars {'ab' * 32} (what both halves were shown)" in page.text
    assert page.downloads == ["Download the certificate"]


def test_the_first_difference_and_objections_stand_at_the_top(tmp_path):
    keep(BAD, tmp_path)
    page = shown("certificates", tmp_path)
    assert "not identical" in page.text
    assert "First difference: fill of order 7: price at 2024-01-03. <b>late</b>" in page.text
    assert "backtest 1.5 live 2.5" in page.text
    assert "too few orders" in page.text
    assert "<b>late" not in page.html


def test_several_rehearsals_are_listed_and_one_is_chosen(tmp_path):
    keep(GOOD, tmp_path / "good")
    keep(replace(BAD, objections=()), tmp_path / "bad")
    page = shown("certificates", tmp_path)
    assert set(page.app.selectbox(key="certificate").options) == {"good", "bad"}
    page.then(lambda app: app.selectbox(key="certificate").select("good"))
    assert "Certificates identical" in page.text
    assert "bad not identical sma_cross" in page.text.partition("All rehearsals")[2]


def test_without_its_page_a_certificate_is_shown_all_the_same(tmp_path):
    keep(GOOD, tmp_path)
    (tmp_path / PAGE).unlink()
    page = shown("certificates", tmp_path)
    assert page.downloads == []
    assert "Orders 43" in page.text


def test_without_a_rehearsal_the_command_is_named(tmp_path):
    assert "Make one: python -m live rehearse" in shown("certificates", tmp_path).text
