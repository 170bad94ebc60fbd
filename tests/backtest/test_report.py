import dataclasses
import re
from html.parser import HTMLParser

import pytest

from backtest import report
from brokers.risk import RiskLimits
from tests.analyzers.small_runs import bars
from tests.backtest.small_results import result

CLOSES = [10, 11.3, 12.1, 11.7, 14.9, 15.2, 13.1, 16.05]
CAREFUL = RiskLimits(max_order_notional=50.0).rules()
NASTY = "<script>alert('x')</script>"
VOID = {"meta", "img"}


class Outline(HTMLParser):
    """Tags that are still open, tables, and every attribute that could fetch something."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.addresses, self.cells = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.cells.append(data)


@pytest.fixture
def run():
    script = {1: lambda s: s.buy(size=10, reason=NASTY), 4: lambda s: s.close()}
    return result(script, bars(CLOSES, NASTY, synthetic=True), commission=0.001)


def test_it_needs_nothing_from_anywhere(run):
    page = Outline(report.html(run))
    assert len(page.addresses) == 1
    assert page.addresses[0].startswith("data:image/png;base64,")
    assert not {"script", "link", "iframe"} & set(page.seen)
    assert "url(" not in report.STYLE
    assert "http" not in report.html(run)


def test_every_tag_is_closed_and_every_text_escaped(run):
    text = report.html(run)
    assert Outline(text).open == []
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_figures_have_units_and_meanings(run):
    cells = Outline(report.html(run)).cells
    assert cells[cells.index("Exposure") + 1] == "37.5% of bars"
    assert cells[cells.index("Profit factor") + 1] == "n/a"
    assert "profits over losses, closed, net" in cells


def test_configuration_is_told_in_full(run):
    config = {**run.config, "params": {"fast": 3, "on": [1, 2.5]}, "risk": {}, "size": None}
    cells = Outline(report.html(dataclasses.replace(run, config=config))).cells
    assert cells[cells.index("params.fast") + 1] == "3"
    assert cells[cells.index("params.on") + 1] == "1, 2.5"


def test_bars_show_their_passport(run):
    cells = Outline(report.html(run)).cells
    assert run.passports[NASTY].id in cells
    assert "Where the bars came from" in cells


def test_synthetic_prices_and_partial_runs_are_announced_first(run):
    text = report.html(dataclasses.replace(run, partial=True))
    assert text.index("Partial:") < text.index("Synthetic prices") < text.index('class="cards"')


def test_some_synthetic_symbols_are_named():
    text = report.html(result({}, bars(CLOSES, "A"), bars(CLOSES, "B", synthetic=True)))
    assert "Synthetic prices (B)" in text


def test_refused_orders_are_listed_with_their_reason():
    script = {1: lambda s: s.sell(size=9, reason="too high")}
    cells = Outline(report.html(result(script, bars(CLOSES), rules=CAREFUL))).cells
    assert "The guard refused orders: max_order_notional (1)." in cells
    assert "too high" in cells
    assert "max_order_notional: limit 50.0, value 90.0" in cells


def test_amounts_are_to_the_cent_and_prices_to_six_digits(run):
    cells = Outline(report.html(run)).cells
    assert {"10.0000", "11.7000", "17.00", "16.78", "0.22"} <= set(cells)


def test_long_tables_say_what_they_leave_out():
    script = {n: lambda s: s.buy() if not s.position else s.close() for n in range(1, 1020)}
    run = result(script, bars([10 + n % 7 for n in range(1020)]))
    text = report.html(run)
    assert f"The first 500 of {len(run.trades):,}" in text
    assert len(re.findall(r"<tr>", text)) < 700


def test_no_trades_is_said():
    run = dataclasses.replace(result({}, bars(CLOSES)), passports={})
    assert "<h2>Trades</h2><p>None.</p>" in report.html(run)


def test_the_file_is_written_whole(tmp_path, run):
    path = run.report(tmp_path / "deep" / "run.html")
    assert path.read_text(encoding="utf-8") == report.html(run)
