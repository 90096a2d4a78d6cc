"""The listed instruments under one snapshot, as arrays over the slots of all books.

Flat index = book · N + position. Prices are in quote currency per unit of the instrument. Slots that are empty,
expired or no longer quoted are not live: everything about them is zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.market.pricing import OptionTerms, black76, black76_greeks
from prover.rules.slot_facts import NOTHING, ExpiryGroup, SlotFacts, SlotKind, state_facts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from prover.market.market_data import MarketSnapshot
    from prover.rules.slots import SlotTable
    from prover.rules.spread_assumption import SpreadAssumption

NONE: Final = -1
"""Index of a slot without underlying or expiry."""


@dataclass(frozen=True, eq=False)
class Universe:
    """Arrays over all P = B·N slots; zero where a slot is not live or the field means nothing.

    Attributes:
        slots: what is listed where.
        underlyings: coins that listed instruments follow, by name.
        expiries: of live options and futures, by underlying and time.
        stable_price: of the stable coin behind the quote currency.
        live: slots that may hold a position.
        cash: the slot of the quote currency.
        token: slots of collateral tokens, coins held outright among them.
        spot: slots of coins held outright.
        perpetual: slots of perpetuals.
        future: slots of dated futures.
        option: slots of options.
        underlying: place in ``underlyings``; −1 where none is followed.
        expiry: place in ``expiries``; −1 for what does not expire.
        lot_size: units in a lot.
        mark: fair price.
        sell_price: what a long position is worth to whoever must sell it: the lower of bid and mark.
        buy_price: what a short position costs to close: the higher of ask and mark.
        index_price: spot price of the underlying; a token's own mark.
        forward: an option's forward; a dated future's mark.
        strike: of options.
        volatility: of options, fraction per square root of a year.
        years: time to expiry.
        is_call: slots of calls.
        delta: units of the underlying (of a token: its own units), so that delta · index price is what moves.
        gamma: of options, per quote currency of the forward.
        vega: of options, per volatility point (0.01).
        theta: of options, per day.
        open_interest: units; of tokens the units that trade in a day.
        confidence: of the instrument's feed, from 0 to 1.
        spot_confidence: of its underlying's feed, 1 where it follows none.
    """

    slots: SlotTable
    underlyings: tuple[str, ...]
    expiries: tuple[ExpiryGroup, ...]
    stable_price: float
    live: NDArray[np.bool_]
    cash: NDArray[np.bool_]
    token: NDArray[np.bool_]
    spot: NDArray[np.bool_]
    perpetual: NDArray[np.bool_]
    future: NDArray[np.bool_]
    option: NDArray[np.bool_]
    underlying: NDArray[np.int64]
    expiry: NDArray[np.int64]
    lot_size: NDArray[np.float64]
    mark: NDArray[np.float64]
    sell_price: NDArray[np.float64]
    buy_price: NDArray[np.float64]
    index_price: NDArray[np.float64]
    forward: NDArray[np.float64]
    strike: NDArray[np.float64]
    volatility: NDArray[np.float64]
    years: NDArray[np.float64]
    is_call: NDArray[np.bool_]
    delta: NDArray[np.float64]
    gamma: NDArray[np.float64]
    vega: NDArray[np.float64]
    theta: NDArray[np.float64]
    open_interest: NDArray[np.float64]
    confidence: NDArray[np.float64]
    spot_confidence: NDArray[np.float64]

    @property
    def size(self) -> int:
        """P, the number of slots in all books."""
        return len(self.live)

    @cached_property
    def option_index(self) -> NDArray[np.int64]:
        """Flat indices of the live options."""
        return np.flatnonzero(self.option)

    @property
    def option_volatility(self) -> NDArray[np.float64]:
        """Volatilities of the live options, in the order of ``option_index``."""
        return self.volatility[self.option_index]

    @property
    def option_years(self) -> NDArray[np.float64]:
        """Times to expiry of the live options, in the order of ``option_index``."""
        return self.years[self.option_index]

    @cached_property
    def option_terms(self) -> OptionTerms:
        """Strikes, times and rights of the live options, in the order of ``option_index``."""
        index = self.option_index
        return OptionTerms(self.strike[index], self.years[index], self.is_call[index])

    def profit(self, factors: NDArray[np.float64], volatilities: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """Profit of one unit held long, quote currency; nothing where nothing moves.

        An option gains Black76(F·factor, σ') − Black76(F, σ); futures, perpetuals, coins and tokens gain
        mark · (factor − 1); cash and stable coins gain nothing.

        Args:
            factors: price of every underlying as a multiple of today's, [scenario, underlying].
            volatilities: of the live options, [scenario, option]; ``None`` leaves them as they are.

        Returns:
            Profit, [scenario, slot].
        """
        profit = np.zeros((len(factors), self.size))
        moving = self.underlying != NONE
        factor = np.ones_like(profit)
        factor[:, moving] = factors[:, self.underlying[moving]]
        linear = moving & ~self.option
        profit[:, linear] = self.mark[linear] * (factor[:, linear] - 1)
        index = self.option_index
        if len(index):
            shocked = self.option_volatility if volatilities is None else volatilities
            now = black76(self.option_terms, self.forward[index], self.option_volatility)
            profit[:, index] = black76(self.option_terms, self.forward[index] * factor[:, index], shocked) - now
        return profit


def build_universe(snapshot: MarketSnapshot, slots: SlotTable, spread: SpreadAssumption) -> Universe:
    """Look up every slot in the snapshot; ``spread`` stands in for missing quotes."""
    facts = [NOTHING] * (slots.books * slots.slots_per_book)
    for slot, known in state_facts(snapshot, slots, spread):
        facts[slots.flat_index(slot)] = known
    return assemble_universe(slots, facts, stable_price=snapshot.stable_price)


def assemble_universe(slots: SlotTable, facts: Sequence[SlotFacts], *, stable_price: float) -> Universe:
    """Arrays from what is known of every flat slot."""
    underlyings = tuple(sorted({entry.coin for entry in facts if entry.coin is not None}))
    groups = {entry.expiry for entry in facts if entry.expiry is not None}
    expiries = tuple(sorted(groups, key=lambda group: (group.underlying, group.expiry_time)))
    option = _mask(facts, SlotKind.OPTION)
    forward, strike, volatility, years, delta = (
        _column(facts, name) for name in ("forward", "strike", "volatility", "years", "delta")
    )
    is_call = np.array([entry.is_call for entry in facts], dtype=np.bool_)
    index = np.flatnonzero(option)
    greeks = black76_greeks(OptionTerms(strike[index], years[index], is_call[index]), forward[index], volatility[index])
    delta[index] = greeks.delta
    return Universe(
        slots=slots,
        underlyings=underlyings,
        expiries=expiries,
        stable_price=stable_price,
        live=np.array([entry.kind is not None for entry in facts], dtype=np.bool_),
        cash=_mask(facts, SlotKind.CASH),
        token=_mask(facts, SlotKind.COLLATERAL),
        spot=np.array([entry.is_spot for entry in facts], dtype=np.bool_),
        perpetual=_mask(facts, SlotKind.PERPETUAL),
        future=_mask(facts, SlotKind.FUTURE),
        option=option,
        underlying=_places([None if entry.coin is None else underlyings.index(entry.coin) for entry in facts]),
        expiry=_places([None if entry.expiry is None else expiries.index(entry.expiry) for entry in facts]),
        lot_size=_column(facts, "lot_size"),
        mark=_column(facts, "mark"),
        sell_price=_column(facts, "sell_price"),
        buy_price=_column(facts, "buy_price"),
        index_price=_column(facts, "index_price"),
        forward=forward,
        strike=strike,
        volatility=volatility,
        years=years,
        is_call=is_call,
        delta=delta,
        gamma=_spread_out(greeks.gamma, index, len(facts)),
        vega=_spread_out(greeks.vega, index, len(facts)),
        theta=_spread_out(greeks.theta, index, len(facts)),
        open_interest=_column(facts, "open_interest"),
        confidence=_column(facts, "confidence"),
        spot_confidence=_column(facts, "spot_confidence"),
    )


def _mask(facts: Sequence[SlotFacts], kind: SlotKind) -> NDArray[np.bool_]:
    return np.array([entry.kind is kind for entry in facts], dtype=np.bool_)


def _column(facts: Sequence[SlotFacts], name: str) -> NDArray[np.float64]:
    return np.array([getattr(entry, name) for entry in facts], dtype=np.float64)


def _places(places: Sequence[int | None]) -> NDArray[np.int64]:
    return np.array([NONE if place is None else place for place in places], dtype=np.int64)


def _spread_out(values: NDArray[np.float64], index: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    column = np.zeros(size)
    column[index] = values
    return column
