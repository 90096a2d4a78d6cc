"""Charges that rise with size: what is large in one place costs more than its share."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from prover.components.constants import PerKind, Rate, Record
from prover.components.exposure_measures import ExposureGroup, Grouping, Measure, excess_of_net, exposure_groups
from prover.rules.auxiliaries import Auxiliary
from prover.rules.rule_rows import ByKind, Contribution, Rows, make_rows, stack_rows

if TYPE_CHECKING:
    from prover.rules.rule_context import RuleContext
    from verifier.rules.rule_kind import RuleKind


class Tier(Record):
    """A rate on the part of an exposure beyond a threshold, up to the next tier.

    Attributes:
        above: quote currency.
        rate: fraction of that part.
    """

    above: Annotated[Decimal, Field(ge=0, lt=10**12)]
    rate: PerKind[Rate]


class Concentration(Record):
    """Charge on X, the |net| or gross exposure of a group: Σ_k (rate_k − rate_(k−1)) · max(X − above_k, 0).

    With an auxiliary t_k ≥ 0 a tier and group, and e_i the exposure of a lot:

        net:    t_k + above_k ∓ Σ_i e_i · (v[4i] − v[4i+1]) ≥ 0          (two rows)
        gross:  t_k + above_k − Σ_i |e_i| · (v[4i] + v[4i+1]) ≥ 0        (one row)
        charge: Σ_k (rate_k − rate_(k−1)) · t_k

    Rates that fall would make a large position cheaper a unit than a small one: not convex, so not a margin rule.

    Attributes:
        measure: which exposure.
        by: which slots are taken together.
        of: whether long and short net (``net``) or both count (``gross``).
        tiers: by rising threshold, with rising rates.
    """

    component: Literal["concentration"] = "concentration"
    measure: Measure = Measure.DELTA
    by: Grouping = Grouping.UNDERLYING
    of: Literal["net", "gross"] = "net"
    tiers: tuple[Tier, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _convex_and_cheaper_in_maintenance(self) -> Self:
        for lower, upper in pairwise(self.tiers):
            if upper.above <= lower.above:
                message = f"tiers: above = {upper.above} follows above = {lower.above}: list them by rising threshold"
                raise ValueError(message)
        for tier, step in zip(self.tiers, self._steps(), strict=True):
            if min(step.initial, step.maintenance) < 0:
                message = (
                    f"tiers: the rate falls above {tier.above}, so the charge is not convex and no linear rule can "
                    "ask it of large positions: let rates rise, or charge one rate"
                )
                raise ValueError(message)
            if step.maintenance > step.initial:
                message = (
                    f"tiers: above {tier.above} the maintenance rate rises by {step.maintenance}, more than the "
                    f"initial rate's {step.initial}: lower it"
                )
                raise ValueError(message)
        return self

    def _steps(self) -> tuple[ByKind[Decimal], ...]:
        """By how much each tier's rate exceeds the one before."""
        rates = (ByKind(Decimal(0), Decimal(0)), *(tier.rate for tier in self.tiers))
        return tuple(
            ByKind(upper.initial - lower.initial, upper.maintenance - lower.maintenance)
            for lower, upper in pairwise(rates)
        )

    def contribute(self, context: RuleContext) -> Contribution:
        """Definition rows of every tier and group, and the charge."""
        groups = exposure_groups(context.universe, self.measure, self.by)
        if not groups:
            return Contribution()
        parts = [
            (Auxiliary(f"{self.of} {group.name} {self.measure} above {tier.above:,}", context.tick), group, tier)
            for group in groups
            for tier in self.tiers
        ]
        definitions = (self._definition(auxiliary, group, tier) for auxiliary, group, tier in parts)
        auxiliaries = tuple(auxiliary for auxiliary, _, _ in parts)
        return Contribution(
            auxiliaries=auxiliaries,
            definitions=stack_rows(*definitions),
            charges=ByKind.make(lambda kind: self._charge(context, kind, auxiliaries)),
        )

    def _definition(self, auxiliary: Auxiliary, group: ExposureGroup, tier: Tier) -> Rows:
        if self.of == "net":
            return excess_of_net(auxiliary, group, float(tier.above))
        gross = -np.abs(group.exposure)[None, :]
        return make_rows(
            (auxiliary.name,),
            unit=auxiliary.unit,
            long=gross,
            short=gross,
            constant=float(tier.above),
            auxiliaries=({auxiliary: Fraction(1)},),
        )

    def _charge(self, context: RuleContext, kind: RuleKind, auxiliaries: tuple[Auxiliary, ...]) -> Rows:
        steps = [Fraction(step.of(kind)) for step in self._steps()]
        repeated = steps * (len(auxiliaries) // len(steps))
        return make_rows(
            (f"concentration of {self.of} {self.measure}",),
            unit=context.tick,
            long=np.zeros((1, context.universe.size)),
            auxiliaries=(dict(zip(auxiliaries, repeated, strict=True)),),
        )
