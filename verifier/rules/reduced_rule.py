"""The reduced rule, (3 · maintenance + initial)/4 entry by entry: for trades of accounts that owe a proof.

Rules are built so that every entry of initial − maintenance is a multiple of 4; the registry checks the same on the
chunks, 4·[RM] = 3·[MM] + [IM], so that the reduced rule needs no blobs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from verifier.curve import group
from verifier.errors import MatrixError
from verifier.rules.margin_rule import RuleMatrix
from verifier.scalar_field import MODULUS, inverse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PARTS: Final = 4
"""The reduced rule is one part initial margin, all others maintenance margin."""


def reduced_matrix(initial: RuleMatrix, maintenance: RuleMatrix) -> RuleMatrix:
    """The rows between those of initial and of maintenance margin.

    Raises:
        MatrixError: matrices of different sizes, or an entry that would not be whole.
    """
    if initial.entries.shape != maintenance.entries.shape:
        raise MatrixError(
            f"initial margin is {initial.entries.shape}, maintenance margin {maintenance.entries.shape} "
            "[row, book, column]: a reduced rule needs equal sizes; build both together"
        )
    difference = initial.entries - maintenance.entries
    broken = np.argwhere(difference % PARTS)
    if len(broken):
        row, book, column = (int(index) for index in broken[0])
        raise MatrixError(
            f"row {row}, book {book}, column {column}: initial margin differs from maintenance margin by "
            f"{int(difference[row, book, column])}, no multiple of {PARTS}, so the reduced rule is not whole there; "
            "lower the entry of initial margin"
        )
    return RuleMatrix(initial.shape, maintenance.entries + difference // PARTS)


def lowered_to_parts(initial: NDArray[np.int64], maintenance: NDArray[np.int64]) -> NDArray[np.int64]:
    """Entries of initial margin, each lowered by at most 3 so that its difference to maintenance margin is whole."""
    return initial - (initial - maintenance) % PARTS


def reduced_points(initial: Sequence[bytes], maintenance: Sequence[bytes]) -> tuple[bytes, ...]:
    """Commitments of the reduced rule's chunks, from those of the other two, 96 bytes each.

    Raises:
        MatrixError: not as many chunks.
        MalformedInputError: bytes that are no point.
    """
    if len(initial) != len(maintenance):
        raise MatrixError(
            f"{len(initial)} chunks of initial and {len(maintenance)} of maintenance margin: give both as many rows"
        )
    backend, share = group(), inverse(PARTS)
    scalars = [share, (PARTS - 1) * share % MODULUS]
    return tuple(
        backend.encode(backend.combine([backend.decode(first), backend.decode(second)], scalars))
        for first, second in zip(initial, maintenance, strict=True)
    )
