"""Splits and dividends taken out of earlier bars, once."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from analyzers.outliers.actions import Factors, factors
from brokers.errors import DataError
from feeds.actions import Action

DATES = pd.DatetimeIndex(["2024-02-01", "2024-02-02", "2024-02-05"])
SPLIT = Action("A", date(2024, 2, 5), split=2.0)
DIVIDEND = Action("A", date(2024, 2, 6), dividend=1.0)


def found(*actions: Action, adjustment: str = "none", day: date = date(2024, 2, 6)) -> Factors:
    close = np.array([[100.0], [100.0], [50.0]])
    return factors(actions, day, DATES, close, (["A"], [adjustment]))


def test_a_split_halves_earlier_prices_and_doubles_volumes() -> None:
    assert found(SPLIT).price[:, 0].tolist() == [0.5, 0.5, 1.0]
    assert found(SPLIT).share[:, 0].tolist() == [2.0, 2.0, 1.0]


def test_a_dividend_is_taken_off_the_last_close_before_it() -> None:
    assert found(DIVIDEND).price[:, 0].tolist() == [0.98, 0.98, 0.98]
    assert found(DIVIDEND, SPLIT).price[:, 0].tolist() == [0.49, 0.49, 0.98]


@pytest.mark.parametrize(
    ("adjustment", "price"), [("none", 0.49), ("split", 0.98), ("total", 1.0), ("unknown", 0.49)]
)
def test_what_the_source_has_adjusted_is_not_adjusted_again(adjustment: str, price: float) -> None:
    assert found(SPLIT, DIVIDEND, adjustment=adjustment).price[0, 0] == pytest.approx(price)


def test_actions_after_the_day_and_of_others_do_not_count() -> None:
    other = Action("B", date(2024, 2, 5), split=3.0)
    late = found(DIVIDEND, other, day=date(2024, 2, 5))
    assert late.price.tolist() == [[1.0]] * 3


def test_a_dividend_before_the_first_close_changes_nothing() -> None:
    early = Action("A", date(2024, 1, 2), dividend=5.0)
    assert found(early).price.tolist() == [[1.0]] * 3


def test_a_dividend_as_large_as_the_price_is_refused() -> None:
    with pytest.raises(DataError, match="A: the dividend of 50 on 2024-02-06 is no smaller"):
        found(Action("A", date(2024, 2, 6), dividend=50.0))


@pytest.mark.parametrize(("split", "dividend"), [(0.0, 0.0), (-1.0, 0.0), (1.0, -0.1)])
def test_an_impossible_action_is_refused(split: float, dividend: float) -> None:
    with pytest.raises(DataError, match="A: an action on 2024-02-06 has split"):
        Action("A", date(2024, 2, 6), split, dividend)
