"""Hold the feeds of which a scikit-learn model expects most; needs the extra `ml`."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import backtrader as bt
import numpy as np

from strategies.arrays import highest, lowest, momentum, rank, sma
from strategies.base import Strategy
from strategies.panel import Bars, Panel
from strategies.target import Target

FEATURES = (
    "return_5",
    "return_21",
    "return_63",
    "above_mean_20",
    "above_mean_50",
    "range_place_20",
)
"""What the model knows, named and measured as in a training set of `analyzers.study.dataset`."""

LOOKBACK = 64  # bars that the longest of them depends on
FEWEST = 100  # rows to learn from


def features(close: np.ndarray) -> np.ndarray:
    """`FEATURES` of closes of the shape (T, N): (T, N, F); NaN while a look-back is not full."""
    low, high = lowest(close, 20), highest(close, 20)
    width = np.where(high == low, np.nan, high - low)
    place = np.where(high == low, 0.5, (close - low) / width)
    growth = [momentum(close, bars) for bars in (5, 21, 63)]
    away = [close / sma(close, bars) - 1.0 for bars in (20, 50)]
    return np.stack([*growth, *away, place], axis=-1)


def learn(rows: Any, outcomes: Any, weights: Any = None) -> Any:
    """A ridge regression of standardised features, fitted; so is the scale.

    Args:
        rows: (rows, F), in the order of `FEATURES`, without NaN.
        outcomes: (rows,), simple returns over the horizon.
        weights: (rows,), such as those of a training set; None weighs all alike.

    Raises:
        ModuleNotFoundError: scikit-learn is not installed.
    """
    _require()
    from sklearn.linear_model import Ridge  # noqa: PLC0415  an optional extra
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    model = make_pipeline(StandardScaler(), Ridge())
    return model.fit(np.asarray(rows), np.asarray(outcomes), ridge__sample_weight=weights)


@dataclass(frozen=True, eq=False)
class Learned:
    """A model trained beforehand.

    Args:
        model: predicts the simple return over the horizon from rows of `FEATURES`.
        until: start of the last bar that it has learnt from, aware. Of bars that end before, or
            then, it is not asked: it knows how they went on.
    """

    model: Any
    until: datetime

    def __post_init__(self) -> None:
        if self.until.tzinfo is None:
            raise ValueError(f"until ({self.until}) needs a time zone: it is an instant")

    def save(self, path: Path) -> Path:
        """Write it to a file for the parameter `model`."""
        _require()
        import joblib  # noqa: PLC0415  comes with scikit-learn

        joblib.dump(self, path)
        return path

    @staticmethod
    def load(path: str) -> "Learned":
        """Read what `save` wrote. Loading runs what the file says: load your own alone.

        Raises:
            ValueError: there is no such file, or it holds something else.
        """
        _require()
        import joblib  # noqa: PLC0415

        try:
            found = joblib.load(path)
        except OSError as error:
            raise ValueError(f"model {path} cannot be read: {error.strerror}: save one") from error
        if not isinstance(found, Learned):
            raise ValueError(f"model {path} holds a {type(found).__name__}: save a Learned")
        return found


class ModelRank(Strategy):
    """Equal shares of equity in the feeds with the highest expected returns above zero.

    Without `model` it learns at each rebalancing from the feeds' own past, from nothing that is not
    known by then.
    """

    @dataclass(frozen=True)
    class Config:
        """Parameters.

        Args:
            model: file that `Learned.save` wrote; empty to learn on the way.
            horizon: bars ahead that are predicted, where it learns on the way.
            memory: bars whose rows it then learns from.
            every: bars from one rebalancing to the next.
            top: feeds held at a time.
            invested: share of equity for all places together, 0..1.
        """

        model: str = ""
        horizon: int = 10
        memory: int = 504
        every: int = 21
        top: int = 3
        invested: float = 0.95

        def __post_init__(self) -> None:
            for name in ("horizon", "memory", "every", "top"):
                if getattr(self, name) < 1:
                    raise ValueError(f"{name} ({getattr(self, name)}) must be at least 1")
            if not 0 < self.invested <= 1:
                raise ValueError(f"invested ({self.invested:g}) must be above 0 and at most 1")

    file_params = ("model",)

    def prenext(self) -> None:
        """Act although some feed has no bar yet."""
        self.next()

    def decide(self) -> Iterator[Target]:
        """Rank by what the model expects."""
        if not self._panel.advance() or self._panel.row % self.config.every:
            return
        model = self._model()
        if model is None:
            return
        self._expect(model)
        places = rank(np.where(self._expected > 0, self._expected, np.nan)[None])[0]
        share = self.config.invested / min(self.config.top, len(places))
        for feed, place, expected in zip(self.datas, places, self._expected, strict=True):
            if len(feed):
                is_held = place <= self.config.top
                yield Target(feed, weight=share if is_held else 0.0, reason=_why(expected, place))

    def context(self, data: bt.DataBase | None = None) -> dict[str, float]:
        """What the model expected of `data` (default: the first feed) when it was last asked."""
        column = self._columns[self.data if data is None else data]
        return {"expected_return": float(self._expected[column])}

    @cached_property
    def _columns(self) -> dict[bt.DataBase, int]:
        return {feed: column for column, feed in enumerate(self.datas)}

    @cached_property
    def _panel(self) -> Panel:
        return Panel(self.datas)

    @cached_property
    def _expected(self) -> np.ndarray:
        return np.full(len(self.datas), np.nan)

    @cached_property
    def _learned(self) -> Learned:
        return Learned.load(self.config.model)

    def _model(self) -> Any:
        """What may be asked on this bar; None for nothing."""
        if not self.config.model:
            return self._trained()
        at = max(bt.num2date(feed.datetime[0]) for feed in self.datas if len(feed))
        return self._learned.model if at.replace(tzinfo=UTC) > self._learned.until else None

    def _trained(self) -> Any:
        """A model of the past; None where that is too short."""
        ahead = self.config.horizon
        close = self._close(self.config.memory + LOOKBACK + ahead)
        if len(close) <= ahead:
            return None
        rows = features(close)[:-ahead].reshape(-1, len(FEATURES))
        outcomes = (close[ahead:] / close[:-ahead] - 1.0).reshape(-1)
        is_known = ~(np.isnan(rows).any(axis=1) | np.isnan(outcomes))
        return learn(rows[is_known], outcomes[is_known]) if is_known.sum() >= FEWEST else None

    def _expect(self, model: Any) -> None:
        rows = features(self._close(LOOKBACK))[-1]
        is_known = ~np.isnan(rows).any(axis=1)
        self._expected[:] = np.nan
        if is_known.any():
            self._expected[is_known] = model.predict(rows[is_known])

    def _close(self, count: int) -> np.ndarray:
        """The last closes up to this bar, (at most count, N)."""
        row, bars = self._panel.row, self._panel.bars
        return _table(bars)[max(row + 1 - count, 0) : row + 1]


def _table(bars: Bars) -> np.ndarray:
    return bars.close.reshape(len(bars.close), -1)


def _why(expected: float, place: float) -> str:
    if np.isnan(expected):
        return "nothing is expected: not enough bars"
    told = f"the model expects {expected:+.2%}"
    return f"{told}, no gain" if np.isnan(place) else f"{told}, rank {place:.0f}"


def _require() -> None:
    try:
        import sklearn  # noqa: F401, PLC0415
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "model_rank needs scikit-learn: pip install 'seawall[ml]'", name=error.name
        ) from error
