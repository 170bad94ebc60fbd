"""Alpaca's trading calls about everything but orders and positions."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from live.paper import alpaca_json
from live.paper.account import AlpacaRules
from live.paper.alpaca_errors import not_found, unprocessable
from live.paper.alpaca_forms import json_object
from live.paper.alpaca_json import NEW_YORK
from live.paper.alpaca_query import Query
from live.paper.venue import Mark, Venue

# fmt: off
ACTIVITY_TYPES = (
    "FILL", "ACATC", "ACATS", "CFEE", "CIL", "CSD", "CSW", "DIV", "DIVCGL", "DIVCGS", "DIVNRA",
    "DIVROC", "DIVTXEX", "DIVWH", "EXTRD", "FEE", "FXTRD", "INT", "INTPNL", "JNLC", "JNLS", "MA",
    "MEM", "NC", "OCT", "OPASN", "OPCSH", "OPEXC", "OPEXP", "OPTRD", "PTC", "REORG", "SPIN",
    "SPLIT", "SWP", "TRANS", "VOF", "WH",
)
# fmt: on
_ACTIONS = ("dividend", "merger", "spinoff", "split")
_ACTION_DATES = ("declaration_date", "ex_date", "record_date", "payable_date")
_PAGE = 100
_FRAMES = {
    "1Min": timedelta(minutes=1),
    "5Min": timedelta(minutes=5),
    "15Min": timedelta(minutes=15),
    "1H": timedelta(hours=1),
    "1D": timedelta(days=1),
}
_PERIODS = {"D": 1, "W": 7, "M": 31, "A": 366}
_SWITCHES: dict[str, type | tuple[str, ...]] = {
    "fractional_trading": bool,
    "max_margin_multiplier": ("1", "2", "4"),
    "no_shorting": bool,
    "suspend_trade": bool,
    "trade_confirm_email": ("all", "none"),
    "ptp_no_exception_entry": bool,
    "dtbp_check": ("both", "entry", "exit"),
    "pdt_check": ("both", "entry", "exit"),
    "max_options_trading_level": ("0", "1", "2", "3"),
}


@dataclass(frozen=True)
class Announcement:
    """A corporate action that the venue tells of; it changes no position.

    Args:
        old_rate, new_rate: units before and after a split.
        cash: of a dividend, a unit.
    """

    symbol: str
    ex_date: date
    kind: str = "split"
    sub_kind: str = "stock_split"
    old_rate: Decimal = Decimal(1)
    new_rate: Decimal = Decimal(1)
    cash: Decimal = Decimal(0)

    def written(self) -> dict[str, Any]:
        """As Alpaca writes it."""
        name = alpaca_json.asset_id(f"{self.symbol} {self.ex_date} {self.sub_kind}")
        dates = dict.fromkeys(_ACTION_DATES, self.ex_date.isoformat())
        return {
            "id": name,
            "corporate_action_id": f"{self.symbol}_{self.ex_date:%y%m%d}",
            "ca_type": self.kind,
            "ca_sub_type": self.sub_kind,
            "initiating_symbol": self.symbol,
            "initiating_original_cusip": "",
            "target_symbol": self.symbol,
            "target_original_cusip": "",
            **dates,
            "cash": alpaca_json.number(self.cash),
            "old_rate": alpaca_json.number(self.old_rate),
            "new_rate": alpaca_json.number(self.new_rate),
        }


class Account:
    """/v2/account and what lies under it."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._created_at = venue.at
        self._switches: dict[str, Any] = {
            "fractional_trading": True,
            "max_margin_multiplier": "4",
            "no_shorting": False,
            "suspend_trade": False,
            "trade_confirm_email": "all",
            "ptp_no_exception_entry": False,
        }

    async def read(self, _request: Request) -> Response:
        """GET /v2/account."""
        held = self._venue.matching.account()
        longs = shorts = Decimal(0)
        for position in self._venue.matching.positions():
            price = self._venue.market.price(position.symbol) or position.average_price
            if position.quantity > 0:
                longs += position.quantity * price
            else:
                shorts += position.quantity * price
        return JSONResponse(alpaca_json.account(held, longs, shorts, self._created_at))

    async def configurations(self, _request: Request) -> Response:
        """GET /v2/account/configurations."""
        return JSONResponse(self._switches)

    async def configure(self, request: Request) -> Response:
        """PATCH /v2/account/configurations; kept and told, they change nothing here."""
        sent = json_object(await request.body())
        body = {name: value for name, value in sent.items() if value is not None}
        for name, value in body.items():
            allowed = _SWITCHES.get(name)
            if allowed is None or (isinstance(allowed, type) and not isinstance(value, allowed)):
                raise unprocessable(f"invalid {name}")
            if isinstance(allowed, tuple) and str(value) not in allowed:
                raise unprocessable(f"invalid {name}: use one of {', '.join(allowed)}")
        self._switches |= body
        return JSONResponse(self._switches)

    async def activities(self, request: Request) -> Response:
        """GET /v2/account/activities[/{type}]: pages by the id of the last row."""
        query = Query(request.query_params)
        one = request.path_params.get("activity_type")
        kinds = (one,) if one else query.symbols("activity_types")
        if unknown := [kind for kind in kinds if kind not in ACTIVITY_TYPES]:
            raise unprocessable(f"invalid activity type: {unknown[0]}")
        rows = self._fills(query) if not kinds or "FILL" in kinds else []
        if query.choice("direction", ("asc", "desc"), "desc") == "desc":
            rows.reverse()
        size, token = query.count("page_size", _PAGE, _PAGE), query.text("page_token")
        if token:
            ids = [row["id"] for row in rows]
            if token not in ids:
                raise unprocessable("invalid page_token")
            rows = rows[ids.index(token) + 1 :]
        return JSONResponse(rows[:size])

    async def history(self, request: Request) -> Response:
        """GET /v2/account/portfolio/history: the last equity of each window that has one."""
        query = Query(request.query_params)
        frame = query.choice("timeframe", tuple(_FRAMES), "1D")
        end = query.instant("end") or query.instant("date_end", ends=True) or self._venue.at
        start = query.instant("start") or end - _period(query)
        marks = [mark for mark in self._venue.marks if start <= mark.at <= end]
        windows = {_window(mark, _FRAMES[frame]): float(mark.equity) for mark in marks}
        equity = list(windows.values())
        base = equity[0] if equity else float(self._venue.matching.account().equity)
        gains = [value - base for value in equity]
        return JSONResponse(
            {
                "timestamp": list(windows),
                "equity": equity,
                "profit_loss": gains,
                "profit_loss_pct": [gain / base if base else None for gain in gains],
                "base_value": base,
                "timeframe": frame,
            }
        )

    def _fills(self, query: Query) -> list[dict[str, Any]]:
        day = query.day("date")
        after, until = query.instant("after"), query.instant("until")
        if day and (after or until):
            raise unprocessable("date cannot be used with after or until")
        account_id = self._venue.matching.account().account_id
        return [
            alpaca_json.fill_activity(update, fill, account_id)
            for update in self._venue.executions
            if (fill := update.fill) is not None
            and (day is None or fill.filled_at.astimezone(NEW_YORK).date() == day)
            and (after is None or fill.filled_at > after)
            and (until is None or fill.filled_at < until)
        ]


