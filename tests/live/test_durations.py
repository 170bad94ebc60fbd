"""Spans and speeds as one types them."""

import pytest

from brokers.errors import ConfigError
from live.durations import seconds, speed


@pytest.mark.parametrize(
    ("text", "wanted"), [("60s", 60), ("5m", 300), ("1.5h", 5400), ("2d", 172800)]
)
def test_a_span_is_read(text: str, wanted: float) -> None:
    assert seconds(text) == wanted


@pytest.mark.parametrize("text", ["", "60", "s", "-5s", "0s", "5 m", "1h30m"])
def test_what_is_no_span_says_what_is(text: str) -> None:
    with pytest.raises(ConfigError, match="write 60s, 5m"):
        seconds(text)


def test_a_speed_is_read() -> None:
    assert (speed("60x"), speed(" 1.5x ")) == (60.0, 1.5)


@pytest.mark.parametrize("text", ["", "60", "x", "-5x", "0x", "infx"])
def test_what_is_no_speed_says_what_is(text: str) -> None:
    with pytest.raises(ConfigError, match="write 60x"):
        speed(text)
