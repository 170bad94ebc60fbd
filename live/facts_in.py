"""What the venue said, for the broker: from the log while it is repeated, then from the inbox."""

from brokers.facts import Broken, Fact, Mismatch
from brokers.inbox import Lane
from brokers.store import Store
from live.facts_log import as_record, from_record
from live.session_log import SessionLog


class FactsIn:
    """Called once a turn by the broker; each fact is logged before it takes effect.

    A fact that cannot be logged counts all the same: it has happened. With each goes how many turns
    the strategies had seen before it: they may see a turn without a word, and a repetition has to
    know on which side of it a fill came.
    """

    def __init__(self, log: SessionLog, lane: Lane, store: Store) -> None:
        self._log = log
        self._lane = lane
        self._store = store
        self._begun = 0  # turns that had begun the last time: strategies have seen them by now

    def __call__(self) -> list[Fact]:
        """What happened since the last time, oldest first."""
        seen, self._begun = self._begun, self._log.turns
        if not self._log.is_over:
            repeated = [from_record(record) for record in self._log.past.facts(seen)]
            for fact in repeated:
                if not isinstance(fact, Mismatch | Broken):
                    self._store.recall(fact)
            return repeated
        arrived: list[Fact] = self._lane.drain()
        for fact in arrived:
            self._log.note({**as_record(fact), "turns": seen})
        return arrived
