"""The listed instruments under one snapshot, as arrays over the slots of all books.

Flat index = book · N + position. Prices are in quote currency per unit of the instrument. Slots that are empty,
expired or no longer quoted are not live: everything about them is zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from prover.market.instruments import Cash, Instrument, Option, Perpetual
from prover.market.pricing import OptionTerms, black76, black76_delta

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from prover.market.market_data import MarketSnapshot, OptionQuote, Quote
    from prover.rules.rule_constants import SpreadAssumption
    from prover.rules.scenarios import ScenarioGrid
    from prover.rules.slots import SlotTable


@dataclass(frozen=True, slots=True, eq=False)
class Universe:
    """Arrays over all P = B·N slots, and the options among them.

    Attributes:
        slots: what is listed where.
        index_price: spot price of the underlying, quote currency.
        live: slots that may hold a position.
        perpetual: slots of perpetuals.
        lot_size: units in a lot; zero where not live.
        mark: fair price.
        sell_price: what a long position is worth to whoever must sell it: the lower of bid and mark.
        buy_price: what a short position costs to close: the higher of ask and mark.
        delta: change of the price with the underlying's, units of the underlying.
        option_index: flat indices of the live options.
        option_quotes: their quotes, in that order.
        option_terms: their strikes, times and rights, in that order.
    """

    slots: SlotTable
    index_price: float
    live: NDArray[np.bool_]
    perpetual: NDArray[np.bool_]
    lot_size: NDArray[np.float64]
    mark: NDArray[np.float64]
    sell_price: NDArray[np.float64]
    buy_price: NDArray[np.float64]
    delta: NDArray[np.float64]
    option_index: NDArray[np.int64]
    option_quotes: tuple[OptionQuote, ...]
    option_terms: OptionTerms

    @property
    def size(self) -> int:
        """P, the number of slots in all books."""
        return len(self.live)

    @property
    def option(self) -> NDArray[np.bool_]:
        """Slots of live options."""
        mask = np.zeros(self.size, dtype=np.bool_)
        mask[self.option_index] = True
        return mask

    def scenario_profit(self, grid: ScenarioGrid) -> NDArray[np.float64]:
        """Profit of one unit held long, [scenario, slot], in quote currency, before weights.

        An option gains Black76(F(1 + move), shocked σ) − Black76(F, σ), so that nothing moves in the unshocked
        scenario; a perpetual gains mark · move; cash gains nothing.
        """
        moves = np.array([scenario.price_move for scenario in grid.scenarios])[:, None]
        profit = moves * np.where(self.perpetual, self.mark, 0.0)
        if len(self.option_index):
            forward = np.array([quote.forward for quote in self.option_quotes])
            volatility = np.array([quote.mark_volatility for quote in self.option_quotes])
            years = np.asarray(self.option_terms.years, dtype=np.float64)
            shocked = np.array([grid.shock.apply(volatility, years, item.volatility) for item in grid.scenarios])
            now = black76(self.option_terms, forward, volatility)
            profit[:, self.option_index] = black76(self.option_terms, forward * (1 + moves), shocked) - now
        return profit


def build_universe(snapshot: MarketSnapshot, slots: SlotTable, spread: SpreadAssumption) -> Universe:
    """Look up every slot in the snapshot."""
    size = slots.books * slots.slots_per_book
    lot_size, mark, sell_price, buy_price, delta = np.zeros((5, size))
    perpetual = np.zeros(size, dtype=np.bool_)
    quotes = {quote.instrument: quote for quote in snapshot.options}
    options: list[tuple[int, Option, OptionQuote]] = []
    for slot in slots.listed:
        prices = _slot_prices(slot.instrument, snapshot, quotes, spread)
        if prices is None:
            continue
        index = slots.flat_index(slot)
        lot_size[index] = float(slot.lot_size)
        sell_price[index], mark[index], buy_price[index] = prices
        if isinstance(slot.instrument, Perpetual):
            perpetual[index], delta[index] = True, 1.0
        if isinstance(slot.instrument, Option):
            options.append((index, slot.instrument, quotes[slot.instrument.name]))
    terms = OptionTerms(
        strike=np.array([float(option.strike) for _, option, _ in options]),
        years=np.array([option.years_to_expiry(snapshot.snapshot_time) for _, option, _ in options]),
        is_call=np.array([option.is_call for _, option, _ in options], dtype=np.bool_),
    )
    option_index = np.array([index for index, _, _ in options], dtype=np.int64)
    forward = np.array([quote.forward for _, _, quote in options])
    delta[option_index] = black76_delta(terms, forward, [quote.mark_volatility for _, _, quote in options])
    return Universe(
        slots=slots,
        index_price=snapshot.index_price,
        live=lot_size > 0,
        perpetual=perpetual,
        lot_size=lot_size,
        mark=mark,
        sell_price=sell_price,
        buy_price=buy_price,
        delta=delta,
        option_index=option_index,
        option_quotes=tuple(quote for _, _, quote in options),
        option_terms=terms,
    )


def _slot_prices(
    instrument: Instrument, snapshot: MarketSnapshot, quotes: dict[str, OptionQuote], spread: SpreadAssumption
) -> tuple[float, float, float] | None:
    """Sell price, mark and buy price of one unit; ``None`` when the market does not price the instrument."""
    if instrument == Cash(snapshot.quote_currency):
        return 1.0, 1.0, 1.0
    if instrument == Perpetual(snapshot.underlying):
        half = float(spread.of_perpetual_mark) * snapshot.perpetual.mark_price
        return _against_the_trader(snapshot.perpetual, half)
    quote = quotes.get(instrument.name)
    if quote is None:
        return None
    half = max(float(spread.of_option_mark) * quote.mark_price, float(spread.of_forward) * quote.forward)
    return _against_the_trader(quote, half)


def _against_the_trader(quote: Quote, half_spread: float) -> tuple[float, float, float]:
    """Sell price ≤ mark ≤ buy price; a missing side stands half a spread from the mark."""
    bid = max(quote.mark_price - half_spread, 0.0) if quote.bid_price is None else quote.bid_price
    ask = quote.mark_price + half_spread if quote.ask_price is None else quote.ask_price
    return min(bid, quote.mark_price), quote.mark_price, max(ask, quote.mark_price)
