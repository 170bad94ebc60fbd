"""live.toml: what it may say, and the one line when it says something else."""

from pathlib import Path

import pytest

from brokers.errors import ConfigError
from live.config import load, specs
from live.reference import as_toml


def _file(folder: Path, text: str) -> Path:
    path = folder / "live.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_the_embedded_venue_trades_sma_cross_on_minute_bars() -> None:
    settings = load()
    assert (settings.venue, settings.data.timeframe) == ("paper", "1m")
    assert [spec.strategy_name for spec in specs(settings)] == ["sma_cross"]


def test_a_file_sets_strategies_their_parameters_and_limits(tmp_path: Path) -> None:
    text = """
        [data]
        symbols = ["SPY", "XLK"]
        [risk]
        max_drawdown_frac = 0.2
        [[strategies]]
        name = "sma_cross"
        params = {fast = 5, slow = 20}
        size = 10
        [[strategies]]
        name = "buy_and_hold"
        size = "95%"
    """
    first, second = specs(load(_file(tmp_path, text)))
    assert (first.params, first.size) == ({"fast": 5, "slow": 20}, 10)
    assert (second.strategy_name, second.equity_percent) == ("buy_and_hold", 95.0)
    assert first.limits.max_drawdown_frac == 0.2
    assert first.bars is not None
    assert first.bars.symbols == ("SPY", "XLK")


def test_words_of_the_command_line_go_before_the_file(tmp_path: Path) -> None:
    path = _file(tmp_path, 'venue = "alpaca"\n[data]\nsymbols = ["SPY"]\nwarmup_bars = 9\n')
    settings = load(path, {"venue": "paper", "data": {"symbols": ["XLK"], "feed": None}})
    assert (settings.venue, settings.data.symbols) == ("paper", ("XLK",))
    assert (settings.data.warmup_bars, settings.data.feed) == (9, "iex")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("venu = 'paper'", "unknown setting venu: did you mean venue?"),
        ("[data]\nsymbol = ['SPY']", "unknown setting data.symbol: did you mean symbols?"),
        ("[[strategies]]\nnaem = 'x'", "unknown setting strategies.naem: did you mean name?"),
        ("[zoo]\na = 1", "unknown setting zoo: there are venue, url"),
        ("[data]\nwarmup_bars = '9'", "data.warmup_bars: input should be a valid integer"),
        ("[risk]\nmax_drawdown_frac = 20", "risk.max_drawdown_frac: input should be less than"),
        ("[paper]\nspeed = 'fast'", "paper.speed: string should match pattern"),
        ("[data]\nsymbols = []", "data.symbols: tuple should have at least 1 item"),
        ("venue = ", "not a TOML file"),
    ],
)
def test_a_wrong_file_is_named_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(_file(tmp_path, text))
    assert told in str(error.value)
    assert "live.toml" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read: No such file"):
        load(tmp_path / "none.toml")


def test_an_alert_url_is_never_shown_not_even_when_it_is_wrong(tmp_path: Path) -> None:
    path = _file(tmp_path, '[alerts]\nurls = "slack://token"')
    with pytest.raises(ConfigError) as error:
        load(path)
    assert "token" not in str(error.value)
    right = load(_file(tmp_path, '[alerts]\nurls = ["slack://token"]'))
    assert "token" not in repr(right)
    assert right.alerts.urls[0].get_secret_value() == "slack://token"


def test_an_unknown_strategy_or_parameter_is_named() -> None:
    with pytest.raises(ConfigError, match="sma_cross"):
        specs(load(None, {"strategies": [{"name": "sma_cros"}]}))
    with pytest.raises(ConfigError, match="fast"):
        specs(load(None, {"strategies": [{"name": "sma_cross", "params": {"fats": 3}}]}))


def test_the_reference_is_a_file_that_changes_nothing(tmp_path: Path) -> None:
    assert load(_file(tmp_path, as_toml())) == load()


def test_every_setting_of_the_reference_can_be_uncommented(tmp_path: Path) -> None:
    lines = as_toml().splitlines()
    full = "\n".join(
        line[1:] if line.startswith("#") and not line.startswith("# ") and "= " in line else line
        for line in lines
        if not line.startswith("##")
    )
    assert load(_file(tmp_path, full)) == load()
