"""Oracle confidence: positions priced by feeds that are not sure of themselves must leave more over."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from prover.components.constants import Charges, PerKind, Rate
from prover.rules.rule_rows import ByKind, Contribution, Rows, make_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from prover.rules.rule_context import RuleContext
    from prover.rules.universe import Universe

Multiple = Annotated[Decimal, Field(ge=0, le=100)]


class OracleConfidence(Charges):
    """(1 − confidence) · margin · notional wherever the confidence is below the threshold, on both legs:

        long_i = short_i = size_i · (1 − c_i) · margin · P_i

    c_i is the least confidence of the feeds involved: of spot and of the slot's own feed; options and dated futures
    take the least of their whole expiry, and of the perpetual of their underlying where one is listed. P_i is the
    index price, for tokens and coins their own mark. The method counts the perpetual only in portfolios that hold
    one, which no linear row can tell: with ``perpetual_counts`` the rule never asks for less.
    Source: Derive's portfolio margin (PMRM), confidence contingency, part of initial margin alone.

    Attributes:
        threshold: confidence from which on nothing is charged.
        margin: factor of the charge.
        perpetual_counts: whether options depend on the perpetual's feed.
    """  # noqa: D415 - the sentence goes on in the formula

    component: Literal["oracle-confidence"] = "oracle-confidence"
    threshold: Rate = Decimal("0.55")
    margin: PerKind[Multiple] = ByKind(Decimal(1), Decimal(0))
    perpetual_counts: bool = True

    def contribute(self, context: RuleContext) -> Contribution:
        """One row of costs a kind."""
        universe = context.universe
        confidence = self._confidence(universe)
        charged = universe.live & (universe.index_price > 0) & (confidence < float(self.threshold))
        doubtful = np.where(charged, (1 - confidence) * universe.lot_size * universe.index_price, 0.0)[None, :]
        return Contribution(charges=self.margin.map(lambda margin: _costs(context, float(margin) * doubtful)))

    def _confidence(self, universe: Universe) -> NDArray[np.float64]:
        """Least confidence of the feeds behind every slot."""
        least = np.minimum(universe.confidence, universe.spot_confidence)
        if self.perpetual_counts:
            dated = universe.option | universe.future
            for slot in np.flatnonzero(universe.perpetual):
                same = dated & (universe.underlying == universe.underlying[slot])
                least[same] = np.minimum(least[same], universe.confidence[slot])
        for place in range(len(universe.expiries)):
            own = universe.expiry == place
            least[own] = least[own].min(initial=1.0)
        return least


def _costs(context: RuleContext, costs: NDArray[np.float64]) -> Rows:
    return make_rows(("oracle confidence",), unit=context.tick, long=costs, short=costs)
