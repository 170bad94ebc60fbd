"""Whole sessions whose connection breaks: they go on, or end in order."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from tests.live.hosted import Hosted, fault, told

AT_ALL = "spare_breaker = false\n"
QUICKLY = "[wire]\nbackoff_first_s = 0.05\nbackoff_cap_s = 0.1\ntimeout_s = 0.5\n"
ORDERS = "POST /v2/orders"
ANY = "* /v2/*"


def test_a_stream_of_bars_that_is_mute_once_is_opened_again_and_no_bar_is_missing(
    hosted: Hosted,
) -> None:
    trouble = fault("mute", on="data")
    params = {"trouble": trouble, "ends": [30]}
    assert hosted.trade(params=params, data="mute_s = 0.5")["trigger"] == "interrupt"
    ends = [datetime.fromisoformat(text) for text in told(hosted.lines, "bars", "at_bar")]
    assert len(ends) >= 30
    assert {later - end for end, later in pairwise(ends)} == {timedelta(minutes=1)}
    assert hosted.counters().hits == {"mute": 1}
    states = told(hosted.lines, "connection", "state")  # the first, too, where it came late
    assert states[-2:] == ["down", "connected"]


def test_a_stream_of_bars_that_stays_mute_ends_the_session(hosted: Hosted) -> None:
    trouble = fault("mute", on="data", count=9)
    report = hosted.trade(params={"trouble": trouble, "exits": True}, data="mute_s = 0.4")
    assert (report["trigger"], report["exit_code"]) == ("mute", 5)
    assert "opening it again did not help" in report["text"]
    assert report["positions"] == {"SPY": 2.0}
    assert sorted(line.split(" (")[0].split(" at ")[0] for line in report["left"]) == [
        "sell 2 SPY limit",
        "sell 2 SPY stop",
    ]
    assert report["checks"][0] == "the data subscription and the network"


def test_a_mute_stream_of_updates_is_found_out_by_comparing(hosted: Hosted) -> None:
    trouble = fault("mute", on="trade_updates")
    params = {"trouble": trouble, "every": 2, "ends": [9]}
    report = hosted.trade(params=params, more="[wire]\ncompare_s = 0.3\n")
    assert report["trigger"] == "interrupt"
    assert len(hosted.of("fill")) >= 2
    assert hosted.counters().updates_withheld >= 2  # the venue told of it, and was not heard


def test_what_happened_while_everything_was_down_is_told_once(hosted: Hosted) -> None:
    trouble = (
        fault("drop", on="data")
        + fault("lose", on="trade_updates", nth=2)
        + fault("reset", on="GET /v2/*", count=2)
    )
    params = {"trouble": trouble, "every": 2, "ends": [14]}
    assert hosted.trade(params=params, more=QUICKLY)["trigger"] == "interrupt"
    lines = hosted.lines
    executions = [it["execution_id"] for it in lines if it.get("fact") == "Filled"]
    assert len(executions) == len(set(executions)) == len(hosted.of("fill"))
    sent = [line["order_id"] for line in hosted.of("decision") if not line["refusal"]]
    filled = set(told(lines, "fill", "order_id"))
    assert set(sent[:4]) <= filled  # the lost one is among them
    assert hosted.counters().hits == {"drop": 1, "lose": 1, "reset": 2}


def test_three_failures_cancel_entries_and_leave_exits(hosted: Hosted) -> None:
    trouble = AT_ALL + fault("server_error", on="* /v2/*", count=4)
    params = {"trouble": trouble, "entry": 0.7, "every": 2}
    report = hosted.trade(params=params, more=QUICKLY)
    assert (report["trigger"], report["exit_code"]) == ("breaker", 3)
    failures = [line for line in hosted.of("breaker") if line.get("counted")]
    assert len(failures) == 3
    assert failures[-1]["state"] == "open"
    assert "500 to" in failures[-1]["text"]
    (cancelled,) = report["cancelled"]  # past the breaker, at the second try
    assert cancelled.startswith("buy 1 SPY limit")
    (ended,) = report["too_late"]  # the order that three calls could not bring across
    assert ended.endswith("Rejected")
    assert (report["unconfirmed"], report["positions"]) == ([], {"SPY": 2.0})


def test_an_order_that_arrived_without_an_answer_is_found_past_the_breaker_and_cancelled(
    hosted: Hosted,
) -> None:
    trouble = (
        AT_ALL
        + fault("accepted_then_504", on=ORDERS)
        + fault("server_error", on="GET /v2/orders:by_client_order_id", count=2)
    )
    report = hosted.trade(params={"trouble": trouble, "at": 2, "entry": 0.7}, more=QUICKLY)
    assert report["trigger"] == "breaker"
    (cancelled,) = report["cancelled"]
    assert cancelled.startswith("buy 1 SPY limit")
    assert (report["unconfirmed"], report["positions"]) == ([], {"SPY": 2.0})


def test_an_open_breaker_leaves_exits_although_positions_were_to_be_flattened(
    hosted: Hosted,
) -> None:
    trouble = AT_ALL + fault("server_error", on="* /v2/*", count=3)
    report = hosted.trade(
        params={"trouble": trouble, "exits": True, "every": 2},
        more=f'{QUICKLY}[shutdown]\nprotective = "flatten"\n',
    )
    assert report["trigger"] == "breaker"
    assert len(report["left"]) == 2
    assert "positions were not flattened" in report["notes"][0]
    assert not any(line["order_id"].endswith(("-sl", "-tp")) for line in hosted.of("cancel"))


def test_a_venue_that_is_silent_until_the_end_leaves_orders_unconfirmed(hosted: Hosted) -> None:
    trouble = AT_ALL + fault("server_error", on="* /v2/*", count=99)
    report = hosted.trade(
        params={"trouble": trouble, "entry": 0.7, "every": 2},
        more=f"{QUICKLY}[shutdown]\ndeadline_s = 0.8\n",
    )
    assert (report["trigger"], report["cancelled"]) == ("breaker", [])
    assert [line.split(" (")[0].split(" at ")[0] for line in report["unconfirmed"]] == [
        "buy 1 SPY limit",
        "buy 1 SPY market",
    ]
    assert "at the venue, what became of the unconfirmed orders" in report["checks"]


@pytest.mark.parametrize(
    ("trouble", "size"),
    [
        (fault("server_error", on=ORDERS, count=2), 1.0),
        (fault("server_error", on=ORDERS) + fault("reset", on="GET /v2/*"), 1.0),
        (fault("too_many_requests", on=ANY, count=6), 1.0),
        ("", 1e6),  # no buying power: the venue rejects every one of them
    ],
    ids=["two failures", "two of two kinds", "429s", "rejections"],
)
def test_what_does_not_open_the_breaker_does_not_end_the_session(
    hosted: Hosted, trouble: str, size: float
) -> None:
    params = {"trouble": AT_ALL + trouble, "every": 2, "size": size, "ends": [13]}
    assert hosted.trade(params=params, more=QUICKLY)["trigger"] == "interrupt"
    rejected = [line for line in hosted.lines if line.get("status") == "Rejected"]
    assert len(rejected) >= 3 if size > 1.0 else not rejected
    assert len(hosted.of("fill")) >= (1 if size > 1.0 else 3)
    assert len(told(hosted.lines, "fill", "order_id")) == len(
        set(told(hosted.lines, "fill", "order_id"))
    )
