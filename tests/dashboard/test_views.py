"""Every page on logs that are well, missing, damaged and hostile, in Streamlit's AppTest."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.pages import PAGES, Page
from tests.dashboard.stage import bars, bought, decision, fill, minute, session, write

TRADING = [page.path for page in PAGES["Trading"]]
HOSTILE = "<script>alert(1)</script>"


def _script(paths: list[str], logs: list[str], chosen: int, query: dict[str, str]) -> None:
    """What runs inside AppTest; it knows nothing but its arguments."""
    from tests.dashboard.several_pages import draw  # noqa: PLC0415

    draw(paths, logs, chosen, query)


def shown(
    paths: str | Sequence[str],
    logs: Sequence[Path],
    chosen: int = 0,
    query: dict[str, str] | None = None,
) -> AppTest:
    words = {
        "paths": [paths] if isinstance(paths, str) else paths,
        "logs": list(map(str, logs)),
        "chosen": chosen,
        "query": query or {},
    }
    app = AppTest.from_function(_script, kwargs=words, default_timeout=30)
    app.run()
    assert not app.exception
    return app


def text_of(app: AppTest) -> str:
    return "\n".join(element.proto.body for element in app.get("html"))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("log") / "log", bought())


@pytest.mark.parametrize("content", [None, b"", b'{"v":1', b"nonsense\n"])
def test_no_page_breaks_on_a_log_that_is_none(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "log").write_bytes(content)
    assert text_of(shown(TRADING, [tmp_path / "log"])).count("sw-title") == len(TRADING)


@pytest.mark.parametrize("lines", [1, 3, 6])
def test_no_page_breaks_on_a_log_that_has_just_begun(tmp_path: Path, lines: int) -> None:
    log = write(tmp_path / "log", bought()[:lines])
    text = text_of(shown(TRADING, [log, log.with_name("second")]))
    assert text.count("sw-title") == len(TRADING)


def test_a_session_shows_venue_money_and_its_latest_decision(log: Path) -> None:
    text = text_of(shown("session", [log]))
    for words in ("embedded paper venue", "10,029.00", "+10 SPY", "verified", "fast above slow"):
        assert words in text


def test_logs_stand_side_by_side(log: Path) -> None:
    text = text_of(shown("session", [log, log.with_name("other.jsonl")]))
    assert "All logs" in text
    assert "no session" in text


def test_a_tampered_log_has_a_red_banner_with_the_line(tmp_path: Path) -> None:
    log = write(tmp_path / "log", [*bought(), bars(3, 104.0)])
    log.write_bytes(log.read_bytes().replace(b"fast above slow", b"slow above fast"))
    text = text_of(shown("session", [log]))
    assert "sw-banner sw-bad" in text
    assert "DAMAGED at line 3" in text


def test_what_a_log_says_is_never_markup(tmp_path: Path) -> None:
    order_id = '"><img src=x onerror=alert(1)>'
    records = [
        {**session(), "strategy": HOSTILE},
        bars(1, 100.0),
        decision(1, order_id=order_id, reason=HOSTILE, refusal=HOSTILE),
        decision(1, order_id=order_id, reason=HOSTILE),
        fill(2, "buy", 1.0, 100.0, 1.0, order_id=order_id),
        {"kind": "shutdown", "trigger": "breaker", "text": HOSTILE},
    ]
    first, second = (write(tmp_path / name, records) for name in ("a", "b"))
    app = shown(TRADING, [first, second])
    text = text_of(app) + "".join(element.value for element in app.markdown)
    assert "<script" not in text
    assert "<img" not in text


def test_positions_show_average_last_and_result(log: Path) -> None:
    text = text_of(shown("positions", [log]))
    for words in ("100.0000", "103.0000", "+30.00", "No order is at work"):
        assert words in text


def test_orders_at_work_lead_to_their_story(tmp_path: Path) -> None:
    log = write(tmp_path / "log", bought()[:5])
    text = text_of(shown("positions", [log]))
    assert "0 of 10" in text
    assert 'href="why?log=0&amp;order=0123456789abcdef0123"' in text


def test_the_feed_is_filtered_by_kind_and_symbol(log: Path) -> None:
    app = shown("decisions", [log])
    assert "1 of 1 lines" in text_of(app)
    app.multiselect(key="kinds").set_value(["fill", "bars"]).run()
    assert "3 of 3 lines" in text_of(app)
    assert "filled: buy 10 SPY at 100" in text_of(app)


def test_why_tells_the_order_of_the_address(tmp_path: Path) -> None:
    records = [*bought(), decision(3, "sell", order_id="beef", reason="slow above fast")]
    log = write(tmp_path / "log", records)
    text = text_of(shown("why", [log], query={"order": "0123456789abcdef0123"}))
    for words in ("fast above slow", "buy 10 at 100", "completed", "101.5"):
        assert words in text
    assert "slow above fast" in text_of(shown("why", [log]))
    assert "no order cafe" in text_of(shown("why", [log], query={"order": "cafe"}))


def test_equity_says_where_its_points_come_from(log: Path, tmp_path: Path) -> None:
    assert "at every bar" in text_of(shown("equity", [log]))
    lines = [session(is_live=False), decision(1), decision(2, cash=9_000.0)]
    text = text_of(shown("equity", [write(tmp_path / "log", lines)]))
    assert "at every decision" in text
    assert "-10.00%" in text


def test_several_curves_are_drawn_as_changes(log: Path, tmp_path: Path) -> None:
    app = shown("equity", [log, write(tmp_path / "log", bought())])
    app.toggle[0].set_value(True).run()
    (equity, _) = app.get("vega_lite_chart")
    assert "change since start (%)" in equity.proto.spec


def test_fill_cost_has_a_row_a_filled_order(log: Path) -> None:
    text = text_of(shown("fill-cost", [log]))
    assert "buy 10 SPY market" in text
    assert "Matching slippage" in text


def test_parity_needs_two_logs_and_tells_the_first_difference(log: Path, tmp_path: Path) -> None:
    assert "Give a second log" in text_of(shown("parity", [log]))
    other = write(
        tmp_path / "log", [session(), bars(1, 100.0), decision(1, "sell"), bars(2, 103.0)]
    )
    text = text_of(shown("parity", [log, other]))
    assert "FIRST DIFFERENCE: decision of order 1: order.side" in text
    assert "IDENTICAL" in text_of(shown("parity", [log, write(tmp_path / "same", bought())]))


def test_every_page_has_an_address_and_a_place_of_its_own() -> None:
    pages: list[Page] = [page for group in PAGES.values() for page in group]
    assert len({page.path for page in pages}) == len(pages)
    assert "fill-cost" in {page.path for page in pages}


SHUT = {"kind": "shutdown", "trigger": "breaker", "text": "three broker calls in a row failed: 503"}
CLOSED = {
    "kind": "trade", "symbol": "SPY", "status": "closed", "side": "long", "opened_at": minute(2),
    "closed_at": minute(4), "bars": 2, "pnl": 5.0, "pnl_net": 3.5, "commission": 1.5,
}  # fmt: skip


def test_a_tripped_breaker_is_told_and_what_else_went_wrong(tmp_path: Path) -> None:
    refused = decision(3, order_id="beef", refusal="over the limit")
    halted = {"kind": "halt", "refusal": {"text": "halted by hand"}, "cancelled": []}
    log = write(tmp_path / "log", [*bought(), refused, SHUT])
    text = text_of(shown("session", [log]))
    for words in ("Shutting down by", "three broker calls in a row failed: 503", "What went wrong",
                  "SPY order refused: over the limit", ">open<"):  # fmt: skip
        assert words in text
    assert "halted by hand" in text_of(
        shown("session", [write(tmp_path / "b", [session(), halted])])
    )


def test_closed_trades_show_their_net_result(tmp_path: Path) -> None:
    text = text_of(shown("positions", [write(tmp_path / "log", [*bought(), CLOSED])]))
    assert "+3.50" in text
    assert "2025-06-02 10:04" in text  # in New York


def test_costs_of_several_orders_are_drawn(tmp_path: Path) -> None:
    again = [
        decision(3, "sell", order_id="beef", close=103.0),
        bars(4, 103.0),
        fill(4, "sell", 10.0, 102.0, 0.0, order_id="beef"),
    ]
    app = shown("fill-cost", [write(tmp_path / "log", [*bought(), *again])])
    (drawn,) = app.get("vega_lite_chart")
    assert "cost against the decision (bps)" in drawn.proto.spec
    assert "+97.09" in text_of(app)  # (103 - 102) / 103


def test_two_different_logs_are_compared(log: Path, tmp_path: Path) -> None:
    app = shown("parity", [log, write(tmp_path / "log", bought())])
    app.selectbox[0].set_value(app.selectbox[1].value).run()
    assert "Choose two different logs" in text_of(app)


def test_a_decision_that_one_log_lacks_is_shown_as_nothing(log: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "log", [session(), bars(1, 100.0), bars(2, 103.0)])
    text = text_of(shown("parity", [log, other]))
    assert "FIRST DIFFERENCE" in text
    assert "nothing" in text
