"""What stands behind the question mark of Alpaca's calls, read or refused."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from live.paper.alpaca_errors import ApiError, unprocessable
from live.paper.alpaca_json import NEW_YORK

_YEARS = (1970, 2100)


class Query:
    """The parameters of one call; each reader refuses what it cannot read.

    Args:
        is_data: market data refuses with 400 and a message alone, trading with 422 and a code.
    """

    def __init__(self, given: Mapping[str, str], *, is_data: bool = False) -> None:
        self._given = given
        self._is_data = is_data

    def text(self, name: str, default: str = "") -> str:
        """A word as it is."""
        return self._given.get(name, "") or default

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        """One of some words."""
        value = self.text(name, default)
        if value not in allowed:
            raise self.wrong(name, f"use one of {', '.join(allowed)}")
        return value

    def flag(self, name: str) -> bool:
        """True or false, however capitalised; absent is false."""
        return self.choice(name, ("true", "false", "True", "False", "1", "0"), "false") in (
            "true",
            "True",
            "1",
        )

    def count(self, name: str, default: int, most: int) -> int:
        """A number from 1 to `most`."""
        value = self.text(name, str(default))
        if not (value.isascii() and value.isdigit() and 1 <= int(value[:9]) <= most):
            raise self.wrong(name, f"must be a number from 1 to {most}")
        return int(value)

    def decimal(self, name: str) -> Decimal | None:
        """A number above 0, with at most nine decimals; None when it is absent."""
        if not (value := self.text(name)):
            return None
        try:
            number = Decimal(value)
            if not (number.is_finite() and 0 < number < 10**12 and number == round(number, 9)):
                raise InvalidOperation
        except InvalidOperation:
            raise self.wrong(name, "must be a number above 0 with at most 9 decimals") from None
        return number

    def symbols(self, name: str = "symbols") -> tuple[str, ...]:
        """Words between commas, each once."""
        return tuple(dict.fromkeys(word for word in self.text(name).split(",") if word))

    def day(self, name: str) -> date | None:
        """A date, also out of an instant."""
        found = self.instant(name)
        if found is None or "T" not in self.text(name):
            return found and found.date()
        return found.astimezone(NEW_YORK).date()

    def instant(self, name: str, *, ends: bool = False) -> datetime | None:
        """An instant in UTC; a plain date is its midnight in UTC, or the day's end where it ends.

        A + in an unescaped query has become a blank: it is read as the + that it was.
        """
        if not (value := self.text(name)):
            return None
        try:
            found = datetime.fromisoformat(value.replace(" ", "+") if "T" in value else value)
            if not _YEARS[0] <= found.year < _YEARS[1]:
                raise ValueError
        except ValueError:
            raise self.wrong(name, "must be a date or an RFC 3339 time") from None
        at = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        return at + timedelta(days=1) if ends and "T" not in value else at

    def wrong(self, name: str, why: str) -> ApiError:
        """The refusal of one parameter."""
        if self._is_data:
            return ApiError(400, None, f"invalid {name}: {why}")
        return unprocessable(f"invalid {name}: {why}")
