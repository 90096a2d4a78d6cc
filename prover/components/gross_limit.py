"""Thresholds on gross exposure: long and short both count."""

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


class GrossLimit(Threshold):
    """Gross exposure ≤ limit:  limit − Σ_i |e_i| · (v[4i] + v[4i+1]) ≥ 0, e_i the exposure of a lot.

    One row a group. A limit that follows the account's collateral adds multiple · value_i · (v[4i] − v[4i+1]) of cash
    and tokens.

    Attributes:
        measure: which exposure.
        by: which slots are added up.
    """

    component: Literal["gross-limit"] = "gross-limit"
    measure: Measure = Measure.NOTIONAL
    by: Grouping = Grouping.UNDERLYING

    def contribute(self, context: RuleContext) -> Contribution:
        """One limit of every group that is exposed at all."""
        groups = exposure_groups(context.universe, self.measure, self.by)
        if not groups:
            return Contribution()
        return Contribution(limits=ByKind.make(lambda kind: self._rows(context, kind, groups)))

    def _rows(self, context: RuleContext, kind: RuleKind, groups: tuple[ExposureGroup, ...]) -> Rows:
        limits = [self.limit_now(context, kind, group) for group in groups]
        gross = np.stack([np.abs(group.exposure) for group in groups])
        collateral = self.own_collateral(context.universe)
        return make_rows(
            tuple(
                f"gross {group.name} {self.measure} at most {limit:,}"
                for group, limit in zip(groups, limits, strict=True)
            ),
            unit=context.tick,
            long=collateral - gross,
            short=-collateral - gross,
            constant=np.array([float(limit) for limit in limits]),
        )
