"""Skew: volatilities of one expiry may tilt, or bend, against the strikes that are held."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Final, Literal

import numpy as np
from pydantic import Field

from prover.components.constants import PositiveAmount, Record
from prover.components.scenario_grid import ScenarioGridMargin
from prover.components.static_discount import option_expiries, option_value
from prover.errors import RuleBuildError
from prover.rules.auxiliaries import Auxiliary
from prover.rules.rule_rows import Contribution, Rows, make_rows, stack_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from prover.components.static_discount import StaticDiscount
    from prover.rules.rule_context import RuleContext
    from prover.rules.universe import Universe

Constant = Annotated[Decimal, Field(ge=-100, le=100)]

BOTH_SIDES: Final = 2

_NARROWEST: Final = 1e-100
"""Stands in for k* = 0: every strike but the one at the money is then at the cap."""


class Skew(Record):
    """What a tilt (``linear``) or a bend (``absolute``) of every expiry's volatilities may cost, whichever way it goes.

    With k_i = ln(K_i/F_i), or |k_i|, volatilities become σ_i · max(0, 1 + clip(k_i · cap/k*, ±cap)), where
    cap = slope · √T + base_cap and k* = max(least_width, √T · width · (static + scale · √T)). With M_e the value of
    expiry e, M'_e that under the new volatilities, and an auxiliary s_e ≥ 0 an expiry:

        s_e + w · (M'_e − M_e) ≥ 0,        s_e − w · (M'_e − M_e) ≥ 0,        profit = −Σ_e s_e

    Two definition rows an expiry and one scenario row. With a static discount D in the scenario grid the method takes
    |D(M'_e) − M_e|; D is concave, so the side D(M'_e) − M_e of it is not convex, and such a rule is refused unless
    ``conservative`` allows to ask for more: with dPos ≤ d = clip(1) ≤ dNeg, D(M') ≤ d · M', and the rows are

        s_e + w · (dPos · M'_e − M_e) ≥ 0,    s_e + w · (dNeg · M'_e − M_e) ≥ 0,    s_e − w · (d · M'_e − M_e) ≥ 0

    of which the first two are exact. Source: Derive's portfolio margin (PMRM), version 2; defaults are its constants.

    Attributes:
        shape: tilt or bend.
        base_cap, slope: of the largest relative change.
        least_width: smallest k* from which the change stays at its cap.
        width, static, scale: of k*.
        weight: w, share of the loss that counts.
        conservative: whether a rule with a static discount may ask for more than the method.
    """

    component: Literal["skew"] = "skew"
    shape: Literal["linear", "absolute"]
    base_cap: Constant = Decimal("0.15")
    slope: Constant = Decimal("-0.05")
    least_width: Annotated[Decimal, Field(ge=0, le=100)] = Decimal("0.01")
    width: Constant = Decimal(4)
    static: Constant = Decimal("0.6")
    scale: Constant = Decimal("-0.1")
    weight: PositiveAmount = Decimal(1)
    conservative: bool = False

    def contribute(self, context: RuleContext) -> Contribution:
        """Two definitions an expiry, three with a static discount, and one scenario."""
        universe, discount = context.universe, self._static_discount(context)
        value = float(self.weight) * universe.lot_size * option_value(universe)
        skewed = value + float(self.weight) * universe.lot_size * self._change(universe)
        auxiliaries, definitions = [], []
        for place in option_expiries(universe):
            group, own = universe.expiries[place], universe.option & (universe.expiry == place)
            skew = Auxiliary(f"{self.shape} skew {group.name}", context.tick)
            positive, negative = (1.0, 1.0) if discount is None else discount.factors(group)
            nearest = min(max(positive, 1.0), negative)
            losses = [factor * skewed - value for factor in sorted({positive, negative})]
            sides = np.where(own, np.stack([*losses, value - nearest * skewed]), 0.0)
            auxiliaries.append(skew)
            definitions.append(_definition(context, skew, sides))
        if not auxiliaries:
            return Contribution()
        total = dict.fromkeys(auxiliaries, Fraction(-1))
        nothing, names = np.zeros((1, universe.size)), (f"{self.shape} skew of every expiry",)
        return Contribution(
            auxiliaries=tuple(auxiliaries),
            definitions=stack_rows(*definitions),
            profits=make_rows(names, unit=context.tick, long=nothing, auxiliaries=(total,)),
        )

    def _change(self, universe: Universe) -> NDArray[np.float64]:
        """Change of value of one unit of every option, [slot]."""
        unmoved = np.ones((1, len(universe.underlyings)))
        change: NDArray[np.float64] = universe.profit(unmoved, self.skewed_volatilities(universe)[None, :])[0]
        return change

    def skewed_volatilities(self, universe: Universe) -> NDArray[np.float64]:
        """Volatilities after the skew, in the order of the universe's options."""
        places, root = universe.option_index, np.sqrt(universe.option_years)
        cap = float(self.slope) * root + float(self.base_cap)
        least, width = float(self.least_width), float(self.width) * root
        flat_from = np.maximum(max(least, _NARROWEST), width * (float(self.static) + float(self.scale) * root))
        distance = np.log(universe.strike[places]) - np.log(universe.forward[places])
        if self.shape == "absolute":
            distance = np.abs(distance)
        shift = distance * cap / flat_from
        held = np.where(distance >= 0, np.minimum(cap, shift), np.maximum(-cap, shift))
        return np.asarray(universe.option_volatility * np.maximum(0.0, 1 + held), dtype=np.float64)

    def _static_discount(self, context: RuleContext) -> StaticDiscount | None:
        grids = (part for part in context.components if isinstance(part, ScenarioGridMargin))
        discount = next((grid.static_discount for grid in grids if grid.static_discount is not None), None)
        if discount is not None and not self.conservative:
            raise RuleBuildError(
                f"skew: shape = {self.shape} beside a static_discount takes the absolute change of a discounted value, "
                "which is not convex: leave static_discount out, or set conservative: true to ask for more than it"
            )
        return discount


def _definition(context: RuleContext, skew: Auxiliary, sides: NDArray[np.float64]) -> Rows:
    losses = ("falls",) if len(sides) == BOTH_SIDES else ("falls, worth more than nothing", "falls, worth less")
    names = tuple(f"{skew.name} {side}" for side in (*losses, "rises"))
    return make_rows(names, unit=context.tick, long=sides, auxiliaries=({skew: Fraction(1)},) * len(sides))
