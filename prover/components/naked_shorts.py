"""Naked shorts: short options that no long option of the same strike and expiry stands against."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import numpy as np

from prover.components.constants import Charges, PerKind, Rate
from prover.rules.rule_rows import Auxiliary, ByKind, Contribution, Rows, make_rows, stack_rows

if TYPE_CHECKING:
    from prover.rules.rule_rows import RuleContext
    from prover.rules.universe import Universe


class NakedShorts(Charges):
    """A charge on max(0, −(calls + puts)) of every strike K of every expiry, S the index price.

    With an auxiliary n_K ≥ 0 a strike and rates f_IM ≥ f_MM:

        n_K + f_IM · S · Σ_{i of K} size_i · (v[4i] − v[4i+1]) ≥ 0,    charge = Σ_K n_K (initial), f_MM/f_IM · Σ_K n_K

    One definition row and two free columns a strike: a chain of more than about a hundred strikes finds no room beside
    other components. The same charge on every short leg (``short_option`` of leg-charges) needs none, and asks for
    more only where shorts and longs of one strike are held together. Source: Derive's portfolio margin (PMRM).

    Attributes:
        rate: fraction of the index price.
    """

    component: Literal["naked-shorts"] = "naked-shorts"
    rate: PerKind[Rate]

    def contribute(self, context: RuleContext) -> Contribution:
        """One definition a strike, and the charge."""
        universe = context.universe
        if not self.rate.initial or not universe.option.any():
            return Contribution()
        worth = float(self.rate.initial) * universe.lot_size * universe.index_price
        auxiliaries, definitions = [], []
        for name, slots in _strikes(universe).items():
            naked = Auxiliary(f"naked shorts {name}", context.tick)
            own = np.zeros((1, universe.size))
            own[0, slots] = worth[slots]
            auxiliaries.append(naked)
            definitions.append(
                make_rows((naked.name,), unit=context.tick, long=own, auxiliaries=({naked: Fraction(1)},))
            )
        share = ByKind(Fraction(1), Fraction(self.rate.maintenance) / Fraction(self.rate.initial))
        return Contribution(
            auxiliaries=tuple(auxiliaries),
            definitions=stack_rows(*definitions),
            charges=share.map(lambda part: _charge(context, auxiliaries, part)),
        )


def _strikes(universe: Universe) -> dict[str, list[int]]:
    """Slots of every strike of every expiry, by its name."""
    strikes: dict[str, list[int]] = {}
    for slot in np.flatnonzero(universe.option):
        expiry = universe.expiries[universe.expiry[slot]]
        strikes.setdefault(f"{expiry.name} {universe.strike[slot]:.15g}", []).append(int(slot))
    return strikes


def _charge(context: RuleContext, auxiliaries: list[Auxiliary], share: Fraction) -> Rows:
    nothing = np.zeros((1, context.universe.size))
    return make_rows(
        ("naked shorts",),
        unit=context.tick,
        long=nothing,
        auxiliaries=(dict.fromkeys(auxiliaries, share) if share else {},),
    )
