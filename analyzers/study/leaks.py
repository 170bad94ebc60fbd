"""Whether a feature knows the future: made again without it, it must be the same."""

from collections.abc import Mapping, Sequence

import numpy as np

from analyzers.columns import Columns
from analyzers.study.features import Feature, Known
from brokers.errors import DataError

# Sums over windows may be added up in another order when there are fewer rows.
ROUNDING = 1e-9


def check_leaks(
    bars: Columns,
    features: Sequence[Feature],
    sectors: Mapping[str, str],
    *,
    days: int,
    rng: np.random.Generator,
) -> None:
    """Make the features again at some days with all later bars cut off.

    Args:
        bars: as they are, gaps and all.
        days: how many days are drawn, the last but one among them.

    Raises:
        DataError: a value differs; the text names feature, day and symbol.
    """
    if len(bars.index) < 2 or not days:
        return
    whole = {it.name: it.values(Known(bars, sectors)) for it in features}
    drawn = rng.choice(len(bars.index) - 1, size=min(days, len(bars.index) - 1), replace=False)
    for row in sorted({*drawn.tolist(), len(bars.index) - 2}):
        past = Known(bars.until(bars.index[row]), sectors)
        for feature in features:
            known, alone = whole[feature.name][row], feature.values(past)[row]
            same = np.isclose(known, alone, rtol=ROUNDING, atol=0.0, equal_nan=True)
            # Whether a symbol without a bar has ended shows only in later rows; it makes no row.
            same |= np.isnan(bars.close[row])
            if not same.all():
                place = int(np.argmin(same))
                raise DataError(
                    f"feature {feature.name} knows the future: {known[place]:.6g} for "
                    f"{bars.symbols[place]} on {bars.index[row]:%Y-%m-%d} with later bars, "
                    f"{alone[place]:.6g} without: mend it, or leave it out"
                )
