"""Windows of time over several feeds: train on one, test on the next."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from brokers.errors import ConfigError

Frames = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Window:
    """A training window and the test window after it, by the starts of their bars.

    Args:
        train_from: first bar to train on.
        test_from: first bar to test on; training ends before it.
        test_until: the bar after the last one to test on; None where the data end.
    """

    train_from: pd.Timestamp
    test_from: pd.Timestamp
    test_until: pd.Timestamp | None

    def train(self, frames: Frames) -> dict[str, pd.DataFrame]:
        """The bars to train on; feeds without any are left out."""
        return between(frames, self.train_from, self.test_from)

    def whole(self, frames: Frames) -> dict[str, pd.DataFrame]:
        """The bars to train on and to test on; feeds without any are left out."""
        return between(frames, self.train_from, self.test_until)


def windows(frames: Frames, train: int, test: int, *, anchored: bool = False) -> list[Window]:
    """Cut the time that the feeds cover into windows, oldest first.

    Args:
        train: bars of a training window, counted over all feeds together; of the first window
            where `anchored`, which grows from there.
        test: bars of a test window, and the step to the next; the last may be shorter.

    Raises:
        ConfigError: the bars are too few for one window.
    """
    starts = every_start(frames)
    if train < 1 or test < 1 or train >= len(starts):
        raise ConfigError(
            f"train={train} test={test}: both must be positive and train below the {len(starts)} "
            "bars there are: choose shorter windows, or give more bars"
        )
    return [
        Window(
            starts[0 if anchored else opens - train],
            starts[opens],
            starts[opens + test] if opens + test < len(starts) else None,
        )
        for opens in range(train, len(starts), test)
    ]


def every_start(frames: Frames) -> pd.DatetimeIndex:
    """Start of every bar of any feed, once, in order."""
    index, *others = (pd.DatetimeIndex(frame.index) for frame in frames.values())
    for other in others:
        index = index.union(other)
    return index


def between(
    frames: Frames, first: pd.Timestamp | None, until: pd.Timestamp | None
) -> dict[str, pd.DataFrame]:
    """The bars from `first` on and before `until`, None for no bound; empty feeds left out."""
    kept = {}
    for name, frame in frames.items():
        low = 0 if first is None else int(frame.index.searchsorted(first))
        high = len(frame) if until is None else int(frame.index.searchsorted(until))
        if high > low:
            kept[name] = frame.iloc[low:high]
    return kept
