"""What is made of the gateway's words, in whatever order they come."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest
from ib_async import CommissionReport, Contract, Execution, Order, OrderState

from brokers.errors import Transient, Unknown, VenueRefused
from brokers.wire.ibkr_book import Book, Entry
from brokers.wire.ibkr_line import LOST
from brokers.wire.ibkr_updates import Missing, Taken, Updates
from brokers.wire.ibkr_view import View
from tests.brokers.timers import START_AT, TimerClock

STOCK = Contract(symbol="BRK B", conId=7)
AT = datetime(2024, 3, 4, 15, 15, tzinfo=UTC)


def order(ref="o1", perm_id=9, order_id=1, **more):
    given = {"action": "BUY", "totalQuantity": 10.0, "orderType": "LMT", "lmtPrice": 90.0}
    numbers = {"orderId": order_id, "clientId": 1, "permId": perm_id}
    return Order(orderRef=ref, **numbers | given | more)


def state(status="Submitted", **more):
    return OrderState(status=status, **more)


def execution(exec_id="e1.01", shares=10.0, ref="o1", perm_id=9, order_id=1, account="DU1"):
    return Execution(
        execId=exec_id, time=AT, acctNumber=account, side="BOT", shares=shares, price=90.0,
        permId=perm_id, clientId=1, orderId=order_id, orderRef=ref,
    )  # fmt: skip


def status(word="Submitted", filled=0.0, perm_id=9, order_id=1):
    return (order_id, word, filled, 10.0 - filled, 90.0, perm_id, 0, 90.0, 1, "", 0.0)


class Heard:
    """Book and updates without a socket."""

    def __init__(self):
        self.clock = TimerClock()
        self.book = Book(self.clock.now, lambda contract: contract.symbol.replace(" ", "."))
        self.updates = Updates(self.book, self.clock, 1, lambda: "DU1")
        self.hear = self.updates.hear

    def placed(self):
        entry = Entry(order(perm_id=0), STOCK, ["o1"], START_AT, 1, 1)
        self.book.place(entry)
        return entry

    def asked(self, kind="place", **more):
        """An order at work, and a question about it that is not answered."""
        if kind != "place":
            self.hear("openOrder", (1, STOCK, order(), state()))
        entry = self.book.at(1, 1) or self.placed()
        return self.updates.ask(entry, kind, **more).answer

    def told(self):
        found = []
        while not self.updates.news.empty():
            found.append(self.updates.news.get_nowait())
        return found


def heard(play):
    """Run a play on the loop that the wire belongs to."""

    async def run():
        return await play(Heard())

    return asyncio.run(run())


def test_execution_before_any_other_word_of_its_order_is_told_with_its_cost():
    async def play(it):
        it.placed()
        it.hear("execDetails", (-1, STOCK, execution()))
        it.hear("commissionReport", (CommissionReport(execId="e1.01", commission=1.25),))
        (news,) = it.told()
        assert (news.fill.quantity, news.fill.commission) == (10, Decimal("1.25"))
        assert (news.order.client_order_id, news.order.status) == ("o1", "filled")
        assert news.order.symbol == "BRK.B"

    heard(play)


def test_execution_without_a_commission_is_told_a_second_later_and_the_commission_no_more():
    async def play(it):
        it.placed()
        it.hear("execDetails", (-1, STOCK, execution()))
        await it.clock.wait(1.5)
        (news,) = it.told()
        assert news.fill.commission is None
        it.hear("commissionReport", (CommissionReport(execId="e1.01", commission=1.25),))
        assert it.told() == []

    heard(play)


def test_executions_of_an_order_that_nobody_told_of_wait_for_it_with_their_cost():
    async def play(it):
        it.hear("commissionReport", (CommissionReport(execId="e0.01", commission=2.0),))
        for _ in range(2):
            it.hear("execDetails", (-1, STOCK, execution(perm_id=5, order_id=3)))
        it.hear("commissionReport", (CommissionReport(execId="e1.01", commission=1.25),))
        it.hear("commissionReport", (CommissionReport(execId="e2.01", commission=2.0),))
        (fill,) = View(it.book).fills()
        assert fill.commission == Decimal("1.25")
        it.hear("openOrder", (3, STOCK, order(perm_id=5, order_id=3), state()))
        assert View(it.book).shown(it.book.known("5")).filled_quantity == 10

    heard(play)


def test_corrected_execution_is_no_second_fill():
    async def play(it):
        it.placed()
        for exec_id in ("e1.01", "e1.02"):
            it.hear("execDetails", (-1, STOCK, execution(exec_id)))
        assert len(View(it.book).fills()) == 1

    heard(play)


def test_execution_of_another_account_is_not_ours():
    async def play(it):
        it.hear("execDetails", (-1, STOCK, execution(account="DU2")))
        assert View(it.book).fills() == []

    heard(play)


def test_number_that_comes_again_after_a_restart_is_another_order():
    async def play(it):
        it.hear("openOrder", (1, STOCK, order(), state()))
        it.hear("openOrder", (1, STOCK, order("o2", perm_id=10), state()))
        assert [entry.ref for entry in it.book.entries] == ["o1", "o2"]
        it.hear("execDetails", (-1, STOCK, execution("e9.01", ref="o3", perm_id=11)))
        assert View(it.book).shown(it.book.known("10")).filled_quantity == 0

    heard(play)


def test_order_placed_by_hand_has_no_number_and_is_known_by_its_perm_id():
    async def play(it):
        it.hear("openOrder", (0, STOCK, order("", perm_id=12, order_id=0), state()))
        assert it.book.known("12").order_id == 0
        assert it.book.known("12/") is it.book.known("12")

    heard(play)


def test_status_of_an_order_that_nobody_told_of_is_no_news():
    async def play(it):
        it.hear("orderStatus", status())
        assert (it.told(), it.book.entries) == ([], [])

    heard(play)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("20240304 10:15:00 US/Eastern", AT),
        ("20240304 10:15:00 Mars/Olympus", START_AT),
        ("20240304", START_AT),
        ("", START_AT),
    ],
)
def test_order_completed_before_we_came_has_its_time_where_it_can_be_read(text, at):
    async def play(it):
        done = order(order_id=0, filledQuantity=4.0, parentPermId=3)
        it.hear("completedOrder", (STOCK, done, state("Cancelled", completedTime=text)))
        entry = it.book.known("9")
        assert (entry.updated_at, entry.filled, entry.parent_perm_id) == (at, 4, 3)

    heard(play)


def test_order_completed_without_quantities_keeps_those_that_are_known():
    async def play(it):
        it.hear("openOrder", (1, STOCK, order(), state()))
        it.hear("orderStatus", status(filled=3.0))
        it.hear("completedOrder", (STOCK, order(order_id=0), state("Cancelled")))
        shown = View(it.book).shown(it.book.known("9"))
        assert (shown.filled_quantity, shown.status) == (3, "canceled")

    heard(play)


def test_order_that_was_replaced_twice_is_found_under_each_of_its_names():
    async def play(it):
        it.hear("openOrder", (1, STOCK, order("o1"), state()))
        it.hear("openOrder", (1, STOCK, order("o2/o1"), state()))
        it.hear("openOrder", (1, STOCK, order("o3/o2"), state()))
        view = View(it.book)
        statuses = [view.shown(it.book.find(ref), ref).status for ref in ("o1", "o2", "o3")]
        assert statuses == ["replaced", "replaced", "new"]

    heard(play)


def test_order_of_another_program_is_known_by_the_names_that_it_still_carries():
    async def play(it):
        it.hear("openOrder", (1, STOCK, order("o3/o2"), state()))
        assert it.book.find("o2") is it.book.find("o3")

    heard(play)


def test_modification_that_keeps_its_old_name_at_the_gateway_has_the_new_one_here():
    async def play(it):
        terms = (10.0, 91.0, order().auxPrice, order().trailingPercent)
        answer = it.asked("modify", ref="o2", terms=terms)
        it.hear("openOrder", (1, STOCK, order(lmtPrice=91.0), state()))
        assert answer.done()
        assert [entry.refs for entry in it.book.entries] == [["o1", "o2"]]

    heard(play)


@pytest.mark.parametrize("word", ["PendingCancel", "Cancelled"])
def test_cancel_is_answered_by_the_state_of_its_order(word):
    async def play(it):
        answer = it.asked("cancel")
        it.hear("orderStatus", status("Submitted"))
        assert not answer.done()
        it.hear("orderStatus", status(word))
        assert answer.done()

    heard(play)


@pytest.mark.parametrize(
    ("kind", "code", "error"),
    [
        ("place", 201, VenueRefused),
        ("place", 103, Taken),
        ("place", 10_999, Unknown),
        ("modify", 104, VenueRefused),
        ("cancel", 161, VenueRefused),
        ("cancel", 10147, Missing),
        ("cancel", 202, None),
        ("cancel", 10148, None),
    ],
)
def test_error_answers_what_was_asked(kind, code, error):
    async def play(it):
        answer = it.asked(kind)
        it.hear("error", (1, code, "as IB says it", ""))
        assert type(answer.exception()) is (error or type(None))

    heard(play)


def test_order_that_was_cancelled_by_ib_ends_and_one_that_is_whole_is_not_refused():
    async def play(it):
        it.hear("openOrder", (1, STOCK, order(), state()))
        it.hear("error", (1, 202, "Order Canceled - reason:", ""))
        assert it.told()[-1].order.status == "canceled"
        it.hear("openOrder", (2, STOCK, order("o2", 10, 2), state()))
        it.hear("execDetails", (-1, STOCK, execution(ref="o2", perm_id=10, order_id=2)))
        for code in (201, 202):
            it.hear("error", (2, code, "too late", ""))
        assert View(it.book).shown(it.book.known("10")).status == "filled"

    heard(play)


def test_order_that_ib_never_took_in_is_no_news_when_it_is_refused_late():
    async def play(it):
        it.placed()
        it.hear("error", (1, 201, "Order rejected - reason:no", ""))
        assert it.told() == []

    heard(play)


@pytest.mark.parametrize(
    ("kind", "error"), [("place", Unknown), ("modify", Unknown), ("cancel", Transient)]
)
def test_what_was_asked_when_the_line_broke_is_perhaps_done(kind, error):
    async def play(it):
        answer = it.asked(kind)
        it.hear(LOST, ())
        assert type(answer.exception()) is error
        assert it.told()[-1] is None

    heard(play)


def test_answer_that_nobody_waits_for_any_more_changes_nothing():
    async def play(it):
        answer = it.asked("place")
        answer.cancel()
        it.hear("openOrder", (1, STOCK, order(), state()))
        assert answer.cancelled()

    heard(play)


def test_word_that_means_nothing_to_us_is_passed_over():
    async def play(it):
        it.hear("tickPrice", (1, 4, 90.0, SimpleNamespace()))
        assert it.told() == []

    heard(play)


def test_commissions_are_not_waited_for_after_the_end():
    async def play(it):
        it.placed()
        it.hear("execDetails", (-1, STOCK, execution()))
        it.updates.close()
        await it.clock.wait(2.0)
        assert it.told() == []

    heard(play)


@pytest.mark.parametrize(
    ("kind", "word", "shown"),
    [
        ("LMT", "PreSubmitted", "pending"),
        ("STP", "PreSubmitted", "new"),
        ("TRAIL", "PreSubmitted", "new"),
        ("LMT", "PendingSubmit", "pending"),
        ("LMT", "PendingCancel", "new"),
        ("LMT", "ApiCancelled", "canceled"),
    ],
)
def test_ib_s_word_for_a_state_is_put_in_ours(kind, word, shown):
    async def play(it):
        it.hear("openOrder", (1, STOCK, order(orderType=kind), state(word)))
        assert View(it.book).shown(it.book.known("9")).status == shown

    heard(play)
