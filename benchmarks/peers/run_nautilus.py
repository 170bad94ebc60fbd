"""nautilus_trader: bars in, market orders, taker fee; fills at the close of the signal's bar.

It has no rule for the next open, so its fills are other ones: speed is comparable, values are not.
"""

import time
from decimal import Decimal
from typing import Any

BEGAN = time.perf_counter()
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig  # noqa: E402
from nautilus_trader.config import LoggingConfig, StrategyConfig  # noqa: E402
from nautilus_trader.indicators import SimpleMovingAverage  # noqa: E402
from nautilus_trader.model.currencies import USD  # noqa: E402
from nautilus_trader.model.data import BarType  # noqa: E402
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide  # noqa: E402
from nautilus_trader.model.identifiers import (  # noqa: E402
    InstrumentId,
    Symbol,
    TraderId,
    Venue,
)  # fmt: skip
from nautilus_trader.model.instruments import Equity  # noqa: E402
from nautilus_trader.model.objects import Money, Price, Quantity  # noqa: E402
from nautilus_trader.persistence.wranglers import BarDataWrangler  # noqa: E402
from nautilus_trader.trading.strategy import Strategy  # noqa: E402

IMPORTED_S = time.perf_counter() - BEGAN

from benchmarks.peers.task import CASH, SIZE, Ends, Job, measure  # noqa: E402

VENUE = Venue("SIM")
STOCK = InstrumentId(Symbol("XX"), VENUE)


class Settings(StrategyConfig, frozen=True):
    bar_type: BarType


class SmaCross(Strategy):
    def __init__(self, config: Settings) -> None:
        super().__init__(config)
        self.fast, self.slow = SimpleMovingAverage(10), SimpleMovingAverage(30)
        self.before, self.is_long, self.fills = 0.0, False, 0

    def on_start(self) -> None:
        self.register_indicator_for_bars(self.config.bar_type, self.fast)
        self.register_indicator_for_bars(self.config.bar_type, self.slow)
        self.subscribe_bars(self.config.bar_type)

    def on_bar(self, bar: Any) -> None:
        if not self.slow.initialized:
            return
        apart, before = self.fast.value - self.slow.value, self.before
        self.before = apart or before
        if before * apart < 0 and (apart > 0) != self.is_long:
            side = OrderSide.BUY if apart > 0 else OrderSide.SELL
            size = Quantity.from_int(SIZE)
            self.submit_order(self.order_factory.market(STOCK, side, size))
            self.is_long = apart > 0

    def on_order_filled(self, event: Any) -> None:
        self.fills += 1


def run(job: Job) -> Ends:
    instrument = Equity(
        instrument_id=STOCK, raw_symbol=Symbol("XX"), currency=USD, price_precision=4,
        price_increment=Price.from_str("0.0001"), lot_size=Quantity.from_int(1), ts_event=0,
        ts_init=0, maker_fee=Decimal("0.001"), taker_fee=Decimal("0.001"),
    )  # fmt: skip
    bar_type = BarType.from_str(
        f"XX.SIM-1-{'DAY' if job.work == 'W1a' else 'MINUTE'}-LAST-EXTERNAL"
    )
    bars = BarDataWrangler(bar_type, instrument).process(job.frame.tz_localize("UTC"))
    quiet = LoggingConfig(bypass_logging=True)
    engine = BacktestEngine(
        BacktestEngineConfig(trader_id=TraderId("T-001"), logging=quiet, run_analysis=False)
    )
    engine.add_venue(
        VENUE, oms_type=OmsType.NETTING, account_type=AccountType.CASH, base_currency=USD,
        starting_balances=[Money(CASH, USD)], bar_execution=True,
    )  # fmt: skip
    engine.add_instrument(instrument)
    engine.add_data(bars, sort=False)
    strategy = SmaCross(Settings(bar_type=bar_type))
    engine.add_strategy(strategy)
    engine.run()
    cash = float(engine.cache.account_for_venue(VENUE).balance_total(USD).as_decimal())
    held = float(engine.portfolio.net_position(STOCK)) * float(job.frame["close"].iloc[-1])
    engine.dispose()
    return Ends(cash + held, strategy.fills)


if __name__ == "__main__":
    measure({"run": run}, IMPORTED_S)
