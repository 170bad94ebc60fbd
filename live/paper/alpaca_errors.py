"""Alpaca's error answers: a status, a code whose first digits mostly repeat it, and words."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

from brokers.errors import VenueRefused
from live.paper.refusal import VenueRefusal

FORBIDDEN = 40310000
UNPROCESSABLE = 42210000
NOT_FOUND = 40410000
UNAUTHORIZED = 40110000
NOT_ALLOWED = 40510000
INTERNAL = 50010000


class ApiError(Exception):
    """An answer that is no success, as Alpaca words it.

    Args:
        code: Alpaca's; None leaves it out, as in its 429.
        extra: further fields of the body.
    """

    def __init__(
        self, status: int, code: int | None, message: str, extra: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {} if code is None else {"code": code}
        self.body |= {**(extra or {}), "message": message}

    def response(self) -> JSONResponse:
        """The error as an answer."""
        return JSONResponse(self.body, self.status)


def unprocessable(message: str) -> ApiError:
    """Say that a request makes no sense: 422."""
    return ApiError(422, UNPROCESSABLE, message)


def not_found(message: str) -> ApiError:
    """Say that there is no such thing: 404."""
    return ApiError(404, NOT_FOUND, message)


def refused(error: VenueRefused) -> ApiError:
    """Put the verdict of the account's rules as Alpaca words it; one without fields is a 403."""
    if isinstance(error, VenueRefusal):
        return ApiError(error.status, int(error.code), error.text, error.details)
    return ApiError(403, FORBIDDEN, error.text)
