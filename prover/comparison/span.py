"""SPAN as a rule beside the method in clear.

Exact but for rounding: scan risk and short option minimum. The inter-month charge and the inter-commodity credit are
exact where the worst scenario goes fully against the net delta N, as it does for futures. Where it goes against it by a
share σ (from 1, fully against, to −1, fully with it), the rule asks for up to (1 − σ)/2 · rate · |N| more of the one
and (1 − σ) · credit · range · |N| more for the other (:mod:`prover.components.span_terms`): books of short options
beside a small net delta pay most.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.comparison.conservatism import Comparison, compare_to_clear
from prover.comparison.listed_positions import Position, list_positions, quantities_of, rules_with, shipped_component
from prover.comparison.random_portfolios import random_portfolios
from prover.components.exposure_measures import Grouping, Measure, exposure_groups
from prover.components.span_scan import SpanScan
from prover.components.span_terms import SPAN_MOVES
from prover.errors import MethodologyError
from prover.market.instruments import Future, Option, OptionRight
from prover.methodologies.inputs import inputs_of, read_input
from prover.methodologies.span import SpanInputs, portfolio_pnl, requirement
from prover.rules.exposure import assess_margin
from prover.rules.slot_facts import ExpiryGroup, SlotFacts, SlotKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from prover.market.market_data import MarketSnapshot
    from prover.rules.portfolio import Portfolio
    from prover.rules.universe import Universe

METHODOLOGY: Final = "span"
COIN: Final = "COIN"
FIRST_DAY: Final = date(2030, 1, 1)
LOT_SIZE: Final = Decimal(1)
TOTALS: Final = ("inter_month_charge", "delivery_charge", "inter_commodity_credit")
"""What cases state as amounts of a whole portfolio, where rules have rates."""

LISTED_ABOVE: Final = 10.0
"""Cases state amounts a lot; they are listed at this multiple of the greatest of them."""


def compare_published(cases: Iterable[Mapping[str, object]]) -> Iterator[Comparison]:
    """Every case: its contracts listed with their stated risk arrays, one lot a contract.

    Raises:
        MethodologyError: a field is missing or out of range, or there are more scenarios than SPAN has.
    """
    for fields in cases:
        yield compare_case(str(fields.get("id", "case")), read_input(SpanInputs, inputs_of(fields)))


def compare_case(name: str, stated: SpanInputs) -> Comparison:
    """One case, relative to what its contracts are worth; charges and credits stated as totals count on neither side.

    Raises:
        MethodologyError: more scenarios than SPAN has.
    """
    if len(stated.scenarios) > len(SPAN_MOVES):
        raise MethodologyError(f"{len(stated.scenarios)} scenarios: rules follow SPAN's {len(SPAN_MOVES)}; merge some")
    inputs = stated.model_copy(update=dict.fromkeys(TOTALS, 0.0))
    contracts = _contracts(inputs)
    price = LISTED_ABOVE * max(1.0, *(float(np.abs(profits).max()) for _, profits in contracts))
    short = sum(-lots for lots, _ in contracts if lots < 0)
    minimum = inputs.short_option_minimum / (short * price) if short else 0.0
    positions = [_position(place, lots, price, as_option=minimum > 0) for place, (lots, _) in enumerate(contracts)]
    component = SpanScan(
        price_scan_range={COIN: Decimal("0.1")},
        volatility_scan_range={COIN: Decimal("0.1")},
        risk_arrays={
            position.instrument.name: tuple(Decimal(str(-profit)) for profit in profits)
            for position, (_, profits) in zip(positions, contracts, strict=True)
        },
        inter_month={COIN: Decimal(str(inputs.inter_month_charge_per_spread / price))},
        short_option_minimum={COIN: Decimal(str(minimum))},
    )
    universe, portfolio = list_positions(positions)
    assessment = assess_margin(rules_with(universe, component)[0], portfolio)
    clear = requirement(inputs).requirement + inputs.net_option_value
    return Comparison(METHODOLOGY, name, clear, assessment.requirement, assessment.exposure.gross_notional)


def _contracts(inputs: SpanInputs) -> list[tuple[int, NDArray[np.float64]]]:
    """Lots of each contract or month, and the profit of one held long in each scenario."""
    if inputs.scan_risk is not None:
        lots = round(inputs.long - inputs.short)
        profits = np.zeros(len(SPAN_MOVES))
        profits[0] = -inputs.scan_risk / lots
        return [(lots, profits)]
    if isinstance(inputs.positions, tuple):
        nets = {f"month {place}": month.net for place, month in enumerate(inputs.positions)}
    else:
        nets = dict(inputs.positions)
    return [
        (round(net), _padded(portfolio_pnl(inputs.model_copy(update={"positions": {contract: 1.0}}))))
        for contract, net in nets.items()
    ]


def _padded(profits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fewer scenarios than SPAN's are followed by some in which nothing is lost."""
    return np.pad(profits, (0, len(SPAN_MOVES) - len(profits)))


