import pandas as pd
import pytest

from analyzers.gathered import gather, symbols_in
from brokers.clock import ManualClock
from brokers.errors import DataError, Transient
from feeds.bars_spec import BarsSpec
from tests.feeds.polygon_server import KEY, NOW, PolygonServer
from tests.feeds.servers import Loopback, Reply


@pytest.fixture
def closes(tmp_path):
    index = pd.date_range("2024-01-01", periods=5, name="Date")
    table = pd.DataFrame({name: range(5, 10) for name in ("A", "B", "SPY")}, index=index)
    table.to_csv(tmp_path / "closes.csv")
    return tmp_path / "closes.csv"


def spec(closes, *symbols):
    return BarsSpec("files", symbols, options={"path": closes})


def test_without_symbols_all_that_there_is_comes(closes):
    found = gather(spec(closes), ("XLE",))
    assert (list(found.frames), found.missing) == (["A", "B", "SPY"], {})


def test_all_at_once_where_all_are_known(closes):
    found = gather(spec(closes, "A", "SPY"), ("SPY", "B"))
    assert (list(found.frames), found.missing) == (["A", "SPY", "B"], {})


def test_unknown_symbols_are_named_with_the_reason_and_the_others_come(closes):
    found = gather(spec(closes, "A", "NOPE"), ("SPY", "XLE"))
    assert sorted(found.frames) == ["A", "SPY"]
    assert list(found.missing) == ["NOPE", "XLE"]
    assert "has no column 'NOPE'" in found.missing["NOPE"]


def test_an_unknown_symbol_beside_those_asked_for_costs_them_nothing(closes):
    found = gather(spec(closes, "A", "B"), ("XLE",))
    assert (sorted(found.frames), list(found.missing)) == (["A", "B"], ["XLE"])


def test_no_symbol_of_those_asked_for_is_refused_with_the_sources_own_words(closes):
    with pytest.raises(DataError, match=r"asked for has bars: X: closes.csv has no column 'X'"):
        gather(spec(closes, "X", "Y"), ("SPY",))


def test_a_source_that_leaves_out_a_symbol_has_it_missing(tmp_path):
    day = [{"T": "A", "o": 1.0, "h": 1.0, "l": 1.0, "c": 1.0, "v": 1.0}]
    with Loopback(PolygonServer(grouped={"2024-03-08": day})) as loopback:
        options = {"api_key": KEY, "base": loopback.url, "cache": tmp_path, "partial": True}
        asked = BarsSpec(
            "polygon_grouped", ("A", "B"), "2024-03-08", "2024-03-08", None,
            {**options, "clock": ManualClock(NOW)},
        )  # fmt: skip
        found = gather(asked)
    assert (list(found.frames), found.missing) == (
        ["A"],
        {"B": "polygon_grouped has no bars of it"},
    )


def test_a_source_that_gave_up_is_asked_no_more(tmp_path):
    busy = Reply.of({"status": "ERROR"}, 429)
    with Loopback(PolygonServer(always=busy)) as loopback:
        options = {"api_key": KEY, "base": loopback.url, "clock": ManualClock(NOW)}
        asked = BarsSpec("polygon", ("A", "B", "C"), "2024-03-08", None, "1d", options)
        with pytest.raises(DataError, match="wait some minutes") as caught:
            gather(asked)
    assert isinstance(caught.value.__cause__, Transient)
    assert {request.path.split("/")[4] for request in loopback.requests} == {"A"}


def test_a_file_of_symbols_has_one_a_line(tmp_path):
    path = tmp_path / "universe.csv"
    path.write_text("symbol,name\nAAPL, Apple\n# nothing\n\nBRK.B  # with a dot\nAAPL\n")
    assert symbols_in(path) == ("AAPL", "BRK.B")


@pytest.mark.parametrize(("text", "complaint"), [(None, "cannot be read"), ("#\n", "no symbol")])
def test_a_file_without_symbols_is_refused(tmp_path, text, complaint):
    path = tmp_path / "universe.txt"
    if text is not None:
        path.write_text(text)
    with pytest.raises(DataError, match=complaint):
        symbols_in(path)
