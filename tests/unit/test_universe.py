"""Prices, deltas and scenario profits of the listed instruments, against scalar arithmetic."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import pytest

from prover.rules.scenarios import STANDARD_GRID, VolatilityState
from tests.support.risk_rules import example_market, example_rules

if TYPE_CHECKING:
    from prover.market.instruments import Option

CALL, PUT = "BTC-27DEC24-100000-C", "BTC-29NOV24-90000-P"
NORMAL = NormalDist()


def price(option: Option, years: float, *, forward: float, volatility: float) -> float:
    """Black-76 by the book."""
    strike, total = float(option.strike), volatility * math.sqrt(years)
    d1 = math.log(forward / strike) / total + total / 2
    call = forward * NORMAL.cdf(d1) - strike * NORMAL.cdf(d1 - total)
    return call if option.is_call else call - forward + strike


def shocked(volatility: float, days: float, state: VolatilityState) -> float:
    """The volatility shock by the book, for volatilities above the minimum."""
    multiple = math.pow(30 / max(days, 1.0), 0.3 if days <= 30 else 0.13)
    return volatility * {VolatilityState.UP: 1 + 0.5 * multiple, VolatilityState.DOWN: 1 - 0.275 * multiple}.get(
        state, 1
    )


@pytest.mark.parametrize("name", [CALL, PUT])
def test_scenario_profits_of_options(name: str) -> None:
    universe = example_rules()[0].universe
    quote = next(item for item in example_market().options if item.instrument == name)
    option, years = quote.option, quote.option.years_to_expiry(example_market().snapshot_time)
    now = price(option, years, forward=quote.forward, volatility=quote.mark_volatility)
    profits = universe.scenario_profit(STANDARD_GRID)[:, universe.slots.flat_index(universe.slots.find(name))]
    for scenario, profit in zip(STANDARD_GRID.scenarios, profits, strict=True):
        volatility = shocked(quote.mark_volatility, years * 365, scenario.volatility)
        then = price(option, years, forward=quote.forward * (1 + scenario.price_move), volatility=volatility)
        assert profit == pytest.approx(then - now, abs=1e-6), scenario.name


def test_scenario_profits_of_cash_and_perpetual() -> None:
    profits = example_rules()[0].universe.scenario_profit(STANDARD_GRID)
    for scenario, profit in zip(STANDARD_GRID.scenarios, profits, strict=True):
        assert profit[0] == 0
        assert profit[1] == pytest.approx(scenario.price_move * 94012.5)


def test_nothing_moves_in_the_unshocked_scenario() -> None:
    profits = example_rules(books=4)[0].universe.scenario_profit(STANDARD_GRID)
    assert not profits[STANDARD_GRID.unshocked].any()


def test_deltas_lie_where_they_must() -> None:
    universe = example_rules()[0].universe
    assert universe.delta[:2].tolist() == [0.0, 1.0]
    calls = {universe.slots.flat_index(slot) for slot in universe.slots.listed if slot.instrument.name.endswith("-C")}
    for index in range(2, universe.size):
        assert 0 < universe.delta[index] * (1 if index in calls else -1) < 1


def test_selling_never_pays_more_than_the_mark_nor_buying_less() -> None:
    universe = example_rules(books=4)[0].universe
    assert (universe.sell_price <= universe.mark).all()
    assert (universe.buy_price >= universe.mark).all()
    assert (universe.sell_price >= 0).all()
