"""Ctrl-C during a run: what was done so far is kept."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import backtrader as bt


@contextmanager
def stops_on_interrupt(cerebro: bt.Cerebro) -> Iterator[threading.Event]:
    """Let a first Ctrl-C end the run after the present bar, a second one at once.

    Returns:
        An event that is set once the run was interrupted. In any thread but the main one, where
        Python delivers no signals, it never is.
    """
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return
    before = signal.getsignal(signal.SIGINT)

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  signal's own signature
        signal.signal(signal.SIGINT, before)
        interrupted.set()
        cerebro.runstop()

    signal.signal(signal.SIGINT, stop)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)
