"""Whether live bars are of the kind that the strategy was backtested and warmed up on."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import orjson

from brokers.errors import ConfigError
from feeds.passport import Passport

COMPARED = ("adjustment", "feed", "timeframe")
_WHY = {
    "adjustment": "past prices would jump against live ones",
    "feed": "volumes, highs and lows differ between tapes",
    "timeframe": "its parameters count other bars",
}


def require_same(
    what: str, past: Mapping[str, Passport], live: Mapping[str, Passport], *, accept: bool
) -> tuple[str, ...]:
    """Hold passports of the past against those of the live feed.

    Args:
        what: the past in a word, such as backtest.
        past: by symbol; those without a live feed are passed over.
        accept: one said --accept-data.

    Returns:
        The accepted differences, one sentence each.

    Raises:
        ConfigError: they differ, and nobody accepted it.
    """
    told = tuple(_differences(what, past, live))
    if told and not accept:
        raise ConfigError(f"{'; '.join(told)}; fetch alike data, or say --accept-data")
    return told


def of_backtest(folder: Path) -> dict[str, Passport]:
    """The passports of the bars that a backtest ran on.

    Args:
        folder: its --out.

    Raises:
        ConfigError: there is no result in it.
    """
    try:
        result = orjson.loads((folder / "result.json").read_bytes())
        return {
            name: Passport.from_dict(passport)
            for name, passport in result["saved"]["passports"].items()
        }
    except OSError as error:
        raise ConfigError(f"data.backtest: {folder}: {error.strerror}: give its --out") from None
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"data.backtest: {folder}: no backtest's result: {error!r}") from None


def _differences(
    what: str, past: Mapping[str, Passport], live: Mapping[str, Passport]
) -> Iterable[str]:
    for name in COMPARED:
        pairs = {
            (getattr(passport, name), getattr(live[symbol], name))
            for symbol, passport in past.items()
            if symbol in live
        }
        for then, now in sorted(pairs):
            if then != now:
                yield (
                    f"{name}: the {what} has {then or 'unknown'!r}, the live feed {now!r}, and "
                    f"{_WHY[name]}"
                )
