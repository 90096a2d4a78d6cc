"""Paradex's portfolio margin as a rule beside the method in clear: scenarios and minimum delta.

Exact but for rounding. Provisions for funding and fees are no part of a rule and left out on both sides.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.comparison.conservatism import Comparison, compare_to_clear
from prover.comparison.listed_positions import Position, list_positions, quantities_of, rules_with
from prover.comparison.random_portfolios import random_portfolios
from prover.components.minimum_delta import MinimumDelta
from prover.components.scenario_grid import ScenarioGridMargin
from prover.errors import MethodologyError
from prover.market.instruments import Future
from prover.methodologies.inputs import inputs_of, read_input
from prover.methodologies.paradex import (
    DAYS_PER_YEAR,
    LONG_TERM_POWER,
    MAINTENANCE_FRACTION,
    SCENARIOS,
    SHORT_TERM_POWER,
    VOLATILITY_DOWN,
    VOLATILITY_UP,
    ParadexInputs,
    ParadexPosition,
    delta_exposure,
    minimum_delta_risk,
    scan_risk,
)
from prover.rules.exposure import assess_margin
from prover.rules.rule_builder import build_rules
from prover.rules.scenarios import Scenario, VolatilityShock, VolatilityState
from prover.rules.slot_facts import NOTHING, ExpiryGroup, SlotFacts, SlotKind, state_facts
from prover.rules.spread_assumption import SpreadAssumption
from prover.rules.universe import assemble_universe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from prover.market.market_data import MarketSnapshot
    from prover.rules.portfolio import Portfolio
    from prover.rules.slots import SlotTable
    from prover.rules.universe import Universe

METHODOLOGY: Final = "paradex minimum delta"
WITH_SCENARIOS: Final = "paradex portfolio margin"
COIN: Final = "COIN"
FIRST_DAY: Final = date(2030, 1, 1)
LOT_SIZE: Final = Decimal("0.01")

SHOCK: Final = VolatilityShock(
    up=VOLATILITY_UP,
    down=-VOLATILITY_DOWN,
    minimum_volatility=0.0,
    floor_days=1.0,
    short_power=SHORT_TERM_POWER,
    long_power=LONG_TERM_POWER,
)
STATES: Final = {VOLATILITY_UP: VolatilityState.UP, VOLATILITY_DOWN: VolatilityState.DOWN}


def scenario_grid() -> ScenarioGridMargin:
    """Paradex's scenarios as a component."""
    scenarios = tuple(Scenario(move, STATES[shock], weight) for move, shock, weight in SCENARIOS)
    return ScenarioGridMargin(scenarios=scenarios, shock=SHOCK)


def compare_published(cases: Iterable[Mapping[str, object]]) -> Iterator[Comparison]:
    """The minimum delta of every case, with its stated deltas.

    Raises:
        MethodologyError: a field is missing or out of range.
    """
    for fields in cases:
        inputs = read_input(ParadexInputs, inputs_of(fields))
        lots = [round(position.qty / float(LOT_SIZE)) for position in inputs.positions]
        universe, portfolio = list_positions(
            [_position(place, lots[place], inputs) for place in range(len(inputs.positions))]
        )
        rounded = tuple(
            position.model_copy(update={"qty": held * float(LOT_SIZE)})
            for position, held in zip(inputs.positions, lots, strict=True)
        )
        minimum = MinimumDelta(net_rate=_rate(inputs.net_rate), hedged_rate=_rate(inputs.hedged_rate))
        assessment = assess_margin(rules_with(universe, minimum)[0], portfolio)
        clear = inputs.model_copy(update={"positions": rounded})
        yield Comparison(
            methodology=METHODOLOGY,
            portfolio=str(fields.get("id", "case")),
            clear=minimum_delta_risk(delta_exposure(clear), clear),
            rule=assessment.requirement,
            gross_notional=assessment.exposure.gross_notional,
        )


def _rate(number: float) -> Decimal:
    return Decimal(str(number))


