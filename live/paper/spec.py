"""What a paper venue is to be: one value, in a file beside its bars."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal, Self

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from brokers.clock import Clock
from brokers.errors import ConfigError
from brokers.fills import Commission, Slippage
from feeds.passport import KEY, Passport
from live.paper.account import AlpacaRules, BacktraderRules, Rules
from live.paper.alpaca_api import AlpacaApi, Terms
from live.paper.alpaca_checks import Asset
from live.paper.alpaca_gate import Keys
from live.paper.alpaca_streams import FEEDS, Subscription
from live.paper.alpaca_trading import Announcement
from live.paper.faults import Plan
from live.paper.market import Market
from live.paper.matching import Matching
from live.paper.portal_api import PortalApi
from live.paper.portal_api import Terms as PortalTerms
from live.paper.splits import MarketSplit
from live.paper.venue import Venue

_FILE, _PASSPORTS = "venue.json", "passports.json"


class VenueSpec(BaseModel):
    """One venue, its front and its pace.

    Args:
        front: the protocol that it speaks.
        account: the rule set, "backtrader" or "alpaca".
        commission: fraction of a fill's value, or cash a unit where `commission_is_fixed`.
        slippage_frac: of the price.
        plan: fault plan as TOML; empty is none.
        plan_name: what it is called in reports.
        warm_up: steps that the market has shown before the start.
        assets: by symbol, where one has not every right; under Alpaca's rules.
        speed: market seconds in a second; None is lock-step, over the control endpoint alone.
        host: to listen on; anything but loopback is for those who know.
        port: 0 takes a free one.
        calls_per_minute: of Alpaca; 0 is no limit, nor are there those of the Client Portal.
        has_every_feed: the market data plan that costs money: consolidated tape, any symbols.
        leaves_with_parent: ends when its standard input does.
        splits: of the market, such as "SPY 2025-06-04 2:1".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    front: Literal["alpaca", "tws", "portal"] = "alpaca"
    account: Literal["backtrader", "alpaca"] = "backtrader"
    cash: float = Field(default=100_000.0, gt=0)
    commission: float = 0.0
    commission_is_fixed: bool = False
    slippage_frac: float = 0.0
    calendar: str | None = None
    multiplier: int = 1
    assets: Mapping[str, Asset] = Field(default_factory=dict)
    seed: int = 0
    plan: str = ""
    plan_name: str = "none"
    warm_up: int = Field(default=0, ge=0)
    speed: float | None = Field(default=None, gt=0)
    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65_535)
    key_id: str = "PKSEAWALL0000000000"
    secret: str = "seawall"  # noqa: S105  the venue has no money to guard
    environment: Literal["paper", "live"] = "paper"
    calls_per_minute: int = Field(default=200, ge=0)
    tells_calls: bool = True
    has_every_feed: bool = True
    leaves_with_parent: bool = False
    splits: tuple[str, ...] = ()

    def save(self, folder: Path, frames: Mapping[str, pd.DataFrame]) -> Path:
        """Write it and its bars into a folder that is there; gives the folder."""
        passports = {}
        for number, (symbol, frame) in enumerate(frames.items()):
            passport = frame.attrs.get(KEY)
            passports[symbol] = passport and passport.as_dict()
            bare = frame.copy(deep=False)
            bare.attrs = {}
            bare.to_parquet(folder / f"{number}.parquet")
        (folder / _PASSPORTS).write_text(json.dumps(passports), encoding="utf-8")
        (folder / _FILE).write_text(self.model_dump_json(), encoding="utf-8")
        return folder

    @classmethod
    def load(cls, folder: Path) -> tuple[Self, dict[str, pd.DataFrame]]:
        """Read what `save` wrote.

        Raises:
            ConfigError: it is not there, or not what `save` writes.
        """
        try:
            spec = cls.model_validate_json((folder / _FILE).read_text(encoding="utf-8"))
            passports = json.loads((folder / _PASSPORTS).read_text(encoding="utf-8"))
            frames = {}
            for number, (symbol, passport) in enumerate(passports.items()):
                frames[symbol] = pd.read_parquet(folder / f"{number}.parquet")
                if passport:
                    frames[symbol].attrs[KEY] = Passport.from_dict(passport)
        except (OSError, ValidationError, json.JSONDecodeError) as error:
            text = str(error).replace("\n", "; ")
            raise ConfigError(f"no venue in {folder}: {text}") from None
        return spec, frames

    def venue(self, frames: Mapping[str, pd.DataFrame], clock: Clock) -> Venue:
        """Build the venue; `clock` is that of its wires.

        Raises:
            ConfigError: the frames, the calendar or the fault plan do not fit.
        """
        splits = map(MarketSplit.parse, self.splits)
        market = Market(frames, calendar=self.calendar, splits=splits)
        for _ in range(self.warm_up):
            if market.advance() is None:
                raise ConfigError(f"a warm-up of {self.warm_up} steps leaves no bar to trade on")
        matching = Matching(
            market.symbols,
            self._rules(market),
            cash=self.cash,
            commission=Commission(self.commission, self.commission_is_fixed),
            slippage=Slippage(frac=self.slippage_frac, at_open=self.slippage_frac > 0),
            seed=self.seed,
        )
        plan = Plan.from_toml(self.plan, self.plan_name)
        return Venue(matching, market, clock, plan=plan, seed=self.seed)

    def api(self, venue: Venue, clock: Clock, auth_timeout_s: float | None = None) -> AlpacaApi:
        """Build the front that speaks Alpaca."""
        feeds = FEEDS if self.has_every_feed else ("iex", "test")
        terms = Terms(
            calls_per_minute=self.calls_per_minute,
            tells_calls=self.tells_calls,
            subscription=Subscription(feeds, 0 if self.has_every_feed else 30),
            has_sip=self.has_every_feed,
            auth_timeout_s=auth_timeout_s,
        )
        keys = Keys(self.key_id, self.secret, self.environment)
        announced = tuple(
            Announcement(
                split.symbol, split.ex_date, old_rate=split.old_rate, new_rate=split.new_rate
            )
            for split in venue.market.splits
        )
        return AlpacaApi(venue, keys, clock, terms, announced)

    def portal(self, venue: Venue, clock: Clock) -> PortalApi:
        """Build the front that speaks as the Client Portal; in lock-step no session grows old."""
        is_real = self.speed is not None
        is_paced = is_real and self.calls_per_minute > 0
        terms = PortalTerms(is_paced=is_paced)
        return PortalApi(venue, clock, terms if is_real else replace(terms, lasts_s=math.inf))

    def _rules(self, market: Market) -> Rules:
        if self.account == "backtrader":
            return BacktraderRules()
        return AlpacaRules(hours=market.hours, assets=self.assets, multiplier=self.multiplier)
