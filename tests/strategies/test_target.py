import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.target import Step, Target, round_to_tick


@dataclass
class Named:
    _name: str = "NVDA"


@pytest.mark.parametrize("words", [{}, {"size": 1, "weight": 0.5}])
def test_a_target_is_a_size_or_a_weight(words):
    with pytest.raises(ValueError, match="NVDA needs a size or a weight"):
        Target(Named(), **words)


@pytest.mark.parametrize("number", [math.nan, math.inf])
@pytest.mark.parametrize("name", ["limit", "take_profit", "stop_loss"])
def test_a_price_that_is_not_finite_is_refused_by_name(name, number):
    with pytest.raises(ValueError, match=f"NVDA has {name} {number}"):
        Target(Named(), size=1, **{name: number})


def test_a_size_that_is_not_a_number_is_refused():
    with pytest.raises(ValueError, match="NVDA has size nan"):
        Target(Named(), size=math.nan)


@pytest.mark.parametrize(
    ("held", "wanted", "is_reduction", "is_reversal", "kept"),
    [
        (0, 2, False, False, 0),
        (1, 2, False, False, 1),
        (-1, -3, False, False, -1),
        (3, 1, True, False, 1),
        (3, 0, True, False, 0),
        (1, -2, True, True, 0),
    ],
)
def test_a_step_knows_what_it_opens_and_what_it_keeps(
    held, wanted, is_reduction, is_reversal, kept
):
    step = Step(Target(Named(), size=wanted), held, wanted)
    assert (step.is_reduction, step.is_reversal, step.kept) == (is_reduction, is_reversal, kept)
    assert step.gap == wanted - held


@pytest.mark.parametrize(
    ("price", "tick", "buy", "sell"),
    [
        (41.237, 0.01, 41.23, 41.24),
        (41.24, 0.01, 41.24, 41.24),
        (0.1 + 0.2, 0.01, 0.3, 0.3),
        (41.2 * 0.95, 0.01, 39.14, 39.14),
        (4321.1, 0.25, 4321.0, 4321.25),
        (7.0, 5.0, 5.0, 10.0),
    ],
)
def test_buys_round_down_and_sells_up(price, tick, buy, sell):
    assert round_to_tick(price, tick, is_buy=True) == buy
    assert round_to_tick(price, tick, is_buy=False) == sell


@given(st.floats(0.01, 1e6), st.sampled_from([0.0001, 0.01, 0.05, 0.25, 1.0]), st.booleans())
def test_a_rounded_price_stays_and_is_within_a_tick(price, tick, is_buy):
    rounded = round_to_tick(price, tick, is_buy=is_buy)
    assert round_to_tick(rounded, tick, is_buy=is_buy) == rounded
    assert abs(rounded - price) <= tick


@pytest.mark.parametrize("lot", [0.0, -0.1, 1.5, math.nan])
def test_a_lot_is_a_unit_or_a_part_of_one(lot):
    with pytest.raises(ValueError, match=f"NVDA has lot {lot}"):
        Target(Named(), weight=0.5, lot=lot)
