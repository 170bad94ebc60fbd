from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest

from brokers.errors import DataError
from live.cli import main
from live.rehearsal.certificate import Certificate
from live.rehearsal.certificate_page import card, page
from live.rehearsal.difference import Difference
from live.rehearsal.kept import PAGE, PLAIN, keep, kept

GOOD = Certificate(
    name="sma_cross",
    account="alpaca",
    plan="storm",
    bars=1_170,
    orders=43,
    fills=44,
    first_difference=None,
    faults_hit={"hang": 1, "server_error": 3},
    hashes={"bars": "ab" * 32, "live": "cd" * 32},
    lives=2,
    symbols=("SPY", "XLK"),
    timeframe="1m",
    span=("2024-01-02T14:30:00+00:00", "2024-01-04T21:00:00+00:00"),
)
BAD = replace(
    GOOD,
    first_difference=Difference("fill of order 7: price", "2024-01-03", 1.5, 2.5, "<b>late</b>"),
    objections=("too few orders",),
)


class Words(HTMLParser):
    """The text of a page without its styles."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        if self.tags[-1] != "style":
            self.words.append(data)

    @property
    def text(self):
        return " ".join(self.words)


def test_the_page_says_what_was_rehearsed_and_what_it_met():
    shown = Words(page(GOOD)).text
    for word in ("IDENTICAL", "sma_cross on SPY, XLK, 1m bars, 2024-01-02 to 2024-01-04", "1,170"):
        assert word in shown
    assert "server error: 3" in shown
    assert "NOT IDENTICAL" not in shown


def test_a_page_that_is_no_proof_says_so_first_and_escapes_what_it_tells():
    html = page(BAD)
    shown = Words(html).text
    assert shown.index("NOT IDENTICAL") < shown.index("first difference: fill of order 7")
    assert "too few orders" in shown
    assert "<b>late</b>" not in html


def test_the_page_draws_both_accounts_where_they_are_known():
    at = pd.date_range("2024-01-02 14:31", periods=20, freq="min", tz="UTC")
    equity = pd.DataFrame({"backtest": range(20), "live": range(20)}, index=at)
    assert "img" in Words(page(replace(GOOD, equity=equity))).tags
    assert "img" not in Words(page(GOOD)).tags


def test_a_notebook_shows_a_card_with_verdict_and_objections():
    shown = Words(BAD._repr_html_()).text
    assert "NOT IDENTICAL: sma_cross" in shown
    assert "too few orders" in shown
    assert "hang 1, server_error 3" in Words(card(GOOD)).text


def test_nothing_different_and_too_little_of_it_is_no_proof():
    little = replace(GOOD, objections=("15 orders are too few",))
    assert not little.identical
    assert little.text.startswith("NO PROOF: sma_cross")
    assert "NO PROOF" in Words(page(little)).text


@pytest.mark.parametrize("certificate", [GOOD, BAD])
def test_what_is_kept_is_read_again_as_it_was(certificate, tmp_path):
    keep(certificate, tmp_path)
    assert kept(tmp_path) == kept(tmp_path / PLAIN) == certificate


@pytest.mark.parametrize("content", [None, b"{", b"[]", b'{"first_difference": null}'])
def test_what_is_no_certificate_is_named_with_the_command_that_makes_one(content, tmp_path):
    if content is not None:
        (tmp_path / PLAIN).write_bytes(content)
    with pytest.raises(DataError, match=r"certificate\.json.*live rehearse --out"):
        kept(tmp_path)


def test_rehearse_keeps_its_certificate_in_the_folder_asked_for(tmp_path, capsys):
    words = ("--param", "fast=3", "--param", "slow=8", "--end", "2024-01-02")
    options = ("--start", "2024-01-02", "--symbols", "SPY", "--over", "memory")
    assert main(["rehearse", "sma_cross", *words, *options, "--out", str(tmp_path)]) == 0
    assert str(tmp_path / PAGE) in capsys.readouterr().out
    found = kept(tmp_path)
    assert found.identical
    assert (found.symbols, found.timeframe, found.bars) == (("SPY",), "1m", 390)
    assert (tmp_path / PAGE).read_text().startswith("<!doctype html>")
