"""Session: whether it is alive and well, and what it holds."""

from dashboard import log_page
from dashboard.desk import Desk
from dashboard.entry import entry_of_line
from dashboard.look import cards, feed, sheet, tables, times
from dashboard.look.cards import Card
from dashboard.session_facts import SessionFacts
from dashboard.tail import records_at
from dashboard.tone import Tone
from dashboard.watch import Glimpse

RECENT = 4  # decisions


def show(desk: Desk) -> None:
    """Show it."""
    glimpse = desk.look()
    with sheet.together():
        _draw(desk, glimpse)


def _draw(desk: Desk, glimpse: Glimpse) -> None:
    if log_page.begin("Session", glimpse):
        cards.cards((*_health(glimpse), *_money(glimpse), *_counts(glimpse)))
        _troubles(glimpse)
        _recent(glimpse, desk.chosen)
    if len(desk.watches) > 1:
        _side_by_side(desk)


def _health(glimpse: Glimpse) -> list[Card]:
    facts = glimpse.reading.facts
    if not facts.is_live:
        return []
    trouble = facts.connection
    tone: Tone = "bad" if facts.mode == "REAL MONEY" else ""
    mode = Card("Venue", facts.venue or cards.UNKNOWN, facts.mode, tone)
    connection = Card(
        "Connection",
        "broken" if trouble else "no trouble logged",
        trouble or f"log grew {times.ago(glimpse.silent_s)}",
        "bad" if trouble else "",
    )
    return [mode, connection, _breaker(facts), _orders(facts)]


def _breaker(facts: SessionFacts) -> Card:
    """Its state, and the last call that failed."""
    tripped = facts.shutdown is not None and facts.shutdown["trigger"] == "breaker"
    state = "open" if tripped else facts.breaker
    tones: dict[str, Tone] = {"open": "bad", "probing": "watch"}
    last = f"last failure: {facts.failure}" if facts.failure else "no broker call has failed"
    return Card("Breaker", state, last, tones.get(state, ""))


def _orders(facts: SessionFacts) -> Card:
    """Whether the session takes new orders, or what ended it."""
    if facts.shutdown:
        trigger = str(facts.shutdown["trigger"]).replace("_", " ")
        tone: Tone = "" if trigger == "finished" else "watch"
        label = "Ended by" if facts.is_closed else "Shutting down by"
        return Card(label, trigger, facts.shutdown["text"], tone)
    if facts.halt:
        return Card("New orders", "refused", facts.halt, "watch")
    return Card("New orders", "allowed", "the guard is not halted")


def _money(glimpse: Glimpse) -> list[Card]:
    account = glimpse.reading.account
    if account.equity is None or account.cash is None:
        return []
    start, change = account.start_cash, ""
    tone: Tone = ""
    if start and glimpse.reading.is_whole:
        gained, tone = cards.signed(account.equity - start)
        change = f"{gained} ({cards.percent(account.equity / start - 1)}) since {start:,.0f}"
    held = account.positions
    text = ", ".join(f"{each.units:+,.6g} {each.symbol}" for each in held[:3])
    more = f" and {len(held) - 3} more" if len(held) > 3 else ""
    return [
        Card("Equity", f"{account.equity:,.2f}", change or "account currency", tone),
        Card("Cash", f"{account.cash:,.2f}", "account currency"),
        Card("Positions", text + more or "flat", f"{len(glimpse.reading.orders.working)} orders "
             "at work"),
    ]  # fmt: skip


def _counts(glimpse: Glimpse) -> list[Card]:
    facts = glimpse.reading.facts
    counts = facts.counts
    at = times.both(times.instant(facts.last_bar), facts.zone) if facts.last_bar else cards.UNKNOWN
    clock, _, rest = at.partition(" (")
    verdict = glimpse.audit.verdict if glimpse.audit else None
    holds = verdict is not None and verdict.state != "damaged"
    state = "being verified" if verdict is None else "verified" if holds else "DAMAGED"
    lines = verdict.lines if verdict and not holds else len(glimpse.reading.index)
    tone: Tone = "" if holds or verdict is None else "bad"
    return [
        Card("Last bar ended", clock.partition(" ")[2] or clock, f"{clock[:10]} · {rest[:-1]}"),
        Card("Decisions", f"{counts['decision']:,}", f"{counts['refused']:,} refused"),
        Card("Fills", f"{counts['fill']:,}", f"commission {facts.commission:,.2f}"),
        Card("Trades closed", f"{counts['closed']:,}", f"net {facts.pnl_net:+,.2f}"),
        Card("Log", state, f"{lines:,} lines, {_word(glimpse)}", tone),
    ]


def _word(glimpse: Glimpse) -> str:
    """How far the log is; what is still being written is not yet unfinished."""
    if glimpse.audit is None:
        return "so far"
    is_growing = glimpse.audit.verdict.state == "unfinished" and glimpse.is_written
    return "growing" if is_growing else glimpse.audit.verdict.state


def _troubles(glimpse: Glimpse) -> None:
    facts = glimpse.reading.facts
    if not facts.troubles:
        return
    cards.section("What went wrong last")
    rows = [
        (times.brief(times.instant(at), facts.zone), text)
        for at, text in reversed(list(facts.troubles)[-6:])
    ]
    tables.table((times.column("time", facts.zone), "what"), rows)


def _recent(glimpse: Glimpse, log: int) -> None:
    index = glimpse.reading.index
    rows = index.find(kinds=("decision",))[-RECENT:]
    if not len(rows):
        return
    cards.section("Latest decisions")
    records = records_at(glimpse.path, index.starts(rows))
    feed.feed(map(entry_of_line, reversed(records)), glimpse.reading.facts.zone, log)


def _side_by_side(desk: Desk) -> None:
    cards.section("All logs")
    columns = ("log", "strategy", "where", "state", "equity", "since start", "decisions", "fills")
    rows = []
    for name, glimpse in zip(desk.names, desk.look_at_all(), strict=True):
        facts, account = glimpse.reading.facts, glimpse.reading.account
        state = log_page.stage(glimpse)
        change = cards.UNKNOWN
        if account.equity is not None and account.start_cash:
            change = cards.percent(account.equity / account.start_cash - 1)
        rows.append((
            name,
            ", ".join(facts.strategies) or cards.UNKNOWN,
            facts.mode if facts.sessions else cards.UNKNOWN,
            (state, log_page.TONES[state]),
            cards.UNKNOWN if account.equity is None else f"{account.equity:,.2f}",
            change,
            f"{facts.counts['decision']:,}",
            f"{facts.counts['fill']:,}",
        ))  # fmt: skip
    tables.table(columns, rows, numbers=columns[4:])
