"""Positions, orders at work, and the trades that were closed last."""

from math import isnan

from dashboard import log_page
from dashboard.account import Holding
from dashboard.desk import Desk
from dashboard.entry import number
from dashboard.look import cards, feed, sheet, tables, times
from dashboard.look.tables import Cell
from dashboard.order_book import Working
from dashboard.tail import records_at
from dashboard.watch import Glimpse

TRADES = 30
_MONEY = ("units", "unrealised", "last", "average", "value", "share", "realised")


def show(desk: Desk) -> None:
    """Show them."""
    glimpse = desk.look()
    with sheet.together():
        if log_page.begin("Positions", glimpse):
            _positions(glimpse)
            _working(glimpse, desk.chosen)
            _trades(glimpse)


def _positions(glimpse: Glimpse) -> None:
    account = glimpse.reading.account
    held, equity = account.positions, account.equity
    cards.section("Positions")
    if not held:
        cards.banner("Flat: nothing is held.")
        return
    rows = [_position(holding, equity) for holding in held]
    tables.table(("symbol", *_MONEY), rows, numbers=_MONEY)
    cards.remark(
        "Units are signed, money is in the account's currency; last is the last close or fill in "
        "the log; share is of equity; commissions are not in the results."
    )


def _position(holding: Holding, equity: float | None) -> list[Cell]:
    unknown = isnan(holding.average)
    unrealised: Cell = cards.UNKNOWN if unknown else cards.signed(holding.unrealised)
    realised: Cell = cards.UNKNOWN if unknown else cards.signed(holding.realised)
    return [
        holding.symbol,
        f"{holding.units:+,.6g}",
        unrealised,
        f"{holding.last:,.4f}",
        cards.UNKNOWN if unknown else f"{holding.average:,.4f}",
        f"{holding.value:,.2f}",
        f"{holding.value / equity:+.1%}" if equity else cards.UNKNOWN,
        realised,
    ]


def _working(glimpse: Glimpse, log: int) -> None:
    orders, zone = glimpse.reading.orders.working, glimpse.reading.facts.zone
    cards.section("Orders at work")
    if not orders:
        cards.banner("No order is at work.")
        return
    columns = ("symbol", "what", "price", "filled", "state", times.column("decided", zone), "order")
    rows = [_order(order, zone) for order in orders]
    link = {"order": feed.order_link(log)}
    tables.table(columns, rows, numbers=("price", "filled"), links=link)


def _order(order: Working, zone: str) -> list[Cell]:
    role = f" ({order.role})" if order.role else ""
    prices = " / ".join(number(float(price)) for price in order.price.split(" / ") if price)
    return [
        order.symbol,
        f"{order.side} {number(order.quantity)} {order.order_type}{role}",
        prices or "market",
        f"{number(order.filled)} of {number(order.quantity)}",
        order.status.lower(),
        times.brief(times.instant(order.decided_at), zone),
        order.order_id,
    ]


def _trades(glimpse: Glimpse) -> None:
    index, zone = glimpse.reading.index, glimpse.reading.facts.zone
    rows = index.find(kinds=("trade",))[-2 * TRADES :]
    records = records_at(glimpse.path, index.starts(rows))
    closed = [record for record in records if record["status"] == "closed"][-TRADES:]
    if not closed:
        return
    cards.section("Trades closed last")
    columns = (
        "symbol", "net result", times.column("closed", zone), times.column("opened", zone), "side",
        "bars", "commission",
    )  # fmt: skip
    cells: list[list[Cell]] = [
        [
            record["symbol"],
            cards.signed(record["pnl_net"]),
            times.brief(times.instant(record["closed_at"]), zone),
            times.brief(times.instant(record["opened_at"]), zone) if record["opened_at"] else "-",
            record["side"],
            str(record["bars"]),
            f"{record['commission']:,.2f}",
        ]
        for record in reversed(closed)
    ]
    tables.table(columns, cells, numbers=("bars", "net result", "commission"))
