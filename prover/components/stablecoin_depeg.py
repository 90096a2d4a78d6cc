"""Stablecoin depeg: when the coin behind the quote currency slips, losses count for more."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field

from prover.components.constants import Charges, PerKind
from prover.rules.rule_rows import ByKind, Contribution

if TYPE_CHECKING:
    from prover.rules.rule_context import RuleContext

Multiple = Annotated[Decimal, Field(ge=0, le=100)]
Price = Annotated[Decimal, Field(ge=0, le=2)]

STEPS: Final = 1000
"""The increase is rounded up to a thousandth, so that auxiliaries keep exact coefficients."""


class StablecoinDepeg(Charges):
    """Raises the loss factor f of every scenario by max(0, threshold − stable price) · factor, rounded up to 0.001.

    Source: Derive's portfolio margin (PMRM), depeg contingency, part of initial margin alone.

    Attributes:
        threshold: price of the stable coin from which on nothing is added.
        factor: increase of the loss factor for a slip of one.
    """

    component: Literal["stablecoin-depeg"] = "stablecoin-depeg"
    threshold: Price = Decimal("0.98")
    factor: PerKind[Multiple] = ByKind(Decimal(2), Decimal(0))

    def contribute(self, context: RuleContext) -> Contribution:
        """An increase of the loss factor."""
        slip = max(Fraction(0), Fraction(self.threshold) - Fraction(str(context.universe.stable_price)))
        return Contribution(
            factor_increase=self.factor.map(lambda factor: Fraction(math.ceil(slip * Fraction(factor) * STEPS), STEPS))
        )
