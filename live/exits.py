"""What ended a session, and the exit code that says so; docs/live.md has the table."""

from enum import IntEnum
from typing import Literal

Trigger = Literal[
    "finished",
    "breaker",
    "account_limit",
    "mute",
    "unreconcilable",
    "kill_file",
    "interrupt",
    "terminate",
    "strategy_error",
    "log_error",
    "connection",
]


class ExitCode(IntEnum):
    """Exit codes of `python -m live`; 128 and above are the shell's convention for signals."""

    DONE = 0
    STRATEGY_ERROR = 1
    BAD_INPUT = 2
    BREAKER = 3
    ACCOUNT_LIMIT = 4
    MUTE = 5
    UNRECONCILABLE = 6
    KILL_FILE = 7
    VENUE = 8
    NO_GO = 9
    LOG_ERROR = 10
    INTERRUPT = 130
    TERMINATE = 143


CODES: dict[Trigger, ExitCode] = {
    "finished": ExitCode.DONE,
    "breaker": ExitCode.BREAKER,
    "account_limit": ExitCode.ACCOUNT_LIMIT,
    "mute": ExitCode.MUTE,
    "unreconcilable": ExitCode.UNRECONCILABLE,
    "kill_file": ExitCode.KILL_FILE,
    "interrupt": ExitCode.INTERRUPT,
    "terminate": ExitCode.TERMINATE,
    "strategy_error": ExitCode.STRATEGY_ERROR,
    "log_error": ExitCode.LOG_ERROR,
    "connection": ExitCode.VENUE,
}

MEANINGS: dict[ExitCode, str] = {
    ExitCode.DONE: "ended at the time given with --for, or at the end of the venue's bars",
    ExitCode.STRATEGY_ERROR: "the strategy itself raised an error; it was shut down gracefully",
    ExitCode.BAD_INPUT: "bad input: a setting, a key, a log, a data mismatch; no order was sent",
    ExitCode.BREAKER: "three broker calls in a row failed: the breaker opened",
    ExitCode.ACCOUNT_LIMIT: "an account limit (daily loss, drawdown) was broken",
    ExitCode.MUTE: "market data went mute and reconnecting did not bring it back",
    ExitCode.UNRECONCILABLE: "our books and the venue's differ, and nothing explains it",
    ExitCode.KILL_FILE: "the kill file appeared",
    ExitCode.VENUE: "the venue could not be reached at the start, or its connection broke for good",
    ExitCode.NO_GO: "`python -m live check` found a reason not to start",
    ExitCode.LOG_ERROR: "the decision log could not be written",
    ExitCode.INTERRUPT: "Ctrl-C (SIGINT)",
    ExitCode.TERMINATE: "SIGTERM, or SIGHUP when the terminal was closed",
}
