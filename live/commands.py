"""What the commands do once their options are read."""

import random
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
from rich.console import Console, RenderableType

from analyzers.why import why as story_of
from backtest.spec import RunSpec
from brokers.clock import Clock, SystemClock
from brokers.errors import BreakerOpen, SeawallError, TransportError
from brokers.thread import run
from feeds import calendars
from live import checking, reference, summary
from live.account_lock import account_lock
from live.alerts import Alerts, through_apprise
from live.check import is_go, table
from live.config import specs
from live.exit_report import ExitReport
from live.exits import CODES, ExitCode
from live.folder import LOG, Folder
from live.lines import Lines
from live.money import confirmed
from live.reconcile import Unreconcilable
from live.reconcile import table as differences_table
from live.session import Session
from live.settings import LiveSettings, Secrets
from live.shutdown import Policy
from live.stack import build
from live.start import begin
from live.triggers import Ask, Bound, KillFile, Signals, Stopped, require_none
from live.venues import Access, jitter, opened
from live.view import NoView, View, view_on

LAST_WORDS_S = 2.0  # how long whoever reads the report may keep each piece of it waiting
CLOSED = "\nthe exchange is closed: bars and fills come from its next open on"
UNREACHABLE = (TransportError, BreakerOpen)


@dataclass(frozen=True, slots=True)
class Wishes:
    """The command line's words that are no settings.

    Args:
        for_s: real seconds after which the session ends; None: it does not by itself.
    """

    for_s: float | None = None
    adopt: bool = False
    accept_data: bool = False
    fresh: bool = False
    real_money: bool = False
    quiet: bool = False


def trade(settings: LiveSettings, wishes: Wishes) -> int:
    """Run one session; returns its exit code."""
    real, described, secrets = SystemClock(), specs(settings), Secrets()
    console = Console()
    urls = [url.get_secret_value() for url in settings.alerts.urls]
    urls += secrets.seawall_alert_urls.get_secret_value().split()
    alerts = Alerts(through_apprise(urls))
    confirmed(settings.venue, said=wishes.real_money, word=secrets.seawall_real_money)
    with ExitStack() as until_done:
        signals = until_done.enter_context(Signals().heard())
        access = until_done.enter_context(opened(settings, real))
        until_done.enter_context(account_lock(access.account))
        return _session(settings, wishes, described, access, real, console, alerts, signals)


def _session(
    settings: LiveSettings,
    wishes: Wishes,
    described: Sequence[RunSpec],
    access: Access,
    real: Clock,
    console: Console,
    alerts: Alerts,
    signals: Signals,
) -> int:
    folder, rng = Folder(settings.path), jitter(settings)
    folder.make()
    require_none(folder.path / settings.shutdown.kill_file)
    start = begin(
        settings,
        access,
        folder,
        real,
        rng,
        accept_data=wishes.accept_data,
        adopt=wishes.adopt,
        fresh=wishes.fresh,
    )
    stack = build(settings, described, access, start, folder, rng)
    zone = ZoneInfo(calendars.zone(settings.data.calendar))
    title = f"{', '.join(stack.labels)} on {', '.join(settings.data.symbols)} at {access.name}"
    asks = _asks(settings, wishes, folder, real, signals)
    lines = Lines(console.file)
    if not wishes.quiet:
        lines.say(f"{title}; log {folder.log}{'' if start.is_open else CLOSED}")
    view: View = NoView() if wishes.quiet else view_on(console, real, zone)
    policy = Policy(settings.shutdown.protective, settings.shutdown.deadline_s)
    session = Session(
        title, stack, start, policy, asks, view=view, alerts=alerts, log_name=str(folder.log)
    )
    report = _kept(session.run().with_notes(alerts.close(settings.alerts.deadline_s)), folder)
    if session.differences:
        lines.say(_as_text(differences_table(session.differences), console), LAST_WORDS_S)
    lines.say(report.text_block(zone), LAST_WORDS_S)
    return int(report.exit_code)


def _kept(report: ExitReport, folder: Folder) -> ExitReport:
    """The report, written; where that fails, the one on the terminal says so."""
    try:
        report.write(folder.path)
    except OSError as error:
        return report.with_notes([f"{folder.path}: this report is kept nowhere: {error.strerror}"])
    return report


def _as_text(shown: RenderableType, console: Console) -> str:
    with console.capture() as captured:
        console.print(shown)
    return captured.get().rstrip()


def _asks(
    settings: LiveSettings, wishes: Wishes, folder: Folder, real: Clock, signals: Signals
) -> list[Ask]:
    """What may end the session from outside."""
    asks: list[Ask] = [signals, KillFile(folder.path / settings.shutdown.kill_file, real)]
    return asks if wishes.for_s is None else [*asks, Bound(wishes.for_s, real)]


def check(settings: LiveSettings) -> int:
    """Look at everything, and say go or no-go."""
    real, described = SystemClock(), specs(settings)
    with opened(settings, real) as access:
        rows = run(checking.look(settings, described, access, real, random.Random(0)), "check")  # noqa: S311
    Console().print(table(rows))
    return int(ExitCode.DONE if is_go(rows) else ExitCode.NO_GO)


def why(log: Path, order_id: str, *, as_json: bool) -> int:
    """Tell one order's story."""
    story = story_of(log, order_id)
    text = orjson.dumps(story.as_dict()).decode() if as_json else "\n".join(story.lines())
    sys.stdout.write(text + "\n")
    return int(ExitCode.DONE)


def report(log: Path, *, as_json: bool) -> int:
    """Sum a session up."""
    told = summary.of(log)
    if as_json:
        sys.stdout.write(orjson.dumps(told.as_dict(), option=orjson.OPT_SERIALIZE_NUMPY).decode())
        sys.stdout.write("\n")
    else:
        Console().print(told.rendered())
    return int(ExitCode.DONE)


def show_settings() -> int:
    """Print a live.toml with all defaults."""
    sys.stdout.write(reference.as_toml())
    return int(ExitCode.DONE)


def log_of(folder: Path) -> Path:
    """The log in a session's folder."""
    return folder / LOG


def code_of(error: SeawallError) -> ExitCode:
    """The exit code of an error that stopped a start."""
    if isinstance(error, Stopped):
        return CODES[error.trigger]
    if isinstance(error, Unreconcilable):
        return ExitCode.UNRECONCILABLE
    return ExitCode.VENUE if isinstance(error, UNREACHABLE) else ExitCode.BAD_INPUT
