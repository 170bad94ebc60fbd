"""Whole sessions and what ends them: people, limits, a disk; and who is told."""

import resource
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from analyzers.journal import verify
from brokers.thread import WORKERS
from tests.live.hosted import Hosted, fault
from tests.live.receiver import receiver

FLATTEN = '[shutdown]\nprotective = "flatten"\n'
SECRET = "s3cr3t-t0ken"


@pytest.fixture
def small_disk() -> Iterator[Callable[[], None]]:
    """Gives this process back the room that a deed takes from it: when called, or at the end."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def clear() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    yield clear
    clear()


def test_flattening_cancels_exits_closes_and_leaves_nothing(hosted: Hosted) -> None:
    report = hosted.trade(params={"exits": True, "ends": [3]}, more=FLATTEN)
    assert (report["positions"], report["left"], report["unconfirmed"]) == ({}, [], [])
    assert sorted(line.rsplit(": ")[-1] for line in report["cancelled"]) == ["Canceled"] * 2
    assert [line["position"] for line in hosted.of("fill")] == [2.0, 0.0]


@pytest.mark.parametrize(
    ("deed", "trigger", "code"),
    [
        ("interrupt", "interrupt", 130),
        ("terminate", "terminate", 143),
        ("touch the kill file", "kill_file", 7),
    ],
)
def test_a_person_ends_it_and_entries_are_cancelled(
    hosted: Hosted, deed: str, trigger: str, code: int
) -> None:
    report = hosted.trade(params={"deed": deed, "entry": 0.7})
    assert (report["trigger"], report["exit_code"]) == (trigger, code)
    assert len(report["cancelled"]) == 1
    assert verify(hosted.folder / "decisions.jsonl").state == "complete"


def test_a_second_interrupt_ends_it_at_once(
    hosted: Hosted, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hosted.run(params={"deed": "interrupt twice", "entry": 0.7}) == 130
    assert "orders may still be at work" in capsys.readouterr().err
    assert not (hosted.folder / "exit_report.json").exists()
    assert verify(hosted.folder / "decisions.jsonl").state == "unfinished"


def test_a_kill_file_of_before_is_said_and_nothing_begins(
    hosted: Hosted, capsys: pytest.CaptureFixture[str]
) -> None:
    hosted.trade(params={"deed": "touch the kill file"})
    before = hosted.lines
    assert hosted.run() == 7
    assert "KILL is here from before" in capsys.readouterr().err
    assert hosted.lines == before


@pytest.mark.parametrize("limit", ["max_daily_loss_frac", "max_drawdown_frac"])
def test_a_broken_limit_ends_it_and_exits_stay(hosted: Hosted, limit: str) -> None:
    report = hosted.trade(params={"exits": True}, more=f"[risk]\n{limit} = 0.00000001\n")
    assert (report["trigger"], report["exit_code"]) == ("account_limit", 4)
    assert limit in report["text"]
    assert len(report["left"]) == 2


def test_a_full_disk_stops_orders_and_the_next_start_goes_on(
    hosted: Hosted, small_disk: Callable[[], None]
) -> None:
    params = {"deed": "fill the disk", "every": 2, "ends": [12]}
    report = hosted.trade(params=params)
    assert (report["trigger"], report["exit_code"]) == ("log_error", 10)
    assert "File too large" in report["text"]
    assert hosted.counters().orders == len(hosted.of("decision"))  # none left that is not logged
    assert verify(hosted.folder / "decisions.jsonl").state == "unfinished"
    small_disk()
    kept = hosted.lines
    assert hosted.trade(params=params)["trigger"] == "interrupt"
    assert hosted.lines[: len(kept)] == kept
    assert len(hosted.of("decision")) > len([line for line in kept if line["kind"] == "decision"])


def test_a_removed_folder_stops_orders_and_ends_it(
    hosted: Hosted, capsys: pytest.CaptureFixture[str]
) -> None:
    code = hosted.run(params={"deed": "remove the folder", "every": 2})
    out = capsys.readouterr().out
    assert code == 10
    assert "the log was removed (exit code 10)" in out
    assert "this report is kept nowhere" in out
    assert hosted.counters().orders == 1


def test_an_alert_is_delivered_and_holds_no_secret(
    hosted: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver() as (url, got):
        monkeypatch.setenv("SEAWALL_ALERT_URLS", f"{url}/{SECRET}")
        report = hosted.trade(params={"deed": "interrupt"})
    assert [str(alert["title"]).split(": ")[-1] for alert in got] == ["shutting down"]
    assert got[0]["message"] == "Ctrl-C"
    kept = b"".join(path.read_bytes() for path in hosted.folder.iterdir() if path.is_file())
    assert SECRET not in f"{got}{report}{kept!r}"


def test_an_alert_that_is_not_taken_is_a_note_and_no_more(
    hosted: Hosted, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with receiver(500) as (url, _):
        monkeypatch.setenv("SEAWALL_ALERT_URLS", f"{url}/{SECRET}")
        report = hosted.trade(params={"deed": "interrupt"})
    assert report["exit_code"] == 130
    (note,) = report["notes"]
    assert note.endswith("did not reach everybody")
    out, err = capsys.readouterr()
    assert SECRET not in f"{report}{out}{err}"


def test_threads_are_known_by_name_and_all_have_ended(hosted: Hosted) -> None:
    before = set(threading.enumerate())
    there = Hosted(
        hosted.url.replace("127.0.0.1", "localhost"), hosted.door, hosted.place, ("SPY",)
    )
    there.trade(params={"every": 2, "tells": True, "ends": [9]})  # a name has to be looked up
    assert set(threading.enumerate()) == before
    reasons = {line["agent_reasoning"] for line in hosted.of("decision")[1:]}
    names = {name for reason in reasons for name in reason.split(", ")}
    lookups = {f"store-lookup_{number}" for number in range(WORKERS)}
    known = {thread.name for thread in before}  # of other tests of this process, too
    assert names - lookups == known | {"store"}
    assert names & lookups


def test_the_venue_says_how_it_was_disturbed(hosted: Hosted) -> None:
    params = {"trouble": fault("duplicate", nth=2), "every": 2, "ends": [8]}
    hosted.trade(params=params)
    assert hosted.counters().hits == {"duplicate": 1}
    assert len(hosted.of("fill")) == len({line["order_id"] for line in hosted.of("fill")})


def test_a_session_at_a_venue_that_cannot_be_reached_does_not_begin(
    hosted: Hosted, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    nowhere = Hosted("http://127.0.0.1:9", hosted.door, tmp_path, ("SPY",))
    assert nowhere.run(more="[wire]\nbackoff_first_s = 0.01\n") == 8
    assert "check the venue" in capsys.readouterr().err
