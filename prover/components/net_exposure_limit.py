"""Thresholds on net exposure: |net delta| of an underlying may not exceed a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import model_validator

from prover.components.constants import PerKind, PositiveAmount, Record
from prover.rules.rule_rows import ByKind, Contribution, Rows, make_rows

if TYPE_CHECKING:
    from prover.rules.rule_rows import RuleContext
    from verifier.rule_kind import RuleKind


class NetExposureLimit(Record):
    """|net delta| at the index price S ≤ limit:  limit ∓ Σ_i size_i · delta_i · S · (v[4i] − v[4i+1]) ≥ 0.

    Two rows an underlying, one a side. Legs of a slot add up to zero before rounding and to at most zero after it.

    Attributes:
        limit: quote currency.
    """

    component: Literal["net-exposure-limit"] = "net-exposure-limit"
    limit: PerKind[PositiveAmount]

    @model_validator(mode="after")
    def _maintenance_is_wider(self) -> Self:
        if self.limit.maintenance < self.limit.initial:
            message = (
                f"limit.maintenance = {self.limit.maintenance} is below limit.initial = {self.limit.initial}: raise it"
            )
            raise ValueError(message)
        return self

    def contribute(self, context: RuleContext) -> Contribution:
        """The upper and the lower limit of every underlying."""
        return Contribution(limits=ByKind.make(lambda kind: self._rows(context, kind)))

    def _rows(self, context: RuleContext, kind: RuleKind) -> Rows:
        universe, limit = context.universe, self.limit.of(kind)
        exposure = universe.lot_size * universe.delta * universe.index_price
        names, long = [], []
        for place, name in enumerate(universe.underlyings):
            own = np.where(universe.underlying == place, exposure, 0.0)
            names += [f"net {name} delta at most +{limit:,}", f"net {name} delta at least −{limit:,}"]
            long += [-own, own]
        return make_rows(tuple(names), unit=context.tick, long=np.stack(long), constant=float(limit))
