"""Cash, positions and equity out of a log's lines; expected values by hand."""

from math import isnan

import pytest

from dashboard.account import Account, Holding
from tests.dashboard.stage import bars, bought, decision, fill, session


def account_of(*records: object, is_partial: bool = False) -> Account:
    account = Account(is_partial=is_partial)
    for record in records:
        account.take(record)  # type: ignore[arg-type]
    return account


def test_a_purchase_is_paid_with_its_commission_and_valued_at_the_close() -> None:
    account = account_of(*bought())
    (held,) = account.positions
    assert account.cash == 8_999.0  # 10,000 - 10 x 100 - 1
    assert account.equity == 10_029.0  # + 10 x 103
    assert (held.units, held.average, held.last, held.unrealised) == (10.0, 100.0, 103.0, 30.0)


def test_equity_has_a_point_at_every_bar() -> None:
    curve = account_of(*bought()).curve()
    assert [each.isoformat() for each in curve.index] == [
        "2025-06-02T14:01:00+00:00",
        "2025-06-02T14:02:00+00:00",
    ]
    assert curve.to_list() == [10_000.0, 10_029.0]


def test_without_bars_equity_has_a_point_at_every_decision() -> None:
    records = [
        session(is_live=False),
        decision(1),
        decision(5, cash=9_000.0, position=10.0, close=98.0),
        decision(5, cash=9_000.0, position=10.0, close=99.0),
    ]
    assert account_of(*records).curve().to_list() == [10_000.0, 9_990.0]


@pytest.mark.parametrize(
    ("fills", "units", "average", "realised"),
    [
        ([(10, 100), (10, 110)], 20, 105, 0),
        ([(10, 100), (-4, 110)], 6, 100, 40),
        ([(10, 100), (-10, 90)], 0, 0, -100),
        ([(10, 100), (-15, 110)], -5, 110, 100),
        ([(-10, 100), (-10, 90)], -20, 95, 0),
        ([(-10, 100), (4, 90)], -6, 100, 40),
        ([(0.1, 10), (0.2, 10), (-0.3, 10)], 0, 0, 0),
    ],
)
def test_fills_average_and_realise(
    fills: list[tuple[float, float]], units: float, average: float, realised: float
) -> None:
    holding = Holding("SPY")
    for quantity, price in fills:
        holding.fill(quantity, price)
    assert (holding.units, holding.average) == (units, average)
    assert holding.realised == pytest.approx(realised)


def test_what_the_account_held_before_the_session_is_there() -> None:
    held = {"symbol": "QQQ", "quantity": "-3", "average_price": "50.5"}
    account = account_of(session(cash=1_000.0, holdings=[held]))
    assert account.equity == 848.5  # 1,000 - 3 x 50.5
    assert [each.symbol for each in account.positions] == ["QQQ"]


def test_a_split_changes_units_and_price_and_nothing_else() -> None:
    restated = {"kind": "venue", "fact": "Restated", "symbol": "SPY", "quantity": "20"}
    (held,) = (account := account_of(*bought(), restated)).positions
    assert (held.units, held.average, held.last) == (20.0, 50.0, 51.5)
    assert account.equity == 10_029.0


def test_from_the_middle_of_a_log_prices_paid_are_not_made_up() -> None:
    account = account_of(
        session(),
        decision(7, "sell", cash=9_000.0, position=10.0, close=105.0),
        fill(8, "sell", 4.0, 106.0, 6.0),
        is_partial=True,
    )
    (held,) = account.positions
    assert (held.units, held.last) == (6.0, 106.0)
    assert isnan(held.average)
    assert account.cash == 9_423.0  # 9,000 + 4 x 106 - 1


def test_from_the_middle_of_a_log_a_fill_tells_the_position() -> None:
    account = account_of(fill(8, "buy", 4.0, 106.0, 10.0), is_partial=True)
    assert account.positions[0].units == 10.0
    assert account.equity is None


def test_an_account_comes_back_as_it_was_kept() -> None:
    before = account_of(*bought())
    after = Account.restored(*before.kept())
    after.take(bars(3, 104.0))
    before.take(bars(3, 104.0))
    assert after.positions == before.positions
    assert after.curve().equals(before.curve())
