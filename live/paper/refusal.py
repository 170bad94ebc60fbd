"""The paper venue's verdicts, with what an HTTP front needs to say them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from brokers.errors import VenueRefused


class VenueRefusal(VenueRefused):
    """A refusal with its HTTP status and the fields that its body has beside code and message.

    Source: protocols/alpaca.md, section 1: the first three digits of the code are the status, but
    for 40010001, which comes with 422.
    """

    def __init__(self, code: int, text: str, **details: str | Sequence[str]) -> None:
        super().__init__(str(code), text)
        self.status = 422 if code == 40010001 else code // 100_000
        self.details = details

    @property
    def body(self) -> Mapping[str, Any]:
        """As Alpaca puts it."""
        return {"code": int(self.code), "message": self.text, **self.details}


def unprocessable(text: str) -> VenueRefusal:
    """The form of the order is wrong."""
    return VenueRefusal(42210000, text)


def forbidden(text: str, **details: str | Sequence[str]) -> VenueRefusal:
    """The account may not do it."""
    return VenueRefusal(40310000, text, **details)


def not_found(text: str) -> VenueRefusal:
    """There is no such thing."""
    return VenueRefusal(40410000, text)


def plain(number: Decimal) -> str:
    """A decimal without exponent and trailing zeros."""
    return f"{number.normalize():f}"
