"""Least margin of short options, whatever else the portfolio holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from prover.components.constants import Charges, PerKind, Rate
from prover.rules.rule_rows import ByKind, Contribution, Rows, make_rows

if TYPE_CHECKING:
    from prover.rules.rule_context import RuleContext
    from verifier.rules.rule_kind import RuleKind


class ShortOptionMinimum(Charges):
    """Equity at marks ≥ Σ_i rate · S · size_i · v[4i+1] over options, as a floor row that no charge enters.

    Source: SPAN, requirement = max(risk, short option minimum). With several underlyings this is the minimum of all of
    them together; ``span-scan`` has one for each.

    Attributes:
        rate: per unit of a short option, fraction of the index price.
    """

    component: Literal["short-option-minimum"] = "short-option-minimum"
    rate: PerKind[Rate]

    def contribute(self, context: RuleContext) -> Contribution:
        """One floor."""
        return Contribution(floors=ByKind.make(lambda kind: self._floor(context, kind)))

    def _floor(self, context: RuleContext, kind: RuleKind) -> Rows:
        universe = context.universe
        minimum = float(self.rate.of(kind)) * universe.option * universe.index_price * universe.lot_size
        nothing = np.zeros((1, universe.size))
        return make_rows(("short option minimum",), unit=context.tick, long=nothing, short=-minimum[None, :])
