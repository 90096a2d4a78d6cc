"""A rule as the prover holds it for an epoch: the matrix, its commitments and its chunk polynomials.

A statement of the clearing house is over the books that an account has opened, and has one chunk a book more than the
rule: the mask (:mod:`verifier.rules.mask`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prover.argument.polynomials import Polynomial, polynomial
from verifier.rules.margin_rule import chunk_commitment, chunk_polynomial
from verifier.rules.mask import mask_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from verifier.ceremony import TrustedSetup
    from verifier.curve import Group
    from verifier.rules.margin_rule import RuleMatrix
    from verifier.shape import Shape


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
        matrix: the entries, without the mask.
        commitments: 96 bytes each, [book][chunk]; the mask's, if there is one, last.
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


def prepare_masks(shape: Shape, live: NDArray[np.bool_], setup: TrustedSetup) -> tuple[PreparedChunk, ...]:
    """The mask's chunk of every book.

    Args:
        shape: of the argument.
        live: whether a slot may hold positions, bool[book, slot].
        setup: powers of τ.

    Raises:
        MatrixError: another number of slots than the shape's.
    """
    matrix = mask_matrix(shape, live)
    known: ChunkCache = {}
    return tuple(_prepare_chunk(matrix, book, 0, known, (setup, None)) for book in range(matrix.books))


def masked_rule(rule: PreparedRule, masks: Sequence[PreparedChunk], books: Sequence[int]) -> PreparedRule:
    """The rule of an account that has opened these books, each with its mask.

    Args:
        rule: over all books.
        masks: one for every book of the rule.
        books: ascending, book 0 first.

    Raises:
        MatrixError: no such books.
    """
    return PreparedRule(
        rule.matrix.restricted(books),
        tuple((*rule.commitments[book], masks[book].commitment) for book in books),
        tuple((*rule.chunks[book], masks[book].coefficients) for book in books),
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
