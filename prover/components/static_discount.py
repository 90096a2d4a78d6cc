"""Static discount: what options are worth after a shock counts less held long and more held short."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Final, Literal

import numpy as np
from pydantic import Field

from prover.components.constants import Record
from prover.errors import RuleBuildError
from prover.market.pricing import black76
from prover.rules.rule_rows import Auxiliary, Contribution, make_rows, stack_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from prover.rules.rule_rows import RuleContext
    from prover.rules.slot_facts import ExpiryGroup
    from prover.rules.universe import Universe

Base = Annotated[Decimal, Field(ge=0, le=100)]
Constant = Annotated[Decimal, Field(ge=-100, le=100)]

MOST_EXACT_EXPIRIES: Final = 3
"""Up to so many expiries the exact form of 29 scenarios fits the free columns of a book."""


class StaticDiscount(Record):
    """Options of expiry e are worth D(M'_e) after scenario s, D(M) = dPos · M where M ≥ 0, else dNeg · M.

        dPos = long_base · exp(−T (r · long_rate_multiple + long_rate_add))
        dNeg = min(exp(r T), short_base · exp(T (r · short_rate_multiple + short_rate_add)))

    Where dPos ≤ dNeg, D(M) = min(dPos · M, dNeg · M) is concave, so it fits a rule. *Exact*, with w_s the scenario's
    weight and an auxiliary n_{e,s} ≥ 0 an expiry and scenario:

        n_{e,s} + w_s · (dNeg − dPos) · M'_e ≥ 0,        profit_s = Σ_e (w_s · (dPos · M'_e − M_e) − n_{e,s}) + …

    *By leg*, a long leg at dPos and a short leg at dNeg: dPos · L − dNeg · S ≤ D(L − S), so it never asks for less; it
    asks for up to (dNeg − dPos) · min(L, S) more where an expiry is held on both sides. dNeg < dPos is refused: D
    would be convex, the rule not. Source: Derive's portfolio margin (PMRM), version 2; defaults are its constants.

    Attributes:
        long_base, long_rate_multiple, long_rate_add: of dPos.
        short_base, short_rate_multiple, short_rate_add: of dNeg.
        rate: interest rate r a year; below zero it counts as zero.
        rates: of single expiries, by their name.
        mode: ``exact``, ``by-leg``, or ``automatic``: exact up to three expiries.
    """

    long_base: Base = Decimal("0.95")
    long_rate_multiple: Constant = Decimal(1)
    long_rate_add: Constant = Decimal("0.08")
    short_base: Base = Decimal("1.04")
    short_rate_multiple: Constant = Decimal("0.5")
    short_rate_add: Constant = Decimal("0.08")
    rate: Constant = Decimal(0)
    rates: dict[str, Constant] = Field(default_factory=dict)
    mode: Literal["exact", "by-leg", "automatic"] = "automatic"

    def factors(self, group: ExpiryGroup) -> tuple[float, float]:
        """DPos and dNeg of an expiry.

        Raises:
            RuleBuildError: dNeg < dPos.
        """
        rate, years = max(float(self.rates.get(group.name, self.rate)), 0.0), group.years
        positive = float(self.long_base) * math.exp(
            -years * (rate * float(self.long_rate_multiple) + float(self.long_rate_add))
        )
        growth = math.exp(years * (rate * float(self.short_rate_multiple) + float(self.short_rate_add)))
        negative = min(math.exp(rate * years), float(self.short_base) * growth)
        if negative < positive:
            raise RuleBuildError(
                f"static_discount: short_base = {self.short_base} with long_base = {self.long_base} counts options of "
                f"{group.name} at {negative:.4f} held short and {positive:.4f} held long; both at once would be worth "
                "more than nothing, which is not convex: raise short_base or lower long_base"
            )
        return positive, negative

    def is_exact(self, universe: Universe) -> bool:
        """Whether the rule is built with auxiliaries."""
        automatic = len(option_expiries(universe)) <= MOST_EXACT_EXPIRIES
        return self.mode == "exact" or (self.mode == "automatic" and automatic)

    def contribute(
        self, context: RuleContext, names: tuple[str, ...], weights: NDArray[np.float64], profit: NDArray[np.float64]
    ) -> Contribution:
        """Scenario rows of a grid.

        Args:
            context: of the rule.
            names: of the scenarios.
            weights: share of profit or loss that counts, [scenario, 1].
            profit: of one lot held long without the discount, after weights, [scenario, slot].
        """
        universe = context.universe
        after = np.where(universe.option, weights * universe.lot_size * option_value(universe) + profit, 0.0)
        positive, negative = self._factors_by_slot(universe)
        held_long = profit + (positive - 1) * after
        if self.is_exact(universe):
            return _exact(context, names, held_long, (negative - positive) * after)
        held_short = -profit - (negative - 1) * after
        return Contribution(profits=make_rows(names, unit=context.tick, long=held_long, short=held_short))

    def _factors_by_slot(self, universe: Universe) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """DPos and dNeg of the expiry of every option, 1 elsewhere."""
        positive, negative = np.ones((2, universe.size))
        for place in option_expiries(universe):
            own = universe.option & (universe.expiry == place)
            positive[own], negative[own] = self.factors(universe.expiries[place])
        return positive, negative


def option_value(universe: Universe) -> NDArray[np.float64]:
    """Value of one unit of every option by Black-76 at its mark volatility, quote currency; zero elsewhere."""
    value, places = np.zeros(universe.size), universe.option_index
    value[places] = black76(universe.option_terms, universe.forward[places], universe.option_volatility)
    return value


def option_expiries(universe: Universe) -> list[int]:
    """Places among the universe's expiries of those that have options."""
    return [int(place) for place in np.unique(universe.expiry[universe.option])]


def _exact(
    context: RuleContext, names: tuple[str, ...], profit: NDArray[np.float64], steeper: NDArray[np.float64]
) -> Contribution:
    """An auxiliary an expiry and scenario; ``steeper`` is what it adds where the expiry is worth less than nothing."""
    universe, definitions = context.universe, []
    shortfalls: list[dict[Auxiliary, Fraction]] = [{} for _ in names]
    for place in option_expiries(universe):
        own = np.where(universe.option & (universe.expiry == place), steeper, 0.0)
        short = [Auxiliary(f"short {universe.expiries[place].name}, {name}", context.tick) for name in names]
        definitions.append(
            make_rows(
                tuple(auxiliary.name for auxiliary in short),
                unit=context.tick,
                long=own,
                auxiliaries=tuple({auxiliary: Fraction(1)} for auxiliary in short),
            )
        )
        for coefficients, auxiliary in zip(shortfalls, short, strict=True):
            coefficients[auxiliary] = Fraction(-1)
    return Contribution(
        auxiliaries=tuple(auxiliary for coefficients in shortfalls for auxiliary in coefficients),
        definitions=stack_rows(*definitions) if definitions else None,
        profits=make_rows(names, unit=context.tick, long=profit, auxiliaries=tuple(shortfalls)),
    )
