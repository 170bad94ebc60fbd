"""Every setting of a live session, as live.toml has them; secrets come from the environment."""

from inspect import isclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from brokers.wire.portal_questions import MAY_CONFIRM

Fraction = Annotated[float, Field(gt=0, le=1)]
Money = Annotated[float, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A part of live.toml: frozen, of exact types, and without keys that it does not know."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class StrategySection(Section):
    """One strategy; give the table once for each of several."""

    name: str = "sma_cross"
    """A name from `python -m backtest list`, module:Class or file.py:Class."""
    params: dict[str, Any] = {}
    """Its parameters; what is left out keeps its default."""
    size: float | str | None = None
    """Stake of an order: units, or a share of equity such as "95%"; without one, 1 unit."""


class DataSection(Section):
    """Which bars the strategies see."""

    symbols: tuple[str, ...] = Field(("SPY",), min_length=1)
    """What is traded."""
    timeframe: Literal["1m", "5m", "15m", "30m", "1h", "1d"] = "1m"
    """Of the bars."""
    feed: Literal["iex", "sip", "delayed_sip"] = "iex"
    """The vendor's tape; iex is the free one and sees a few per cent of the volume."""
    adjustment: Literal["none", "split", "total"] = "none"
    """Of the warm-up, and of the backtest that it is compared with; live bars are as traded."""
    warmup_bars: int = Field(120, ge=0)
    """Finished bars that the strategies see before the first live one, orders suppressed."""
    warmup_source: str = ""
    """Another source of these, such as yahoo, polygon or files; without one, the venue's own."""
    warmup_options: dict[str, Any] = {}
    """Its options, such as {path = "bars"}; keys come from the environment."""
    calendar: str = "XNYS"
    """Sessions of the exchange, by exchange_calendars' name."""
    barrier_s: Seconds = 5.0
    """How long a bar time waits for symbols that have not come."""
    mute_s: Seconds = 180.0
    """Silence of all symbols together, while the exchange is open, that counts as mute."""
    backtest: str = ""
    """Folder of the backtest (its --out) that the session's data is compared with."""


class RiskSection(Section):
    """Limits of the guard; what is left out is not limited."""

    max_order_notional: Money | None = None
    """Money in one order."""
    max_position_notional: Money | None = None
    """Money in one symbol."""
    max_position_share: Fraction | None = None
    """Share of equity in one symbol."""
    max_gross_exposure: Money | None = None
    """Long plus short, as a multiple of equity."""
    price_collar_frac: Fraction | None = None
    """Distance of a limit or stop price from the last close."""
    max_bar_age_s: Seconds | None = None
    """Age of the bar that an order is decided on."""
    max_orders_per_minute: Annotated[int, Field(gt=0)] | None = None
    """Orders in any 60 seconds."""
    max_daily_loss_frac: Fraction | None = None
    """Loss of the day as a fraction of its first equity; breaking it ends the session."""
    max_drawdown_frac: Fraction | None = None
    """Loss since the highest equity; breaking it ends the session."""
    restricted_symbols: tuple[str, ...] = ()
    """Never traded."""


class ShutdownSection(Section):
    """What a graceful shutdown does."""

    protective: Literal["keep", "flatten"] = "keep"
    """Exits at work: keep leaves them at the venue, flatten cancels them and closes positions."""
    deadline_s: Seconds = 20.0
    """How long the venue's confirmation is awaited."""
    kill_file: str = "KILL"
    """The session shuts down when this file appears; relative to the session's folder."""


class AlertSection(Section):
    """Who is told when a session shuts down."""

    urls: tuple[SecretStr, ...] = ()
    """Apprise URLs, such as slack://...; SEAWALL_ALERT_URLS adds more, separated by spaces."""
    deadline_s: Seconds = 10.0
    """How long the last alert may take."""


class WireSection(Section):
    """How the venue is called."""

    calls_a_minute: int = Field(180, gt=0)
    """Of all requests; Alpaca allows 200."""
    order_calls: int = Field(60, ge=0)
    """Of these, kept free for orders and cancels."""
    timeout_s: Seconds = 10.0
    """Of one request."""
    backoff_first_s: Seconds = 0.5
    """Widest wait before a request is tried again for the first time."""
    backoff_cap_s: Seconds = 30.0
    """Widest wait at all."""
    backoff_deadline_s: Seconds = 120.0
    """From the first try, after which no other is begun and the call counts as failed."""
    compare_s: Seconds = 60.0
    """Between comparisons with the venue while orders are at work; they find a mute stream out."""


class IbkrSection(Section):
    """The gateway of venue = "ibkr" and "ibkr-live"."""

    host: str = "127.0.0.1"
    """Where it listens."""
    port: int = Field(0, ge=0, le=65_535)
    """0 is IB Gateway's own: 4002 for ibkr, 4001 for ibkr-live."""
    client_id: int = Field(1, ge=1, le=998)
    """Of the orders; the bars take the next one."""
    account: str = ""
    """Needed where the login manages several."""
    restart_begin: str = "23:45"
    """When the gateway's and IB's nightly restarts begin; no new orders until their end."""
    restart_end: str = "00:45"
    """When the gateway is back at the latest."""
    restart_zone: str = "America/New_York"
    """Of these times."""


class PortalSection(Section):
    """The Client Portal gateway of venue = "portal" and "portal-live"."""

    url: str = "https://localhost:5000"
    """Where it listens."""
    account: str = ""
    """Needed where the login manages several."""
    certificate: str = ""
    """PEM file that its certificate must match; without one only a gateway here is trusted."""
    competes: bool = False
    """Take the login away from another session (TWS, a phone) instead of refusing to start."""
    confirms: tuple[str, ...] = tuple(sorted(MAY_CONFIRM))
    """Ids of IBKR's questions about orders that are answered with yes; all others refuse."""


class PaperSection(Section):
    """The embedded venue, venue = "paper", "paper-tws" and "paper-portal"."""

    seed: int = Field(7, ge=0)
    """Of the synthetic market and of the venue's ids."""
    start: str = Field("2025-06-02", pattern=r"^\d{4}-\d\d-\d\d$")
    """First live session of the market; the warm-up bars come before it."""
    speed: str = Field("60x", pattern=r"^\d+(\.\d+)?x$")
    """Market seconds in one real second; 1x is real time."""
    cash: Money = 100_000.0
    """Of the account at the start."""
    commission: float = Field(0.0, ge=0, lt=1)
    """Fraction of an order's notional."""
    slippage_bps: float = Field(0.0, ge=0, lt=10_000)
    """By how many hundredths of a per cent market and stop orders fill worse."""
    account: Literal["alpaca", "backtrader"] = "alpaca"
    """The account's rules."""
    faults: str = "none"
    """none, storm, seed:N or a plan.toml."""
    splits: tuple[str, ...] = ()
    """Of its market, such as "SPY 2025-06-04 2:1": new units for old; prices before were dearer."""


class LiveSettings(Section):
    """One session, described; composition roots alone hold it, and unpack it."""

    venue: str = "paper"
    """paper, paper-tws, paper-portal: ours; alpaca, ibkr, portal: paper; with -live: money."""
    url: str = ""
    """Address of a venue that speaks Alpaca's protocol, such as http://127.0.0.1:8765."""
    folder: str = "out/live"
    """Log, bars and reports; the log of a session that did not end is taken up again."""
    strategies: tuple[StrategySection, ...] = Field((StrategySection(),), min_length=1)
    """One table [[strategies]] each."""
    data: DataSection = DataSection()
    risk: RiskSection = RiskSection()
    shutdown: ShutdownSection = ShutdownSection()
    alerts: AlertSection = AlertSection()
    wire: WireSection = WireSection()
    ibkr: IbkrSection = IbkrSection()
    portal: PortalSection = PortalSection()
    paper: PaperSection = PaperSection()

    @property
    def path(self) -> Path:
        """The session's folder."""
        return Path(self.folder)


def section_of(field: FieldInfo) -> type[Section] | None:
    """The section that a setting is, or is a list of; None for a plain setting."""
    for kind in (field.annotation, *get_args(field.annotation)):
        if isclass(kind) and issubclass(kind, Section):
            return kind
    return None


class Secrets(BaseSettings):
    """What the environment alone may hold; never logged, never printed."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    apca_api_key_id: SecretStr | None = None
    apca_api_secret_key: SecretStr | None = None
    seawall_alert_urls: SecretStr = SecretStr("")
    seawall_real_money: str = ""
