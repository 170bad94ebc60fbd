"""What `import backtest` gives, and what it leaves alone until it is used."""

import subprocess
import sys

import pytest

import backtest

SLOW = ("pandas", "backtrader", "numba", "matplotlib", "typer")


def test_every_name_is_found_in_its_module():
    for name in backtest.__all__:
        found = getattr(backtest, name)
        assert found.__name__ == name
        assert name in dir(backtest)


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'runs'"):
        backtest.runs  # noqa: B018


@pytest.mark.parametrize(
    ("code", "left_alone"),
    [("import backtest", SLOW), ("from backtest import run, sweep", ("numba", "matplotlib"))],
)
def test_an_import_leaves_alone_what_is_slow(code, left_alone):
    told = f"{code}; import sys; print(*sorted(sys.modules.keys() & set({left_alone!r})))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
