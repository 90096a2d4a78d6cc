"""What a margin requirement is made of: the loss of the binding scenario, each component's charge, and rounding."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.argument.witness import BookOpening, leg_columns
from prover.reports.figures import Bar, Waterfall
from prover.rules.rule_rows import RowKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from prover.rules.auxiliaries import Auxiliary
    from prover.rules.built_rule import BuiltRule
    from prover.rules.exposure import MarginAssessment
    from prover.rules.portfolio import Portfolio
    from prover.rules.rule_rows import Rows

LOSS: Final = "loss in the binding scenario"
ROUNDING: Final = "rounding"
SHOWN_FROM: Final = 0.005
"""Charges of less than half a cent get no bar."""


def explain_requirement(rule: BuiltRule, portfolio: Portfolio, assessment: MarginAssessment) -> Waterfall:
    """Split the requirement into parts that add up to it.

    With the binding scenario's profit p in clear, loss factor f of the rule file and increases f' of components, the
    parts are −f·p, every −f'·p, every charge, and what is left: the roundings of all coefficients against the trader.
    A floor that binds is one part.
    """
    binding = assessment.binding.row
    if binding.kind is RowKind.SCENARIO:
        amounts = _scenario_parts(rule, portfolio, assessment)
    else:
        amounts = {f"floor: {binding.name}": assessment.requirement}
    shown = {label: amount for label, amount in amounts.items() if abs(amount) >= SHOWN_FROM or label == LOSS}
    shown[ROUNDING] = assessment.requirement - sum(shown.values())
    return Waterfall(
        kind=rule.kind.name.lower(),
        binding_row=binding.name,
        parts=tuple(Bar(label, amount) for label, amount in shown.items()),
        requirement=assessment.requirement,
        equity=assessment.exposure.equity,
    )


@dataclass(frozen=True, slots=True)
class Decision:
    """An auxiliary that is not zero, and the definition row that makes it so large; secret.

    Attributes:
        auxiliary: its name.
        row: the tightest of the rows that it raises.
        amount: its value, quote currency (lots where it counts).
    """

    auxiliary: str
    row: str
    amount: float = field(repr=False)


def decisions(rule: BuiltRule, portfolio: Portfolio, assessment: MarginAssessment) -> tuple[Decision, ...]:
    """What auxiliaries are worth and which rows decide it, the largest first: the worst of a scan, days of a tail."""
    left = {entry.row: entry.headroom for entry in assessment.headrooms}
    found = []
    for auxiliary, value in auxiliary_values(rule, portfolio).items():
        book, column = rule.layout.auxiliaries[auxiliary]
        raised = [rule.rows[place] for place in np.flatnonzero(rule.matrix.entries[:, book, column] > 0)]
        defining = [row for row in raised if row.kind is RowKind.DEFINITION]
        if value and defining:
            found.append(Decision(auxiliary.name, min(defining, key=left.__getitem__).name, float(value)))
    return tuple(sorted(found, key=lambda entry: -entry.amount))


def auxiliary_values(rule: BuiltRule, portfolio: Portfolio) -> dict[Auxiliary, Fraction]:
    """Every auxiliary of a portfolio, quote currency (lots where it counts). Secret."""
    columns = leg_columns(rule.matrix, [BookOpening(book, 0) for book in portfolio.lots])
    values = rule.auxiliaries_of(columns)
    return {
        auxiliary: values[column] * Fraction(auxiliary.unit) for auxiliary, column in rule.layout.auxiliaries.items()
    }


def _scenario_parts(rule: BuiltRule, portfolio: Portfolio, assessment: MarginAssessment) -> dict[str, float]:
    legs = _Legs(rule, portfolio)
    scenarios = [row for row in rule.rows if row.kind is RowKind.SCENARIO]
    profit = _profit(rule, legs, scenarios.index(assessment.binding.row))
    parts: defaultdict[str, float] = defaultdict(float)
    parts[LOSS] = -float(rule.definition.loss_factor.of(rule.kind)) * profit
    for part in rule.parts:
        label = part.component.replace("-", " ")
        contribution = part.contribution
        parts[label] -= float(contribution.factor_increase.of(rule.kind)) * profit
        if contribution.charges is not None:
            parts[label] += legs.total(contribution.charges.of(rule.kind), 0)
    return parts


def _profit(rule: BuiltRule, legs: _Legs, place: int) -> float:
    """Profit of a scenario row before the loss factor; the first row is the one in which nothing moves."""
    place -= 1
    for part in rule.parts:
        profits = part.contribution.profits
        if profits is not None and 0 <= place < len(profits):
            return legs.total(profits, place)
        place -= 0 if profits is None else len(profits)
    return 0.0


class _Legs:
    """Legs and auxiliaries of a portfolio under a rule, in clear."""

    def __init__(self, rule: BuiltRule, portfolio: Portfolio) -> None:
        lots = np.array(portfolio.lots, dtype=np.float64).reshape(-1)
        self._long: NDArray[np.float64] = np.maximum(lots, 0)
        self._short: NDArray[np.float64] = np.maximum(-lots, 0)
        self._auxiliaries = auxiliary_values(rule, portfolio)

    def total(self, rows: Rows, place: int) -> float:
        """What one row adds up to, quote currency."""
        own = sum((value * self._auxiliaries[key] for key, value in rows.auxiliaries[place].items()), Fraction(0))
        legs = rows.long[place] @ self._long + rows.short[place] @ self._short
        return float(legs + rows.constant[place]) + float(own)
