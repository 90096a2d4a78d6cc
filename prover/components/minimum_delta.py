"""Minimum margin on deltas, net and hedged, however harmless the scenarios look."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import model_validator

from prover.components.constants import Rate, Record
from prover.components.exposure_measures import Grouping, Measure, excess_of_net, exposure_groups
from prover.rules.auxiliaries import Auxiliary
from prover.rules.rule_rows import Contribution, make_rows, stack_rows

if TYPE_CHECKING:
    from prover.rules.rule_context import RuleContext


class MinimumDelta(Record):
    """Loss of at least Σ_u (net rate · |Δ_u| + hedged rate · (gross_u − |Δ_u|)/2), as one more profit row.

    Δ_u is the net delta notional of underlying u, gross_u = Σ_i |e_i| · (v[4i] + v[4i+1]) of its instruments:

        a_u ∓ Σ_i e_i · (v[4i] − v[4i+1]) ≥ 0
        profit = −Σ_u (net rate − hedged rate/2) · a_u − (hedged rate/2) · Σ_i |e_i| · (v[4i] + v[4i+1])

    Convex while the hedged rate is at most twice the net rate. Source: Paradex, portfolio margin (2 % and 1 %).

    Attributes:
        net_rate: fraction of |net delta notional|.
        hedged_rate: fraction of the hedged delta notional, (gross − |net|)/2.
    """

    component: Literal["minimum-delta"] = "minimum-delta"
    net_rate: Rate = Decimal("0.02")
    hedged_rate: Rate = Decimal("0.01")

    @model_validator(mode="after")
    def _convex(self) -> Self:
        if self.hedged_rate > 2 * self.net_rate:
            message = (
                f"hedged_rate = {self.hedged_rate} is more than twice net_rate = {self.net_rate}: a hedge would raise "
                "the requirement and the sum would not be convex; lower hedged_rate"
            )
            raise ValueError(message)
        return self

    def contribute(self, context: RuleContext) -> Contribution:
        """Two definition rows an underlying and one profit row."""
        groups = exposure_groups(context.universe, Measure.DELTA, Grouping.UNDERLYING)
        if not groups:
            return Contribution()
        sizes = tuple(Auxiliary(f"net delta {group.name}", context.tick) for group in groups)
        definitions = (excess_of_net(size, group) for size, group in zip(sizes, groups, strict=True))
        half_hedged = Fraction(self.hedged_rate) / 2
        gross = -float(half_hedged) * np.abs(np.sum([group.exposure for group in groups], axis=0))[None, :]
        profit = make_rows(
            ("minimum delta",),
            unit=context.tick,
            long=gross,
            short=gross,
            auxiliaries=(dict.fromkeys(sizes, half_hedged - Fraction(self.net_rate)),),
        )
        return Contribution(auxiliaries=sizes, definitions=stack_rows(*definitions), profits=profit)
