"""Parameter sets through a crew in batches; a worker that dies takes nothing but its own set."""

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from backtest.crew import Batch, Crew
from backtest.entries import LOST
from backtest.outcomes import Outcomes, failed
from backtest.workers import Params
from brokers.errors import DataError

FIRST = 4  # sets in a batch while nobody knows how long one takes
BATCH_S = 0.25
FINAL = 4  # the last sets are spread over so many batches a worker
HOPELESS = 8


class Batches:
    """Evaluates numbered sets on a crew.

    Args:
        crew: who does it.
        sets: by number.
        hopeless: so many deaths, with nothing finished, end the sweep.
    """

    def __init__(self, crew: Crew, sets: Mapping[int, Params], hopeless: int = HOPELESS) -> None:
        self._crew, self._sets, self._hopeless = crew, sets, hopeless
        self._set_s = 0.0
        self._finished = self._lost = 0

    def outcomes(self) -> Iterator[tuple[list[int], Outcomes]]:
        """Numbers and outcomes of finished sets, as they are done.

        Raises:
            DataError: every worker dies.
        """
        yield from self._run(list(self._sets))

    def _run(
        self, numbers: Sequence[int], size: int | None = None
    ) -> Iterator[tuple[list[int], Outcomes]]:
        waiting = deque(numbers)
        on_their_way: dict[int, list[int]] = {}
        while waiting:
            try:
                for done in self._crew.run(self._cut(waiting, on_their_way, size)):
                    rows = on_their_way.pop(done.number)
                    self._learn(len(rows), done.wall_s)
                    yield rows, done.outcomes
            except self._crew.deaths as death:
                suspects = [row for rows in on_their_way.values() for row in rows]
                if len(suspects) > len(on_their_way):
                    yield from self._run(suspects, size=1)
                else:
                    yield from self._one_by_one(suspects, death)
                on_their_way.clear()

    def _one_by_one(
        self, numbers: Sequence[int], death: BaseException
    ) -> Iterator[tuple[list[int], Outcomes]]:
        """Each set alone with the crew: whoever dies now is to blame."""
        for number in numbers:
            try:
                (done,) = self._crew.run([(0, [self._sets[number]])], at_once=1)
            except self._crew.deaths as error:
                death = error
                self._lost += 1
                if self._lost >= self._hopeless and not self._finished:
                    raise DataError(f"every worker died: {_words(death)}") from death
                yield [number], failed(f"{LOST}{_words(death)}")
            else:
                self._learn(1, done.wall_s)
                yield [number], done.outcomes

    def _cut(
        self, waiting: deque[int], on_their_way: dict[int, list[int]], size: int | None
    ) -> Iterator[Batch]:
        """Batches, taken when a worker is free for one."""
        number = 0
        while waiting:
            count = size or self._size(len(waiting))
            rows = [waiting.popleft() for _ in range(min(count, len(waiting)))]
            on_their_way[number] = rows
            yield number, [self._sets[row] for row in rows]
            number += 1

    def _size(self, waiting: int) -> int:
        fair = -(-waiting // (FINAL * self._crew.workers))
        wanted = int(BATCH_S / self._set_s) if self._set_s else FIRST
        return max(1, min(wanted, fair))

    def _learn(self, count: int, wall_s: float) -> None:
        self._finished += count
        latest = wall_s / max(count, 1)
        self._set_s = latest if not self._set_s else (self._set_s + latest) / 2


def _words(death: BaseException) -> str:
    """What is known of a worker's end."""
    codes = re.search(r"exit codes?[^{]*\{(.*?)\}", str(death), flags=re.DOTALL | re.IGNORECASE)
    how = f" ({codes.group(1)})" if codes else f" ({type(death).__name__})"
    return f"its worker process died{how}: killed, out of memory, or ended by the strategy"