def _position(place: int, lots: int, price: float, *, as_option: bool) -> Position:
    """A contract of its own month, of delta one, or an option at the money."""
    day = FIRST_DAY + timedelta(days=place)
    instrument = Option(COIN, day, Decimal(str(price)), OptionRight.CALL) if as_option else Future(COIN, day)
    facts = SlotFacts(
        kind=SlotKind.OPTION if as_option else SlotKind.FUTURE,
        coin=COIN,
        expiry=ExpiryGroup(COIN, place, f"{COIN} month {place}", 1.0),
        is_call=as_option,
        lot_size=float(LOT_SIZE),
        mark=price,
        sell_price=price,
        buy_price=price,
        index_price=price,
        forward=price,
        strike=price if as_option else 0.0,
        volatility=0.5 if as_option else 0.0,
        years=1.0,
        delta=1.0,
        confidence=1.0,
        spot_confidence=1.0,
    )
    return Position(instrument, LOT_SIZE, facts, lots)


def span_requirement(universe: Universe, component: SpanScan, portfolio: Portfolio) -> float:
    """The method in clear on the lots of a portfolio: Σ over underlyings, relative to equity at marks. Secret."""
    quantity = quantities_of(universe, portfolio)
    offsets = _offsets(universe, component, quantity)
    return sum(
        requirement(_inputs(universe, component, quantity, place, offsets.get(name, 0.0))).requirement
        for place, name in enumerate(universe.underlyings)
    )


def _inputs(
    universe: Universe, component: SpanScan, quantity: NDArray[np.float64], place: int, credit: float
) -> SpanInputs:
    name = universe.underlyings[place]
    own = np.flatnonzero((universe.underlying == place) & (quantity != 0))
    arrays = component.unit_profit(universe)
    minimum = float(component.short_option_minimum.get(name, 0)) * universe.index_price * universe.option
    months = [
        float((group.exposure / np.where(group.slots, universe.lot_size, 1.0)) @ quantity)
        for group in exposure_groups(universe, Measure.DELTA, Grouping.EXPIRY)
        if (universe.underlying[group.slots] == place).all()
    ]
    spread = min(sum(net for net in months if net > 0), -sum(net for net in months if net < 0))
    return SpanInputs(
        risk_arrays_pnl_long1={str(slot): tuple(map(float, arrays[:, slot])) for slot in own},
        positions={str(slot): float(quantity[slot]) for slot in own},
        inter_month_charge=float(component.inter_month.get(name, 0)) * spread,
        inter_commodity_credit=credit,
        short_option_minimum=float(np.maximum(-quantity[own], 0) @ minimum[own]),
    )


def _offsets(universe: Universe, component: SpanScan, quantity: NDArray[np.float64]) -> dict[str, float]:
    """Offsetting risk that each underlying is let off."""
    groups = exposure_groups(universe, Measure.DELTA, Grouping.UNDERLYING)
    net = {
        group.name: float((group.exposure / np.where(group.slots, universe.lot_size, 1.0)) @ quantity)
        for group in groups
    }
    offsets: dict[str, float] = {}
    for pair in component.inter_commodity:
        first, second = (
            float(pair.credit * component.price_scan_range[name]) * net.get(name, 0.0) for name in pair.underlyings
        )
        offset = min(max(first, 0.0), max(-second, 0.0)) + min(max(-first, 0.0), max(second, 0.0))
        offsets |= dict.fromkeys(pair.underlyings, offset)
    return offsets


def compare_portfolios(
    universe: Universe, component: SpanScan, portfolios: Iterable[Portfolio], *, maintenance_factor: float
) -> Iterator[Comparison]:
    """Initial and maintenance margin of portfolios of a listed market, under SPAN alone.

    Args:
        universe: the market; one book.
        component: ranges and rates; not a joint scan, which SPAN does not know.
        portfolios: on its slots.
        maintenance_factor: loss factor of maintenance margin; that of initial margin is 1.
    """
    rules = rules_with(universe, component, maintenance_factor=maintenance_factor)
    return compare_to_clear(
        METHODOLOGY, rules, portfolios, lambda portfolio: span_requirement(universe, component, portfolio)
    )


def compare_random(snapshot: MarketSnapshot, *, count: int, seed: int) -> tuple[Comparison, ...]:
    """Random portfolios on a market, under the ranges and rates of the shipped rule."""
    universe, component, factor = shipped_component(snapshot, "span", SpanScan)
    portfolios = random_portfolios(universe, count=count, seed=seed)
    return tuple(compare_portfolios(universe, component, portfolios, maintenance_factor=factor))
