"""The only description of a run: what is wanted, checked before anything is read or started."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from hashlib import sha256
from math import isfinite, nan
from numbers import Real
from pathlib import Path
from typing import Any

import backtrader as bt

from analyzers.plain import plain
from backtest.parameters import checked_params, found
from brokers.errors import ConfigError
from brokers.risk import RiskLimits
from feeds.bars_spec import BarsSpec
from feeds.passport import Passport
from strategies.base import Strategy

__all__ = ["BARS_IDENTITY", "BarsSpec", "RunSpec"]

# What a passport says of the bars themselves; when and where they were fetched changes no result.
BARS_IDENTITY = ("symbol", "adjustment", "timeframe", "calendar", "sha256")


@dataclass(frozen=True)
class RunSpec:
    """Everything that decides a run, the bars' content aside.

    Args:
        strategy: a name, ``module:Class``, ``file.py:Class``, or any Backtrader strategy class.
        params: the strategy's parameters; what is left out keeps its default.
        cash: starting cash in the bars' currency.
        commission: fraction of an order's notional, or any scheme of Backtrader's.
        slippage_bps: hundredths of a per cent by which fills are worse than the price asked for.
        size: the stake of an order: units, or a share of equity such as ``"95%"``; None leaves it
            to Backtrader, whose stake is 1.
        risk: limits by name; None sets none.
        bars: which bars were asked for; None when the caller brought them.
        turbo: take the fast paths; no result depends on it.

    Raises:
        ConfigError: a field is wrong; the text names it.
    """

    strategy: str | type[bt.Strategy]
    params: Mapping[str, Any] = field(default_factory=dict)
    cash: float = 100_000.0
    commission: float | bt.CommInfoBase = 0.0
    slippage_bps: float = 0.0
    size: float | str | None = None
    risk: RiskLimits | Mapping[str, Any] | None = None
    bars: BarsSpec | None = None
    turbo: bool = True

    def __post_init__(self) -> None:
        _number("cash", self.cash, above=0.0)
        if not isinstance(self.commission, bt.CommInfoBase):
            _number(
                "commission", self.commission, least=0.0, below=1.0,
                remedy="a fraction of the notional, such as 0.001 for 0.1 %",
            )  # fmt: skip
        _number("slippage_bps", self.slippage_bps, least=0.0, below=10_000.0)
        if isinstance(self.size, str):
            self.equity_percent  # noqa: B018  reading it checks it
        elif self.size is not None:
            _number("size", self.size, above=0.0, remedy='units such as 100, or "95%" of equity')
        checked_params(self.strategy_class, self.params)
        self.limits  # noqa: B018  reading them checks them

    @cached_property
    def strategy_class(self) -> type[bt.Strategy]:
        """The class that `strategy` names.

        Raises:
            ConfigError: there is none; the text suggests the nearest.
        """
        return found(self.strategy)

    @cached_property
    def strategy_name(self) -> str:
        """The strategy's file name for ours, else ``module:Class``."""
        cls = self.strategy_class
        package, _, name = cls.__module__.rpartition(".")
        return name if package == "strategies" else f"{cls.__module__}:{cls.__qualname__}"

    @cached_property
    def limits(self) -> RiskLimits:
        """The risk limits, none set when there are none."""
        if isinstance(self.risk, RiskLimits):
            return self.risk
        try:
            return RiskLimits(**(self.risk or {}))
        except TypeError:
            known = RiskLimits.__dataclass_fields__
            wrong = next((name for name in self.risk or {} if name not in known), self.risk)
            raise ConfigError(f"risk: no limit {wrong!r}: there are {', '.join(known)}") from None

    @cached_property
    def equity_percent(self) -> float | None:
        """The stake in per cent of equity (0..100); None when `size` counts units."""
        if not isinstance(self.size, str):
            return None
        number = self.size.removesuffix("%")
        try:
            per_cent = float(number)
        except ValueError:
            per_cent = 0.0
        if number == self.size or not 0.0 < per_cent <= 100.0:
            raise ConfigError(f'size={self.size!r}: give units such as 100, or "95%" of equity')
        return per_cent

    def as_dict(self) -> dict[str, Any]:
        """The run in plain JSON values, parameters left at their defaults included.

        Raises:
            ConfigError: a file that a parameter names cannot be read.
        """
        params = checked_params(self.strategy_class, self.params)
        files = _file_hashes(self.strategy_class, params)
        described = {
            "strategy": self.strategy_name,
            "params": params,
            **({"files": files} if files else {}),
            "cash": float(self.cash),
            "commission": _commission(self.commission),
            "slippage_bps": float(self.slippage_bps),
            "size": self.size,
            "risk": {name: limit for name, limit in asdict(self.limits).items() if limit},
            "bars": None if self.bars is None else self.bars.as_dict(),
        }
        decoded: dict[str, Any] = json.loads(json.dumps(plain(described), default=str))
        return decoded

    def fingerprint(self, passports: Mapping[str, Passport | None]) -> str:
        """SHA-256 over all that decides the run's result: the same run, the same fingerprint.

        Args:
            passports: of each feed by name, in Cerebro's order; None for a feed without one.
        """
        bars = [
            [name, passport and {key: passport.as_dict()[key] for key in BARS_IDENTITY}]
            for name, passport in passports.items()
        ]
        run = self.as_dict() | {"bars": bars}
        return sha256(json.dumps(run, sort_keys=True).encode()).hexdigest()


def _file_hashes(strategy: type[bt.Strategy], params: Mapping[str, Any]) -> dict[str, str]:
    """SHA-256 of each file that a parameter names, by the parameter."""
    names = strategy.file_params if issubclass(strategy, Strategy) else ()
    named = {name: Path(params[name]) for name in names if params[name]}
    try:
        return {name: sha256(path.read_bytes()).hexdigest() for name, path in named.items()}
    except OSError as error:
        raise ConfigError(f"{error.filename} cannot be read: {error.strerror}: save it") from error


def _number(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    least: float | None = None,
    below: float | None = None,
    remedy: str = "",
) -> None:
    wanted = [
        f"{word} {bound:g}"
        for word, bound in (("above", above), ("at least", least), ("below", below))
        if bound is not None
    ]
    number = nan if isinstance(value, bool) or not isinstance(value, Real) else float(value)
    fits = (
        isfinite(number)
        and (above is None or number > above)
        and (least is None or number >= least)
        and (below is None or number < below)
    )
    if not fits:
        remedy = f" ({remedy})" if remedy else ""
        raise ConfigError(f"{name}={value!r}: give a number {' and '.join(wanted)}{remedy}")


def _commission(commission: float | bt.CommInfoBase) -> Any:
    if isinstance(commission, bt.CommInfoBase):
        scheme = commission.p._getkwargs()
        return {"scheme": type(commission).__name__, **scheme}
    return float(commission)
