"""The Client Portal's requests, by ibind, each on a thread of the loop's own executor.

ibind is synchronous; the loop that it is used on owns and joins the threads (`brokers/thread.py`).
It tries nothing again: that is `resilient.py`'s, which asks for an order before it sends a second.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from brokers.clock import Clock
from brokers.errors import ConfigError, DuplicateOrderId, Throttled, Transient, VenueRefused
from brokers.wire.http import NoAnswer, within
from brokers.wire.portal_access import BASE, PortalAccess
from brokers.wire.portal_pacing import Turns

NOT_BRIDGED = "no bridge"
DUPLICATE = "already registered"
NO_PROXY = {"http": "", "https": ""}


class LoginLost(Transient):
    """The gateway is there, and nobody is logged in to IBKR by it, or somebody else is."""


class Nobody(Transient):
    """Nothing answers there, or nothing that speaks this protocol."""


class PortalRest:
    """Asks a gateway.

    Args:
        pace: shared by all who use the login.
        timeout_s: how long an answer may take.

    Raises:
        ConfigError: ibind is missing, or the certificate's file is.
    """

    def __init__(
        self, access: PortalAccess, *, clock: Clock, pace: Turns, timeout_s: float
    ) -> None:
        self._access = access
        self._clock = clock
        self._pace = pace
        self._timeout_s = timeout_s
        self._client = _client(access, timeout_s)
        self._has_answered = False

    async def request(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        """Ask once, and give the JSON of the answer; the loop must be the one that made it.

        Raises:
            Transient: no connection could be made, so nothing was sent.
            LoginLost: nobody is logged in.
            Throttled: too fast.
            NoAnswer: the connection broke, no answer in time, 5xx, or none that can be read.
            VenueRefused: any other error, also one in an answer of status 200.
        """
        await self._pace.turn(path)
        call = partial(
            self._client.request,
            method,
            path,
            params=params,
            json=body,
            proxies=NO_PROXY if self._access.is_near else None,
        )
        what = f"{method} {path}"
        asking = asyncio.get_running_loop().run_in_executor(None, _translated, call, what)
        try:
            told = await within(self._clock, self._timeout_s, asking)
            self._has_answered = True
        except TimeoutError:
            raise NoAnswer(f"{self._access.where}: no answer to {what} in time") from None
        except NoAnswer as lost:
            hint = "" if self._has_answered else f": {_WRONG_PORT}"
            raise NoAnswer(f"{self._access.where}: {lost}{hint}") from None
        except Transient as error:
            raise type(error)(f"{self._access.where}: {error}", error.retry_after_s) from None
        if isinstance(told, dict) and told.get("error"):
            raise _verdict("200", str(told["error"]))
        return told

    async def close(self) -> None:
        """Let go of the connections; harmless when they have ended."""
        self._client.close()


def _client(access: PortalAccess, timeout_s: float) -> Any:
    try:
        from ibind import IbkrClient  # noqa: PLC0415  an extra
        from urllib3 import disable_warnings  # noqa: PLC0415  comes with it
        from urllib3.exceptions import InsecureRequestWarning  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError("portal: ibind is missing: pip install 'seawall[ibkr]'") from error
    if not access.certificate:
        disable_warnings(InsecureRequestWarning)  # which we know, see `PortalAccess`
    log = logging.getLogger("ibind")
    if not log.handlers:
        log.addHandler(logging.NullHandler())  # or what it logs would come on stderr
    try:
        return IbkrClient(
            account_id=access.account or None,
            url=f"{access.url.rstrip('/')}{BASE}/",
            cacert=access.certificate or False,
            timeout=timeout_s,
            max_retries=0,
            auto_register_shutdown=False,
            use_oauth=False,
        )
    except ValueError:
        raise ConfigError(f"portal: there is no file {access.certificate}") from None


def _translated(call: Callable[[], Any], what: str) -> Any:
    """Call ibind; its errors say in their causes what happened."""
    from ibind import ExternalBrokerError  # noqa: PLC0415  an extra

    try:
        return call().data
    except TimeoutError:
        raise NoAnswer(f"no answer to {what} in time") from None
    except ExternalBrokerError as error:
        raise _meaning(error, what) from None


def _meaning(error: BaseException, what: str) -> Exception:
    from requests import exceptions  # noqa: PLC0415  comes with ibind

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, exceptions.HTTPError):
            return _judged(cause.response, what)
        if isinstance(cause, exceptions.SSLError):
            return Nobody(f"no TLS for {what}: {_WRONG_PORT}")
        if isinstance(cause, exceptions.JSONDecodeError):
            return NoAnswer(f"the answer to {what} is no JSON")
        if isinstance(cause, exceptions.ConnectionError):
            return _unconnected(cause, what)
        cause = cause.__cause__
    return NoAnswer(f"{what} failed: {error}")


_WRONG_PORT = "use the port of the Client Portal gateway, not one of IB Gateway's socket"


def _unconnected(error: BaseException, what: str) -> Exception:
    """Whether the request can have left before the connection failed."""
    from urllib3.exceptions import MaxRetryError, NewConnectionError  # noqa: PLC0415

    inner = error.args[0] if error.args else None
    if isinstance(inner, MaxRetryError) and isinstance(inner.reason, NewConnectionError):
        return Nobody("nobody answers: start the Client Portal gateway and log in")
    return NoAnswer(f"the connection broke during {what}")


def _judged(response: Any, what: str) -> Exception:
    """What an answer of status 400 or above means."""
    status, text = int(response.status_code), _complaint(response.text)
    if status == 429:
        after = str(response.headers.get("Retry-After", ""))
        return Throttled(f"429 to {what}: {text}", float(after) if after.isdigit() else None)
    if status == 401 or NOT_BRIDGED in text:
        return LoginLost(f"nobody is logged in ({status} to {what})")
    if status >= 500:
        return NoAnswer(f"{status} to {what}: {text or 'no text'}")
    return _verdict(str(status), text)


def _verdict(code: str, text: str) -> VenueRefused:
    kind = DuplicateOrderId if DUPLICATE in text else VenueRefused
    return kind(code, " ".join(text.split()))


def _complaint(body: str) -> str:
    try:
        told = json.loads(body)
        return str(told["error"])
    except (ValueError, KeyError, TypeError):
        return body[:80]
