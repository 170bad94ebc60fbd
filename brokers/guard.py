"""The guard: any Backtrader broker, reviewed.

Every buy and sell passes `_review` before the inner broker hears of it: schema, profile, halt, risk
rules, then the listeners (the decision log among them). A family, entry and legs, is reviewed as
one at the leg that transmits it. What is refused comes back as an ordinary order in status
Rejected, and takes its whole family with it. To add a rule of your own see `brokers/risk.py`.
"""

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from brokers.at_work import AtWork
from brokers.errors import OrderRefused, RiskRefused
from brokers.events import Cancel, Decision, Event, Halt, Listener, Refusal
from brokers.identity import OrderIds
from brokers.orders import OrderSchema
from brokers.profile import BACKTRADER, Profile
from brokers.risk import AccountLimit, Rule
from brokers.situation import BrokerSituation, check_shrinks, newest_bar_at, units_held
from brokers.ties import Ties
from brokers.translate import Family, Request, rejected, to_schema


class GuardedBroker:
    """Stands before a Backtrader broker and lets nothing through unreviewed.

    Args:
        inner: any Backtrader broker; what the guard does not name goes straight to it. If it has
            an `expect`, that is called with each reviewed order before its last leg is transmitted.
        rules: called before every order, see `brokers.risk`.
        limits: called with the equity at every turn of the loop; a breach halts the guard.
        profile: the venue's rules for the form of an order.
        session_id: goes into every client order id.
        now: the present in seconds since 1970 UTC; by default the end of the newest bar.
    """

    def __init__(
        self,
        inner: Any,
        *,
        rules: Iterable[Rule] = (),
        limits: Iterable[AccountLimit] = (),
        profile: Profile = BACKTRADER,
        session_id: str = "",
        now: Callable[[], float] | None = None,
    ) -> None:
        self.inner = inner
        self.halted: Refusal | None = None
        self._rules = tuple(rules)
        self._limits = tuple(limits)
        self._profile = profile
        self._now = now or (lambda: newest_bar_at(inner.cerebro))
        self._hand_over: Callable[[OrderSchema], object] = getattr(inner, "expect", _keep)
        self._ids = OrderIds(session_id)
        self._listeners: list[Listener] = []
        self._held: dict[int, Family] = {}  # not yet transmitted, by the entry's reference
        self._refused: set[int] = set()
        self._at_work = AtWork()
        self._ties = Ties()
        self._fresh: dict[str, OrderSchema] = {}  # of this turn, for an `oco=` that names them
        self._notes: deque[Any] = deque()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["inner"], name)

    @property
    def cerebro(self) -> Any:
        """The Cerebro that runs the inner broker."""
        return self.inner.cerebro

    @cerebro.setter
    def cerebro(self, cerebro: Any) -> None:
        self.inner.cerebro = cerebro

    def listen(self, listener: Listener) -> None:
        """Tell `listener` of every decision, cancel and halt from now on."""
        self._listeners.append(listener)

    def order_id(self, ref: int) -> str | None:
        """The client order id behind one of Backtrader's references; None: not from here."""
        return self._ids.known.get(ref)

    def buy(self, owner: Any, data: Any, size: float, **how: Any) -> Any:
        """Review a buy, then hand it on. Returns Backtrader's order, perhaps Rejected."""
        return self._place(Request("buy", owner, data, size, how))

    def sell(self, owner: Any, data: Any, size: float, **how: Any) -> Any:
        """Review a sell, then hand it on. Returns Backtrader's order, perhaps Rejected."""
        return self._place(Request("sell", owner, data, size, how))

    def cancel(self, order: Any, *, reason: str | None = None, **how: Any) -> Any:
        """Log a cancel and hand it on; it is never refused, logged or not.

        Args:
            reason: why; a strategy, whose own `cancel` takes none, may leave it in
                ``order.info["cancel_reason"]``.
        """
        why = reason or order.info.get("cancel_reason")
        with suppress(OSError):  # a cancel only ever takes risk away
            self._tell(Cancel(self._ids.of(order), order.owner, order.data, why))
        done = self.inner.cancel(order, **how)
        if done and order.alive():
            self._ties.leave(order)
        return done

    def get_notification(self) -> Any:
        """The next order whose state changed, refusals first; None when there is none.

        Where Cerebro tells the strategy at once (quicknotify, live) an order made until the next
        call is one made in notify_order, and its id says so.
        """
        note = self._notes.popleft() if self._notes else self.inner.get_notification()
        if note is not None and not note.alive():
            self._at_work.drop(note)
        self._ids.tell_of(note)
        return note

    def next(self) -> None:
        """Let the inner broker work, then hold the account against its limits."""
        self._fresh.clear()
        self.inner.next()
        if self._limits and self.halted is None:
            try:
                for limit in self._limits:
                    limit(self.inner.getvalue(), self._now())
            except RiskRefused as breach:
                self.halt(_refusal(breach))

    def halt(self, refusal: Refusal) -> None:
        """Go reduce-only, for good, and cancel resting entries; exits and legs stay at work."""
        if self.halted is not None:
            return
        self.halted = refusal
        entries = [order for order in self._at_work.entries if self._opens(order)]
        for order in entries:
            self.cancel(order, reason=refusal.text)
        with suppress(OSError):  # the halt stands, logged or not
            self._tell(Halt(refusal, tuple(self._ids.known[order.ref] for order in entries)))

    def _opens(self, order: Any) -> bool:
        return bool(order.alive() and units_held(self.inner, order.data) * order.size >= 0)

    def _place(self, request: Request) -> Any:
        family = self._family(request)
        if request.completes or self._refused & family.kin:
            refusal = self._review(family)
            if refusal is not None:
                return self._refuse(family, refusal)
        order = getattr(self.inner, request.side)(  # the only way out
            request.owner, request.data, request.size, **request.how
        )
        self._remember(family.with_order(order), request)
        return order

    def _family(self, request: Request) -> Family:
        parent = request.how.get("parent")
        begun = self._held.pop(parent.ref, None) if parent else None
        if begun:
            return Family(begun.order_id, (*begun.requests, request))
        return Family(self._ids.new(request), (request,))

    def _review(self, family: Family) -> Refusal | None:
        """One verdict for the whole family, told to the listeners before anything happens."""
        entry, order, refusal = family.requests[0], None, None
        try:
            if self._refused & family.kin:
                refusal = Refusal("family", "an order of its family was refused")
            else:
                order = to_schema(family, self._ids.of(family.oco_partner))
                self._check(order, family)
        except OrderRefused as refused:
            refusal = _refusal(refused)
        reason = entry.how.get("reason")
        try:
            self._tell(
                Decision(
                    family.order_id, order, entry.asked, reason, entry.owner, entry.data, refusal
                )
            )
        except OSError as error:
            return Refusal("log", f"the decision could not be logged: {error}")
        if order and not refusal:
            self._fresh[family.order_id] = order
            self._fresh.pop(order.oco_client_order_id or "", None)
            self._hand_over(order)
        return refusal

    def _check(self, order: OrderSchema, family: Family) -> None:
        partner = family.oco_partner
        situation = BrokerSituation(
            self.inner,
            family.requests[0].data,
            order,
            self._at_work,
            self._now,
            self._ties,
            self._fresh.get(order.oco_client_order_id or ""),
            None if partner is None else self._ties.root(partner),
        )
        self._profile.check(situation)
        if self.halted is not None:
            check_shrinks(situation, self.halted)
        for rule in self._rules:
            rule(situation)

    def _remember(self, family: Family, request: Request) -> None:
        entry = family.requests[0].order
        self._ids.name(family)
        if family.oco_partner is not None:
            self._ties.tie(entry, family.oco_partner)
        if request.completes:
            for each in family.requests:
                self._at_work.add(each.order)
        else:
            self._held[entry.ref] = family

    def _refuse(self, family: Family, refusal: Refusal) -> Any:
        orders = [request.order or rejected(request) for request in family.requests]
        for order in orders:
            order.addinfo(refusal=refusal.text)
            order.reject(self)
            self._refused.add(order.ref)
            self._notes.append(order.clone())
        self._ids.name(family.with_order(orders[-1]))
        return orders[-1]

    def _tell(self, event: Event) -> None:
        for listener in self._listeners:
            listener(event)


def _keep(_: OrderSchema) -> None:
    """Hand a reviewed order to a broker that has no use for it."""


def _refusal(refused: OrderRefused) -> Refusal:
    if isinstance(refused, RiskRefused):
        return Refusal("risk", str(refused), refused.rule, refused.limit, refused.value)
    return Refusal("schema", str(refused))
