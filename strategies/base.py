"""A strategy says which positions it wants; `Strategy` turns that into orders."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, dataclass, fields
from functools import cached_property
from typing import Any, ClassVar

import backtrader as bt

from strategies.context import indicator_values
from strategies.target import NO_EXITS, Step, Target, Working, round_to_tick, units_of


class Strategy(bt.Strategy):
    """A Backtrader strategy that decides on positions rather than on orders.

    Parameters are the fields of `Config`, a frozen dataclass with a default for each and its checks
    in ``__post_init__``; ``cerebro.addstrategy(SmaCross, fast=5)`` sets them. At each bar the
    targets of `decide()` are compared with what is held and what is working: an order on its way
    is left alone while its target stays, and is withdrawn before anything else is sent when the
    target changes. A feed without a target is left as it is. Exits cover the whole position when
    its target names them; one that names none leaves those that work, unless it sells what they
    would have sold.
    """

    through_zero: ClassVar[bool] = True
    """May one order turn long into short? Backtrader's broker allows it, venues do not. False
    closes first and opens when the close has filled, as a target with exits always does."""

    file_params: ClassVar[tuple[str, ...]] = ()
    """Parameters that name a file whose content decides what is traded; empty ones name none."""

    _awaited_at: int = 0

    @dataclass(frozen=True)
    class Config:
        """No parameters."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Backtrader's metaclass goes on from here to the params of the class itself.
        cls.params = cls.params._derive(cls.__name__, _defaults(cls.Config), ())

    @cached_property
    def config(self) -> Any:
        """The parameters of this run, as a `Config`."""
        return self.Config(**{f.name: getattr(self.p, f.name) for f in fields(self.Config)})

    def decide(self) -> Iterator[Target]:
        """Give the wanted positions of this bar; of several for one feed the last one counts."""
        raise NotImplementedError

    def context(self, data: bt.DataBase | None = None) -> dict[str, float]:
        """What a decision about `data` (default: the first feed) rests on, for the log."""
        del data
        return indicator_values(self)

    def next(self) -> None:
        """Pursue the targets of this bar: withdraw what is in the way, sell, then buy."""
        wants = {**self._waiting, **{want.data: want for want in self.decide()}}
        self._awaited.clear()
        if wants:
            self._pursue(wants)

    def notify_order(self, order: bt.Order) -> None:
        """Go on with this bar once its last cancel is answered, if no other bar came before.

        Backtrader's broker answers at once, a venue does not; so both come to the same orders, in
        the same order. Whoever overrides this calls it, or goes on at the next bar.
        """
        del order
        is_this_bar = bool(self._awaited) and self._awaited_at == len(self)
        if is_this_bar and not any(waited.alive() for waited in self._awaited):
            self._awaited.clear()
            self._pursue(dict(self._waiting))

    def cancel(self, order: bt.Order, reason: str = "") -> None:
        """Cancel an order; the reason travels with it as ``order.info["cancel_reason"]``."""
        if reason:
            order.addinfo(cancel_reason=reason)
        super().cancel(order)

    @cached_property
    def _awaited(self) -> list[bt.Order]:
        """Orders whose cancel was asked for on this bar and not answered at once."""
        return []

    @cached_property
    def _working(self) -> dict[bt.DataBase, Working]:
        return {}

    @cached_property
    def _waiting(self) -> dict[bt.DataBase, Target]:
        """Targets that a cancel or a close must precede: pursued again at the next bar."""
        return {}

    @cached_property
    def _stakes(self) -> dict[bt.DataBase, float]:
        return {}

    @cached_property
    def _withdrawn(self) -> set[int]:
        return set()

    def _pursue(self, wants: dict[bt.DataBase, Target]) -> None:
        self._waiting.clear()
        steps = [step for want in wants.values() if (step := self._clear_way(want))]
        if self._awaited:
            self._awaited_at = len(self)
            self._waiting.update({step.want.data: step.want for step in steps})
            return
        # Sells free the cash that buys need; of each, what reduces a position goes first.
        for step in sorted(steps, key=lambda step: (step.gap > 0, not step.is_reduction)):
            self._take(step)

    def _clear_way(self, want: Target) -> Step | None:
        """Withdraw what a target contradicts; None when nothing can or need be sent now."""
        working = self._working.setdefault(want.data, Working())
        is_same = want.terms == working.terms
        entry = working.entry
        if entry and entry.alive():
            if is_same and entry.ref not in self._withdrawn:
                if working.is_closing_first:
                    self._waiting[want.data] = want
                return None
            if not self._withdraw([entry], want):
                return None
        elif is_same and working.is_closing_first and _is_refused(entry, self._withdrawn):
            working.is_closing_first = False
            return None  # the close was refused, and the target with it
        step = self._measure(want)
        if not self._exits_stand(step, working):
            return step if self._withdraw(working.exits, want) else None
        return step if step.gap else None

    def _measure(self, want: Target) -> Step:
        held = self.getposition(want.data).size
        wanted = self._units(want, held)
        is_met = math.isclose(held, wanted, rel_tol=1e-9, abs_tol=1e-12)
        return Step(want, held, held if is_met else wanted)

    def _units(self, want: Target, held: float) -> float:
        """The wanted position in units; whole ones are int, as a plain strategy would have them."""
        data = want.data
        if want.weight is not None:
            close = data.lines.close[0]
            if not close > 0:
                return held  # without a price there is no size
            cash = max(self.broker.getvalue(), 0.0) * abs(want.weight)
            lot = want.effective_lot
            lots = float(self.broker.getcommissioninfo(data).getsize(close * lot, cash))
            units = math.copysign(lots if lot == 1.0 else units_of(lots, lot), want.weight)
        else:
            stakes = want.size or 0.0
            if stakes and held * stakes <= 0:
                self._stakes[data] = abs(self.getsizing(data, isbuy=stakes > 0))
            elif stakes and data not in self._stakes:
                self._stakes[data] = abs(held)  # a position that was there before us is one stake
            units = stakes * self._stakes[data] if stakes else 0.0
        return int(units) if float(units).is_integer() else units

    def _exits_stand(self, step: Step, working: Working) -> bool:
        """Tell whether the exits that work, or their absence, can stay as they are."""
        alive = [order for order in working.exits if order.alive()]
        if any(order.ref in self._withdrawn for order in alive):
            return False
        is_protected = bool(alive)
        if not step.kept:
            return not is_protected
        if step.want.exits != NO_EXITS:
            is_same = is_protected and step.want.exits == working.exit_terms
            return is_same and not step.is_reduction
        return not is_protected or not step.is_reduction

    def _withdraw(self, orders: Iterable[bt.Order], want: Target) -> bool:
        """Cancel; False, with the target kept waiting, until none of them can fill any more."""
        for order in orders:
            if order.alive() and order.ref not in self._withdrawn:
                self._withdrawn.add(order.ref)
                self.cancel(order, reason=f"gives way to: {want.reason}")
                if order.alive():
                    self._awaited.append(order)
        if is_pending := any(order.alive() for order in orders):
            self._waiting[want.data] = want
        return not is_pending

    def _take(self, step: Step) -> None:
        """Send the orders of one step."""
        want, working = step.want, self._working[step.want.data]
        has_exits = want.exits != NO_EXITS
        working.terms = want.terms
        working.is_closing_first = step.is_reversal and (has_exits or not self.through_zero)
        if working.is_closing_first:
            working.entry = self._send(want.data, -step.held, f"closes first: {want.reason}")
            self._waiting[want.data] = want
            return
        exits = [order for order in working.exits if order.alive()]
        if has_exits and step.kept and not exits:
            exits = self._lay_exits(want, step.kept)
        if has_exits and step.gap and not step.is_reduction:
            working.entry, *legs = self._send_bracket(want, step.gap)
            exits += legs
        elif step.gap:
            working.entry = self._send(want.data, step.gap, want.reason, limit=want.limit)
        working.exits = exits
        working.exit_terms = want.exits if has_exits else working.exit_terms

    def _send(
        self,
        data: bt.DataBase,
        size: float,
        reason: str,
        *,
        limit: float | None = None,
        stop: float | None = None,
        oco: bt.Order | None = None,
    ) -> bt.Order:
        """One order of signed size; market unless it has a price."""
        place = self.buy if size > 0 else self.sell
        kind = bt.Order.Market if limit is None else bt.Order.Limit
        return place(
            data=data,
            size=abs(size),
            price=_on_tick(data, limit if stop is None else stop, is_buy=size > 0),
            exectype=kind if stop is None else bt.Order.Stop,
            oco=oco,
            valid=bt.Order.DAY if kind == bt.Order.Market and stop is None and size % 1 else None,
            **_because(reason),
        )

    def _send_bracket(self, want: Target, size: float) -> list[bt.Order]:
        """An entry of signed size, then its exits; one exit alone makes an OTO."""
        place, is_buy = (self.buy_bracket, True) if size > 0 else (self.sell_bracket, False)
        orders = place(
            data=want.data,
            size=abs(size),
            price=_on_tick(want.data, want.limit, is_buy=is_buy),
            exectype=bt.Order.Market if want.limit is None else bt.Order.Limit,
            oargs=_because(want.reason),
            stopprice=_on_tick(want.data, want.stop_loss, is_buy=not is_buy),
            stopexec=None if want.stop_loss is None else bt.Order.Stop,
            stopargs=_because(want.reason, "stop loss of: "),
            limitprice=_on_tick(want.data, want.take_profit, is_buy=not is_buy),
            limitexec=None if want.take_profit is None else bt.Order.Limit,
            limitargs=_because(want.reason, "take profit of: "),
        )
        return [order for order in orders if order is not None]

    def _lay_exits(self, want: Target, held: float) -> list[bt.Order]:
        """Exits for a position that is held already; two of them cancel each other (OCO)."""
        exits: list[bt.Order] = []
        if want.stop_loss is not None:
            reason = f"stop loss of: {want.reason}"
            exits.append(self._send(want.data, -held, reason, stop=want.stop_loss))
        if want.take_profit is not None:
            reason, twin = f"take profit of: {want.reason}", exits[0] if exits else None
            exits.append(self._send(want.data, -held, reason, limit=want.take_profit, oco=twin))
        return exits


def _is_refused(order: bt.Order, withdrawn: set[int]) -> bool:
    return order.status != bt.Order.Completed and order.ref not in withdrawn


def _on_tick(data: bt.DataBase, price: float | None, *, is_buy: bool) -> float | None:
    tick = getattr(data.p, "tick", None)
    if price is None or not tick:
        return price
    return round_to_tick(float(price), float(tick), is_buy=is_buy)


def _because(reason: str, prefix: str = "") -> dict[str, str]:
    """The reason as a keyword of an order; nothing is said when none was given."""
    return {"reason": prefix + reason} if reason else {}


def _defaults(config: type[Any]) -> dict[str, Any]:
    """Default of each field of a dataclass."""
    defaults = {}
    for item in fields(config):
        if item.default is MISSING and item.default_factory is MISSING:
            raise TypeError(f"{config.__qualname__}.{item.name} needs a default value")
        if item.default_factory is not MISSING:
            defaults[item.name] = item.default_factory()
        else:
            defaults[item.name] = item.default
    return defaults
