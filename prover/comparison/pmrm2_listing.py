"""Cases of Derive's portfolio margin as listed markets, and portfolios of a listed market as such cases.

A case's expiry of rate r and time T prices options at df · Black76(F, K), df = exp(−r·T), which is Black76(df·F, df·K):
so listed, a rule needs no rate. A perpetual is worth its price here and was bought with cash; a token is worth its
price over that of the stable coin. Positions are rounded to lots, on both sides of a comparison.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from prover.comparison.listed_positions import Position, list_positions, quantities_of
from prover.errors import MethodologyError
from prover.market.instruments import SECONDS_PER_YEAR, Cash, Option, OptionRight, Perpetual
from prover.market.pricing import OptionTerms, black76
from prover.methodologies.derive_expiry import ExpiryMarket, OptionPosition
from prover.methodologies.derive_pmrm2 import Collateral, Pmrm2Case, Pmrm2Market, Pmrm2Parameters, Pmrm2Portfolio
from prover.rules.quantise import DEFAULT_TICK
from prover.rules.slot_facts import ExpiryGroup, SlotFacts, SlotKind
from verifier.shape import STANDARD

if TYPE_CHECKING:
    from prover.market.instruments import Instrument
    from prover.methodologies.derive_expiry import Scenario
    from prover.rules.portfolio import Portfolio
    from prover.rules.universe import Universe

COIN: Final = "COIN"
FIRST_DAY: Final = date(2030, 1, 1)
"""Expiries of a case have times, not days; they are named by days from here on."""

LOT_VALUE: Final = 1000.0
"""A lot is the largest power of ten of units that costs no more, quote currency: 0.01 BTC, 0.1 ETH."""

TICK: Final = float(DEFAULT_TICK)

HoldingType = TypeVar("HoldingType", Collateral, OptionPosition)


@dataclass(frozen=True, slots=True)
class ListedCase:
    """A case as a rule sees it.

    Attributes:
        universe: slots and prices.
        portfolio: its positions in lots.
        case: the same case with the rounded positions.
    """

    universe: Universe
    portfolio: Portfolio = field(repr=False)
    case: Pmrm2Case = field(repr=False)


def list_case(case: Pmrm2Case) -> ListedCase:
    """List everything that a case holds.

    Raises:
        MethodologyError: part of a forward does not move with spot, or it holds more than a book has slots.
    """
    _require_listable(case)
    held, market = case.portfolio, case.market
    price = market.perp_price or 0.0
    perpetuals = [_position(Perpetual(COIN), _perpetual(market, price), held.perp_qty)] if held.perp_qty else []
    tokens = [
        _position(Cash(f"TOKEN{place}"), _token(token, market), token.qty)
        for place, token in enumerate(held.collateral)
    ]
    feeds = {expiry.expiry_sec: (place, expiry) for place, expiry in enumerate(market.expiries)}
    options = [_position(*_option(option, *feeds[option.expiry_sec], market), option.qty) for option in held.options]
    perpetual = sum(_quantity(position) for position in perpetuals)
    cash = math.floor((held.cash + held.perp_unrealised - perpetual * price) / TICK)
    listed = list_positions([*perpetuals, *tokens, *options], cash=cash, stable_price=market.stable_price)
    rounded = Pmrm2Portfolio(
        cash=cash * TICK + perpetual * price,
        perp_qty=perpetual,
        collateral=tuple(map(_rounded, held.collateral, tokens)),
        options=tuple(map(_rounded, held.options, options)),
    )
    return ListedCase(*listed, case.model_copy(update={"portfolio": rounded}))


def _position(instrument: Instrument, facts: SlotFacts, quantity: float) -> Position:
    return Position(instrument, Decimal(str(facts.lot_size)), facts, round(quantity / facts.lot_size))


def _quantity(position: Position) -> float:
    return position.lots * position.facts.lot_size


def _rounded(holding: HoldingType, position: Position) -> HoldingType:
    return holding.model_copy(update={"qty": _quantity(position)})


def _require_listable(case: Pmrm2Case) -> None:
    for expiry in case.market.expiries:
        if expiry.forward_fixed:
            raise MethodologyError(
                f"forward_fixed = {expiry.forward_fixed}: forwards of rules move with spot as a whole; set it to 0"
            )
    feeds = {expiry.expiry_sec for expiry in case.market.expiries}
    for option in case.portfolio.options:
        if option.expiry_sec not in feeds or not option.strike:
            raise MethodologyError(
                f"option strike = {option.strike}, expiry_sec = {option.expiry_sec}: rules list options of positive "
                "strike and of expiries in market.expiries; correct them"
            )
    held = 2 + len(case.portfolio.collateral) + len(case.portfolio.options)
    if held > STANDARD.slots:
        raise MethodologyError(f"the case holds {held} instruments, a book {STANDARD.slots}; compare a smaller one")


def _perpetual(market: Pmrm2Market, price: float) -> SlotFacts:
    return SlotFacts(
        kind=SlotKind.PERPETUAL,
        coin=COIN,
        lot_size=_lot_size(market.spot),
        mark=price,
        sell_price=price,
        buy_price=price,
        index_price=market.spot,
        delta=1.0,
        confidence=market.perp_conf,
        spot_confidence=market.spot_conf,
    )


def _token(token: Collateral, market: Pmrm2Market) -> SlotFacts:
    worth = token.price / market.stable_price
    return SlotFacts(
        kind=SlotKind.COLLATERAL,
        coin=COIN if token.risk_cancelling else None,
        lot_size=_lot_size(worth),
        mark=worth,
        sell_price=worth,
        buy_price=worth,
        index_price=worth,
        delta=float(token.risk_cancelling),
        confidence=token.conf,
        spot_confidence=market.spot_conf,
    )


def _option(
    option: OptionPosition, place: int, expiry: ExpiryMarket, market: Pmrm2Market
) -> tuple[Instrument, SlotFacts]:
    years = max(expiry.expiry_sec, 0.0) / SECONDS_PER_YEAR
    discount = math.exp(-max(expiry.rate, 0.0) * years)
    forward, strike = discount * expiry.forward_variable, discount * option.strike
    mark = float(black76(OptionTerms(strike, years, option.is_call), forward, option.vol))
    day = FIRST_DAY + timedelta(days=place)
    right = OptionRight.CALL if option.is_call else OptionRight.PUT
    instrument = Option(COIN, day, Decimal(str(option.strike)), right)
    facts = SlotFacts(
        kind=SlotKind.OPTION,
        coin=COIN,
        expiry=ExpiryGroup(COIN, place, f"{COIN}-{instrument.expiry_code}", years),
        is_call=option.is_call,
        lot_size=_lot_size(market.spot),
        mark=mark,
        sell_price=mark,
        buy_price=mark,
        index_price=market.spot,
        forward=forward,
        strike=strike,
        volatility=option.vol,
        years=years,
        confidence=min(expiry.forward_conf, expiry.rate_conf, expiry.vol_conf),
        spot_confidence=market.spot_conf,
    )
    return instrument, facts


def _lot_size(price: float) -> float:
    return float(10.0 ** math.floor(math.log10(LOT_VALUE / price))) if price > 0 else 1.0


def case_of(
    universe: Universe, portfolio: Portfolio, parameters: Pmrm2Parameters, scenarios: tuple[Scenario, ...]
) -> Pmrm2Case:
    """A portfolio of a listed market with one underlying as a case: no rates, no tokens, whole forwards.

    Raises:
        MethodologyError: something held is neither cash nor a perpetual nor an option, or an expiry has two forwards.
    """
    quantities = quantities_of(universe, portfolio)
    if quantities[~(universe.cash | universe.perpetual | universe.option)].any():
        raise MethodologyError("the portfolio holds tokens or dated futures; compare one of cash and derivatives")
    perpetual = np.flatnonzero(universe.perpetual)
    held = float(quantities[perpetual].sum())
    price = float(universe.mark[perpetual].max(initial=0.0))
    expiries = {place: _feeds(universe, place) for place in np.unique(universe.expiry[universe.option])}
    options = tuple(
        OptionPosition(
            expiry_sec=expiries[universe.expiry[slot]].expiry_sec,
            strike=float(universe.strike[slot]),
            is_call=bool(universe.is_call[slot]),
            qty=float(quantities[slot]),
            vol=float(universe.volatility[slot]),
        )
        for slot in np.flatnonzero(universe.option & (quantities != 0))
    )
    cash = float(quantities[universe.cash].sum())
    return Pmrm2Case(
        market=Pmrm2Market(
            spot=float(universe.index_price[universe.perpetual | universe.option].max()),
            perp_price=price,
            stable_price=universe.stable_price,
            expiries=tuple(expiries.values()),
        ),
        portfolio=Pmrm2Portfolio(cash=cash + held * price, perp_qty=held, options=options),
        params=parameters,
        scenarios=scenarios,
    )


def _feeds(universe: Universe, place: int) -> ExpiryMarket:
    forwards = np.unique(universe.forward[universe.option & (universe.expiry == place)])
    group = universe.expiries[place]
    if len(forwards) > 1:
        raise MethodologyError(f"{group.name} has forwards {forwards.min()} to {forwards.max()}; give it one")
    return ExpiryMarket(expiry_sec=group.years * SECONDS_PER_YEAR, forward_variable=float(forwards[0]))
