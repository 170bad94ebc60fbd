"""How every page about a log begins: its heading, its state, what one must know first."""

from dashboard.look import cards, times
from dashboard.notices import notices
from dashboard.session_facts import SessionFacts
from dashboard.tone import Tone
from dashboard.watch import Glimpse

TONES: dict[str, Tone] = {
    "running": "good",
    "halted": "bad",
    "shutting down": "watch",
    "ended": "calm",
    "interrupted": "watch",
    "no session": "calm",
}


def begin(title: str, glimpse: Glimpse) -> bool:
    """Draw the top of a page; False: there is nothing to show below it."""
    facts = glimpse.reading.facts
    state = stage(glimpse)
    cards.heading(title, subtitle(facts, glimpse), (state, TONES[state]))
    for notice in notices(glimpse):
        cards.banner(notice.text, notice.tone)
    return len(glimpse.reading.index) > 0


def stage(glimpse: Glimpse) -> str:
    """How far the session is; `interrupted` where nobody writes what has no end."""
    told = glimpse.reading.facts.stage
    if told in ("ended", "no session"):
        return told
    return "interrupted" if glimpse.is_written is False and glimpse.silent_s > 10 else told


def subtitle(facts: SessionFacts, glimpse: Glimpse) -> str:
    """What it is, where, and when its last line was written."""
    if not facts.sessions:
        return str(glimpse.path)
    what = f"{', '.join(facts.strategies)} on {', '.join(facts.symbols) or 'no symbol'}"
    where = f"{facts.venue}, {facts.mode}" if facts.is_live and facts.venue else facts.mode
    last = times.both(times.instant(facts.last_at), facts.zone)
    return f"{what} · {where} · last line {last}"
