"""Python's search for reference cycles, made rarer while thousands of orders are made that stay."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

OBJECTS = 20_000  # made between two searches; Python's own 700 costs a quarter of a run


@contextmanager
def rarer_collections(objects: int = OBJECTS) -> Iterator[None]:
    """Search less often for as long as the block lasts; what a run drops at once is freed at once.

    Whoever has chosen a rarer search, or none, keeps it; so does a second run in another thread.

    Args:
        objects: made between two searches.
    """
    before = gc.get_threshold()
    if not 0 < before[0] < objects:
        yield
        return
    raised = (objects, *before[1:])
    gc.set_threshold(*raised)
    try:
        yield
    finally:
        if gc.get_threshold() == raised:
            gc.set_threshold(*before)
