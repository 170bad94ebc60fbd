"""Alpaca's corporate actions call: the splits of the venue's market, those to come too."""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from live.paper.alpaca_json import NEW_YORK
from live.paper.alpaca_query import Query
from live.paper.splits import MarketSplit
from live.paper.venue import Venue

# fmt: off
TYPES = (
    "reverse_split", "forward_split", "unit_split", "cash_dividend", "stock_dividend", "spin_off",
    "cash_merger", "stock_merger", "stock_and_cash_merger", "redemption", "name_change",
    "worthless_removal", "rights_distribution",
)
# fmt: on
_MOST, _USUAL = 1000, 100
_TOKEN = re.compile(r"\d{1,6}")


class CorporateActions:
    """/v1/corporate-actions.

    Source: alpaca-py 0.44.0, `alpaca.data.models.corporate_actions`.
    """

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    async def read(self, request: Request) -> Response:
        """GET /v1/corporate-actions: pages of at most `limit` actions, by ex-date."""
        query = Query(request.query_params, is_data=True)
        found = self._found(query)
        token, limit = query.text("page_token", "0"), query.count("limit", _USUAL, _MOST)
        if not _TOKEN.fullmatch(token):
            raise query.wrong("page_token", "it is none of this question")
        first = int(token)
        page: dict[str, list[dict[str, Any]]] = {}
        for split in found[first : first + limit]:
            page.setdefault(f"{split.kind}s", []).append(split.written())
        after = str(first + limit) if first + limit < len(found) else None
        return JSONResponse({"corporate_actions": page, "next_page_token": after})

    def _found(self, query: Query) -> list[MarketSplit]:
        symbols, kinds, ids = (query.symbols(name) for name in ("symbols", "types", "ids"))
        if unknown := [kind for kind in kinds if kind not in TYPES]:
            raise query.wrong("types", f"{unknown[0]} is none")
        today = self._venue.at.astimezone(NEW_YORK).date()
        start, end = query.day("start") or today, query.day("end") or today
        falls = query.choice("sort", ("asc", "desc"), "asc") == "desc"
        splits = sorted(self._venue.market.splits, key=lambda split: split.ex_date, reverse=falls)
        if ids:
            return [split for split in splits if split.written()["id"] in ids]
        return [
            split
            for split in splits
            if (split.symbol in symbols or not symbols)
            and (split.kind in kinds or not kinds)
            and start <= split.ex_date <= end
        ]
