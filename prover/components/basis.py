"""Basis: the forward of one expiry may move against the others, whatever spot does."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from prover.components.constants import Record
from prover.errors import RuleBuildError
from prover.rules.auxiliaries import Auxiliary
from prover.rules.rule_rows import Contribution, Rows, make_rows, stack_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from prover.rules.rule_context import RuleContext

PriceFactor = Annotated[Decimal, Field(ge=0, le=100)]
Weight = Annotated[Decimal, Field(ge=-100, le=100)]


class Basis(Record):
    """What the forward of every expiry may cost by itself, added up as one more scenario.

    With ΔM_e(s) the change of value of expiry e when its forward moves by factor s, T_e its time to expiry in years,
    c_e = add + multiple · T_e and an auxiliary b_e ≥ 0 an expiry:

        b_e + c_e · ΔM_e(up) ≥ 0,        b_e + c_e · ΔM_e(down) ≥ 0,        profit = −Σ_e b_e

    Two definition rows an expiry and one scenario row. Options and dated futures count; an expiry with c_e = 0 is left
    out. Not convex, so refused: c_e < 0, which would pay for risk.
    Source: Derive's portfolio margin (PMRM), basis contingency; its published constants are the defaults.

    Attributes:
        up, down: factors on the forward.
        add: share of the loss that counts at any time to expiry.
        multiple: further share a year to expiry.
    """

    component: Literal["basis"] = "basis"
    up: PriceFactor = Decimal("1.045")
    down: PriceFactor = Decimal("0.955")
    add: Weight = Decimal("0.5")
    multiple: Weight = Decimal(2)

    def contribute(self, context: RuleContext) -> Contribution:
        """Two definitions an expiry and one scenario."""
        universe = context.universe
        factors = np.array([[float(self.up)], [float(self.down)]])
        moved = universe.lot_size * universe.profit(np.repeat(factors, len(universe.underlyings), axis=1), None)
        auxiliaries, definitions = [], []
        for place, share in enumerate(self._shares(context)):
            if share:
                basis = Auxiliary(f"basis {universe.expiries[place].name}", context.tick)
                auxiliaries.append(basis)
                definitions.append(_definition(context, basis, share * np.where(universe.expiry == place, moved, 0.0)))
        if not auxiliaries:
            return Contribution()
        total = dict.fromkeys(auxiliaries, Fraction(-1))
        nothing = np.zeros((1, universe.size))
        return Contribution(
            auxiliaries=tuple(auxiliaries),
            definitions=stack_rows(*definitions),
            profits=make_rows(("basis of every expiry",), unit=context.tick, long=nothing, auxiliaries=(total,)),
        )

    def _shares(self, context: RuleContext) -> list[float]:
        shares = [float(self.add) + float(self.multiple) * group.years for group in context.universe.expiries]
        for group, share in zip(context.universe.expiries, shares, strict=True):
            if share < 0:
                raise RuleBuildError(
                    f"basis: add = {self.add} with multiple = {self.multiple} gives {share:.4f} for {group.name}; "
                    "below zero it would pay for risk, which is not convex: raise add or multiple"
                )
        return shares


def _definition(context: RuleContext, basis: Auxiliary, profit: NDArray[np.float64]) -> Rows:
    names = (f"{basis.name} up", f"{basis.name} down")
    return make_rows(names, unit=context.tick, long=profit, auxiliaries=({basis: Fraction(1)},) * len(names))
