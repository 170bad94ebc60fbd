"""`python -m live venue`: our paper venue by itself, for any client that speaks its protocol."""

import tempfile
from pathlib import Path

from brokers.errors import ConfigError
from live.durations import speed
from live.embedded_market import market
from live.paper.server import main as serve
from live.paper.spec import VenueSpec
from live.paper.storms import Extent, plan_of
from live.settings import DataSection, PaperSection

FRONTS = ("alpaca", "tws", "portal")


def run(front: str, host: str, port: int, data: DataSection, paper: PaperSection) -> int:
    """Serve until Ctrl-C; one JSON line says where, and one at the end what it saw.

    Raises:
        ConfigError: an unknown front, or the market or the plan do not fit.
    """
    if front not in FRONTS:
        raise ConfigError(f"unknown front {front!r}: use {', '.join(FRONTS)}")
    frames, warm_up = market(data, paper)
    spec = spec_of(paper, warm_up, front).model_copy(update={"host": host, "port": port})
    with tempfile.TemporaryDirectory() as folder:
        return serve(spec.save(Path(folder), frames))


def spec_of(paper: PaperSection, warm_up: int, front: str = "alpaca") -> VenueSpec:
    """The venue that the settings describe, on a free port of loopback.

    But for Alpaca's own front the rules are BackBroker's: of the others' there are none yet.

    Raises:
        ConfigError: the speed or the fault plan cannot be read.
    """
    plan = plan_of(paper.faults, Extent(), front)
    return VenueSpec(
        front=front,
        account=paper.account if front == "alpaca" else "backtrader",
        cash=paper.cash,
        commission=paper.commission,
        slippage_frac=paper.slippage_bps / 10_000,
        seed=paper.seed,
        plan=plan.to_toml(),
        plan_name=plan.name,
        warm_up=warm_up,
        speed=speed(paper.speed),
        splits=paper.splits,
    )
