"""Orders of which one alone fills."""

from types import SimpleNamespace

from brokers.ties import Ties


def order(ref, remaining=1, parent=None):
    return SimpleNamespace(ref=ref, parent=parent, executed=SimpleNamespace(remsize=remaining))


def test_a_leg_has_its_entrys_root_and_an_order_its_partners():
    ties, entry, first = Ties(), order(1), order(3)
    second, third = order(4), order(5)
    ties.tie(second, first)
    ties.tie(third, second)
    roots = [ties.root(each) for each in (entry, order(2, parent=entry), first, second, third)]
    assert roots == [1, 1, 3, 3, 3]


def test_of_each_group_the_largest_counts():
    ties, first, second = Ties(), order(1, -5), order(2, -7)
    ties.tie(second, first)
    assert next(ties.apart([first, second, order(3)])) is second
    assert len(list(ties.apart([second, first, order(3)]))) == 2


def test_what_is_cancelled_takes_its_partner_along():
    ties, first, second = Ties(), order(1), order(2)
    ties.tie(second, first)
    ties.leave(second)
    assert ties.is_leaving(first)
    assert not ties.is_leaving(order(3))
