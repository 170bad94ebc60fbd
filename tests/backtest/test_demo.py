from analyzers.journal import verify
from backtest import RunResult
from tests.backtest.terminal import in_process


def test_the_demo_trades_with_three_strategies_and_says_where_everything_is(capsys, tmp_path):
    answer = in_process(capsys, "demo", "--out", tmp_path)
    assert (answer.code, answer.err) == (0, "")
    for strategy in ("sma_cross", "donchian_bracket", "sector_rotation"):
        folder = tmp_path / strategy
        result = RunResult.load(folder)
        assert len(result.trades) > 10
        assert result.refusals == {}
        assert all(passport.synthetic for passport in result.passports.values())
        assert verify(folder / "decisions.jsonl").state == "complete"
        for name in ("report.html", "chart.png", "decisions.jsonl"):
            assert str(folder / name) in answer.out
