"""Naked shorts: short options that no long option of the same strike and expiry stands against."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import numpy as np

from prover.components.constants import Charges, PerKind, Rate
from prover.rules.auxiliaries import Auxiliary
from prover.rules.rule_rows import ByKind, Contribution, Rows, make_rows, stack_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from prover.rules.rule_context import RuleContext
    from prover.rules.universe import Universe
    from verifier.rules.rule_kind import RuleKind


class NakedShorts(Charges):
    """A charge on max(0, −(calls + puts)) of every strike K of every expiry, S the index price.

    With an auxiliary n_K ≥ 0 a strike that is listed with its call and its put, and rates f_IM ≥ f_MM:

        n_K + f_IM · S · Σ_{i of K} size_i · (v[4i] − v[4i+1]) ≥ 0
        charge = Σ_K n_K (initial), f_MM/f_IM · Σ_K n_K (maintenance)

    Where only one of the two is listed, every short is naked: short_i = f · S · size_i, without an auxiliary.
    One definition row and two free columns a strike with both. The same charge on every short leg (``short_option`` of
    leg-charges) needs none, and asks for more only where shorts and longs of one strike are held together.
    Source: Derive's portfolio margin (PMRM).

    Attributes:
        rate: f, fraction of the index price.
    """

    component: Literal["naked-shorts"] = "naked-shorts"
    rate: PerKind[Rate]

    def contribute(self, context: RuleContext) -> Contribution:
        """One definition a strike with call and put, and the charge."""
        universe = context.universe
        notional = np.where(universe.option, universe.lot_size * universe.index_price, 0.0)
        alone = notional.copy()
        definitions = []
        for name, slots in _strikes_with_both(universe).items() if self.rate.initial else ():
            worth = np.zeros((1, universe.size))
            worth[0, slots] = float(self.rate.initial) * notional[slots]
            alone[slots] = 0.0
            naked = Auxiliary(f"naked shorts {name}", context.tick)
            definitions.append(
                make_rows((naked.name,), unit=context.tick, long=worth, auxiliaries=({naked: Fraction(1)},))
            )
        auxiliaries = tuple(auxiliary for row in definitions for auxiliary in row.auxiliaries[0])
        return Contribution(
            auxiliaries=auxiliaries,
            definitions=stack_rows(*definitions) if definitions else None,
            charges=ByKind.make(lambda kind: self._charge(context, kind, alone, auxiliaries)),
        )

    def _charge(
        self, context: RuleContext, kind: RuleKind, alone: NDArray[np.float64], auxiliaries: tuple[Auxiliary, ...]
    ) -> Rows:
        rate = self.rate.of(kind)
        share = Fraction(rate) / Fraction(self.rate.initial) if rate else Fraction(0)
        return make_rows(
            ("naked shorts",),
            unit=context.tick,
            long=np.zeros((1, len(alone))),
            short=float(rate) * alone[None, :],
            auxiliaries=(dict.fromkeys(auxiliaries, share) if share else {},),
        )


def _strikes_with_both(universe: Universe) -> dict[str, list[int]]:
    """Slots of call and put of every strike of every expiry that lists both, by its name."""
    strikes: dict[str, list[int]] = {}
    for slot in np.flatnonzero(universe.option):
        expiry = universe.expiries[universe.expiry[slot]]
        strikes.setdefault(f"{expiry.name} {universe.strike[slot]:.15g}", []).append(int(slot))
    return {name: slots for name, slots in strikes.items() if len(slots) > 1}
