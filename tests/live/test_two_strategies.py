"""Two strategies on one symbol in one session, and again after it was taken up."""

from collections import defaultdict
from typing import Any

import pytest

from live.cli import main
from tests.live.hosted import Hosted

OTHER = """
[[strategies]]
name = "sma_cross"
size = 3
params = {fast = 3, slow = 8}
"""
CROSS = "sma_cross"


def _check_own_positions(lines: list[dict[str, Any]]) -> None:
    """At each decision a strategy sees what its own fills have added up to, and nothing else."""
    held: dict[str, float] = defaultdict(float)
    for line in lines:
        if line["kind"] == "fill":
            held[line["strategy"]] += line["quantity"] * (1 if line["side"] == "buy" else -1)
        elif line["kind"] == "decision":
            assert line["market_context"]["position"] == held[line["strategy"]]


def test_each_has_its_own_orders_positions_and_lines_also_after_a_restart(
    hosted: Hosted, capsys: pytest.CaptureFixture[str]
) -> None:
    params = {"every": 2, "ends": [15, 30]}
    hosted.trade(params=params, more=OTHER)
    first = hosted.lines
    report = hosted.trade(params=params, more=OTHER)
    lines = hosted.lines
    assert lines[: len(first)] == first
    assert len({line["strategy"] for line in hosted.of("decision")}) == 2
    _check_own_positions(lines)
    ids = [line["order_id"] for line in hosted.of("decision")]
    assert len(ids) == len(set(ids))
    owner = {line["order_id"]: line["strategy"] for line in hosted.of("decision")}
    assert all(owner[line["order_id"]] == line["strategy"] for line in hosted.of("fill"))
    held = sum(
        line["quantity"] * (1 if line["side"] == "buy" else -1) for line in hosted.of("fill")
    )
    assert report["positions"] == {"SPY": held}
    theirs = next(name for name in reversed(ids) if owner[name] == CROSS)
    capsys.readouterr()
    assert main(["why", theirs, "--folder", str(hosted.folder)]) == 0
    out = capsys.readouterr().out
    assert CROSS in out
    assert "Scripted" not in out


def test_a_limit_on_one_symbol_holds_for_both_together(hosted: Hosted) -> None:
    more = f"{OTHER}[risk]\nmax_position_notional = 2_200\n"  # three units, not five
    hosted.trade(params={"ends": [25]}, more=more)
    crossed = [line for line in hosted.of("decision") if line["strategy"] == CROSS]
    refused = [line["refusal"] for line in crossed if line["order"]["side"] == "buy"]
    assert refused
    assert refused[0]["rule"] == "max_position_notional"
