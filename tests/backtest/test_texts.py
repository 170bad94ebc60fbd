import pytest

from backtest import texts
from backtest.parameters import parse_params
from brokers.errors import ConfigError
from brokers.risk import RiskLimits
from strategies.sma_cross import SmaCross
from tests.backtest.test_spec import Plain


def test_pairs_are_split_at_the_first_equals_sign():
    assert texts.pairs("--param", ["fast=5", " name = a=b"]) == {"fast": "5", "name": "a=b"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["fast"], "--param fast: write it as name=value"),
        (["=5"], "--param =5"),
        (["fast="], "--param fast="),
        (["fast=5", "fast=6"], "--param fast is given twice"),
    ],
)
def test_what_is_no_pair_is_refused(given, words):
    with pytest.raises(ConfigError, match=words):
        texts.pairs("--param", given)


def test_limits_are_read_by_name():
    given = ["max_order_notional=50000", "max_drawdown_frac=0.2", "restricted_symbols=A,B"]
    assert texts.limits(given) == RiskLimits(
        max_order_notional=50000, max_drawdown_frac=0.2, restricted_symbols=("A", "B")
    )


def test_no_limits_are_none():
    assert texts.limits([]) is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("max_ordr=5", "--risk max_ordr: there is no such limit: use max_order_notional"),
        ("max_order_notional=much", "max_order_notional='much': give a positive number"),
    ],
)
def test_a_wrong_limit_is_named(given, words):
    with pytest.raises(ConfigError, match=words):
        texts.limits([given])


@pytest.mark.parametrize(
    ("text", "value"), [("100", 100), ("0.5", 0.5), ("1e3", 1000.0), ("95%", "95%"), ("x", "x")]
)
def test_a_number_is_whole_where_it_can_be(text, value):
    found = texts.number(text)
    assert (found, type(found)) == (value, type(value))


def test_options_of_a_feed_are_read_as_what_they_look_like():
    given = ["adjust=true", "calendar=none", "seed=7", "stamped=end"]
    expected = {"adjust": True, "calendar": None, "seed": 7, "stamped": "end"}
    assert texts.options(given) == expected


def test_symbols_lose_blanks():
    assert texts.symbols(" A, ,B,") == ("A", "B")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("period", "20", 20),
        ("stop", "0.1", 0.1),
        ("name", "20", "20"),
        ("loud", "yes", True),
        ("loud", "False", False),
        ("extra", "none", None),
        ("extra", "(1, 2)", (1, 2)),
        ("extra", "word", "word"),
    ],
)
def test_a_parameter_is_read_in_its_own_type(name, text, value):
    assert parse_params(Plain, {name: text}) == {name: value}


def test_a_text_that_is_not_of_the_type_is_refused():
    with pytest.raises(ConfigError, match="fast='five': give a whole number, such as 10"):
        parse_params(SmaCross, {"fast": "five"})
