"""One order's story out of an indexed log: its decision, then every line that speaks of it."""

from analyzers.why import LEGS, Story, entry_of
from brokers.errors import DataError
from dashboard.tail import records_at
from dashboard.watch import Glimpse

SPOKEN = ("cancel", "order", "fill", "venue")


def story_of(glimpse: Glimpse, order_id: str) -> Story:
    """What `analyzers.why.why` tells, without reading the log again.

    Args:
        order_id: an entry's or a leg's; its beginning is enough if unambiguous.

    Raises:
        DataError: the log has no such order, or more than one.
    """
    index = glimpse.reading.index
    wanted, role = entry_of(order_id.strip())
    found = index.orders_like(wanted) if wanted else []
    if wanted in found:
        found = [wanted]
    if len(found) != 1:
        raise DataError(_not_found(glimpse, order_id, len(found)))
    records = records_at(glimpse.path, index.starts(index.find(order=found[0])))
    decision = next((record for record in records if record["kind"] == "decision"), None)
    if decision is None:
        raise DataError(_not_found(glimpse, order_id, 0))
    full = found[0] + next((leg for leg in LEGS if role and order_id.endswith(leg)), "")
    spoken = (full,) if role else (full, *(full + leg for leg in LEGS))
    events = (
        record
        for record in records
        if record["kind"] in SPOKEN and record.get("order_id") in spoken
    )
    return Story(full, decision, tuple(events))


def _not_found(glimpse: Glimpse, order_id: str, count: int) -> str:
    if count:
        return f"{order_id} is the beginning of {count} orders: give more of it"
    if not glimpse.reading.is_whole:
        return f"no order {order_id} in the last lines: wait until the whole log is read"
    return f"no order {order_id} in this log: choose one of the list"
