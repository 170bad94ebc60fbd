"""Polygon's splits and dividends of the whole US market, by ex-date."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from brokers.errors import DataError
from feeds.actions import Action

Kind = Literal["splits", "dividends"]
DATES: Mapping[Kind, str] = {"splits": "execution_date", "dividends": "ex_dividend_date"}


def query(kind: Kind, first: date, last: date) -> dict[str, Any]:
    """What to ask for ex-dates from `first` to `last`, both included."""
    name = DATES[kind]
    return {f"{name}.gte": first.isoformat(), f"{name}.lte": last.isoformat(), "limit": 1000}


def action(kind: Kind, row: Mapping[str, Any]) -> Action:
    """One of the results.

    Raises:
        DataError: it cannot be read.
    """
    try:
        symbol, ex_date = str(row["ticker"]), date.fromisoformat(str(row[DATES[kind]]))
        if kind == "splits":
            return Action(symbol, ex_date, split=float(row["split_to"]) / float(row["split_from"]))
        return Action(symbol, ex_date, dividend=float(row["cash_amount"]))
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise DataError(
            f"polygon: one of the {kind} cannot be read ({error!r}): its format may have changed"
        ) from error
