import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analyzers.columns import Columns
from analyzers.study.evaluation import forward_returns, information_coefficients
from analyzers.study.ranking import RankingReport, RankingSettings, ranking, scores
from brokers.errors import ConfigError, DataError
from feeds import history
from feeds.passport import stamp

GOLDEN = Path(__file__).parents[2] / "golden"
AT = datetime(2024, 1, 2, tzinfo=UTC)
MOMENTUM = RankingSettings(weights={"momentum_12_1": 1.0}, horizons=(5, 21), quantiles=3)


def bars(seed, rows=400, drift=0.0):
    rng = np.random.default_rng(seed)
    index = pd.bdate_range("2020-01-01", periods=rows, tz="UTC")
    close = 50 * np.exp(np.cumsum(rng.normal(drift, 0.01, rows)))
    table = {"open": close, "high": close * 1.01, "low": close * 0.99, "close": close}
    frame = pd.DataFrame({**table, "volume": rng.uniform(1e5, 1e6, rows)}, index=index)
    return stamp(frame, symbol="X", source="files", timeframe="1d", adjustment="total")


FRAMES = {f"S{number}": bars(number, drift=number * 0.0003) for number in range(9)}
SECTORS = {name: "Energy" if name < "S4" else "Utilities" for name in FRAMES}
REPORT = ranking(FRAMES, generated_at=AT, settings=MOMENTUM)


def test_the_rank_of_the_last_day_is_that_of_the_momentum():
    growth = {name: f["close"].iloc[-22] / f["close"].iloc[-253] - 1 for name, f in FRAMES.items()}
    expected = sorted(growth, key=growth.get, reverse=True)
    assert [row.symbol for row in REPORT.ranking] == expected
    assert [row.rank for row in REPORT.ranking] == list(range(1, 10))
    first = REPORT.ranking[0]
    assert first.factors["momentum_12_1"] == pytest.approx(growth[first.symbol])


def test_a_score_is_the_weighted_mean_of_standardised_factors():
    used = RankingSettings(weights={"momentum_12_1": 3.0, "reversal": -1.0}, limit=99.0)
    report = ranking(FRAMES, generated_at=AT, settings=used)
    table = pd.DataFrame({row.symbol: row.factors for row in report.ranking}).T
    z = (table - table.mean()) / table.std(ddof=0)
    expected = (3 * z["momentum_12_1"] - z["reversal"]) / 4
    assert {row.symbol: row.score for row in report.ranking} == pytest.approx(dict(expected))


def test_judged_days_are_every_so_many_bars_back_from_the_last():
    columns = Columns.of(FRAMES)
    score = scores(columns, MOMENTUM).score
    days = range(399, -1, -21)
    ahead = forward_returns(columns.close, 21)
    found = [information_coefficients(score[[d]], ahead[[d]])[0] for d in days]
    known = [value for value in found if not np.isnan(value)]
    judged = REPORT.judged[1]
    assert (judged.horizon, judged.days) == (21, len(known))
    assert judged.ic_mean == pytest.approx(np.mean(known))
    assert judged.spread == judged.quantile_returns[-1] - judged.quantile_returns[0]


def test_no_symbol_is_ranked_before_it_is_known_and_none_after_its_end():
    late = {**FRAMES, "NEW": FRAMES["S1"].iloc[300:], "OLD": FRAMES["S2"].iloc[:350]}
    report = ranking(late, generated_at=AT, settings=MOMENTUM)
    reasons = {row.symbol: row.reason for row in report.ranking if row.rank is None}
    assert reasons == {
        "NEW": "100 bars do not determine momentum_12_1",
        "OLD": f"its last bar is of {FRAMES['S2'].index[349]:%Y-%m-%d}",
    }
    table = scores(Columns.of(late), MOMENTUM).table()
    assert table.loc[table["symbol"] == "OLD", "time"].max() == FRAMES["S2"].index[349]
    assert not (table["symbol"] == "NEW").any()


