"""What one slot is and what the market says of it, before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from prover.market.instruments import Cash, Future, Instrument, Option
from prover.market.quotes import FutureQuote, OptionQuote, PerpetualQuote, TokenQuote, followed_coin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prover.market.market_data import MarketSnapshot
    from prover.market.quotes import AnyQuote
    from prover.rules.slots import Slot, SlotTable
    from prover.rules.spread_assumption import SpreadAssumption


class SlotKind(StrEnum):
    """What a slot holds."""

    CASH = "cash"
    COLLATERAL = "collateral"
    PERPETUAL = "perpetual"
    FUTURE = "future"
    OPTION = "option"


@dataclass(frozen=True, slots=True)
class ExpiryGroup:
    """What expires together on one underlying.

    Attributes:
        underlying: coin.
        expiry_time: Unix seconds.
        name: for people, as in ``BTC-27DEC24``.
        years: time to expiry.
    """

    underlying: str
    expiry_time: int
    name: str
    years: float


@dataclass(frozen=True, slots=True)
class SlotFacts:
    """A slot under one snapshot; fields as of :class:`prover.rules.universe.Universe`, nothing where not live."""

    kind: SlotKind | None = None
    coin: str | None = None
    is_spot: bool = False
    expiry: ExpiryGroup | None = None
    is_call: bool = False
    lot_size: float = 0.0
    mark: float = 0.0
    sell_price: float = 0.0
    buy_price: float = 0.0
    index_price: float = 0.0
    forward: float = 0.0
    strike: float = 0.0
    volatility: float = 0.0
    years: float = 0.0
    delta: float = 0.0
    open_interest: float = 0.0
    confidence: float = 0.0
    spot_confidence: float = 0.0


NOTHING: Final = SlotFacts()
"""A slot that may not hold a position."""


def state_facts(
    snapshot: MarketSnapshot, slots: SlotTable, spread: SpreadAssumption
) -> Iterator[tuple[Slot, SlotFacts]]:
    """Every slot that the snapshot prices: cash, and whatever it quotes."""
    quotes: dict[Instrument, AnyQuote] = {quote.parsed: quote for quote in snapshot.quotes}
    for slot in slots.listed:
        quote = quotes.get(slot.instrument)
        if quote is not None:
            yield slot, _quoted(slot, quote, snapshot, spread)
        elif slot.instrument == Cash(snapshot.quote_currency):
            yield slot, _cash(slot)


def _cash(slot: Slot) -> SlotFacts:
    return SlotFacts(
        kind=SlotKind.CASH,
        lot_size=float(slot.lot_size),
        mark=1.0,
        sell_price=1.0,
        buy_price=1.0,
        confidence=1.0,
        spot_confidence=1.0,
    )


def _quoted(slot: Slot, quote: AnyQuote, snapshot: MarketSnapshot, spread: SpreadAssumption) -> SlotFacts:
    instrument, coin = slot.instrument, followed_coin(quote)
    spot = None if coin is None else snapshot.underlyings[coin]
    sell_price, buy_price = _against_the_trader(quote, spread)
    dated = instrument if isinstance(instrument, Future | Option) else None
    option = instrument if isinstance(instrument, Option) else None
    return SlotFacts(
        kind=_kind(quote),
        coin=coin,
        expiry=None if dated is None else _expiry_group(dated, snapshot.snapshot_time),
        is_spot=isinstance(quote, TokenQuote) and instrument.coin == coin,
        is_call=option is not None and option.is_call,
        lot_size=float(slot.lot_size),
        mark=quote.mark_price,
        sell_price=sell_price,
        buy_price=buy_price,
        index_price=quote.mark_price if spot is None or isinstance(quote, TokenQuote) else spot.index_price,
        forward=_forward(quote),
        strike=0.0 if option is None else float(option.strike),
        volatility=quote.mark_volatility if isinstance(quote, OptionQuote) else 0.0,
        years=0.0 if dated is None else dated.years_to_expiry(snapshot.snapshot_time),
        delta=0.0 if coin is None else 1.0,
        open_interest=quote.volume if isinstance(quote, TokenQuote) else quote.open_interest,
        confidence=quote.confidence,
        spot_confidence=1.0 if spot is None else spot.confidence,
    )


def _kind(quote: AnyQuote) -> SlotKind:
    match quote:
        case OptionQuote():
            return SlotKind.OPTION
        case PerpetualQuote():
            return SlotKind.PERPETUAL
        case FutureQuote():
            return SlotKind.FUTURE
        case TokenQuote():
            return SlotKind.COLLATERAL


def _forward(quote: AnyQuote) -> float:
    if isinstance(quote, OptionQuote):
        return quote.forward
    return quote.mark_price if isinstance(quote, FutureQuote) else 0.0


def _expiry_group(instrument: Future | Option, snapshot_time: int) -> ExpiryGroup:
    name = f"{instrument.coin}-{instrument.expiry_code}"
    return ExpiryGroup(instrument.coin, instrument.expiry_time, name, instrument.years_to_expiry(snapshot_time))


def _against_the_trader(quote: AnyQuote, spread: SpreadAssumption) -> tuple[float, float]:
    """Sell price ≤ mark ≤ buy price; a missing side stands half a spread from the mark."""
    mark = quote.mark_price
    half = float(spread.of_perpetual_mark) * mark
    if isinstance(quote, OptionQuote):
        half = max(float(spread.of_option_mark) * mark, float(spread.of_forward) * quote.forward)
    bid = max(mark - half, 0.0) if quote.bid_price is None else quote.bid_price
    ask = mark + half if quote.ask_price is None else quote.ask_price
    return min(bid, mark), max(ask, mark)
