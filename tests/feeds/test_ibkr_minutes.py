from datetime import UTC, datetime, timedelta

from brokers.wire.transport import VenueBar
from feeds.ibkr_minutes import Minutes

AT = datetime(2024, 3, 4, 15, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECOND_S = int(AT.timestamp())


def slices(minute, first=0, last=12, price=100.0):
    start_s = SECOND_S + 60 * minute
    return [
        (start_s + 5 * n, (price, price + n, price - n, price), 10.0) for n in range(first, last)
    ]


def test_minute_is_given_with_its_last_five_seconds():
    minutes = Minutes("AAPL")
    given = [minutes.add(*part) for part in slices(0)]
    assert given[:-1] == [[]] * 11
    assert given[-1] == [VenueBar("AAPL", AT, 100.0, 111.0, 89.0, 100.0, 120.0)]


def test_minute_without_its_last_slice_is_given_with_the_next_one_s_first():
    minutes = Minutes("AAPL")
    for part in slices(0, last=7):
        assert minutes.add(*part) == []
    (bar,) = minutes.add(*slices(1)[0])
    assert (bar.start_at, bar.volume) == (AT, 70.0)


def test_minute_that_was_joined_in_its_middle_is_left_to_history():
    minutes = Minutes("AAPL")
    assert [bar for part in slices(0, first=4) for bar in minutes.add(*part)] == []
    assert [bar.start_at for part in slices(1) for bar in minutes.add(*part)] == [AT + MINUTE]


def test_slice_without_trades_adds_no_negative_volume():
    minutes = Minutes("AAPL")
    parts = [(at, prices, -1.0) for at, prices, _ in slices(0)]
    (bar,) = [bar for part in parts for bar in minutes.add(*part)]
    assert bar.volume == 0.0
