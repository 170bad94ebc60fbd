"""One run, from its description to its result; and the one place where Cerebro is wired."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import backtrader as bt
import pandas as pd

from analyzers.equity import EquityCurve
from analyzers.trades import Ledger
from backtest.inputs import Feeds, frames_of, named_feeds, passports_of
from backtest.interrupt import stops_on_interrupt
from backtest.logfile import logged
from backtest.progress import BarCount, Report
from backtest.result import RunResult
from backtest.spec import RunSpec
from backtest.turbo import Cerebro
from backtest.warmup import EnoughBars
from brokers.errors import ConfigError
from brokers.guard import GuardedBroker
from brokers.profile import BACKTRADER, Profile
from brokers.risk import RiskLimits, Rule
from strategies.sizing import PercentOfEquity

Analyzer = type[bt.Analyzer] | tuple[type[bt.Analyzer], Mapping[str, Any]]
RUN_ID_LENGTH = 16
OWN_PREFIX = "seawall_"
EQUITY, LEDGER = OWN_PREFIX + "equity", OWN_PREFIX + "ledger"


def run(  # noqa: PLR0913  the one call that a notebook needs
    strategy: str | type[bt.Strategy],
    bars: Any,
    *,
    params: Mapping[str, Any] | None = None,
    cash: float = 100_000,
    commission: float | bt.CommInfoBase = 0.0,
    slippage_bps: float = 0.0,
    size: float | str | None = None,
    risk: RiskLimits | Mapping[str, Any] | None = None,
    analyzers: Iterable[Analyzer] = (),
    log: str | Path | None = None,
    turbo: bool = True,
) -> RunResult:
    """Backtest one strategy on `bars`, behind the guard.

    Args:
        strategy: a name, ``module:Class``, ``file.py:Class``, or any Backtrader strategy class.
        bars: a bar frame, a dict of them by symbol, or Backtrader feeds (one, a list, a dict).
        params: the strategy's parameters; what is left out keeps its default.
        cash: starting cash in the bars' currency.
        commission: a fraction of the notional (0.001 is 0.1 %), or a scheme of Backtrader's.
        slippage_bps: by how many hundredths of a per cent market and stop orders fill worse, yet
            never outside the bar; a limit order never fills beyond its limit.
        size: the stake of an order: units, or a share of equity such as ``"95%"``; None leaves it
            to Backtrader, whose stake is 1.
        risk: limits by the names of `brokers.risk.RiskLimits`.
        analyzers: Backtrader analyzers, each a class or (class, parameters); what they found is
            in the result's `analyses`.
        log: where to write the decision log; an earlier one there is kept beside it.
        turbo: take the fast paths that give Backtrader's own results to the bit.

    Returns:
        The result; `partial` when Ctrl-C ended the run early.

    Raises:
        ConfigError: something about the run is wrong; the text names it.
        DataError: the bars cannot be used, or are too few for the strategy.
        OSError: the log could not be written.
    """
    spec = RunSpec(strategy, params or {}, cash, commission, slippage_bps, size, risk, turbo=turbo)
    return execute(spec, bars, analyzers=analyzers, log=log)


def execute(
    spec: RunSpec,
    bars: Any,
    *,
    analyzers: Iterable[Analyzer] = (),
    log: str | Path | None = None,
    report: Report | None = None,
    profile: Profile = BACKTRADER,
    rules: Iterable[Rule] = (),
) -> RunResult:
    """Run what `spec` describes; see `run`.

    Args:
        report: told how far it is.
        profile: a venue's rules for the form of an order, for the guard.
        rules: order rules of the caller's own, asked before those of the risk limits.
    """
    feeds = named_feeds(bars)
    passports = passports_of(feeds)
    run_id = spec.fingerprint(passports)[:RUN_ID_LENGTH]
    cerebro = assemble(spec, feeds, profile=profile, rules=rules, session_id=run_id)
    _watch(cerebro, analyzers, report)
    frames = frames_of(feeds)
    config = spec.as_dict()
    with ExitStack() as until_done:
        journal = None
        if log is not None:
            writing = logged(cerebro, log, run_id, _first_bar(frames), config)
            journal = until_done.enter_context(writing)
        strategy, interrupted = _run(cerebro)
        if journal and interrupted:
            journal.close(complete=False)
    return RunResult.of(
        strategy.analyzers.getbyname(EQUITY),
        strategy.analyzers.getbyname(LEDGER),
        config=config,
        passports={name: passport for name, passport in passports.items() if passport},
        bars=frames,
        analyses=_analyses(strategy),
        partial=interrupted,
    )


def _watch(cerebro: bt.Cerebro, analyzers: Iterable[Analyzer], report: Report | None) -> None:
    """Our own analyzers, then the caller's."""
    cerebro.addanalyzer(EnoughBars, _name=OWN_PREFIX + "enough_bars")
    cerebro.addanalyzer(EquityCurve, _name=EQUITY)
    cerebro.addanalyzer(Ledger, _name=LEDGER)
    if report is not None:
        cerebro.addanalyzer(BarCount, _name=OWN_PREFIX + "bar_count", report=report)
    for analyzer in analyzers:
        cls, kwargs = analyzer if isinstance(analyzer, tuple) else (analyzer, {})
        cerebro.addanalyzer(cls, **kwargs)


