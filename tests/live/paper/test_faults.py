"""Plans of faults, how they are read and drawn, and what they do to a run."""

from collections.abc import Sequence
from typing import Any

import pytest

from brokers.errors import ConfigError
from live.paper.faults import FAILURES, REQUEST_KINDS, Fault, Plan
from live.paper.storms import KINDS_OF, Extent, drawn, plan_of, storm
from live.paper.trouble import Trouble

SEEDS = range(1_000)
EXTENT = Extent()


def struck(trouble: Trouble, verb: str, calls: int) -> list[str]:
    """What strikes each of so many requests that are answered in turn."""
    kinds = []
    for _ in range(calls):
        passage = trouble.request(verb)
        kinds.append(passage.fault.kind if passage.fault else "")
        if not passage.fault:
            trouble.answered(passage)
    return kinds


def longest_row_of_failures(kinds: Sequence[str]) -> int:
    """As the breaker counts: 429 neither lengthens nor ends a row."""
    longest = row = 0
    for kind in kinds:
        if kind in FAILURES:
            row += 1
        elif kind != "too_many_requests":
            row = 0
        longest = max(longest, row)
    return longest


def test_plan_survives_its_file() -> None:
    plan = storm(EXTENT)
    assert Plan.from_toml(plan.to_toml(), "storm") == plan


def test_file_says_only_what_is_not_the_default() -> None:
    plan = Plan("mine", (Fault("server_error", 3, status=503),), spare_breaker=False)
    assert plan.to_toml() == (
        'spare_breaker = false\n\n[[fault]]\nkind = "server_error"\nnth = 3\nstatus = 503\n'
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[fault]]\nkind = 'flood'", "unknown fault 'flood'"),
        ("[[fault]]\nnth = 3", "needs a kind"),
        ("[[fault]]\nkind = 'drop'\nwhen = 3", "a fault has no when"),
        ("[[fault]]\nkind = 'drop'\nnth = '3'", "nth is a int, not '3'"),
        ("[[fault]]\nkind = 'drop'\nnth = 0", "start at 1"),
        ("[[fault]]\nkind = 'server_error'\nstatus = 404", "status is one of"),
        ("[[fault]]\nkind = 'drop'\non = 'POST /v2/orders'", "on is one of"),
        ("[[fault]]\nkind = 'reorder'\non = 'data'", "trade_updates alone"),
        ("faults = 3", "unknown faults"),
        ("][", "plan.toml"),
    ],
)
def test_wrong_plan_file_names_its_place(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=r"fault plan plan\.toml") as raised:
        Plan.from_toml(text, "plan.toml")
    assert words in str(raised.value)


def test_plan_is_named_by_none_storm_seed_or_file(tmp_path: Any) -> None:
    file = tmp_path / "plan.toml"
    file.write_text("[[fault]]\nkind = 'delay'\nwait_s = 2\n")
    assert plan_of("none", EXTENT) == Plan()
    assert plan_of("storm", EXTENT) == storm(EXTENT)
    assert plan_of("seed:7", EXTENT) == drawn(7, EXTENT)
    assert plan_of(str(file), EXTENT).faults == (Fault("delay", wait_s=2.0),)


