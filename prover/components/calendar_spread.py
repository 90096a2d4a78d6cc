"""Charge on spreads between expiries, which price scenarios take for hedged."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from prover.components.constants import Charges, PerKind, Rate
from prover.components.exposure_measures import Grouping, Measure, excess_of_net, exposure_groups
from prover.rules.auxiliaries import Auxiliary
from prover.rules.rule_rows import ByKind, Contribution, Rows, make_rows, stack_rows

if TYPE_CHECKING:
    from prover.rules.rule_context import RuleContext
    from verifier.rules.rule_kind import RuleKind


class CalendarSpread(Charges):
    """Charge (rate/2) · Σ_e |Δ_e|, Δ_e the delta notional of expiry e, perpetuals and coins an expiry of their own.

        a_e ∓ Σ_i e_i · (v[4i] − v[4i+1]) ≥ 0,        charge = (rate/2) · Σ_e a_e

    The usual charge is rate · min(Σ⁺, Σ⁻) over the expiries that are net long and net short. That is not convex: two
    accounts without a spread, one long one expiry, one short another, add up to one with a spread. This one equals it
    for a perfect spread, Σ⁺ = Σ⁻, and exceeds it by (rate/2) · |net delta| otherwise. ``span-scan`` has a closer form.

    Attributes:
        rate: fraction of the delta notional that is spread; of both sides together it is charged half each.
        form: ``conservative``; ``exact`` is refused with the reason.
    """

    component: Literal["calendar-spread"] = "calendar-spread"
    rate: PerKind[Rate]
    form: Annotated[str, Field(pattern=r"^(conservative|exact)$")] = "conservative"

    @model_validator(mode="after")
    def _is_convex(self) -> Self:
        if self.form == "exact":
            message = (
                "form = 'exact': rate · min(long, short) over expiries is not convex, so no margin rule can ask it: "
                "use 'conservative', which asks (rate/2) · Σ |delta|"
            )
            raise ValueError(message)
        return self

    def contribute(self, context: RuleContext) -> Contribution:
        """Two definition rows an expiry, and the charge."""
        groups = exposure_groups(context.universe, Measure.DELTA, Grouping.EXPIRY)
        if not groups:
            return Contribution()
        sizes = tuple(Auxiliary(f"spread delta {group.name}", context.tick) for group in groups)
        rows = (excess_of_net(size, group) for size, group in zip(sizes, groups, strict=True))
        return Contribution(
            auxiliaries=sizes,
            definitions=stack_rows(*rows),
            charges=ByKind.make(lambda kind: self._charge(context, kind, sizes)),
        )

    def _charge(self, context: RuleContext, kind: RuleKind, sizes: tuple[Auxiliary, ...]) -> Rows:
        half = Fraction(self.rate.of(kind) / Decimal(2))
        nothing = np.zeros((1, context.universe.size))
        return make_rows(
            ("calendar spreads",), unit=context.tick, long=nothing, auxiliaries=(dict.fromkeys(sizes, half),)
        )
