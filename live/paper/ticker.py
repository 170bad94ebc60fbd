"""One instant of the market as Alpaca's data stream tells it, for every kind of subscription."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from brokers.wire.transport import VenueBar
from live.paper import alpaca_json
from live.paper.market import Market, Step
from live.paper.spans import Span

Part = Mapping[str, Any]
_DAY = Span(1, "Day")
_OPENED = {"sc": "T", "sm": "Trading Resumption", "rc": "", "rm": "", "z": "C"}


class Ticker:
    """Puts steps into words; of days it tells running bars, as Alpaca does, never a closed one.

    A market of daily bars is the exception: its bars are the closed ones, there is nothing else.
    """

    def __init__(self, market: Market) -> None:
        self._is_intraday = market.timeframe.is_intraday
        self._days: dict[str, VenueBar] = {}

    def parts(self, step: Step) -> list[Part]:
        """Everything of one step: the client's subscription chooses."""
        told = [_part("u", bar) for bar in step.corrections]
        for symbol, bar in step.bars.items():
            if self._is_intraday:
                told.append(_part("b", bar))
            if self._run(symbol, bar):
                told.append({"T": "s", "S": symbol, "t": bar.start_at, **_OPENED})
            told.append(_part("d", self._days[symbol]))
            told.append(_tick("t", symbol, alpaca_json.trade(bar, step.at), step.at))
            told.append(_tick("q", symbol, alpaca_json.quote(bar, step.at), step.at))
        return told

    def _run(self, symbol: str, bar: VenueBar) -> bool:
        """Take a bar into its day's; whether a day has begun with it."""
        day, before = _DAY.start(bar.start_at), self._days.get(symbol)
        if before is None or not self._is_intraday or before.start_at != day:
            start_at = day if self._is_intraday else bar.start_at
            self._days[symbol] = replace(bar, start_at=start_at)
            return True
        self._days[symbol] = replace(
            before,
            high=max(before.high, bar.high),
            low=min(before.low, bar.low),
            close=bar.close,
            volume=before.volume + bar.volume,
        )
        return False


def _part(mark: str, bar: VenueBar) -> Part:
    return {"T": mark, "S": bar.symbol, **alpaca_json.bar(bar), "t": bar.start_at}


def _tick(mark: str, symbol: str, told: dict[str, Any], at: datetime) -> Part:
    return {"T": mark, "S": symbol, **told, "t": at}
