"""Every long proof of the project; `python -m tests.prove` runs them all."""

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.analyzers import test_chain
from tests.backtest import test_kernel, test_sweep_kills
from tests.backtest.backends import test_clusters
from tests.brokers import test_fills_against_stock, test_parity, test_remote_parity
from tests.prove import Proof, examples
from tests.prove.gateway_proofs import GATEWAY_PROOFS
from tests.prove.live_proofs import LIVE_PROOFS
from tests.prove.portal_proofs import PORTAL_PROOFS
from tests.strategies import test_base
from tests.turbo import test_orders_random

LOG_CHUNKS = 16


def guarded_equals_bare(chunk: int) -> int:
    return examples(test_parity.random_runs, test_parity.same, chunk, 250)


def far_away_equals_here(chunk: int) -> int:
    return examples(test_parity.random_runs, test_remote_parity.same, chunk, 250)


def fills_equal_stock(chunk: int) -> int:
    drawing, check = test_fills_against_stock.random_markets, test_fills_against_stock.same_as_stock
    return examples(drawing, check, chunk, 250)


def turbo_equals_stock(chunk: int) -> int:
    return examples(test_orders_random.random_cases, test_orders_random.same, chunk, 250)


def kernel_equals_cerebro(chunk: int) -> int:
    return examples(test_kernel.random_runs, test_kernel.confirmed_by_cerebro, chunk, 250)


def last_target_is_held(chunk: int) -> int:
    return examples(test_base.random_wishes, test_base.last_wish_is_held, chunk, 100)


def every_byte_is_guarded(chunk: int) -> int:
    """Every value of every byte, one chunk of positions after another."""
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        whole = test_chain.write(log)
        positions = range(chunk, len(whole), LOG_CHUNKS)
        for position in positions:
            test_chain.every_value_is_found(log, whole, position, range(256))
    return len(positions) * 255


PROOFS = (
    Proof(
        "guard",
        "random strategies give the same run guarded and bare, to the last bit",
        40,
        guarded_equals_bare,
    ),
    Proof(
        "remote",
        "random strategies give the same account and notifications at a venue far away, to the "
        "last bit",
        40,
        far_away_equals_here,
    ),
    Proof(
        "fills",
        "fills, costs and balances of random orders are Backtrader's own, to the last bit",
        40,
        fills_equal_stock,
    ),
    Proof(
        "turbo",
        "random strategies see and leave the same on turbo as on stock, to the last bit",
        40,
        turbo_equals_stock,
    ),
    Proof(
        "targets",
        "whatever the targets and late cancels, the last target is held in the end",
        20,
        last_target_is_held,
    ),
    Proof(
        "log",
        "a decision log with any byte changed to any value is damaged, and the line is named",
        LOG_CHUNKS,
        every_byte_is_guarded,
    ),
    Proof(
        "kernel",
        "random signals, exits and calendars fill compiled as in stock Cerebro, to the last bit",
        40,
        kernel_equals_cerebro,
    ),
    Proof(
        "sweep",
        "a sweep killed at random moments and started again repeats nothing and ends the same",
        20,
        test_sweep_kills.random_kills,
    ),
    Proof(
        "cluster",
        "a worker that dies takes its own set alone, on Ray, on Dask and on processes of joblib's",
        3,
        test_clusters.deaths,
        chunk_s=40,
    ),
    *LIVE_PROOFS,
    *GATEWAY_PROOFS,
    *PORTAL_PROOFS,
)
