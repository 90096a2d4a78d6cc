"""A rule as the prover holds it for an epoch: the matrix, its commitments and its chunk polynomials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prover.polynomials import Polynomial, polynomial
from verifier.margin_rule import chunk_polynomial, matrix_commitments

if TYPE_CHECKING:
    from verifier.ceremony import TrustedSetup
    from verifier.curve import Group
    from verifier.margin_rule import RuleMatrix


@dataclass(frozen=True, eq=False)
class PreparedRule:
    """Everything about a rule that does not depend on a portfolio.

    Attributes:
        matrix: the entries.
        commitments: 96 bytes each, [book][chunk].
        chunks: M̂_{b,g} as polynomials, [book][chunk].
    """

    matrix: RuleMatrix
    commitments: tuple[tuple[bytes, ...], ...]
    chunks: tuple[tuple[Polynomial, ...], ...]


def prepare_rule(matrix: RuleMatrix, setup: TrustedSetup, backend: Group | None = None) -> PreparedRule:
    """Interpolate and commit once; any number of proofs follow."""
    chunks = tuple(
        tuple(polynomial(chunk_polynomial(matrix, book, chunk)) for chunk in range(matrix.chunks_per_book))
        for book in range(matrix.books)
    )
    return PreparedRule(matrix, matrix_commitments(matrix, setup, backend), chunks)
