"""Orders at work."""

from dashboard.order_book import OrderBook
from tests.dashboard.stage import ORDER_ID, Record, decision, fill, status

LEGS = (
    {"client_order_id": f"{ORDER_ID}-tp", "side": "sell", "quantity": "10.0",
     "order_type": "limit", "limit_price": "110", "role": "take_profit"},
    {"client_order_id": f"{ORDER_ID}-sl", "side": "sell", "quantity": "10.0",
     "order_type": "stop", "stop_price": "95", "role": "stop_loss"},
)  # fmt: skip


def book_of(*records: Record) -> OrderBook:
    book = OrderBook()
    for record in records:
        book.take(record)
    return book


def test_an_order_works_until_it_ends() -> None:
    records = [decision(1), status("Accepted"), fill(2, "buy", 4.0, 100.0, 4.0)]
    (order,) = book_of(*records).working
    assert (order.status, order.filled, order.quantity) == ("Accepted", 4.0, 10.0)
    assert book_of(*records, status("Completed")).working == []


def test_legs_are_orders_with_a_role_and_a_price() -> None:
    told = [(order.role, order.price) for order in book_of(decision(1, legs=LEGS)).working]
    assert told == [("", ""), ("take profit", "110"), ("stop loss", "95")]


def test_a_refused_order_never_works() -> None:
    assert book_of(decision(1, refusal="too large"), status("Rejected")).working == []


def test_a_book_comes_back_as_it_was_kept() -> None:
    before = book_of(decision(1, legs=LEGS), status("Accepted"))
    assert OrderBook.restored(before.kept()).working == before.working