def _run(cerebro: bt.Cerebro) -> tuple[bt.Strategy, bool]:
    """The strategy when it is done, and whether Ctrl-C was the reason."""
    with stops_on_interrupt(cerebro) as interrupted:
        ran = cerebro.run()
    if not ran:
        raise ConfigError("the strategy raised StrategySkipError: there is no run to report")
    if interrupted.is_set() and not len(ran[0]):
        raise KeyboardInterrupt
    return ran[0], interrupted.is_set()


def _analyses(strategy: bt.Strategy) -> dict[str, Any]:
    """What the caller's analyzers found, by Backtrader's names for them, such as sharperatio."""
    named = strategy.analyzers.getitems()
    return {
        name: analyzer.get_analysis() for name, analyzer in named if not name.startswith(OWN_PREFIX)
    }


def _first_bar(frames: Mapping[str, pd.DataFrame]) -> datetime:
    """Start of the earliest bar; feeds of Backtrader's own do not tell theirs beforehand."""
    starts = [frame.index[0].to_pydatetime() for frame in frames.values()]
    return min(starts, default=datetime(1970, 1, 1, tzinfo=UTC))


def assemble(
    spec: RunSpec,
    feeds: Feeds,
    *,
    broker: Any = None,
    profile: Profile = BACKTRADER,
    rules: Iterable[Rule] = (),
    session_id: str = "",
    now: Callable[[], float] | None = None,
    engine: type[bt.Cerebro] | None = None,
    **cerebro_options: Any,
) -> bt.Cerebro:
    """Wire Cerebro: feeds, the guard round a broker, the stake, the strategy.

    Args:
        broker: the inner broker; None for Backtrader's own, with the cash, commission and
            slippage of `spec`.
        profile: the venue's rules for the form of an order.
        rules: order rules of the caller's own, asked before those of the risk limits.
        session_id: goes into every client order id.
        now: the present in seconds since 1970 UTC; None takes the end of the newest bar.
        engine: the Cerebro to wire; None for turbo's, or Backtrader's own where `spec` wants no
            turbo or `broker` is none that it could speed up.
        cerebro_options: Cerebro's own parameters, such as quicknotify.
    """
    usual = Cerebro if spec.turbo and broker is None else bt.Cerebro
    cerebro = (engine or usual)(**{"stdstats": False, **cerebro_options})
    for name, feed in feeds.items():
        cerebro.adddata(feed, name=name)
    cerebro.broker = GuardedBroker(
        simulated_broker(spec) if broker is None else broker,
        rules=(*rules, *spec.limits.rules()),
        limits=spec.limits.limits(),
        profile=profile,
        session_id=session_id,
        now=now,
    )
    if spec.equity_percent is not None:
        cerebro.addsizer(PercentOfEquity, percent=spec.equity_percent)
    elif spec.size is not None:
        cerebro.addsizer(bt.sizers.FixedSize, stake=spec.size)
    cerebro.addstrategy(spec.strategy_class, **spec.params)
    return cerebro


def simulated_broker(spec: RunSpec) -> bt.brokers.BackBroker:
    """Backtrader's own broker with the cash, commission and slippage of `spec`."""
    broker = bt.brokers.BackBroker(cash=float(spec.cash))
    if isinstance(spec.commission, bt.CommInfoBase):
        broker.addcommissioninfo(spec.commission)
    else:
        broker.setcommission(spec.commission)
    if spec.slippage_bps:
        broker.set_slippage_perc(
            spec.slippage_bps / 10_000, slip_open=True, slip_limit=True, slip_match=True
        )
    return broker
