import os
import sys
from dataclasses import dataclass
from typing import Literal

import backtrader as bt
import pytest

import strategies
from strategies import Parameter, Strategy, UnknownStrategy, find, names, parameters
from strategies.sma_cross import SmaCross

SIX = [
    "buy_and_hold",
    "donchian_bracket",
    "outlier_fade",
    "rsi_reversion",
    "sector_rotation",
    "sma_cross",
]
PLAIN = "import backtrader as bt\n\nclass Old(bt.Strategy):\n    params = (('days', 3),)\n"
TWO = PLAIN + "\nclass New(Old):\n    pass\n"


@pytest.fixture
def folder(tmp_path):
    """A folder whose files count as files of strategies/."""
    strategies.__path__.append(str(tmp_path))
    known = set(sys.modules)
    yield tmp_path
    strategies.__path__.remove(str(tmp_path))
    for name in set(sys.modules) - known:
        del sys.modules[name]


def test_the_six_are_there():
    assert set(SIX) <= set(names())


def test_a_file_is_a_strategy(folder):
    (folder / "old_faithful.py").write_text(PLAIN)
    assert "old_faithful" in names()
    assert find("old_faithful").__name__ == "Old"


def test_a_file_whose_name_begins_with_an_underscore_is_none(folder):
    (folder / "_draft.py").write_text(PLAIN)
    assert "_draft" not in names()


def test_a_file_that_changes_within_a_second_is_read_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = tmp_path / "mine.py"
    levels = []
    for level in (1, 2):
        path.write_text(f"{PLAIN}\n\nLEVEL = {level}\n")
        os.utime(path, (1_700_000_000, 1_700_000_000))
        levels.append(sys.modules[find(str(path)).__module__].LEVEL)
    assert levels == [1, 2]


def installed(place, point):
    """A package that offers a strategy."""
    (place / "elsewhere.py").write_text(PLAIN)
    (place / "elsewhere-1.dist-info").mkdir()
    (place / "elsewhere-1.dist-info" / "METADATA").write_text("Name: elsewhere\nVersion: 1\n")
    points = f"[seawall.strategies]\nfaithful = {point}\n"
    (place / "elsewhere-1.dist-info" / "entry_points.txt").write_text(points)


def test_an_entry_point_is_a_strategy(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    installed(tmp_path, "elsewhere:Old")
    assert "faithful" in names()
    assert find("faithful").__module__ == "elsewhere"
    del sys.modules["elsewhere"]


@pytest.mark.parametrize("point", ["gone:Old", "elsewhere:Gone"])
def test_an_entry_point_that_leads_nowhere_names_its_package(tmp_path, monkeypatch, point):
    monkeypatch.syspath_prepend(tmp_path)
    installed(tmp_path, point)
    with pytest.raises(UnknownStrategy, match="strategy faithful of elsewhere cannot be imported"):
        find("faithful")
    sys.modules.pop("elsewhere", None)


@pytest.mark.parametrize("name", ["sma_cross", "strategies.sma_cross:SmaCross"])
def test_a_strategy_is_found_by_name(name):
    assert find(name) is SmaCross


def test_a_class_is_itself():
    assert find(SmaCross) is SmaCross


@pytest.mark.parametrize(("suffix", "name"), [("", "Old"), (":Old", "Old")])
def test_a_strategy_is_found_in_a_file(tmp_path, suffix, name):
    (tmp_path / "mine.py").write_text(PLAIN)
    cls = find(f"{tmp_path / 'mine.py'}{suffix}")
    assert issubclass(cls, bt.Strategy)
    assert cls.__name__ == name
    assert find(f"{tmp_path / 'mine.py'}{suffix}") is cls


def test_an_edited_file_is_read_again(tmp_path):
    (tmp_path / "mine.py").write_text(PLAIN)
    before = find(str(tmp_path / "mine.py"))
    (tmp_path / "mine.py").write_text(PLAIN.replace("3", "4"))
    assert (before.params().days, find(str(tmp_path / "mine.py")).params.days) == (3, 4)


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(UnknownStrategy, match=r"'sma_crss': did you mean 'sma_cross'\? there are"):
        find("sma_crss")


def test_a_name_far_from_all_says_what_there_is():
    with pytest.raises(ValueError, match="no strategy is called 'zzz': there are buy_and_hold, "):
        find("zzz")


@pytest.mark.parametrize(
    ("text", "suffix", "problem"),
    [
        (PLAIN, ":Odl", "has no Odl: did you mean 'Old'?"),
        (PLAIN, ":bt", "is not a Backtrader strategy class"),
        (TWO, "", "defines several strategies, name one of Old, New after a colon"),
        ("x = 1\n", "", "defines no Backtrader strategy"),
        ("def\n", "", "cannot be imported: invalid syntax"),
        ("import nosuchmodule\n", "", "cannot be imported: No module named 'nosuchmodule'"),
    ],
)
def test_a_file_that_does_not_hold_it_says_why(tmp_path, text, suffix, problem):
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(UnknownStrategy) as raised:
        find(f"{tmp_path / 'mine.py'}{suffix}")
    assert problem in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_says_so(tmp_path):
    with pytest.raises(UnknownStrategy, match=r"mine\.py cannot be read: No such file"):
        find(str(tmp_path / "mine.py"))


def test_a_module_that_is_not_there_says_so():
    with pytest.raises(UnknownStrategy, match="nowhere cannot be imported: No module named"):
        find("nowhere:Mine")


def test_what_is_no_strategy_is_refused():
    with pytest.raises(UnknownStrategy, match="is not a Backtrader strategy class"):
        find(int)


def test_parameters_have_type_and_words():
    class Mine(Strategy):
        @dataclass(frozen=True)
        class Config:
            """Parameters.

            Args:
                bars: how many
                    to look at.
                side: where to stand.
            """

            bars: int = 3
            side: Literal["long", "short"] = "long"
            quiet: bool = False

    assert parameters(Mine) == [
        Parameter("bars", 3, int, "how many to look at."),
        Parameter("side", "long", Literal["long", "short"], "where to stand."),
        Parameter("quiet", False, bool, ""),
    ]


def test_parameters_of_a_plain_strategy_have_the_type_of_their_default():
    class Plain(bt.Strategy):
        params = (("days", 3), ("_inner", 1), ("name", None))

    wanted = [Parameter("days", 3, int), Parameter("name", None, type(None))]
    assert parameters(Plain) == wanted


@pytest.mark.parametrize("name", SIX)
def test_every_parameter_of_the_six_is_explained(name):
    assert all(parameter.doc for parameter in parameters(find(name)))
