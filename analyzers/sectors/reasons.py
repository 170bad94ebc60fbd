"""Why a field of the sector report is null."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from analyzers.sectors.lines import HORIZONS, YEAR_TO_DATE
from analyzers.sectors.settings import YEAR, SectorSettings

AGAINST_MARKET = (
    "excess.",
    "strength_",
    "beta",
    "residual_return",
    "rotation_",
    "quadrant",
)


@dataclass(frozen=True)
class Known:
    """What there is to measure one line by.

    Args:
        days: bars that it has, of members those that enough of them have.
        who: whose bars they are, for the text.
        benchmark: "" or why there is no benchmark.
        has_range: open, high and low are prices of their own.
        has_volume: there are volumes.
    """

    days: int
    who: str
    benchmark: str
    has_range: bool
    has_volume: bool


def reasons(told: Mapping[str, object], known: Known, settings: SectorSettings) -> dict[str, str]:
    """The reason of each null field by name; of a return by the field and its horizon."""
    return {name: _why(name, known, settings) for name in _nulls(told)}


def _nulls(told: Mapping[str, object]) -> Iterator[str]:
    for name, value in told.items():
        if isinstance(value, Mapping):
            yield from (f"{name}.{key}" for key, item in value.items() if item != item)  # noqa: PLR0124  NaN
        elif value is None or value != value:  # noqa: PLR0124
            yield name


def _why(name: str, known: Known, settings: SectorSettings) -> str:
    lacking = (
        (name.startswith(AGAINST_MARKET), known.benchmark),
        (name == "volatility" and not known.has_range, "closes only: no open, high and low"),
        (name == "volume_ratio" and not known.has_volume, "there is no volume"),
    )
    for counts, text in lacking:
        if counts and text:
            return text
    needed = _days(name, settings)
    if known.days < needed:
        return f"it needs {needed} days, there are {known.days} of {known.who}"
    if name.endswith(YEAR_TO_DATE):
        return "there is no bar of the year before"
    if name == "volume_ratio":
        return f"nothing was traded in {settings.volume} days"
    return "the prices do not determine it"


def _days(name: str, settings: SectorSettings) -> int:
    turned = settings.rotation + settings.rotation_back
    needed = {
        "rank": settings.rank + 1,
        "rank_change": settings.rank + settings.rank_back + 1,
        "momentum_12_1": YEAR + 1,
        "strength_level": YEAR + 1,
        "strength_slope": settings.slope,
        "strength_percentile": YEAR,
        "beta": YEAR + 1,
        "residual_return": YEAR + 1,
        "volatility": settings.volatility + 1,
        "drawdown": YEAR,
        "volume_ratio": settings.volume,
        "rotation_strength": settings.rotation,
        "rotation_momentum": turned,
        "quadrant": turned,
        "dispersion": settings.spread + 1,
        "correlation": settings.correlation + 1,
        **{f"above_{bars}": bars for bars in (20, 50, 200)},
        **dict.fromkeys(("advancers", "decliners"), 2),
        **dict.fromkeys(("new_highs", "new_lows", "net_new_highs"), YEAR),
        **{f"returns.{bars}": bars + 1 for bars in HORIZONS},
        **{f"excess.{bars}": bars + 1 for bars in HORIZONS},
        "best": settings.spread + 1,
        "worst": settings.spread + 1,
    }
    return needed.get(name, 0)
