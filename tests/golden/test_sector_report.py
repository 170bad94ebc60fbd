"""The sector report of twenty large caps, pinned, and some of its numbers by other programs.

sector_report.json says where it comes from.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analyzers.sector import SectorMap, SectorReport, SectorSettings, sector_report
from feeds import history
from tests.golden.pinned import compare

PINNED = json.loads(Path(__file__).with_name("sector_report.json").read_text())
AT = datetime(2022, 12, 29, tzinfo=UTC)
SECTORS = {
    "Technology": "AAPL AMD MSFT",
    "Financials": "BAC JPM",
    "Discretionary": "BBY HD",
    "Energy": "CVX RRC XOM",
    "Industrials": "GE",
    "Health Care": "JNJ LLY MRK PFE UNH",
    "Staples": "KO PEP PG WMT",
}
MAP = SectorMap.of({name: sector for sector, names in SECTORS.items() for name in names.split()})


@pytest.fixture(scope="module")
def report(market):
    frames = history("files", (), path=market / "sp500-20-closes.csv.gz")
    frames |= history("files", (), path=market / "sp500-index-closes.csv.gz")
    settings = SectorSettings(benchmark="SP500")
    return sector_report(frames, generated_at=AT, sector_map=MAP, settings=settings)


@pytest.fixture(scope="module")
def closes(market):
    index = pd.read_csv(market / "sp500-index-closes.csv.gz", index_col=0)
    table = pd.read_csv(market / "sp500-20-closes.csv.gz", index_col=0)
    return table.assign(SP500=index["SP500"])


def part(report, name):
    return next(sector for sector in report.sectors if sector.name == name)


def test_the_report_is_what_was_pinned(report):
    compare(json.loads(report.as_bytes()), PINNED["report"])
    assert SectorReport.model_validate(PINNED["report"]).as_of == report.as_of


def test_returns_are_the_mean_of_the_members(report, closes):
    energy = closes[["CVX", "RRC", "XOM"]]
    for bars in (1, 5, 21, 63, 126, 252):
        members = (energy.iloc[-1] / energy.iloc[-1 - bars] - 1).mean()
        market = closes["SP500"].iloc[-1] / closes["SP500"].iloc[-1 - bars] - 1
        equal = part(report, "Energy").equal
        assert equal.returns[str(bars)] == pytest.approx(members)
        assert equal.excess[str(bars)] == pytest.approx(members - market)
    before = energy[energy.index < "2022"].iloc[-1]
    assert equal.returns["ytd"] == pytest.approx((energy.iloc[-1] / before - 1).mean())


def test_momentum_leaves_the_last_month_out(report, closes):
    tech = closes[["AAPL", "AMD", "MSFT"]]
    expected = (tech.iloc[-22] / tech.iloc[-253] - 1).mean()
    assert part(report, "Information Technology").equal.momentum_12_1 == pytest.approx(expected)


def test_beta_and_residual_are_those_of_a_straight_line(report, closes):
    returns = closes.pct_change().iloc[-252:]
    line = returns[["KO", "PEP", "PG", "WMT"]].mean(axis=1)
    beta, alpha = np.polyfit(returns["SP500"], line, 1)
    equal = part(report, "Consumer Staples").equal
    assert equal.beta == pytest.approx(beta)
    assert equal.residual_return == pytest.approx(252 * alpha)


def test_relative_strength_is_the_line_over_the_market(report, closes):
    returns = closes.pct_change()
    line = (1 + returns[["KO", "PEP", "PG", "WMT"]].mean(axis=1)).cumprod()
    relative = line / closes["SP500"]
    equal = part(report, "Consumer Staples").equal
    assert equal.strength_level == pytest.approx(100 * relative.iloc[-1] / relative.iloc[-253])
    slope = np.polyfit(np.arange(63), np.log(relative.iloc[-63:]), 1)[0] * 252
    assert equal.strength_slope == pytest.approx(slope)
    assert equal.strength_percentile == relative.iloc[-252:].rank(pct=True, method="max").iloc[-1]
    away = relative / relative.rolling(126).mean() - 1
    assert equal.rotation_strength == pytest.approx(away.iloc[-1])
    assert equal.rotation_momentum == pytest.approx(away.iloc[-1] - away.iloc[-22])
    assert equal.drawdown == pytest.approx(line.iloc[-1] / line.iloc[-252:].max() - 1)


def test_members_stand_to_each_other_as_pandas_says(report, closes):
    names = ["JNJ", "LLY", "MRK", "PFE", "UNH"]
    health, last = part(report, "Health Care"), closes[names].iloc[-1]
    matrix = closes[names].pct_change().iloc[-63:].corr().to_numpy()
    assert health.correlation == pytest.approx(matrix[np.triu_indices(5, 1)].mean())
    month = last / closes[names].iloc[-22] - 1
    assert health.dispersion == pytest.approx(month.std())
    for bars in (20, 50, 200):
        share = (last > closes[names].iloc[-bars:].mean()).mean()
        assert getattr(health.breadth, f"above_{bars}") == share
    moves = closes[names].diff().iloc[-1]
    assert (health.breadth.advancers, health.breadth.decliners) == (sum(moves > 0), sum(moves < 0))
    year = closes[names].iloc[-252:]
    highs = (last == year.max()).sum()
    assert health.breadth.net_new_highs == highs - (last == year.min()).sum()
    ordered = month.sort_values(ascending=False)
    assert [item.symbol for item in health.best] == list(ordered.index[:3])
    assert [item.symbol for item in health.worst] == list(ordered.index[:-4:-1])
    assert health.best[0].contribution == pytest.approx(ordered.iloc[0] / 5)


def test_ranks_are_by_half_a_year_and_their_change_is_since_a_month(report, closes):
    names = {"Information Technology": "Technology", "Consumer Staples": "Staples"}
    wanted = [*names, "Energy", "Health Care"]
    means = [(-1, -127), (-22, -148)]
    now, then = (
        pd.Series(
            {
                name: (
                    closes[SECTORS[names.get(name, name)].split()].iloc[last]
                    / closes[SECTORS[names.get(name, name)].split()].iloc[first]
                    - 1
                ).mean()
                for name in wanted
            }
        ).rank(ascending=False)
        for last, first in means
    )
    for name in wanted:
        equal = part(report, name).equal
        assert (equal.rank, equal.rank_change) == (now[name], then[name] - now[name])


def test_what_closes_alone_do_not_tell_is_null_with_the_reason(report):
    energy = part(report, "Energy").equal
    assert (energy.volatility, energy.volume_ratio) == (None, None)
    assert energy.reasons == {
        "volatility": "closes only: no open, high and low",
        "volume_ratio": "there is no volume",
    }


def test_a_sector_of_too_few_members_has_a_reason_and_no_number(report):
    financials = part(report, "Financials")
    assert (financials.equal, financials.breadth, financials.dispersion) == (None, None, None)
    assert financials.reasons["equal"] == "2 of 2 members have a bar on the day, 3 are needed"
    assert financials.reasons["fund"] == "XLF: no bars"
