"""How much of every threshold of a rule a portfolio uses; for its owner's eyes only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from prover.components.thresholds import Threshold
from prover.rules.rule_rows import RowKind

if TYPE_CHECKING:
    from prover.rules.built_rule import BuiltRule
    from prover.rules.exposure import MarginAssessment
    from prover.rules.portfolio import Portfolio


@dataclass(frozen=True, slots=True)
class LimitUse:
    """A limit row of a rule; secret.

    Attributes:
        name: of the row.
        limit: what is allowed now, quote currency; depends on the account where the limit follows its collateral.
        used: of it; negative where a one-sided limit lies on the other side.
    """

    name: str
    limit: float = field(repr=False)
    used: float = field(repr=False)

    @property
    def utilisation(self) -> float | None:
        """Used part of the limit: 1 when it binds, more when it is broken; 0 on the other side of it.

        ``None`` where nothing at all is allowed: debts leave no room in a limit that follows collateral.
        """
        return max(self.used, 0.0) / self.limit if self.limit > 0 else None

    @property
    def is_kept(self) -> bool:
        """Whether the row holds."""
        return self.used <= self.limit


def measure_limit_use(rule: BuiltRule, portfolio: Portfolio, assessment: MarginAssessment) -> tuple[LimitUse, ...]:
    """Every limit row: with the limit in clear, what is used is the limit less the headroom.

    Args:
        rule: the rule.
        portfolio: on its slots.
        assessment: of the portfolio under the rule.
    """
    headrooms = [float(entry.headroom) for entry in assessment.headrooms if entry.row.kind is RowKind.LIMIT]
    lots = np.array(portfolio.lots, dtype=np.float64).reshape(-1)
    limits: list[tuple[str, float]] = []
    for component, part in zip(rule.definition.components, rule.parts, strict=True):
        if part.contribution.limits is not None:
            rows = part.contribution.limits.of(rule.kind)
            own = float(component.own_collateral(rule.universe) @ lots) if isinstance(component, Threshold) else 0.0
            limits += [(name, float(constant) + own) for name, constant in zip(rows.names, rows.constant, strict=True)]
    return tuple(
        LimitUse(name, limit, limit - headroom) for (name, limit), headroom in zip(limits, headrooms, strict=True)
    )
