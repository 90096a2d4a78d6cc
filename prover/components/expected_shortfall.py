"""Expected shortfall over historical or stated scenarios: the mean of the worst losses must be covered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, ValidationInfo, model_validator

from prover.components.constants import Record
from prover.components.return_scenarios import ReturnScenario, resolve_history
from prover.errors import RuleBuildError
from prover.rules.auxiliaries import Auxiliary
from prover.rules.rule_rows import Contribution, make_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from prover.rules.auxiliaries import DefinitionSystem
    from prover.rules.rule_context import RuleContext
    from prover.rules.universe import Universe

Level = Annotated[Decimal, Field(ge=0, lt=1)]


class ExpectedShortfall(Record):
    """ES of the losses L_s over n scenarios at level α, after R. T. Rockafellar and S. Uryasev (2000):

        ES = min_z z + Σ_s max(L_s − z, 0)/((1 − α) · n),        L_s = −profit_s

    With auxiliaries z = z⁺ − z⁻ and u_s, all ≥ 0:

        u_s + z⁺ − z⁻ + Σ_i size_i · (value_i(s) − value_i) · (v[4i] − v[4i+1]) ≥ 0    for every s
        profit = −z⁺ + z⁻ − Σ_s u_s/((1 − α) · n)

    z⁻ is no free ray: it raises every u_s as much, and those cost 1/(1 − α) ≥ 1 together. Every position is revalued in
    full: options by Black-76 at the moved forward and volatility.

    Attributes:
        level: α, as exact as it is written.
        scenarios: moves of every underlying. A file may give daily prices instead, which are resolved when it is read:
            ``history: {files: {BTC: BTC-USD.csv}, days: 64, until: 2023-12-29, column: close}``, paths relative to it
            (:mod:`return_scenarios`).
    """  # noqa: D415 - the sentence goes on in the formula

    component: Literal["expected-shortfall"] = "expected-shortfall"
    level: Level
    scenarios: tuple[ReturnScenario, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _read_history(cls, fields: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 - what a file may hold
        return resolve_history(fields, info.context)

    @model_validator(mode="after")
    def _no_doubles(self) -> Self:
        for name, times in Counter(item.name for item in self.scenarios).items():
            if times > 1:
                message = f"scenarios: name = {name!r} is given {times} times: name each day once"
                raise ValueError(message)
        return self

    def contribute(self, context: RuleContext) -> Contribution:
        """A definition row a scenario, and one profit row."""
        universe = context.universe
        above, below = (Auxiliary(f"shortfall threshold {side}", context.tick) for side in ("above zero", "below zero"))
        tails = tuple(Auxiliary(f"shortfall beyond it, {item.name}", context.tick) for item in self.scenarios)
        threshold = {above: Fraction(1), below: Fraction(-1)}
        mass = Fraction(1 - self.level) * len(self.scenarios)
        mean = {above: Fraction(-1), below: Fraction(1)} | dict.fromkeys(tails, -1 / mass)
        return Contribution(
            auxiliaries=(above, below, *tails),
            definitions=make_rows(
                tuple(f"shortfall {item.name}" for item in self.scenarios),
                unit=context.tick,
                long=universe.lot_size * self.unit_profit(universe),
                auxiliaries=tuple({tail: Fraction(1)} | threshold for tail in tails),
            ),
            profits=make_rows(
                (f"expected shortfall at {float(self.level) * 100:g} %",),
                unit=context.tick,
                long=np.zeros((1, universe.size)),
                auxiliaries=(mean,),
            ),
            solver=ShortfallSolver(mass),
        )

    def unit_profit(self, universe: Universe) -> NDArray[np.float64]:
        """Profit of one unit held long, [scenario, slot], quote currency.

        Raises:
            RuleBuildError: a listed underlying without moves.
        """
        for name in universe.underlyings:
            silent = next((item.name for item in self.scenarios if name not in item.moves), None)
            if silent is not None:
                raise RuleBuildError(
                    f"scenarios: {silent!r} has no move of {name}, which the market lists; add one, or leave {name} out"
                )
        moves = [[float(item.moves[name]) for name in universe.underlyings] for item in self.scenarios]
        shocks = np.array([float(item.volatility_move) for item in self.scenarios])[:, None]
        return universe.profit(1 + np.array(moves), universe.option_volatility * (1 + shocks))


@dataclass(frozen=True, slots=True)
class ShortfallSolver:
    """The threshold z is the loss of rank ⌊m⌋ + 1 from above, m = (1 − α) · n; then every u_s is as small as it can be.

    At that z no more than m losses lie above it and no fewer than m at or above it, so neither a higher nor a lower
    threshold is cheaper (the slopes are 1 − #{L > z}/m ≥ 0 and 1 − #{L ≥ z}/m ≤ 0). Losses are the integers of the
    rows themselves, so the optimum is one in integers.

    Attributes:
        mass: m.
    """

    mass: Fraction

    def __call__(self, system: DefinitionSystem, auxiliaries: tuple[Auxiliary, ...]) -> None:
        """Assign z⁺, z⁻ and every u_s."""
        above, below, *tails = auxiliaries
        rows = [next(place for place, entry in system.entries(tail) if entry > 0) for tail in tails]
        losses = sorted((-system.total(row) for row in rows), reverse=True)
        threshold = losses[min(floor(self.mass), len(losses) - 1)]
        system.assign(above, max(threshold, 0))
        system.assign(below, max(-threshold, 0))
        for tail in tails:
            system.assign(tail, max(0, system.bound(tail)))
