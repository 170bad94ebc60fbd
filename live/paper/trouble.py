"""A fault plan at work: says at each request and message what strikes it, and counts the hits."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from live.paper.faults import FAILURES, MESSAGE_KINDS, REQUEST_KINDS, Fault, Kind, Plan

_THIRD = 3


@dataclass(eq=False, slots=True)
class _Armed:
    """One fault, how many of its place it has seen, and how often it will still strike."""

    fault: Fault
    left: int
    seen: int = 0

    @property
    def is_due(self) -> bool:
        return self.left > 0 and self.seen >= self.fault.nth


@dataclass(frozen=True, slots=True)
class Passage:
    """One request through the gate: its number, from 1, and the fault that strikes it, if any."""

    number: int
    fault: Fault | None


class Trouble:
    """What the plan does to one run of the venue.

    Failed requests in a row are counted as the client's breaker counts them, on the safe side: a
    failure counts when it is decided, and an answer ends the row only if its request came in after
    the last failure, because the two may reach the client in another order.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._armed = [_Armed(fault, _strikes(fault)) for fault in plan.faults]
        self._hits: Counter[str] = Counter()
        self._arrived = 0
        self._answered_from = 0
        self._row = 0
        self.longest_row = 0

    def arm(self, plan: Plan) -> None:
        """Add faults, each counting from now on; the breaker is spared as the new plan says."""
        self.plan = plan
        self._armed += [_Armed(fault, _strikes(fault)) for fault in plan.faults]

    @property
    def hits(self) -> dict[str, int]:
        """How often each kind has struck, by name."""
        return dict(sorted(self._hits.items()))

    @property
    def missed(self) -> tuple[Fault, ...]:
        """Faults of the plan that have not struck; kills are the harness's to count."""
        return tuple(
            armed.fault
            for armed in self._armed
            if armed.left == _strikes(armed.fault) and armed.fault.kind != "kill"
        )

    def request(self, verb: str, *, is_broker: bool = True) -> Passage:
        """Let a request in; `verb` is its method and route, such as ``POST /v2/orders``.

        Args:
            is_broker: False for market data, which the breaker does not count.
        """
        self._arrived += 1
        due = self._due(verb, REQUEST_KINDS)
        spared = is_broker and self.plan.spare_breaker and self._row >= _THIRD - 1
        for armed in due:
            if armed.fault.kind in FAILURES:
                if spared:
                    continue
                if is_broker:
                    self.failed()
            return Passage(self._arrived, self._strike(armed))
        return Passage(self._arrived, None)

    def answered(self, passage: Passage) -> None:
        """Note that a request got a verdict: any status below 500 but 429."""
        if passage.number > self._answered_from:
            self._row = 0

    def failed(self) -> None:
        """Note a failed request, planned or not."""
        self._row += 1
        self.longest_row = max(self.longest_row, self._row)
        self._answered_from = self._arrived

    def message(self, stream: str, *, is_last: bool = False) -> Fault | None:
        """Say what strikes the next message of `stream`; more than one waits for the message after.

        A `refuse` strikes here; how long it lasts is the stream's to know.

        Args:
            is_last: nothing follows at once, so a `reorder` waits for a message that is followed.
        """
        kinds = [kind for kind in MESSAGE_KINDS if not (is_last and kind == "reorder")]
        return self._first(stream, kinds)

    def fill(self) -> bool:
        """Say whether the next execution comes in two halves."""
        return self._first("fill", ("partial_fill",)) is not None

    def at(self, place: str, *kinds: Kind) -> Fault | None:
        """Say what strikes the next one of a place that a gateway alone has, of these kinds."""
        return self._first(place, kinds)

    def _first(self, place: str, kinds: Sequence[str]) -> Fault | None:
        due = self._due(place, kinds)
        # Few messages are followed at once; what else is due can strike the next one as well.
        rarest = next((armed for armed in due if armed.fault.kind == "reorder"), None)
        return self._strike(rarest or due[0]) if due else None

    def _due(self, place: str, kinds: Sequence[str]) -> list[_Armed]:
        here = [armed for armed in self._armed if _is_at(armed.fault, place)]
        for armed in here:
            armed.seen += 1
        return [armed for armed in here if armed.is_due and armed.fault.kind in kinds]

    def _strike(self, armed: _Armed) -> Fault:
        armed.left -= 1
        self._hits[armed.fault.kind] += 1
        return armed.fault


def _is_at(fault: Fault, place: str) -> bool:
    return fnmatchcase(place, fault.place)


def _strikes(fault: Fault) -> int:
    return fault.count if fault.kind in REQUEST_KINDS else 1
