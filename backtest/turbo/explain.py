"""Which fast paths a run took, and why it took no others."""

from collections.abc import Iterator
from dataclasses import dataclass

LOOP, BROKER, FEED, INDICATOR, OBSERVER = "loop", "broker", "feed", "indicator", "observer"


@dataclass(frozen=True, slots=True)
class Path:
    """One part of a run that could have been fast.

    Args:
        part: LOOP, BROKER, FEED, INDICATOR or OBSERVER.
        subject: which one, such as a feed's name; empty where there is only one.
        reason: why stock did the work; empty when the fast path was taken.
    """

    part: str
    subject: str = ""
    reason: str = ""

    def __str__(self) -> str:
        name = f"{self.part} {self.subject}".rstrip()
        return f"{name}: {'stock, ' + self.reason if self.reason else 'fast'}"


class Explanation:
    """The paths of one run, in the order in which they were decided; prints as a list."""

    def __init__(self) -> None:
        self._paths: list[Path] = []

    def note(self, part: str, subject: str = "", reason: str = "") -> None:
        """Take down one decision; without a reason the fast path was taken."""
        self._paths.append(Path(part, subject, reason))

    def __iter__(self) -> Iterator[Path]:
        return iter(self._paths)

    @property
    def is_fast(self) -> bool:
        """Tell whether the flat loop ran the strategy, which no run without it can be."""
        return any(path.part == LOOP and not path.reason for path in self._paths)

    def __str__(self) -> str:
        if not self._paths:
            return "nothing was run yet"
        return "\n".join(str(path) for path in dict.fromkeys(self._paths))
