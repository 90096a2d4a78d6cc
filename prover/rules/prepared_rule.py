"""A rule as the prover holds it for an epoch: the matrix, its commitments and its chunk polynomials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prover.argument.polynomials import Polynomial, polynomial
from verifier.rules.margin_rule import chunk_commitment, chunk_polynomial

if TYPE_CHECKING:
    from verifier.ceremony import TrustedSetup
    from verifier.curve import Group
    from verifier.rules.margin_rule import RuleMatrix


@dataclass(frozen=True, slots=True, eq=False)
class PreparedChunk:
    """A chunk of rows of a rule.

    Attributes:
        commitment: 96 bytes.
        coefficients: M̂_{b,g} as a polynomial.
    """

    commitment: bytes
    coefficients: Polynomial


ChunkCache = dict[bytes, PreparedChunk]
"""Prepared chunks by the bytes of their rows, for one setup and shape."""


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


def prepare_rule(
    matrix: RuleMatrix, setup: TrustedSetup, backend: Group | None = None, *, known: ChunkCache | None = None
) -> PreparedRule:
    """Interpolate and commit once; any number of proofs follow.

    Args:
        matrix: the entries.
        setup: powers of τ.
        backend: of the group; the default one when omitted.
        known: chunks that are prepared already, such as those with the definition rows that both kinds of margin share;
            takes in what is prepared here.
    """
    cache: ChunkCache = {} if known is None else known
    chunks = [
        [_prepare_chunk(matrix, book, chunk, cache, (setup, backend)) for chunk in range(matrix.chunks_per_book)]
        for book in range(matrix.books)
    ]
    return PreparedRule(
        matrix,
        tuple(tuple(chunk.commitment for chunk in book) for book in chunks),
        tuple(tuple(chunk.coefficients for chunk in book) for book in chunks),
    )


def _prepare_chunk(
    matrix: RuleMatrix, book: int, chunk: int, cache: ChunkCache, group: tuple[TrustedSetup, Group | None]
) -> PreparedChunk:
    rows = matrix.chunk_rows(book, chunk).tobytes()
    if rows not in cache:
        setup, backend = group
        cache[rows] = PreparedChunk(
            chunk_commitment(matrix, book, chunk, setup=setup, backend=backend),
            polynomial(chunk_polynomial(matrix, book, chunk)),
        )
    return cache[rows]
