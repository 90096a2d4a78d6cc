"""Thresholds on net exposure: |delta|, |gamma| or |vega| of an underlying, an expiry or all stay within a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from prover.components.exposure_measures import Grouping, Measure, exposure_groups
from prover.components.thresholds import Threshold
from prover.rules.rule_rows import ByKind, Contribution, Rows, make_rows

if TYPE_CHECKING:
    from prover.components.exposure_measures import ExposureGroup
    from prover.rules.rule_context import RuleContext
    from verifier.rules.rule_kind import RuleKind


class NetExposureLimit(Threshold):
    """|net exposure| ≤ limit:  limit ∓ Σ_i e_i · (v[4i] − v[4i+1]) ≥ 0, e_i the exposure of a lot.

    Two rows a group, one a side. Legs of a slot add up to zero before rounding and to at most zero after it. A limit
    that follows the account's collateral adds multiple · value_i · (v[4i] − v[4i+1]) of cash and tokens.

    Attributes:
        measure: which exposure.
        by: which slots are netted.
    """

    component: Literal["net-exposure-limit"] = "net-exposure-limit"
    measure: Literal[Measure.DELTA, Measure.GAMMA, Measure.VEGA] = Measure.DELTA
    by: Literal[Grouping.UNDERLYING, Grouping.EXPIRY, Grouping.TOTAL] = Grouping.UNDERLYING

    def contribute(self, context: RuleContext) -> Contribution:
        """The upper and the lower limit of every group that is exposed at all."""
        groups = exposure_groups(context.universe, self.measure, self.by)
        if not groups:
            return Contribution()
        return Contribution(limits=ByKind.make(lambda kind: self._rows(context, kind, groups)))

    def _rows(self, context: RuleContext, kind: RuleKind, groups: tuple[ExposureGroup, ...]) -> Rows:
        names, long, limits = [], [], []
        collateral = self.own_collateral(context.universe)
        for group in groups:
            limit = self.limit_now(context, kind, group)
            what = f"net {group.name} {self.measure}"
            names += [f"{what} at most +{limit:,}", f"{what} at least −{limit:,}"]
            long += [collateral - group.exposure, collateral + group.exposure]
            limits += [float(limit)] * 2
        return make_rows(tuple(names), unit=context.tick, long=np.stack(long), constant=np.array(limits))
