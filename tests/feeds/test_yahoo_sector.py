"""Yahoo's name of a sector, through the real yfinance against a local server."""

import random

import pytest

from brokers.clock import ManualClock
from brokers.errors import DataError
from feeds import yahoo
from feeds.vendor import UnknownSymbol
from tests.feeds.servers import Reply
from tests.feeds.yahoo_server import NOW, YahooServer, serving

KNOWN = {"JNJ": ("Healthcare", "EQUITY"), "SPY": ("", "ETF")}


def sector(server: YahooServer, symbol: str) -> str:
    with serving(server) as (_, session):
        return yahoo.sector(symbol, session=session, clock=ManualClock(NOW), rng=random.Random(1))


@pytest.mark.parametrize(("symbol", "name"), [("JNJ", "Healthcare"), ("SPY", "")])
def test_a_company_has_a_sector_and_a_fund_has_none(symbol: str, name: str) -> None:
    assert sector(YahooServer(profiles=KNOWN), symbol) == name


def test_a_symbol_that_yahoo_does_not_know_is_called_unknown() -> None:
    with pytest.raises(UnknownSymbol, match="unknown symbol 'NOPE': check the ticker"):
        sector(YahooServer(profiles=KNOWN), "NOPE")


def test_an_answer_without_a_kind_is_of_no_known_symbol() -> None:
    with pytest.raises(UnknownSymbol, match="unknown symbol 'GHOST'"):
        sector(YahooServer(profiles={"GHOST": ("", "")}), "GHOST")


def test_a_rate_limit_that_stays_is_no_unknown_symbol() -> None:
    with pytest.raises(DataError, match=r"rate limit is reached.*wait some minutes") as caught:
        sector(YahooServer(profiles=KNOWN, always=Reply(429, "Too Many Requests")), "JNJ")
    assert not isinstance(caught.value, UnknownSymbol)
