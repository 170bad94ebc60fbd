import pytest

from brokers.errors import ConfigError
from brokers.wire.alpaca_access import keys_refused, trading_url
from tests.brokers.alpaca_double import KEY_ID, SECRET, keys


@pytest.mark.parametrize(
    ("where", "url"),
    [
        ("paper", "https://paper-api.alpaca.markets"),
        ("live", "https://api.alpaca.markets"),
        ("http://127.0.0.1:8765/", "http://127.0.0.1:8765"),
        ("http://localhost:8765", "http://localhost:8765"),
        ("https://venue.example", "https://venue.example"),
    ],
)
def test_account_has_an_address(where, url):
    assert trading_url(where) == url


@pytest.mark.parametrize("where", ["papr", "ftp://venue.example", "https://", "https://a.b/v2"])
def test_what_is_no_address_is_refused(where):
    with pytest.raises(ConfigError, match="say paper, live, or scheme://host:port"):
        trading_url(where)


def test_keys_never_travel_unencrypted_to_another_machine():
    with pytest.raises(ConfigError, match=r"use https://venue\.example:80"):
        trading_url("http://venue.example:80")


def test_keys_are_shown_to_the_venue_alone():
    assert keys().headers() == {"APCA-API-KEY-ID": KEY_ID, "APCA-API-SECRET-KEY": SECRET}
    for shown in (repr(keys()), str(keys()), f"{keys()}"):
        assert KEY_ID not in shown
        assert SECRET not in shown


def test_refused_keys_are_named_by_their_variables():
    text = str(keys_refused("live"))
    assert "APCA_API_KEY_ID" in text
    assert "APCA_API_SECRET_KEY" in text
    assert "paper" in text
