"""Telling people that a session ends: through Apprise, and never in the way of the session."""

import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from brokers.errors import ConfigError

Notify = Callable[[str, str], bool]  # title and text; True when everybody was reached
WAITING = 16  # alerts; what comes beyond is dropped and said so


class Alerts:
    """Sends alerts, one after the other, from one thread of its own, begun with the first.

    Args:
        notify: what carries them; None: nobody is told.
    """

    def __init__(self, notify: Notify | None = None) -> None:
        self._notify = notify
        self._thread: ThreadPoolExecutor | None = None
        self._sent: list[tuple[str, Future[bool]]] = []

    def send(self, title: str, text: str) -> None:
        """Hand one alert over, and return at once."""
        if self._notify is None or len(self._sent) >= WAITING:
            return
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="seawall-alerts")
        self._sent.append((title, self._thread.submit(self._notify, title, text)))

    def close(self, deadline_s: float) -> tuple[str, ...]:
        """Wait for what was handed over, at most `deadline_s` seconds.

        Returns:
            One sentence for each alert that did not reach everybody.
        """
        if self._thread is None:
            return ()
        done, left = wait([future for _, future in self._sent], timeout=deadline_s)
        self._thread.shutdown(wait=not left, cancel_futures=True)
        complaints = (_complaint(title, future, future in done) for title, future in self._sent)
        return tuple(filter(None, complaints))


def _complaint(title: str, future: Future[bool], is_done: bool) -> str:
    if not is_done:
        return f"alert {title!r} was not delivered in time"
    if (error := future.exception()) is not None:
        return f"alert {title!r} failed: {type(error).__name__}"
    return "" if future.result() else f"alert {title!r} did not reach everybody"


def through_apprise(urls: Sequence[str]) -> Notify | None:
    """What carries alerts to these Apprise URLs, one after the other; None without any.

    Each service gives up by itself, after the seconds that its URL says (`cto`, `rto`), else 4.

    Raises:
        ConfigError: a URL is none of Apprise's; the text names its place, never the URL itself.
    """
    if not urls:
        return None
    with warnings.catch_warnings():
        # Apprise imports imghdr with its services, which Python 3.11 and 3.12 deprecate.
        warnings.simplefilter("ignore", DeprecationWarning)
        from apprise import Apprise, AppriseAsset  # noqa: PLC0415  which most starts spare

        # With deadlines of its own it begins threads that it never ends.
        carrier = Apprise(asset=AppriseAsset(async_mode=False, service_timeout=0))
        wrong = [number for number, url in enumerate(urls, 1) if not carrier.add(url)]
    if wrong:
        raise ConfigError(
            f"alerts.urls: number {wrong[0]} is no URL that Apprise knows: see its list of "
            "services, such as mailto:// and slack://"
        )

    def notify(title: str, text: str) -> bool:
        return bool(carrier.notify(body=text, title=title))

    return notify
