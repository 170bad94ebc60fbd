import pytest

from backtest.constraint import rule
from brokers.errors import ConfigError

NAMES = ["fast", "slow", "mode"]


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("fast < slow", True),
        ("fast * 2 <= slow and slow - fast >= 10", True),
        ("not fast < slow", False),
        ("abs(fast - slow) == 10 or mode in ('a', 'b')", True),
        ("max(fast, 30) <= slow if mode == 'a' else False", False),
    ],
)
def test_an_expression_over_the_parameters_decides(text, allowed):
    assert rule(text, NAMES)({"fast": 10, "slow": 20, "mode": "a"}) is allowed


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ("fast <", "this is no expression"),
        ("", "this is no expression"),
        ("fats < slow", "no parameter 'fats'"),
        ("__import__('os')", "no parameter '__import__'"),
        ("fast.real < 1", "Attribute cannot be used"),
        ("[x for x in (1,)]", "ListComp cannot be used"),
        ("(lambda: 1)()", "Lambda cannot be used"),
    ],
)
def test_anything_else_is_refused(text, culprit):
    with pytest.raises(ConfigError, match=culprit):
        rule(text, NAMES)


def test_a_function_is_taken_as_it_is():
    assert rule(len, NAMES) is len
    assert rule(None, NAMES) is None
