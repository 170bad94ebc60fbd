"""Questions at a session's start survive a connection that breaks."""

import asyncio
from typing import Any

import pytest

from brokers.errors import Transient
from brokers.wire.http import NoAnswer, Response
from live.asking import ask


class Shaky:
    """A host whose connection breaks so many times."""

    def __init__(self, breaks: int) -> None:
        self.left = breaks
        self.asked = 0

    async def request(self, method: str, path: str, **_: Any) -> Response:
        self.asked += 1
        if self.left:
            self.left -= 1
            raise NoAnswer(f"the connection broke during {method} {path}")
        return Response(200, {}, b'{"tradable": true}')


def test_a_question_is_asked_three_times_and_no_more() -> None:
    host: Any = Shaky(2)
    assert asyncio.run(ask(host, "/v2/assets/SPY")) == {"tradable": True}
    assert host.asked == 3
    lost: Any = Shaky(3)
    with pytest.raises(Transient, match="broke during GET"):
        asyncio.run(ask(lost, "/v2/assets/SPY"))