@pytest.mark.parametrize("text", ["seed:x", "hurricane", "missing.toml"])
def test_unknown_plan_is_an_error_that_names_it(text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        plan_of(text, EXTENT)


def test_storm_has_every_kind() -> None:
    kinds = {fault.kind for fault in storm(EXTENT).faults}
    assert kinds == {*KINDS_OF["alpaca"], "partial_fill", "kill"}


def test_storm_fits_a_run_of_a_single_order() -> None:
    faults = storm(Extent(orders=1, updates=2, fills=1)).faults
    posts = {fault.kind for fault in faults if fault.place == "POST /v2/orders"}
    assert posts == {"too_many_requests", "accepted_then_504"}
    assert {fault.kind for fault in faults} >= set(REQUEST_KINDS)


def test_same_seed_draws_the_same_plan_and_others_differ() -> None:
    plans = [drawn(seed, EXTENT) for seed in SEEDS]
    assert plans == [drawn(seed, EXTENT) for seed in SEEDS]
    assert len({plan.faults for plan in plans}) > 990


def test_no_drawn_plan_gives_a_third_failure_in_a_row() -> None:
    for seed in SEEDS:
        trouble = Trouble(drawn(seed, EXTENT))
        kinds = struck(trouble, "POST /v2/orders", EXTENT.orders + 12)
        assert longest_row_of_failures(kinds) == trouble.longest_row <= 2, seed
        assert not [fault for fault in trouble.missed if fault.kind in REQUEST_KINDS], seed


def test_every_message_fault_of_a_drawn_plan_finds_its_message() -> None:
    for seed in SEEDS:
        trouble = Trouble(drawn(seed, EXTENT))
        for _ in range(EXTENT.updates):
            trouble.message("trade_updates")
        for _ in range(EXTENT.fills):
            trouble.fill()
        assert {fault.kind for fault in trouble.missed} <= set(REQUEST_KINDS), seed


def test_third_failure_in_a_row_waits_until_a_request_was_answered() -> None:
    trouble = Trouble(Plan("row", tuple(Fault("reset", on="*") for _ in range(3))))
    assert struck(trouble, "GET /v2/account", 5) == ["reset", "reset", "", "reset", ""]


def test_plan_may_open_the_breaker_when_it_says_so() -> None:
    faults = tuple(Fault("hang", on="*") for _ in range(3))
    trouble = Trouble(Plan("trip", faults, spare_breaker=False))
    assert struck(trouble, "GET /v2/account", 3) == ["hang"] * 3
    assert trouble.longest_row == 3


def test_answer_to_a_request_older_than_the_failure_does_not_end_the_row() -> None:
    trouble = Trouble(Plan("race", tuple(Fault("reset", on="POST *") for _ in range(3))))
    early = trouble.request("GET /v2/account")
    first, second = (trouble.request("POST /v2/orders") for _ in range(2))
    trouble.answered(early)
    third = trouble.request("POST /v2/orders")
    assert [passage.fault is not None for passage in (first, second, third)] == [True, True, False]


def test_throttled_requests_strike_even_after_two_failures() -> None:
    trouble = Trouble(Plan("mixed", (Fault("reset", count=2), Fault("too_many_requests", 3))))
    assert struck(trouble, "POST /v2/orders", 4) == ["reset", "reset", "too_many_requests", ""]


def test_fault_strikes_the_nth_of_its_own_place_alone() -> None:
    trouble = Trouble(Plan("one", (Fault("hang", 2),)))
    assert struck(trouble, "GET /v2/orders", 3) == ["", "", ""]
    assert struck(trouble, "POST /v2/orders", 3) == ["", "hang", ""]
    assert trouble.hits == {"hang": 1}
    assert trouble.missed == ()


def test_two_faults_of_one_message_strike_one_after_the_other() -> None:
    trouble = Trouble(Plan("two", (Fault("lose", 2), Fault("delay", 2))))
    struck_messages = [trouble.message("trade_updates") for _ in range(4)]
    assert [fault and fault.kind for fault in struck_messages] == [None, "lose", "delay", None]


def test_faults_that_never_struck_are_named_except_kills() -> None:
    plan = Plan("quiet", (Fault("drop", 5), Fault("kill", 20), Fault("partial_fill", 3)))
    trouble = Trouble(plan)
    assert [fault.kind for fault in trouble.missed] == ["drop", "partial_fill"]
    assert plan.kills == (20,)


def test_reordered_message_is_one_that_another_follows_at_once() -> None:
    trouble = Trouble(Plan("turn", (Fault("reorder"),)))
    assert trouble.message("trade_updates", is_last=True) is None
    assert trouble.message("trade_updates") is not None


def test_reorder_goes_before_what_can_strike_the_next_message_as_well() -> None:
    trouble = Trouble(Plan("both", (Fault("drop"), Fault("reorder"))))
    struck = [trouble.message("trade_updates"), trouble.message("trade_updates", is_last=True)]
    assert struck == [Fault("reorder"), Fault("drop")]


def test_faults_that_are_added_count_from_then_on() -> None:
    trouble = Trouble(Plan())
    trouble.message("data")
    trouble.arm(Plan("more", (Fault("drop", 2, "data"),), spare_breaker=False))
    assert [trouble.message("data") for _ in range(3)] == [None, Fault("drop", 2, "data"), None]
    assert not trouble.plan.spare_breaker
