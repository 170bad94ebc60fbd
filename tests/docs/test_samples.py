"""The samples of alpaca-backtrader-api, ported: they run, and live as in a backtest."""

import pytest

from backtest import run
from backtest.spec import RunSpec
from feeds import history
from live.rehearsal.in_memory import rehearse
from live.rehearsal.play import Play
from tests.docs.blocks import DOCS

SAMPLES = sorted((DOCS / "migration" / "samples").glob("*.py"))
TRADING = [sample for sample in SAMPLES if sample.stem != "resampling"]


def minutes(last_day: str = "2024-01-04"):
    return history("synthetic", ["SPY", "XLK"], "2024-01-02", last_day, "1m")


@pytest.mark.parametrize("sample", TRADING, ids=lambda sample: sample.stem)
def test_a_ported_sample_trades(sample):
    assert len(run(str(sample), minutes()).orders) > 2


def test_the_ported_resampling_is_shown_bars_of_five_minutes(capsys):
    bars = history("synthetic", ["SPY"], "2024-01-02", "2024-01-02", "5m")
    run(str(DOCS / "migration" / "samples" / "resampling.py"), bars)
    assert capsys.readouterr().out.splitlines()[:2] == [
        "2024-01-02 14:35:00",
        "2024-01-02 14:40:00",
    ]


@pytest.mark.parametrize("name", ["readme_sample", "multiple_datas"])
def test_a_ported_sample_does_live_what_it_does_in_a_backtest(name, tmp_path):
    strategy = str(DOCS / "migration" / "samples" / f"{name}.py")
    certificate = rehearse(Play(RunSpec(strategy), minutes()), tmp_path, "none")
    assert certificate.identical, certificate.text


def test_the_sample_code_ends_its_brackets_as_in_a_backtest(tmp_path):
    strategy = str(DOCS / "migration" / "samples" / "sample_code.py")
    spec = RunSpec(strategy, {"usebracket": True})
    certificate = rehearse(Play(spec, minutes("2024-01-02")), tmp_path, "none")
    assert certificate.identical, certificate.text
