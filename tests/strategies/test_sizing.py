import pytest

from strategies import PercentOfEquity
from tests.strategies.stage import flat, play, scripted

ONE = scripted({1: [{"size": 1}]})


@pytest.mark.parametrize(("percent", "size"), [(50.0, 714), (95.0, 1357), (0.01, 0)])
def test_a_stake_is_a_share_of_equity_in_whole_units(percent, size):
    # 100,000 at a price of 70: 50 % is 714.28 units
    ran = play(ONE, flat([70.0] * 4), sizer=(PercentOfEquity, {"percent": percent}))
    assert ran.strategy.position.size == size


def test_a_stake_without_a_price_is_nothing():
    ran = play(ONE, flat([0.0] * 4), sizer=(PercentOfEquity, {"percent": 95.0}))
    assert ran.orders == []


def test_a_stake_is_asked_when_a_position_is_opened_and_holds_until_it_is_closed():
    prices = [100.0, 100.0, 50.0, 50.0, 50.0, 50.0, 50.0]
    script = {1: [{"size": 1}], 3: [{"size": 1}], 4: [{"size": 0}], 6: [{"size": 1}]}
    ran = play(scripted(script), flat(prices), sizer=(PercentOfEquity, {"percent": 10.0}))
    # 10,000 at 100; then 95,000 are left, of which 9,500 at 50
    assert [fill[2] for fill in ran.fills()] == [100, -100, 190]