class Reference:
    """Assets, calendar, clock and corporate actions."""

    def __init__(self, venue: Venue, announcements: tuple[Announcement, ...] = ()) -> None:
        self._venue = venue
        self._announcements = [announcement.written() for announcement in announcements]

    async def assets(self, request: Request) -> Response:
        """GET /v2/assets."""
        query = Query(request.query_params)
        status = query.choice("status", ("active", "inactive"), "active")
        kind = query.text("asset_class", "us_equity")
        exchange = query.text("exchange", "NASDAQ")
        is_ours = (status, kind, exchange) == ("active", "us_equity", "NASDAQ")
        is_plain = not query.symbols("attributes")
        symbols = self._venue.market.symbols if is_ours and is_plain else ()
        return JSONResponse([self._asset(symbol) for symbol in symbols])

    async def asset(self, request: Request) -> Response:
        """GET /v2/assets/{symbol or id}."""
        name = request.path_params["symbol"]
        for symbol in self._venue.market.symbols:
            if name in (symbol, alpaca_json.asset_id(symbol)):
                return JSONResponse(self._asset(symbol))
        raise not_found(f"asset not found for {name}")

    async def clock(self, _request: Request) -> Response:
        """GET /v2/clock: instants with New York's offset."""
        hours, at = self._venue.market.hours, self._venue.at
        times = {
            "timestamp": at,
            "next_open": hours.next_open(at),
            "next_close": hours.close_of(at),
        }
        told = {name: when.astimezone(NEW_YORK).isoformat() for name, when in times.items()}
        return JSONResponse({**told, "is_open": hours.is_open(at)})

    async def calendar(self, request: Request) -> Response:
        """GET /v2/calendar: by default the year of the venue's time."""
        query, year = Query(request.query_params), self._venue.at.year
        start = query.day("start") or date(year, 1, 1)
        end = query.day("end") or date(max(year, start.year), 12, 31)
        begin = datetime.combine(start, datetime.min.time(), UTC)
        after = datetime.combine(end, datetime.min.time(), UTC) + timedelta(days=1)
        found = self._venue.market.hours.sessions(begin, max(begin, after))
        return JSONResponse([_session(opened, closed) for opened, closed in found])

    async def announcements(self, request: Request) -> Response:
        """GET /v2/corporate_actions/announcements."""
        query = Query(request.query_params)
        kinds = query.symbols("ca_types")
        since, until = query.day("since"), query.day("until")
        if not kinds or since is None or until is None:
            raise unprocessable("ca_types, since and until are required")
        if unknown := [kind for kind in kinds if kind not in _ACTIONS]:
            raise unprocessable(f"invalid ca_types: {unknown[0]}")
        if not timedelta(0) <= until - since <= timedelta(days=90):
            raise unprocessable("since must be no more than 90 days before until")
        symbol = query.text("symbol")
        by = query.choice("date_type", _ACTION_DATES, "ex_date")
        return JSONResponse(
            [
                row
                for row in self._announcements
                if row["ca_type"] in kinds
                and since.isoformat() <= row[by] <= until.isoformat()
                and symbol in ("", row["initiating_symbol"])
            ]
        )

    async def announcement(self, request: Request) -> Response:
        """GET /v2/corporate_actions/announcements/{id}."""
        name = request.path_params["announcement_id"]
        for row in self._announcements:
            if row["id"] == name:
                return JSONResponse(row)
        raise not_found(f"announcement not found for {name}")

    def _asset(self, symbol: str) -> dict[str, Any]:
        rules = self._venue.matching.rules
        rights = rules.assets.get(symbol) if isinstance(rules, AlpacaRules) else None
        told = alpaca_json.asset(symbol)
        if rights is None:
            return told
        names = ("tradable", "fractionable", "shortable", "easy_to_borrow")
        return told | {name: getattr(rights, name) for name in names}


def _session(opened: datetime, closed: datetime) -> dict[str, str]:
    first, last = opened.astimezone(NEW_YORK), closed.astimezone(NEW_YORK)
    return {
        "date": first.date().isoformat(),
        "open": f"{first:%H:%M}",
        "close": f"{last:%H:%M}",
        "session_open": "0400",
        "session_close": "2000",
        "settlement_date": (first.date() + timedelta(days=1)).isoformat(),
    }


def _period(query: Query) -> timedelta:
    text = query.text("period", "1M")
    count, unit = text[:-1], text[-1]
    if unit not in _PERIODS or not (count.isascii() and count.isdigit() and len(count) < 4):
        raise unprocessable("invalid period: use a number and one of D, W, M, A")
    return timedelta(days=int(count) * _PERIODS[unit])


def _window(mark: Mark, frame: timedelta) -> int:
    """The start of the window that an instant lies in, in seconds since 1970."""
    width_s = int(frame.total_seconds())
    return int(mark.at.timestamp()) // width_s * width_s
