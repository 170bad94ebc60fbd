"""The venue's Alpaca calls as an OpenAPI document: parameters, bodies and answers."""

from collections.abc import Iterable, Mapping
from typing import Any

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_MONEY: Schema = {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}
_NUMBER: Schema = {"type": "number"}
_FLAG: Schema = {"type": "boolean"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_DAY: Schema = {"type": "string", "format": "date"}
_UUID: Schema = {"type": "string", "format": "uuid"}
_ERROR: Schema = {"$ref": "#/components/schemas/Error"}


def _maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def _enum(*words: str) -> Schema:
    return {"type": "string", "enum": list(words)}


def _object(optional: Iterable[str] = (), **properties: Schema) -> Schema:
    left_out = set(optional)
    required = [name for name in properties if name not in left_out]
    return {"type": "object", "properties": properties, "required": required}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_SIDE = _enum("buy", "sell")
_TIF = _enum("day", "gtc", "opg", "cls", "ioc", "fok")
_TYPE = _enum("market", "limit", "stop", "stop_limit", "trailing_stop")
_AMOUNT: Schema = {"type": "string", "pattern": r"^[1-9][0-9]{0,5}(\.[0-9]{1,2})?$"}
_BAR = _object(
    t=_TIME, o=_NUMBER, h=_NUMBER, l=_NUMBER, c=_NUMBER, v=_NUMBER, n=_NUMBER, vw=_NUMBER
)
_TRADE = _object(t=_TIME, x=_TEXT, p=_NUMBER, s=_NUMBER, c=_list(_TEXT), i=_NUMBER, z=_TEXT)
_QUOTE = _object(
    t=_TIME,
    bx=_TEXT,
    bp=_NUMBER,
    bs=_NUMBER,
    **{"ax": _TEXT, "ap": _NUMBER, "as": _NUMBER, "c": _list(_TEXT), "z": _TEXT},
)
_SPLIT = _object(id=_UUID, symbol=_TEXT, new_rate=_NUMBER, old_rate=_NUMBER, ex_date=_DAY)
_ORDER = _object(
    id=_UUID,
    client_order_id=_TEXT,
    created_at=_TIME,
    updated_at=_TIME,
    submitted_at=_TIME,
    filled_at=_maybe(_TIME),
    expired_at=_maybe(_TIME),
    canceled_at=_maybe(_TIME),
    failed_at=_maybe(_TIME),
    replaced_at=_maybe(_TIME),
    replaced_by=_maybe(_UUID),
    replaces=_maybe(_UUID),
    asset_id=_UUID,
    symbol=_TEXT,
    asset_class=_TEXT,
    notional=_maybe(_MONEY),
    qty=_maybe(_MONEY),
    filled_qty=_MONEY,
    filled_avg_price=_maybe(_MONEY),
    order_class=_enum("", "bracket", "oco", "oto"),
    order_type=_TYPE,
    type=_TYPE,
    side=_SIDE,
    time_in_force=_TEXT,
    limit_price=_maybe(_MONEY),
    stop_price=_maybe(_MONEY),
    status=_TEXT,
    extended_hours=_FLAG,
    legs=_maybe(_list(_ref("Order"))),
    trail_percent=_maybe(_MONEY),
    trail_price=_maybe(_MONEY),
    hwm=_maybe(_MONEY),
)
_SCHEMAS: dict[str, Schema] = {
    "Error": _object(["code"], code={"type": "integer"}, message=_TEXT),
    "Order": _ORDER,
    "Position": _object(
        asset_id=_UUID,
        symbol=_TEXT,
        qty=_MONEY,
        qty_available=_MONEY,
        side=_enum("long", "short"),
        avg_entry_price=_MONEY,
        market_value=_MONEY,
        cost_basis=_MONEY,
        unrealized_pl=_MONEY,
        current_price=_MONEY,
    ),
    "Account": _object(
        id=_UUID,
        account_number=_TEXT,
        status=_TEXT,
        currency=_TEXT,
        cash=_MONEY,
        equity=_MONEY,
        buying_power=_MONEY,
        long_market_value=_MONEY,
        short_market_value=_MONEY,
        trading_blocked=_FLAG,
        account_blocked=_FLAG,
        created_at=_TIME,
    ),
    "Configurations": _object(
        fractional_trading=_FLAG,
        max_margin_multiplier=_TEXT,
        no_shorting=_FLAG,
        suspend_trade=_FLAG,
        trade_confirm_email=_TEXT,
        ptp_no_exception_entry=_FLAG,
    ),
    "Activity": _object(
        id=_TEXT,
        activity_type=_TEXT,
        transaction_time=_TIME,
        type=_enum("fill", "partial_fill"),
        price=_MONEY,
        qty=_MONEY,
        side=_SIDE,
        symbol=_TEXT,
        leaves_qty=_MONEY,
        cum_qty=_MONEY,
        order_id=_UUID,
        order_status=_TEXT,
    ),
    "History": _object(
        timestamp=_list({"type": "integer"}),
        equity=_list(_NUMBER),
        profit_loss=_list(_NUMBER),
        profit_loss_pct=_list(_maybe(_NUMBER)),
        base_value=_NUMBER,
        timeframe=_TEXT,
    ),
    "Asset": _object(
        **{"id": _UUID, "class": _TEXT, "exchange": _TEXT, "symbol": _TEXT, "name": _TEXT},
        status=_TEXT,
        tradable=_FLAG,
        shortable=_FLAG,
        fractionable=_FLAG,
    ),
    "Clock": _object(timestamp=_TIME, is_open=_FLAG, next_open=_TIME, next_close=_TIME),
    "Session": _object(date=_DAY, open=_TEXT, close=_TEXT),
    "Announcement": _object(id=_UUID, ca_type=_TEXT, initiating_symbol=_TEXT, ex_date=_DAY),
    "Outcome": _object(["id", "symbol", "body"], id=_UUID, symbol=_TEXT, status=_NUMBER, body={}),
}
_EXTRAS = ("extended_hours", "client_order_id", "order_class", "take_profit", "stop_loss")
_ORDER_FORM = _object(
    ("qty", "notional", "limit_price", "stop_price", "trail_price", "trail_percent", *_EXTRAS),
    symbol=_TEXT,
    qty=_AMOUNT,
    notional=_AMOUNT,
    side=_SIDE,
    type=_TYPE,
    time_in_force=_TIF,
    limit_price=_AMOUNT,
    stop_price=_AMOUNT,
    trail_price=_AMOUNT,
    trail_percent=_AMOUNT,
    extended_hours=_FLAG,
    client_order_id={"type": "string", "pattern": "^[A-Za-z0-9-]{1,48}$"},
    order_class=_enum("simple", "bracket", "oco", "oto"),
    take_profit=_object(limit_price=_AMOUNT),
    stop_loss=_object(["limit_price"], stop_price=_AMOUNT, limit_price=_AMOUNT),
)
_PATCH_BODY = _object(
    ["qty", "time_in_force", "limit_price", "stop_price", "trail", "client_order_id"],
    **dict.fromkeys(("qty", "limit_price", "stop_price", "trail"), _AMOUNT),
    time_in_force=_TIF,
    client_order_id=_TEXT,
)
_SWITCH_BODY = _object(
    ["no_shorting", "suspend_trade", "trade_confirm_email"],
    no_shorting=_FLAG,
    suspend_trade=_FLAG,
    trade_confirm_email=_enum("all", "none"),
)
_NESTED = {"nested": _FLAG}
_ACTIVITY_QUERY = {
    "date": _DAY,
    "after": _TIME,
    "until": _TIME,
    "direction": _enum("asc", "desc"),
    "page_size": {"type": "integer", "minimum": 1, "maximum": 100},
    "page_token": _TEXT,
}
_LATEST = {"symbols!": _TEXT, "feed": _enum("iex", "sip")}
_PAGED = {
    **_LATEST,
    "start": _TIME,
    "end": _TIME,
    "limit": {"type": "integer", "minimum": 1, "maximum": 10_000},
    "page_token": _TEXT,
    "sort": _enum("asc", "desc"),
}
_SPAN = {"start": _DAY, "end": _DAY, "limit": {"type": "integer", "minimum": 1, "maximum": 1000}}

# (query, body, success status, its schema) by method and path; a ! marks what is required.
OPERATIONS: dict[str, tuple[Mapping[str, Schema], Schema | None, int, Schema | None]] = {
    "GET /v2/account": ({}, None, 200, _ref("Account")),
    "GET /v2/account/configurations": ({}, None, 200, _ref("Configurations")),
    "PATCH /v2/account/configurations": ({}, _SWITCH_BODY, 200, _ref("Configurations")),
    "GET /v2/account/portfolio/history": (
        {"period": _TEXT, "timeframe": _enum("1Min", "5Min", "15Min", "1H", "1D"), "end": _TIME},
        None,
        200,
        _ref("History"),
    ),
    "GET /v2/account/activities": (
        {"activity_types": _TEXT, **_ACTIVITY_QUERY},
        None,
        200,
        _list(_ref("Activity")),
    ),
    "GET /v2/account/activities/{activity_type}": (
        _ACTIVITY_QUERY,
        None,
        200,
        _list(_ref("Activity")),
    ),
    "GET /v2/assets": (
        {"status": _enum("active", "inactive"), "asset_class": _TEXT, "exchange": _TEXT},
        None,
        200,
        _list(_ref("Asset")),
    ),
    "GET /v2/assets/{symbol}": ({}, None, 200, _ref("Asset")),
    "GET /v2/calendar": ({"start": _DAY, "end": _DAY}, None, 200, _list(_ref("Session"))),
    "GET /v2/clock": ({}, None, 200, _ref("Clock")),
    "GET /v2/corporate_actions/announcements": (
        {"ca_types!": _TEXT, "since!": _DAY, "until!": _DAY, "symbol": _TEXT},
        None,
        200,
        _list(_ref("Announcement")),
    ),
    "GET /v2/corporate_actions/announcements/{announcement_id}": (
        {},
        None,
        200,
        _ref("Announcement"),
    ),
    "GET /v2/orders": (
        {
            "status": _enum("open", "closed", "all"),
            "limit": {"type": "integer", "minimum": 1, "maximum": 500},
            "after": _TIME,
            "until": _TIME,
            "direction": _enum("asc", "desc"),
            "side": _SIDE,
            "symbols": _TEXT,
            **_NESTED,
        },
        None,
        200,
        _list(_ref("Order")),
    ),
    "POST /v2/orders": ({}, _ref("OrderForm"), 200, _ref("Order")),
    "DELETE /v2/orders": ({}, None, 207, _list(_ref("Outcome"))),
    "GET /v2/orders:by_client_order_id": (
        {"client_order_id!": _TEXT, **_NESTED},
        None,
        200,
        _ref("Order"),
    ),
    "GET /v2/orders/{order_id}": (_NESTED, None, 200, _ref("Order")),
    "PATCH /v2/orders/{order_id}": ({}, _PATCH_BODY, 200, _ref("Order")),
    "DELETE /v2/orders/{order_id}": ({}, None, 204, None),
    "GET /v2/positions": ({}, None, 200, _list(_ref("Position"))),
    "DELETE /v2/positions": ({"cancel_orders": _FLAG}, None, 207, _list(_ref("Outcome"))),
    "GET /v2/positions/{symbol}": ({}, None, 200, _ref("Position")),
    "DELETE /v2/positions/{symbol}": (
        {"qty": _AMOUNT, "percentage": _AMOUNT},
        None,
        200,
        _ref("Order"),
    ),
    "GET /v1/corporate-actions": (
        {"types": _enum("forward_split", "reverse_split"), "symbols": _TEXT, **_SPAN},
        None,
        200,
        _object(corporate_actions={"type": "object", "additionalProperties": _list(_SPLIT)}),
    ),
    "GET /v2/stocks/bars": (
        {
            "timeframe!": _enum("1Min", "5Min", "1Hour", "1Day", "1Week", "1Month"),
            "adjustment": _enum("raw", "split", "dividend", "all"),
            **_PAGED,
        },
        None,
        200,
        _object(bars={"type": "object", "additionalProperties": _list(_BAR)}),
    ),
    "GET /v2/stocks/trades": (
        _PAGED,
        None,
        200,
        _object(trades={"type": "object", "additionalProperties": _list(_TRADE)}),
    ),
    "GET /v2/stocks/quotes": (
        _PAGED,
        None,
        200,
        _object(quotes={"type": "object", "additionalProperties": _list(_QUOTE)}),
    ),
    "GET /v2/stocks/bars/latest": (
        _LATEST,
        None,
        200,
        _object(bars={"type": "object", "additionalProperties": _BAR}),
    ),
    "GET /v2/stocks/trades/latest": (
        _LATEST,
        None,
        200,
        _object(trades={"type": "object", "additionalProperties": _TRADE}),
    ),
    "GET /v2/stocks/quotes/latest": (
        _LATEST,
        None,
        200,
        _object(quotes={"type": "object", "additionalProperties": _QUOTE}),
    ),
    "GET /v2/stocks/snapshots": (_LATEST, None, 200, {"type": "object"}),
}
_FAILURES = (400, 401, 403, 404, 422, 429)


def document(symbols: Iterable[str]) -> Schema:
    """Give the whole document, OpenAPI 3.1, for a venue that trades these symbols."""
    paths: dict[str, dict[str, Schema]] = {}
    for name, (query, body, status, schema) in OPERATIONS.items():
        method, path = name.split(" ")
        paths.setdefault(path, {})[method.lower()] = {
            "operationId": name,
            "parameters": [*_in_path(path), *_in_query(query)],
            "responses": {
                str(status): _answer(schema),
                **{str(failure): _answer(_ERROR) for failure in _FAILURES},
            },
            **({"requestBody": {**_content(body), "required": True}} if body else {}),
        }
    keys = {name: _key(name) for name in ("APCA-API-KEY-ID", "APCA-API-SECRET-KEY")}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Seawall's paper venue, as Alpaca", "version": "2"},
        "paths": paths,
        "components": {
            "schemas": _SCHEMAS | {"OrderForm": _order_form(symbols)},
            "securitySchemes": keys,
        },
        "security": [{name: [] for name in keys}],
    }


def _order_form(symbols: Iterable[str]) -> Schema:
    return {**_ORDER_FORM, "properties": {**_ORDER_FORM["properties"], "symbol": _enum(*symbols)}}


def _in_path(path: str) -> list[Schema]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [{"name": name, "in": "path", "required": True, "schema": _TEXT} for name in names]


def _in_query(query: Mapping[str, Schema]) -> list[Schema]:
    return [
        {
            "name": name.removesuffix("!"),
            "in": "query",
            "required": name.endswith("!"),
            "schema": schema,
        }
        for name, schema in query.items()
    ]


def _answer(schema: Schema | None) -> Schema:
    return {"description": "", **(_content(schema) if schema is not None else {})}


def _content(schema: Schema) -> Schema:
    return {"content": {"application/json": {"schema": schema}}}


def _key(name: str) -> Schema:
    return {"type": "apiKey", "in": "header", "name": name}
