"""What a session asks before it begins, of a venue whose days are short."""

from random import Random

from brokers.clock import Clock
from feeds import history
from live.briefing import brief
from live.paper.venue import Venue
from live.settings import DataSection, LiveSettings
from live.start import wanted
from tests.live.stage import stage


class Days:
    """A clock by which a day of the venue's is over as soon as somebody waits a little."""

    def __init__(self, wires: Clock, venue: Venue) -> None:
        self.now, self.monotonic, self.sleep = wires.now, wires.monotonic, wires.sleep
        self.until_s = wires.until_s
        self._wires = wires
        self._venue = venue

    async def wait(self, wait_s: float) -> None:
        if 0 < wait_s < 1:
            self._venue.market.advance()
        else:
            await self._wires.wait(wait_s)


def test_where_days_are_short_a_session_begins_with_a_day() -> None:
    settings = LiveSettings(data=DataSection(timeframe="1d", warmup_bars=5))
    frames = history("synthetic", ["SPY"], "2024-11-01", "2024-11-29", "1d", seed=7)
    with stage(frames, 8) as made:
        access = made.access(speed=500_000.0)
        real = Days(made.clock, made.venue)
        told = brief(access, settings, wanted(settings, access), real, Random(1))
    assert told.clock.now().isoformat() == "2024-11-13T21:00:00+00:00"  # the ninth one's close
    assert told.frames["SPY"].index[-1].isoformat() == "2024-11-12T05:00:00+00:00"
