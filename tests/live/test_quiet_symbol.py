"""A symbol without bars, in a session that trades another one."""

from pathlib import Path

import pytest

from tests.live.hosted import hosted_venue, minutes

LAST, GAP = 30, 30  # bars after the start: the last one before, and how many are missing


def test_a_quiet_symbol_has_its_own_orders_refused_and_is_no_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    frames, past = minutes("SPY", "XLK")
    xlk, gap = frames["XLK"], slice(past + LAST, past + LAST + GAP)
    quiet = {"SPY": frames["SPY"], "XLK": xlk.drop(xlk.index[gap])}
    data = "mute_s = 0.4\nbarrier_s = 0.05"
    with hosted_venue(tmp_path, quiet) as venue:
        report = venue.trade("--for", "4.5s", params={"at": 3, "every": 2}, data=data)
        assert report["exit_code"] == 0
        orders = [line for line in venue.of("decision") if line["order"]["symbol"] == "XLK"]
        assert venue.counters().hits == {}
    refused = [line["refusal"] is not None for line in orders]
    assert [rule["rule"] for rule in (line["refusal"] for line in orders) if rule] == [
        "quiet_symbol"
    ] * sum(refused)
    first, last = refused.index(True), len(refused) - refused[::-1].index(True)
    assert 0 < first < last < len(refused)  # it traded before, and trades again
    assert all(refused[first:last])
