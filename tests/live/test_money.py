"""Real money takes an explicit word, twice."""

import pytest

from brokers.errors import ConfigError
from live.money import WORD, confirmed


def test_paper_needs_no_word() -> None:
    confirmed("paper", said=False, word="")
    confirmed("alpaca", said=False, word="")


def test_real_money_needs_both() -> None:
    confirmed("alpaca-live", said=True, word=WORD)
    with pytest.raises(ConfigError, match="add --yes-real-money"):
        confirmed("alpaca-live", said=False, word=WORD)
    with pytest.raises(ConfigError, match="SEAWALL_REAL_MONEY"):
        confirmed("alpaca-live", said=True, word="yes")
