"""Initial margin implies maintenance margin: each maintenance row is at least a combination of initial rows.

In the same way initial margin implies the reduced rule, and this implies maintenance margin; "initial" and
"maintenance" below stand for the stricter and the looser of two rules.

With weights λ ≥ 0 over the initial rows, Σ λ_t · (row t of initial) ≤ (row s of maintenance) in every leg, in every
auxiliary and in the constant. Columns are not negative, so headrooms of initial margin that are ≥ 0 make that of row s
so too. Row by row would be too much to ask: in a gain, the initial row with its higher factor is the more generous.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.errors import RuleBuildError
from prover.rules.rule_assembly import UNSHOCKED
from prover.rules.rule_rows import RowKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from prover.rules.built_rule import BuiltRule

_BEYOND_INT64: Final = 1 << 63


@dataclass(frozen=True, slots=True)
class ImpliedRow:
    """Weights over the rows of initial margin that imply one row of maintenance margin, by row; all are positive."""

    weights: dict[int, Fraction]


def implication_weights(initial: BuiltRule, maintenance: BuiltRule) -> tuple[ImpliedRow, ...]:
    """Weights per maintenance row, from the loss factors of both kinds.

    With k = f_MM/f_IM, equity less k times the loss is k times the initial row plus (1 − k) times the row in which
    nothing moves; rows of different scale are weighed by it. All other rows follow from their own twins.
    """
    share = Fraction(maintenance.loss_factor) / Fraction(initial.loss_factor)
    unshocked = initial.row_names.index(UNSHOCKED)
    implied = []
    for index, row in enumerate(maintenance.rows):
        weights = {index: Fraction(1)}
        if row.kind is RowKind.SCENARIO and index != unshocked and share != 1:
            rescaled = Fraction(row.scale, initial.rows[unshocked].scale)
            weights = {index: share, unshocked: (1 - share) * rescaled}
        implied.append(ImpliedRow(weights))
    return tuple(implied)


def require_implication(initial: BuiltRule, maintenance: BuiltRule) -> None:
    """Check the weights on the entries, exactly.

    Raises:
        RuleBuildError: rules of different rows or slots, or a maintenance row that initial margin does not imply.
    """
    stricter, looser = (f"{rule.kind.name.lower()} margin" for rule in (initial, maintenance))
    if _structure(initial) != _structure(maintenance):
        raise RuleBuildError(f"{stricter} and {looser} have different rows or books; build both together")
    asked, kept = _compared_entries(initial), _compared_entries(maintenance)
    largest = max(int(np.abs(entries).max()) for entries in (asked, kept))
    for index, implied in enumerate(implication_weights(initial, maintenance)):
        if not _implies(asked, kept[index], implied, largest, exactly=maintenance.rows[index].headroom is None):
            raise RuleBuildError(
                f"row {maintenance.rows[index].name!r} of {looser} asks for more than {stricter} does; lower its "
                "charges or factors"
            )


def _implies(
    asked: NDArray[np.int64], kept: NDArray[np.int64], implied: ImpliedRow, largest: int, *, exactly: bool
) -> bool:
    """Whether the weighted rows of initial margin are at most the row of maintenance margin, or equal to it."""
    scale = lcm(*(weight.denominator for weight in implied.weights.values()))
    weights = {source: int(weight * scale) for source, weight in implied.weights.items()}
    if min(weights.values()) < 0:
        return False
    fits = (sum(weights.values()) + scale) * largest < _BEYOND_INT64
    number = np.dtype(np.int64) if fits else np.dtype(object)
    combined = sum(weight * asked[source].astype(number) for source, weight in weights.items())
    required = scale * kept.astype(number)
    return bool(np.all(combined == required) if exactly else np.all(combined <= required))


def _structure(rule: BuiltRule) -> tuple[object, ...]:
    return rule.matrix.books, rule.slots, rule.layout


def _compared_entries(rule: BuiltRule) -> NDArray[np.int64]:
    """Legs, constant and auxiliaries of every row, [row, column]; the headrooms of two rules are not compared."""
    entries = rule.matrix.entries.copy()
    for row in rule.rows:
        for book, column in () if row.headroom is None else row.headroom.columns:
            entries[:, book, column] = 0
    return entries.reshape(len(entries), -1)
