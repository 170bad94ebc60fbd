import sys

import backtrader as bt

from strategies import Strategy
from strategies.pickling import by_value
from strategies.sma_cross import SmaCross


def notebook_class(base):
    """A class as a cell defines it, twice, because cells are run twice."""
    for _ in range(2):
        cls = type("Cell", (base,), {"__module__": "__main__"})
    return cls


def is_entered(part):
    return getattr(sys.modules[part.__module__], part.__name__, None) is part


def derived(cls):
    return [cls.params, cls.lines, cls.plotinfo, cls.plotlines, cls.linealias]


def test_what_backtrader_derived_for_a_notebook_class_has_no_name_for_a_while():
    for cls in (notebook_class(bt.Strategy), notebook_class(Strategy), notebook_class(SmaCross)):
        with by_value(cls):
            assert not any(is_entered(part) for part in derived(cls))
        assert all(is_entered(part) for part in derived(cls))


def test_what_belongs_to_a_module_keeps_its_name():
    with by_value(notebook_class(SmaCross)), by_value(SmaCross):
        assert all(is_entered(part) for part in derived(SmaCross))
        assert all(is_entered(part) for part in derived(bt.Strategy))


def test_the_indicators_of_a_notebook_go_along():
    main = sys.modules["__main__"]
    main.Cell = type("Cell", (bt.Indicator,), {"__module__": "__main__", "lines": ("z",)})
    with by_value(notebook_class(Strategy)):
        names = [is_entered(part) for part in derived(main.Cell)]
    assert not any(names)
    del main.Cell
