"""Expected shortfall as a rule beside the method in clear. Exact but for rounding to ticks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.comparison.conservatism import Comparison, compare_to_clear
from prover.comparison.listed_positions import Position, list_positions, quantities_of, rules_with, shipped_component
from prover.comparison.random_portfolios import random_portfolios
from prover.components.expected_shortfall import ExpectedShortfall
from prover.components.return_scenarios import ReturnScenario
from prover.market.instruments import Perpetual
from prover.market.price_history import read_price_history
from prover.methodologies.expected_shortfall import HistoricalInputs, tail_mean
from prover.methodologies.inputs import inputs_of, read_input
from prover.rules.exposure import assess_margin
from prover.rules.slot_facts import SlotFacts, SlotKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from prover.market.market_data import MarketSnapshot
    from prover.rules.built_rule import BuiltRule
    from prover.rules.portfolio import Portfolio
    from prover.rules.universe import Universe

METHODOLOGY: Final = "expected shortfall"
LOT_VALUE: Final = 1000.0
"""A lot is the largest power of ten of units, one at most, that costs no more, quote currency."""

DAYS_A_BOOK: Final = 120
"""Two free columns a day, and some to spare."""


def compare_published(
    cases: Iterable[Mapping[str, object]], folder: Path, *, days: int | None = None
) -> Iterator[Comparison]:
    """Every case with a level and a portfolio; the other cases are statistics.

    Args:
        cases: of ``expected_shortfall_historical``.
        folder: that data paths are relative to.
        days: the latest returns only, on both sides; all of them by default.

    Raises:
        MethodologyError: a field is missing or out of range, or a file cannot be used.
    """
    rules: dict[tuple[object, ...], _CaseRule] = {}
    for fields in cases:
        stated = inputs_of(fields)
        inputs = read_input(HistoricalInputs, stated)
        if inputs.alpha is None or inputs.qty is None:
            continue
        key = (inputs.data, inputs.alpha, tuple(inputs.price.items()))
        if key not in rules:
            rules[key] = _CaseRule.of(inputs, folder, days)
        yield rules[key].compare(str(fields.get("id", "case")), inputs.qty)


@dataclass(frozen=True, slots=True)
class _CaseRule:
    """The rule of one history, level and price of each asset."""

    assets: tuple[str, ...]
    component: ExpectedShortfall
    prices: tuple[float, ...]
    rule: BuiltRule

    @classmethod
    def of(cls, inputs: HistoricalInputs, folder: Path, days: int | None) -> _CaseRule:
        history = read_price_history([folder / name for name in inputs.data], inputs.column)
        returns = history.returns(logarithmic=inputs.returns.startswith("log"))[-(days or 0) :]
        component = ExpectedShortfall(
            level=Decimal(str(inputs.alpha)),
            scenarios=tuple(
                ReturnScenario(
                    name=str(place),
                    moves={name: Decimal(float(move)) for name, move in zip(history.assets, moves, strict=True)},
                )
                for place, moves in enumerate(returns)
            ),
        )
        last = zip(history.assets, history.prices[-1], strict=True)
        prices = tuple(inputs.price.get(name, float(price)) for name, price in last)
        universe, _ = _listed(history.assets, prices, [0] * len(prices), len(returns))
        return cls(history.assets, component, prices, rules_with(universe, component)[0])

    def compare(self, name: str, quantities: Mapping[str, float]) -> Comparison:
        """Quantities in whole lots, the method on these."""
        sizes = (float(_lot_size(price)) for price in self.prices)
        lots = [round(quantities.get(asset, 0.0) / size) for asset, size in zip(self.assets, sizes, strict=True)]
        universe, portfolio = _listed(self.assets, self.prices, lots, len(self.component.scenarios))
        assessment = assess_margin(self.rule, portfolio)
        return Comparison(
            methodology=METHODOLOGY,
            portfolio=name,
            clear=max(0.0, shortfall(universe, self.component, portfolio)),
            rule=assessment.requirement,
            gross_notional=assessment.exposure.gross_notional,
        )


def _lot_size(price: float) -> Decimal:
    return Decimal(10) ** min(0, math.floor(math.log10(LOT_VALUE / price)))


def _listed(
    assets: Sequence[str], prices: Sequence[float], lots: Sequence[int], days: int
) -> tuple[Universe, Portfolio]:
    """Perpetuals stand for the assets: their profit is price times return."""
    positions = [
        Position(
            Perpetual(asset),
            _lot_size(price),
            SlotFacts(
                kind=SlotKind.PERPETUAL,
                coin=asset,
                lot_size=float(_lot_size(price)),
                mark=price,
                sell_price=price,
                buy_price=price,
                index_price=price,
                delta=1.0,
                confidence=1.0,
                spot_confidence=1.0,
            ),
            held,
        )
        for asset, price, held in zip(assets, prices, lots, strict=True)
    ]
    return list_positions(positions, books=1 + days // DAYS_A_BOOK)


def shortfall(universe: Universe, component: ExpectedShortfall, portfolio: Portfolio) -> float:
    """The method in clear on the lots of a portfolio, quote currency. Secret."""
    losses = -component.unit_profit(universe) @ quantities_of(universe, portfolio)
    return tail_mean(np.asarray(losses, dtype=np.float64), float(component.level))


def compare_portfolios(
    universe: Universe, component: ExpectedShortfall, portfolios: Iterable[Portfolio], *, maintenance_factor: float
) -> Iterator[Comparison]:
    """Initial and maintenance margin of portfolios of a listed market, under shortfall alone.

    Args:
        universe: the market; one book.
        component: level and scenarios.
        portfolios: on its slots.
        maintenance_factor: loss factor of maintenance margin; that of initial margin is 1.
    """
    rules = rules_with(universe, component, maintenance_factor=maintenance_factor)
    return compare_to_clear(
        METHODOLOGY, rules, portfolios, lambda portfolio: max(0.0, shortfall(universe, component, portfolio))
    )


def compare_random(snapshot: MarketSnapshot, *, count: int, seed: int) -> tuple[Comparison, ...]:
    """Random portfolios on a market, under the days of the shipped rule."""
    universe, component, factor = shipped_component(snapshot, "expected-shortfall", ExpectedShortfall)
    portfolios = random_portfolios(universe, count=count, seed=seed)
    return tuple(compare_portfolios(universe, component, portfolios, maintenance_factor=factor))
