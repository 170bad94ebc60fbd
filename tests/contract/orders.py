"""Orders of the scenes: ten of AAPL, prices around 100."""

from brokers.orders import Leg, OrderSchema


def market(order_id="m1", side="buy", quantity="10", symbol="AAPL"):
    return OrderSchema(
        client_order_id=order_id, symbol=symbol, side=side, quantity=quantity, order_type="market"
    )


def limit(order_id="l1", price="90", quantity="10"):
    return OrderSchema(
        client_order_id=order_id,
        symbol="AAPL",
        side="buy",
        quantity=quantity,
        order_type="limit",
        limit_price=price,
    )


def exits(order_id="x1"):
    """Ten that are held, sold at 110 or at 95."""
    stop, _ = bracket(order_id).legs
    return OrderSchema(
        client_order_id=order_id,
        symbol="AAPL",
        side="sell",
        quantity="10",
        order_type="limit",
        limit_price="110",
        order_class="oco",
        legs=(stop,),
    )


def bracket(order_id="b1"):
    """Bought at the market, sold at 110 or at 95."""
    exits = {"side": "sell", "quantity": "10"}
    return OrderSchema(
        client_order_id=order_id,
        symbol="AAPL",
        side="buy",
        quantity="10",
        order_type="market",
        order_class="bracket",
        legs=(
            Leg(
                client_order_id=f"{order_id}-sl",
                role="stop_loss",
                order_type="stop",
                stop_price="95",
                **exits,
            ),
            Leg(
                client_order_id=f"{order_id}-tp",
                role="take_profit",
                order_type="limit",
                limit_price="110",
                **exits,
            ),
        ),
    )
