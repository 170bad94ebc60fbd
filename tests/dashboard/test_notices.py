"""What a reader must know of a log before believing a page."""

from dataclasses import replace
from pathlib import Path

import pytest

from analyzers.chain import Verdict
from dashboard.audit import Audit
from dashboard.notices import notices
from dashboard.reading import Reading
from dashboard.watch import Glimpse

LOG = Path("log")
WELL = Glimpse(LOG, "there", Reading(), Audit(Verdict("unfinished", 9, "9 lines", 9), 1, 1, 0.1))
DAMAGED = Audit(Verdict("damaged", 7, "line 7 was changed", 6), 1, 1, 0.1)
TORN = Audit(Verdict("torn", 9, "line 9 is not written to its end", 8), 1, 1, 0.1)


@pytest.mark.parametrize(
    ("glimpse", "tone", "words"),
    [
        (replace(WELL, condition="missing"), "watch", "log is not there. Start a session"),
        (replace(WELL, condition="unreadable", text="no right"), "bad", "no right. Give this user"),
        (replace(WELL, condition="empty"), "watch", "is empty"),
        (replace(WELL, audit=DAMAGED), "bad", "DAMAGED at line 7: line 7 was changed. Only the 6"),
        (replace(WELL, audit=TORN, silent_s=60.0), "watch", "Torn: line 9"),
        (replace(WELL, reading=Reading(fault="no log line")), "bad", "up to here: no log line"),
        (replace(WELL, reading=Reading(is_whole=False), progress=0.42), "calm", "42%. This page"),
        (replace(WELL, progress=0.9), "calm", "90%. Its hash chain"),
    ],
)
def test_each_fault_has_its_sentence(glimpse: Glimpse, tone: str, words: str) -> None:
    (notice,) = notices(glimpse)
    assert notice.tone == tone
    assert words in notice.text


@pytest.mark.parametrize(
    "glimpse",
    [
        WELL,
        replace(WELL, audit=None),
        replace(WELL, audit=TORN, silent_s=1.0),
        replace(WELL, audit=TORN, silent_s=60.0, is_written=True),
    ],
)
def test_of_what_is_well_nothing_is_said(glimpse: Glimpse) -> None:
    assert notices(glimpse) == []


def test_the_worst_comes_first() -> None:
    told = notices(replace(WELL, audit=DAMAGED, progress=0.5))
    assert [notice.tone for notice in told] == ["bad", "calm"]
