"""Real money takes an explicit word, twice."""

import sys

from brokers.errors import ConfigError

MONEY = "-live"
WORD = "REAL MONEY"
ENVIRONMENT = "SEAWALL_REAL_MONEY"


def confirmed(venue: str, *, said: bool, word: str) -> None:
    """Let a venue of real money pass only if one said so on the command line, and says so again.

    Args:
        said: --yes-real-money was given.
        word: what the environment says in place of a person.

    Raises:
        ConfigError: one did not.
    """
    if not venue.endswith(MONEY):
        return
    if not said:
        raise ConfigError(f"{venue} trades real money: add --yes-real-money if that is meant")
    if word == WORD or (sys.stdin.isatty() and _typed(venue) == WORD):
        return
    raise ConfigError(
        f"{venue} trades real money and was not confirmed: type {WORD} when asked, or set "
        f"{ENVIRONMENT}='{WORD}' where nobody can type"
    )


def _typed(venue: str) -> str:
    sys.stdout.write(f"{venue} trades REAL money. Type {WORD} to go on: ")
    sys.stdout.flush()
    return sys.stdin.readline().strip()
