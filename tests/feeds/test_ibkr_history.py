"""Bars of the past from IB Gateway."""

from datetime import UTC, datetime, timedelta

import pytest

from brokers.errors import ConfigError, DataError, Transient
from tests.feeds.tws_stage import AT, MINUTE, played


def test_history_is_of_finished_bars_in_the_range_asked():
    async def play(stage):
        found = await stage.bars.history(["AAPL"], AT + 2 * MINUTE, AT + 60 * MINUTE, "1m")
        starts = [bar.start_at for bar in found["AAPL"]]
        assert starts == [AT + n * MINUTE for n in range(2, 10)]
        assert found["AAPL"][0].close == 100.2

    played(play)


def test_unknown_symbol_is_an_error_that_names_it():
    async def play(stage):
        with pytest.raises(DataError, match="no contract for NOSUCH"):
            await stage.bars.history(["NOSUCH"], AT, AT + MINUTE, "1m")

    played(play)


def test_daily_bar_comes_from_history_after_the_close():
    async def play(stage):
        found = await stage.bars.history(["AAPL"], AT - timedelta(days=1), AT, "1d")
        assert found["AAPL"] == ()  # the session has not closed
        stage.venue.move(datetime(2024, 3, 4, 21, 5, tzinfo=UTC))
        start = datetime(2024, 3, 4, 5, tzinfo=UTC)  # midnight in New York
        found = await stage.bars.history(["AAPL"], start, stage.venue.at, "1d")
        assert [bar.start_at for bar in found["AAPL"]] == [start]

    played(play)


def test_symbol_that_is_listed_twice_has_no_bars():
    async def play(stage):
        with pytest.raises(DataError, match="ibkr: IB lists AAPL 2 times: write one of"):
            await stage.bars.history(["AAPL"], AT, AT + MINUTE, "1m")

    played(play, twins=(("AAPL", "EBS"),))


def test_history_of_other_spans_is_refused():
    async def play(stage):
        with pytest.raises(ConfigError, match="ibkr: bars are 1m, 5m"):
            await stage.bars.history(["AAPL"], AT, AT + MINUTE, "1w")

    played(play)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Historical Market Data Service error message:No market data permissions", "permission"),
        ("Historical Market Data Service error message:API interface error", "no history of AAPL"),
    ],
)
def test_history_that_may_not_be_had_is_one_line(text, told):
    async def play(stage):
        stage.api.answers[20] = lambda client, fields: client.error(fields[1], 162, text)
        with pytest.raises(DataError, match=told) as caught:
            await stage.bars.history(["AAPL"], AT, AT + MINUTE, "1m")
        assert "\n" not in str(caught.value)

    played(play)


def test_history_that_was_asked_for_too_fast_is_asked_for_three_times():
    async def play(stage):
        asked = []

        def pacing(client, fields):
            asked.append(fields)
            text = "Historical Market Data Service error message:pacing violation"
            client.error(fields[1], 162, text)

        stage.api.answers[20] = pacing
        with pytest.raises(Transient, match="asked for too fast"):
            await stage.bars.history(["AAPL"], AT, AT + MINUTE, "1m")
        assert len(asked) == 3

    played(play)


def test_history_that_is_late_leaves_the_line_up():
    async def play(stage):
        stage.api.answers[20] = lambda *_: None
        with pytest.raises(Transient, match=r"no historicalDataEnd in 0\.05 s"):
            await stage.bars.history(["AAPL"], AT, AT + MINUTE, "1m")
        assert list(stage.api.sessions) == [2]

    played(play, timeout_s=0.05)
