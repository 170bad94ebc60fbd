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
        An event that is set once the run was interrupted. It never is in any thread but the main
        one, where Python delivers no signals, nor where Ctrl-C was ignored from the start, as a
        shell script does for its jobs in the background.
    """
    interrupted = threading.Event()
    before = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or before is signal.SIG_IGN:
        yield interrupted
        return

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  signal's own signature
        signal.signal(signal.SIGINT, before)
        interrupted.set()
        cerebro.runstop()

    signal.signal(signal.SIGINT, stop)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)
