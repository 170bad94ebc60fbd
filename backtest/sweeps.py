"""Many parameter sets of one strategy: chosen, evaluated, kept, compared."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import Any

import backtrader as bt

from backtest.books import Books, Count
from backtest.evaluation import Evaluation, chosen_engine
from backtest.identity import bars_key, settings_key, source_key
from backtest.inputs import only_frames
from backtest.ledger import Ledger, Study
from backtest.outcomes import PRUNED, Outcomes
from backtest.parcel import Workload
from backtest.rungs import Climb, Rung, parts
from backtest.search import TPE_TRIALS, Estimated, Params, Search, drawn, every
from backtest.spec import RunSpec
from backtest.sweep_result import SweepResult, table_of
from backtest.sweep_spec import Backend, Engine, SweepSpec
from backtest.sweep_spec import Search as SearchName
from backtest.windows import every_start
from brokers.clock import SystemClock
from brokers.errors import DataError
from feeds.passport import KEY, Passport, passport_of

Report = Callable[[int, int], None]  # (sets done, sets in all)
BEST_FRAC = 0.6  # of the sets to confirm; the others are drawn at random


def sweep(  # noqa: PLR0913  the one call that a notebook needs
    strategy: str | type[bt.Strategy],
    bars: Any,
    grid: Mapping[str, Any],
    *,
    search: SearchName = "grid",
    engine: Engine = "auto",
    backend: Backend = "loky",
    jobs: int = -1,
    objective: str = "sharpe",
    trials: int | None = None,
    seed: int = 0,
    confirm: int = 5,
    resume: bool = True,
    ledger: str | Path | None = None,
    constraint: str | Callable[[Mapping[str, Any]], Any] | None = None,
    prune: bool = True,
    params: Mapping[str, Any] | None = None,
    cash: float = 100_000,
    commission: float | bt.CommInfoBase = 0.0,
    slippage_bps: float = 0.0,
    size: float | str | None = None,
) -> SweepResult:
    """Try many parameter sets of one strategy on `bars`, and keep what came of each.

    Every finished set is in the ledger at once: killed and called again, a sweep repeats nothing.
    A set that fails is a row with its reason, and so is one whose worker dies.

    Args:
        strategy: a name, ``module:Class``, ``file.py:Class``, or any Backtrader strategy class.
        bars: a bar frame, or several in a list or a dict by symbol.
        grid: the values to try by parameter, such as ``{"fast": range(5, 25)}``.
        search, engine, backend, jobs, objective, trials, seed, confirm, resume, ledger, constraint,
            prune: see `backtest.sweep_spec.SweepSpec`.
        params: parameters that stay the same in every set.
        cash, commission, slippage_bps, size: see `backtest.run`.

    Returns:
        The result; `partial` when Ctrl-C ended it early.

    Raises:
        ConfigError: something about the sweep is wrong; the text names it.
        DataError: the bars or the ledger cannot be used, every set failed, or a compiled set came
            out differently in Backtrader.
    """
    spec = SweepSpec(
        RunSpec(strategy, {}, cash, commission, slippage_bps, size), grid, params or {},
        search, engine, backend, jobs, objective, trials, seed, confirm, resume, ledger, constraint,
        prune,
    )  # fmt: skip
    from backtest.sweep_progress import shown  # noqa: PLC0415  rich is slow to import

    with shown(spec.run.strategy_name) as report:
        return execute(spec, bars, report)


def execute(spec: SweepSpec, bars: Any, report: Report | None = None) -> SweepResult:
    """Do what `spec` describes; see `sweep`.

    Args:
        report: told how far it is.
    """
    clock = SystemClock()
    begun_at = clock.monotonic()
    frames = only_frames(bars)
    passports = {name: frame.attrs[KEY] for name, frame in frames.items()}
    search = _search(spec)
    engine, reason = chosen_engine(spec, frames)
    load = Workload(spec.run, frames, engine)
    study = cache(partial(_study, spec, passports, engine))
    with Ledger(spec.ledger_path) as ledger, Evaluation(spec, load) as evaluation:
        books = Books(spec, ledger, study, evaluation, _counted(report, search.total))
        rungs = _rungs(spec, load, study, evaluation, books)
        climb = Climb(search, rungs, spec.objective)
        is_complete = climb.run()
        tried = ledger.tried(study())
    sets, outcomes = climb.sets, climb.outcomes
    _check_some_succeeded(sets, outcomes)
    confirmed = _confirmed(spec, load, sets, outcomes) if is_complete else ()
    return SweepResult(
        table=table_of(sets, tuple(spec.axes.axes), outcomes),
        names=tuple(spec.axes.axes),
        objective=spec.objective,
        outcomes=outcomes,
        config=spec.as_dict(),
        passports=passports,
        engine=engine,
        engine_reason=reason,
        wall_s=clock.monotonic() - begun_at,
        left_out=search.left_out,
        tried=tried,
        known=climb.known,
        confirmed=confirmed,
        partial=not is_complete,
    )


def _search(spec: SweepSpec) -> Search:
    if spec.search == "grid":
        return every(spec.axes, spec.allows)
    if spec.search == "random":
        return drawn(spec.axes, spec.allows, spec.trials, spec.seed)
    wanted = spec.trials or TPE_TRIALS
    return Estimated(spec.axes, spec.allows, wanted, spec.seed, spec.workers)


def _rungs(
    spec: SweepSpec,
    load: Workload,
    study: Callable[[], Study],
    evaluation: Evaluation,
    whole: Books,
) -> list[Rung]:
    """The parts of the bars on which sets are tried first, and then all of them."""
    last = Rung(len(every_start(load.frames)), whole)
    if spec.search != "tpe" or not spec.prune or load.engine == "compiled":
        return [last]
    rungs = []
    for bars, part in parts(load.frames).items():
        on_part = evaluation.on(replace(load, frames=part))
        key = bars_key({name: passport_of(frame, name) for name, frame in part.items()})
        rungs.append(Rung(bars, whole.on(partial(replace, study(), bars=key), on_part)))
    return [*rungs, last]


def _study(spec: SweepSpec, passports: Mapping[str, Passport | None], engine: Engine) -> Study:
    run = spec.run
    settings = settings_key(run, spec.axes.axes)
    source = source_key(run.strategy_class)
    return Study(run.strategy_name, source, settings, bars_key(passports), engine)


def _counted(report: Report | None, total: int) -> Count:
    """Tell `report` of sets as they finish, of so many in all."""
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        if report is not None:
            report(done, total)

    return count


def _check_some_succeeded(sets: list[Params], outcomes: Outcomes) -> None:
    if len(outcomes.failures) < len(sets):
        return
    failed = [it for it in outcomes.failures.items() if not it[1].startswith(PRUNED)]
    row, reason = failed[0]
    how = " ".join(f"{name}={value}" for name, value in sets[row].items())
    rest = "; the others were pruned: prune=False tries them" if outcomes.pruned else ""
    raise DataError(
        f"every one of the {len(failed):,} sets failed, the first ({how}): {reason}{rest}"
    )


def _confirmed(
    spec: SweepSpec, load: Workload, sets: list[Params], outcomes: Outcomes
) -> tuple[int, ...]:
    """Rows of a compiled sweep that Backtrader gave the same: some of the best, some at random.

    Raises:
        DataError: one differs.
    """
    if load.engine != "compiled" or not spec.confirm:
        return ()
    from backtest import compiled  # noqa: PLC0415  only a sweep needs it

    scores = outcomes.metrics[spec.objective]
    fit = [row for row in range(len(sets)) if row not in outcomes.failures]
    ranked = sorted(
        fit, key=lambda row: -scores[row] if scores[row] == scores[row] else float("inf")
    )
    best = ranked[: round(spec.confirm * BEST_FRAC)]
    others = ranked[len(best) :]
    source = Random(spec.seed)  # noqa: S311  reproducible, not secret
    chosen = best + source.sample(others, min(spec.confirm - len(best), len(others)))
    compiled.confirm(load.run, dict(load.frames), [spec.whole(sets[row]) for row in chosen])
    return tuple(chosen)
