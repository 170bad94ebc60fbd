import hashlib
import json
import struct
from datetime import UTC, datetime

import pandas as pd
import pytest

from brokers.errors import ConfigError, DataError
from feeds.passport import Passport, content_hash, passport_of, stamp

FETCHED_AT = datetime(2024, 7, 8, 12, tzinfo=UTC)


def bars_on(*days: str) -> pd.DataFrame:
    index = pd.DatetimeIndex(days, tz="UTC")
    return pd.DataFrame(
        {"open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0, "volume": 5.0}, index=index
    )


def test_the_hash_is_that_of_little_endian_nanoseconds_and_columns():
    nanoseconds = 1_720_051_200_000_000_000  # 2024-07-04T00:00:00Z
    content = struct.pack("<q5d", nanoseconds, 10.0, 12.0, 9.0, 11.0, 5.0)
    assert content_hash(bars_on("2024-07-04")) == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_the_hash_does_not_depend_on_the_resolution_of_the_index(unit):
    bars = bars_on("2024-07-03", "2024-07-05")
    other = bars.set_index(bars.index.as_unit(unit))
    assert content_hash(other) == content_hash(bars)


def test_a_stamped_frame_carries_its_passport():
    bars = stamp(
        bars_on("2024-07-02", "2024-07-03", "2024-07-08"),
        symbol="NVDA",
        source="yahoo",
        timeframe="1d",
        feed="chart",
        adjustment="total",
        calendar="XNYS",
        fetched_at=FETCHED_AT,
        repairs=("two rows left out",),
    )
    assert bars.attrs["passport"] == Passport(
        symbol="NVDA",
        source="yahoo",
        timeframe="1d",
        feed="chart",
        adjustment="total",
        calendar="XNYS",
        fetched_at=FETCHED_AT,
        sha256=content_hash(bars),
        gaps=("2024-07-05",),
        gap_count=1,
        repairs=("two rows left out",),
    )


def test_what_a_source_does_not_say_is_unknown():
    passport = stamp(bars_on("2024-07-02"), symbol="A", source="x", timeframe="1d").attrs[
        "passport"
    ]
    assert (passport.adjustment, passport.calendar, passport.fetched_at) == ("unknown", None, None)
    assert passport.id == passport.sha256[:12]
    assert not passport.synthetic


def test_only_the_first_twenty_gaps_are_named_and_all_are_counted():
    bars = stamp(
        bars_on("2024-01-02", "2024-12-31"),
        symbol="A",
        source="x",
        timeframe="1d",
        calendar="XNYS",
    )
    passport = bars.attrs["passport"]
    assert len(passport.gaps) == 20
    assert passport.gap_count == 252 - 2  # NYSE had 252 sessions in 2024


def test_a_passport_survives_json():
    bars = stamp(
        bars_on("2024-07-02", "2024-07-05"),
        symbol="A",
        source="x",
        timeframe="1d",
        calendar="XNYS",
        fetched_at=FETCHED_AT,
        repairs=("one",),
    )
    passport = bars.attrs["passport"]
    assert Passport.from_dict(json.loads(json.dumps(passport.as_dict()))) == passport


def test_a_frame_without_passport_gets_one_with_its_timeframe_inferred():
    passport = passport_of(bars_on("2024-07-02", "2024-07-03"), "NVDA")
    assert (passport.symbol, passport.source, passport.timeframe) == ("NVDA", "frame", "1d")


def test_a_frame_without_passport_whose_timeframe_is_unclear_is_refused():
    with pytest.raises(DataError, match=r"^NVDA: 1 bar\(s\) do not tell the timeframe"):
        passport_of(bars_on("2024-07-02"), "NVDA")


def test_bars_changed_after_stamping_no_longer_pass_for_the_originals():
    bars = stamp(
        bars_on("2024-07-02", "2024-07-03"), symbol="A", source="x", timeframe="1d", repairs=("r",)
    )
    assert passport_of(bars) == bars.attrs["passport"]
    changed = bars * 2
    passport = passport_of(changed)
    assert passport.sha256 == content_hash(changed) != bars.attrs["passport"].sha256
    assert passport.repairs == ("r", "changed after it was stamped")
    changed.attrs["passport"] = passport
    assert passport_of(changed * 2).repairs == passport.repairs


def test_stamping_checks_the_bars_and_the_calendar():
    with pytest.raises(DataError, match="A: the times have no zone"):
        stamp(bars_on("2024-07-02").tz_localize(None), symbol="A", source="x", timeframe="1d")
    with pytest.raises(ConfigError, match="unknown calendar"):
        stamp(bars_on("2024-07-02"), symbol="A", source="x", timeframe="1d", calendar="XNYZ")
