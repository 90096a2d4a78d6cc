"""Scenario margin: equity after every move of price and volatility must cover the charges."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from prover.components.constants import Record
from prover.components.static_discount import StaticDiscount  # noqa: TC001 - pydantic resolves it
from prover.rules.auxiliaries import Auxiliary
from prover.rules.rule_rows import Contribution, make_rows, stack_rows
from prover.rules.scenarios import Scenario, VolatilityShock

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from prover.rules.rule_context import RuleContext
    from prover.rules.universe import Universe

Beta = Annotated[Decimal, Field(ge=-10, le=10)]


class ScenarioGridMargin(Record):
    """Profit of the portfolio in every scenario s, damped by its weight w_s.

        profit_s = Σ_i w_s · size_i · (value_i(s) − value_i) · (v[4i] − v[4i+1])

    An option moves by Black-76 with its forward at F(1 + β·move) and its volatility shocked; futures and coins move by
    β·move of their mark; β is that of the underlying. ``joint`` moves all underlyings in the same scenario; ``sum``
    adds up what each loses in its own worst one, by an auxiliary R_u ≥ 0 an underlying:

        R_u + profit_{s,u} ≥ 0 for every s,        profit = −Σ_u R_u

    Attributes:
        scenarios: price and volatility moves; the one in which nothing moves is in every rule anyway.
        shock: by how much volatilities move.
        betas: of underlyings, 1 where none is given.
        across: how underlyings combine.
        static_discount: of options after the shock; the scenario in which nothing moves then counts too.
    """

    component: Literal["scenario-grid"] = "scenario-grid"
    scenarios: tuple[Scenario, ...] = Field(min_length=1)
    shock: VolatilityShock = VolatilityShock()
    betas: dict[str, Beta] = Field(default_factory=dict)
    across: Literal["joint", "sum"] = "joint"
    static_discount: StaticDiscount | None = None

    @model_validator(mode="after")
    def _no_doubles(self) -> Self:
        doubles = {scenario.name for scenario in self.scenarios if self.scenarios.count(scenario) > 1}
        if doubles:
            message = f"scenarios: {min(doubles)!r} is listed twice: keep one"
            raise ValueError(message)
        if not self.moving:
            message = "scenarios: nothing moves in any of them: add a scenario with a price or volatility move"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _discount_of_joint_scenarios(self) -> Self:
        if self.static_discount is not None and self.across == "sum":
            message = "across = 'sum' with static_discount: scenarios of a discount are joint; set across: joint"
            raise ValueError(message)
        return self

    @property
    def moving(self) -> tuple[Scenario, ...]:
        """Scenarios in which something moves."""
        return tuple(scenario for scenario in self.scenarios if not scenario.is_unshocked)

    @property
    def counted(self) -> tuple[Scenario, ...]:
        """Scenarios that have a row of their own."""
        return self.moving if self.static_discount is None else self.scenarios

    def contribute(self, context: RuleContext) -> Contribution:
        """One profit row a scenario, or one for the sum over underlyings."""
        universe = context.universe
        profit = universe.lot_size * self.weighted_profit(universe)
        names = tuple(scenario.name for scenario in self.counted)
        if self.static_discount is not None:
            return self.static_discount.contribute(context, self.counted, profit)
        if self.across == "joint" or len(universe.underlyings) == 1:
            return Contribution(profits=make_rows(names, unit=context.tick, long=profit))
        return _sum_of_scans(context, names, profit)

    def weighted_profit(self, universe: Universe) -> NDArray[np.float64]:
        """Profit of one unit held long, [scenario, slot], quote currency, after weights."""
        moves = np.array([[scenario.price_move] for scenario in self.counted])
        betas = np.array([float(self.betas.get(name, 1)) for name in universe.underlyings])
        volatilities = [
            self.shock.apply(universe.option_volatility, universe.option_years, scenario.volatility)
            for scenario in self.counted
        ]
        weights = np.array([[scenario.weight] for scenario in self.counted])
        return weights * universe.profit(np.maximum(1 + moves * betas, 0.0), np.array(volatilities))


def _sum_of_scans(context: RuleContext, names: tuple[str, ...], profit: NDArray[np.float64]) -> Contribution:
    universe, rows = context.universe, []
    scans = tuple(Auxiliary(f"scan {name}", context.tick) for name in universe.underlyings)
    for place, scan in enumerate(scans):
        own = np.where(universe.underlying == place, profit, 0.0)
        labels = tuple(f"{scan.name}: {name}" for name in names)
        rows.append(make_rows(labels, unit=context.tick, long=own, auxiliaries=({scan: Fraction(1)},) * len(names)))
    nothing = np.zeros((1, universe.size))
    total = dict.fromkeys(scans, Fraction(-1))
    return Contribution(
        auxiliaries=scans,
        definitions=stack_rows(*rows),
        profits=make_rows(("worst of each underlying",), unit=context.tick, long=nothing, auxiliaries=(total,)),
    )
