"""What decides a sector report, beside the bars."""

from dataclasses import asdict, dataclass

from brokers.errors import ConfigError

YEAR = 252


@dataclass(frozen=True)
class SectorSettings:
    """Windows of the report, in bars.

    Args:
        benchmark: symbol of the market, such as SPY.
        min_members: a mean over fewer is not given.
        rank: sectors are ranked by the return over this.
        rank_back: the change of rank is against this many bars ago.
        slope: of the relative-strength line.
        rotation: relative strength is compared with its mean over this.
        rotation_back: and that with itself so many bars ago.
        spread: of member returns, for dispersion and contributors.
        correlation: of daily returns, pair by pair.
        volatility: of Yang and Zhang.
        volume: the volume is compared with its mean over this, the last bar's included.

    Raises:
        ConfigError: a number that makes no sense.
    """

    benchmark: str = "SPY"
    min_members: int = 3
    rank: int = 126
    rank_back: int = 21
    slope: int = 63
    rotation: int = 126
    rotation_back: int = 21
    spread: int = 21
    correlation: int = 63
    volatility: int = 21
    volume: int = 20

    def __post_init__(self) -> None:
        if not self.benchmark:
            raise ConfigError("benchmark is empty: name the symbol of the market, such as SPY")
        least = {"slope": 2, "correlation": 2, "volatility": 2}
        for name, value in asdict(self).items():
            if isinstance(value, int) and value < least.get(name, 1):
                raise ConfigError(f"{name}={value}: at least {least.get(name, 1)}")

    @property
    def rows(self) -> int:
        """Bars that the report can depend on."""
        longest = max(
            self.rank + self.rank_back,
            self.slope,
            self.rotation + self.rotation_back,
            self.spread,
            self.correlation,
            self.volatility,
            self.volume,
        )
        return YEAR + longest + 1
