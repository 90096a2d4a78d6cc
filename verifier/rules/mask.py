"""The mask: one row that no dead slot passes, in a chunk of its own after those of a rule.

The registry of instruments keeps the chunk's commitment and the house appends it to every statement, whatever a
publisher publishes: Σ over dead slots j of (v[4j] + v[4j+1]) = 0. Columns are not negative, so each of them is zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verifier.errors import MatrixError
from verifier.rules.margin_rule import RuleMatrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from verifier.shape import Shape


def mask_matrix(shape: Shape, live: NDArray[np.bool_]) -> RuleMatrix:
    """The row as a matrix of its own: 1 at both legs of every slot that is not live.

    Args:
        shape: of the argument.
        live: whether a slot may hold positions, bool[book, slot].

    Raises:
        MatrixError: another number of slots than the shape's.
    """
    if live.ndim != 2 or live.shape[1] != shape.slots:  # noqa: PLR2004 - book and slot
        raise MatrixError(f"a mask is for {shape.slots} slots a book, got {live.shape}: use the list of the same shape")
    entries = np.zeros((1, len(live), shape.columns), dtype=np.int64)
    entries[0, :, 0::4] = entries[0, :, 1::4] = ~live
    return RuleMatrix(shape, entries)
