"""Numbers of the columns, places and states in the tables of `backtest.compiled.desk`."""

from typing import Final

# Columns of `Desk.orders`
FEED: Final = 0
KIND: Final = 1  # of brokers.fills
SIZE: Final = 2
PRICE: Final = 3  # of the limit or stop; the close at creation for a market order
BORN: Final = 4  # the feed's bar at creation
STATE: Final = 5
AWAKE: Final = 6
FAMILY: Final = 7  # of a bracket; 0: none
ROLE: Final = 8
GROUP: Final = 9  # of an OCO pair; 0: none
ORDER_COLUMNS: Final = 10

SUBMITTED, WORKING, ENDED = 0.0, 1.0, 2.0  # STATE
ASLEEP, IS_AWAKE, WAKES = 0.0, 1.0, 2.0  # AWAKE; WAKES: at the broker's next turn
EXIT, ENTRY = 0.0, 1.0  # ROLE, as strategies.base has it

# Columns of `Desk.feeds`: the position, its round trip, and what strategies.base keeps of a feed
UNITS: Final = 0
COST: Final = 1
TRIP_UNITS: Final = 2
TRIP_COST: Final = 3
TRIP_PNL: Final = 4
TRIP_PAID: Final = 5
PAPER_UNITS: Final = 6  # at submission, on paper
PAPER_COST: Final = 7
IS_HELD: Final = 8  # known to BackBroker.positions
ENTRY_STATE: Final = 9
CLOSES_FIRST: Final = 10
STAKE: Final = 11
TERMS: Final = 12  # and the next three: target, limit, take-profit, stop-loss of what was sent
EXIT_TERMS: Final = 16  # and the next: take-profit, stop-loss
WANTS: Final = 18  # and the next three: as TERMS, of this bar
IS_WAITING: Final = 22
WANTED_UNITS: Final = 23
FEED_COLUMNS: Final = 24

NOTHING, ALIVE, COMPLETED, REFUSED, WITHDRAWN = 0.0, 1.0, 2.0, 3.0, 4.0  # ENTRY_STATE

TARGET, LIMIT_PRICE, TAKE_PROFIT, STOP_LOSS = 0, 1, 2, 3  # outputs of a strategy
OUTPUTS: Final = 4

# Places in `Desk.counts`
ORDERS: Final = 0
WAITING: Final = 1
HELD: Final = 2
FILLS: Final = 3
TRIPS: Final = 4
CLOSED: Final = 5
WINS: Final = 6
LINKS: Final = 7  # families and groups so far
FAULT: Final = 8
COUNTS: Final = 9

# FAULT: the run cannot go on
FULL: Final = 1  # more orders at work than the table holds
NOT_FINITE: Final = 2
INEXACT: Final = 3
TOO_LARGE: Final = 4

# Places in `Desk.money`
CASH: Final = 0
VALUE: Final = 1

# Rows of `Desk.queues`
WAITING_FEEDS: Final = 0
HELD_FEEDS: Final = 1
WANTING_FEEDS: Final = 2
STEPPING_FEEDS: Final = 3
QUEUES: Final = 4

# Columns of `Desk.fills`
FILL_COLUMNS: Final = 5  # bar of the feed, feed, units, price, commission

LARGEST_UNITS: Final = 2.0**53  # whole units beyond it are no longer exact