def _position(place: int, lots: int, inputs: ParadexInputs) -> Position:
    """A contract of the stated delta."""
    day = FIRST_DAY + timedelta(days=place)
    facts = SlotFacts(
        kind=SlotKind.FUTURE,
        coin=COIN,
        expiry=ExpiryGroup(COIN, place, f"{COIN} {place}", 1.0),
        lot_size=float(LOT_SIZE),
        mark=inputs.spot,
        sell_price=inputs.spot,
        buy_price=inputs.spot,
        index_price=inputs.spot,
        delta=inputs.positions[place].unit_delta(inputs.spot),
        confidence=1.0,
        spot_confidence=1.0,
    )
    return Position(Future(COIN, day), LOT_SIZE, facts, lots)


def universe_on_spot(snapshot: MarketSnapshot, slots: SlotTable) -> Universe:
    """A market of one underlying as Paradex prices it: perpetuals at the index, options on it.

    Raises:
        MethodologyError: several underlyings, which the method margins apart.
    """
    if len(snapshot.underlyings) != 1:
        raise MethodologyError(f"underlyings {sorted(snapshot.underlyings)}: compare one at a time")
    facts = [NOTHING] * (slots.books * slots.slots_per_book)
    for slot, known in state_facts(snapshot, slots, SpreadAssumption()):
        index = known.index_price
        mark = index if known.kind is SlotKind.PERPETUAL else known.mark
        forward = index if known.kind is SlotKind.OPTION else known.forward
        facts[slots.flat_index(slot)] = replace(known, mark=mark, forward=forward)
    return assemble_universe(slots, facts, stable_price=snapshot.stable_price)


def paradex_inputs(universe: Universe, portfolio: Portfolio) -> ParadexInputs:
    """Perpetuals and options of a portfolio as the method takes them. Secret.

    Raises:
        MethodologyError: it holds something else beside cash.
    """
    quantity = quantities_of(universe, portfolio)
    if quantity[~(universe.cash | universe.perpetual | universe.option)].any():
        raise MethodologyError("the portfolio holds tokens or dated futures; compare one of cash and derivatives")
    held = np.flatnonzero((universe.perpetual | universe.option) & (quantity != 0))
    positions = tuple(_paradex_position(universe, int(slot), float(quantity[slot])) for slot in held)
    spot = float(universe.index_price[universe.perpetual | universe.option].max())
    return ParadexInputs(spot=spot, positions=positions)


def _paradex_position(universe: Universe, slot: int, quantity: float) -> ParadexPosition:
    if universe.perpetual[slot]:
        return ParadexPosition(qty=quantity)
    return ParadexPosition(
        qty=quantity,
        strike=float(universe.strike[slot]),
        days=float(universe.years[slot]) * DAYS_PER_YEAR,
        vol=float(universe.volatility[slot]),
        is_call=bool(universe.is_call[slot]),
    )


def compare_portfolios(universe: Universe, portfolios: Iterable[Portfolio]) -> Iterator[Comparison]:
    """Initial and maintenance margin of portfolios under scenarios and minimum delta, without provisions.

    Args:
        universe: from :func:`universe_on_spot`; one book.
        portfolios: on its slots, of cash, perpetuals and options.
    """
    rules = rules_with(universe, scenario_grid(), MinimumDelta(), maintenance_factor=MAINTENANCE_FRACTION)
    return compare_to_clear(
        WITH_SCENARIOS, rules, portfolios, lambda portfolio: _clear_requirement(paradex_inputs(universe, portfolio))
    )


def _clear_requirement(inputs: ParadexInputs) -> float:
    """What scenarios and minimum delta ask for, whichever is more."""
    return max(scan_risk(inputs), minimum_delta_risk(delta_exposure(inputs), inputs))


def compare_random(snapshot: MarketSnapshot, *, count: int, seed: int) -> tuple[Comparison, ...]:
    """Random portfolios on a market of one underlying without dated futures.

    Raises:
        MethodologyError: the market has more.
    """
    universe = universe_on_spot(snapshot, build_rules(snapshot)[0].slots)
    return tuple(compare_portfolios(universe, random_portfolios(universe, count=count, seed=seed)))
