"""What the benchmark's market does, minute by minute: known to the venue and to the report.

Each of 50 symbols is a square wave, so a 10-bar mean crosses a 30-bar mean on the very bar that the
wave turns. First the symbols turn one, two or three at a time, then all of them together.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from feeds import calendars

SYMBOLS = tuple(f"S{number:02}" for number in range(50))
HALF_WAVE = 30  # minutes; the slow mean has forgotten the last turn by the next one
WARM_UP = 60  # minutes: half of them high, half of them low, so that every first turn is up
_AT_A_TIME = (1, 2, 1, 2, 1, 3) * 5  # 50 symbols in 30 minutes
_PHASES = [minute for minute, turning in enumerate(_AT_A_TIME) for _ in range(turning)]


@dataclass(frozen=True)
class Script:
    """One session's market.

    Args:
        staggered: minutes with at most three orders in each, which come first.
        bursts: minutes with an order in every symbol.
    """

    staggered: int
    bursts: int

    @property
    def minutes(self) -> int:
        """Of the whole session, warm-up aside."""
        return self.staggered + HALF_WAVE * (self.bursts + 1)

    def turning(self, minute: int) -> int:
        """How many symbols turn, which is how many orders this minute brings."""
        if minute < self.staggered:
            return _AT_A_TIME[minute % HALF_WAVE]
        return len(SYMBOLS) if self.is_burst(minute) else 0

    def is_burst(self, minute: int) -> bool:
        """Whether all symbols turn."""
        since = minute - self.staggered
        return since > 0 and since % HALF_WAVE == 0

    def in_one_frame(self, minute: int) -> bool:
        """Whether the 50 bars come in one frame, or the last one a little after the others."""
        return minute // HALF_WAVE % 2 == 0

    def price(self, symbol: int, minute: int) -> float:
        """The close of a symbol's minute; minutes of the warm-up are negative."""
        base = 100.0 + symbol
        if minute < 0:
            return base + (minute < -WARM_UP // 2)
        staggered = (min(minute, self.staggered - 1) - _PHASES[symbol]) // HALF_WAVE + 1
        bursts = max(minute - self.staggered, 0) // HALF_WAVE
        return base + (max(staggered, 0) + bursts) % 2

    def starts(self) -> list[datetime]:
        """The minutes' starts, aware UTC, warm-up first: one session after the other, no nights."""
        days = calendars.sessions("XNYS", "2025-06-02", "2025-06-30")
        opens = calendars.session_open("XNYS", days).to_pydatetime()
        minutes = [opened + timedelta(minutes=minute) for opened in opens for minute in range(390)]
        return minutes[: WARM_UP + self.minutes]
