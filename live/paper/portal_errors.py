"""What the Client Portal answers when it says no; some of it comes with status 200."""

from starlette.responses import JSONResponse


class PortalError(Exception):
    """An answer that is no success.

    Args:
        status: 200 is how the Portal puts its verdicts on orders.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status

    def response(self) -> JSONResponse:
        """The error as an answer."""
        body: dict[str, str | int] = {"error": str(self)}
        if self.status != 200:
            body["statusCode"] = self.status
        return JSONResponse(body, self.status)


def verdict(text: str) -> PortalError:
    """Say no to an order."""
    return PortalError(200, text)


def bad_request(text: str) -> PortalError:
    """Say that a request makes no sense."""
    return PortalError(400, text)


def not_authenticated() -> PortalError:
    """Say that there is no brokerage session."""
    return PortalError(401, "not authenticated")


def too_many() -> PortalError:
    """Say that the client asks too fast."""
    return PortalError(429, "Too many requests")