def test_a_sector_competes_with_itself_when_neutral():
    used = RankingSettings(weights={"momentum_12_1": 1.0}, neutral=True, limit=99.0)
    report = ranking(FRAMES, generated_at=AT, settings=used, sectors=SECTORS)
    for sector in ("Energy", "Utilities"):
        mean = np.mean([row.score for row in report.ranking if row.sector == sector])
        assert mean == pytest.approx(0.0, abs=1e-12)


def test_without_a_sector_there_is_no_neutral_score():
    known = {name: SECTORS[name] for name in SECTORS if name != "S5"}
    used = RankingSettings(weights={"momentum_12_1": 1.0}, neutral=True)
    report = ranking(FRAMES, generated_at=AT, settings=used, sectors=known)
    assert [(row.symbol, row.reason) for row in report.ranking if row.rank is None] == [
        ("S5", "it has no sector")
    ]


def test_neutral_without_sectors_is_refused():
    with pytest.raises(ConfigError, match="give the sectors"):
        ranking(FRAMES, generated_at=AT, settings=RankingSettings(neutral=True))


def test_the_same_bars_in_any_order_give_the_same_bytes():
    other = ranking(dict(reversed(FRAMES.items())), generated_at=AT, settings=MOMENTUM)
    assert other.as_bytes() == REPORT.as_bytes()


def test_a_report_is_read_as_it_was_saved(tmp_path):
    REPORT.save(tmp_path / "ranking.json")
    assert RankingReport.load(tmp_path / "ranking.json") == REPORT


def test_symbols_without_bars_are_named_with_the_reason():
    report = ranking(FRAMES, generated_at=AT, settings=MOMENTUM, missing={"GONE": "no bars"})
    assert (report.universe, report.missing) == (10, {"GONE": "no bars"})


def test_one_symbol_is_ranked_and_judged_by_nothing():
    report = ranking({"S0": FRAMES["S0"]}, generated_at=AT, settings=MOMENTUM)
    assert report.ranking[0].rank == 1
    assert report.judged[0].ic_mean is None
    assert report.turnover is None


def test_volume_that_is_not_there_leaves_liquidity_unknown():
    frames = {
        name: stamp(
            frame.assign(volume=0.0), symbol=name, source="files", timeframe="1d",
            repairs=("no volume in the file: it is 0",),
        )
        for name, frame in FRAMES.items()
    }  # fmt: skip
    report = ranking(frames, generated_at=AT, settings=MOMENTUM)
    assert {row.factors["liquidity"] for row in report.ranking} == {None}
    assert report.ranking[0].rank == 1


def test_no_bars_at_all_are_no_ranking():
    with pytest.raises(DataError, match="there are none"):
        ranking({}, generated_at=AT)


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ({"weights": {"luck": 1.0}}, "no factor 'luck'"),
        ({"weights": {"reversal": 0.0}}, "every weight is zero"),
        ({"lag": -1}, "lag=-1"),
        ({"quantiles": 1}, "at least 2"),
        ({"horizons": ()}, "at least one"),
    ],
)
def test_settings_that_make_no_sense_are_refused(how, text):
    with pytest.raises(ConfigError, match=text):
        RankingSettings(**how)


def test_the_ranking_of_twenty_large_caps_is_as_it_was(market):
    """Pinned in tests/golden/ranking.json, made once by this code from skfolio's closes (BSD-3)."""
    frames = history("files", (), path=market / "sp500-20-closes.csv.gz", start="2012-01-01")
    report = ranking(frames, generated_at=AT)
    pinned = json.loads((GOLDEN / "ranking.json").read_text())
    assert report.as_of.isoformat() == pinned["as_of"]
    told = {row.symbol: [row.rank, row.score] for row in report.ranking}
    assert told == {name: pytest.approx(it) for name, it in pinned["ranking"].items()}
    judged = {str(it.horizon): [it.ic_mean, it.ic_t, it.spread] for it in report.judged}
    assert judged == {name: pytest.approx(it) for name, it in pinned["judged"].items()}
