"""Margin rules as matrices, and their three forms: rows, chunk polynomials with commitments, EIP-4844 blobs.

Specification, section 2: a chunk packs S' rows, ``M̂(X) = Σ_s' X^(R·s') Σ_c M[s'][c] λ^V_c(X)``; its values on the
4096-th roots of unity in bit-reversed order are a blob, and the blob's KZG commitment is the chunk's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from verifier.commitment_basis import basis_points
from verifier.curve import Group, group
from verifier.domain import bit_reversal, evaluate_on_domain, interpolate_on_domain
from verifier.errors import MatrixError
from verifier.scalar_field import MODULUS, SCALAR_BYTES, decode_scalar, encode_scalar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from verifier.ceremony import TrustedSetup
    from verifier.shape import Shape

ENTRY_BOUND: Final = 1 << 62
"""Every entry is smaller in absolute value."""

MATRIX_DIMENSIONS: Final = 3


@dataclass(frozen=True, eq=False)
class RuleMatrix:
    """A margin rule: rows of small signed integers over the columns of all books.

    Attributes:
        shape: of the argument that proves it.
        entries: int64, indexed [row, book, column]; ticks per lot.

    Raises:
        MatrixError: wrong dimensions or type, no rows, no books, an entry of 2^62 or more.
    """

    shape: Shape
    entries: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Check dimensions and the bound on entries."""
        if self.entries.dtype != np.int64 or self.entries.ndim != MATRIX_DIMENSIONS:
            raise MatrixError(f"a matrix is int64[row, book, column], got {self.entries.dtype}{self.entries.shape}")
        rows, books, columns = self.entries.shape
        if rows < 1 or books < 1 or columns != self.shape.columns:
            raise MatrixError(
                f"a matrix needs a row, a book and {self.shape.columns} columns, got shape {self.entries.shape}"
            )
        beyond = np.argwhere((self.entries >= ENTRY_BOUND) | (self.entries <= -ENTRY_BOUND))
        if len(beyond):
            row, book, column = (int(index) for index in beyond[0])
            raise MatrixError(
                f"row {row}, book {book}, column {column}: entry {int(self.entries[row, book, column])} "
                "is not below 2^62; use larger ticks or smaller lots"
            )

    @property
    def rows(self) -> int:
        """S."""
        return int(self.entries.shape[0])

    @property
    def books(self) -> int:
        """B."""
        return int(self.entries.shape[1])

    @property
    def chunks_per_book(self) -> int:
        """G."""
        return self.shape.chunks_for(self.rows)

    def restricted(self, books: Sequence[int]) -> RuleMatrix:
        """The rule of an account that has opened these books alone: same rows, its books only, ascending.

        Raises:
            MatrixError: no book 0 (the constant column is in it), one that the rule lacks, or not ascending.
        """
        chosen = tuple(books)
        if chosen[:1] != (0,) or chosen[-1] >= self.books or sorted(set(chosen)) != list(chosen):
            raise MatrixError(
                f"books {list(chosen)} of a rule of {self.books} books: give book 0 and others, each once, ascending"
            )
        return self if len(chosen) == self.books else RuleMatrix(self.shape, self.entries[:, list(chosen), :])

    def chunk_rows(self, book: int, chunk: int) -> NDArray[np.int64]:
        """The S' rows of a chunk, int64[row, column]; missing rows are zero."""
        per_chunk = self.shape.rows_per_chunk
        rows = self.entries[chunk * per_chunk : (chunk + 1) * per_chunk, book, :]
        return np.vstack([rows, np.zeros((per_chunk - len(rows), self.shape.columns), dtype=np.int64)])


def row_polynomials(matrix: RuleMatrix, book: int, chunk: int) -> list[list[int]]:
    """Coefficients of the S' row polynomials of a chunk: R coefficients a row, empty for a row of zeros."""
    return [
        interpolate_on_domain([int(entry) for entry in row]) if row.any() else []
        for row in matrix.chunk_rows(book, chunk)
    ]


def chunk_polynomial(matrix: RuleMatrix, book: int, chunk: int) -> list[int]:
    """The D coefficients of M̂_{b,g}."""
    columns = matrix.shape.columns
    blocks = (block or [0] * columns for block in row_polynomials(matrix, book, chunk))
    return [coefficient for block in blocks for coefficient in block]


def chunk_commitment(
    matrix: RuleMatrix, book: int, chunk: int, *, setup: TrustedSetup, backend: Group | None = None
) -> bytes:
    """[M̂_{b,g}(τ)]_1 in 96 bytes, from the entries themselves: they are small, and so the multiplication is cheap."""
    chosen = backend or group()
    points, scalars = [], []
    for place, row in enumerate(matrix.chunk_rows(book, chunk)):
        columns = np.flatnonzero(row)
        if not len(columns):
            continue
        basis = basis_points(setup, matrix.shape.columns, place * matrix.shape.columns, chosen)
        points += [basis[column] for column in columns]
        scalars += [int(entry) for entry in row[columns]]
    positive = [index for index, entry in enumerate(scalars) if entry > 0]
    negative = [index for index, entry in enumerate(scalars) if entry < 0]
    gains = chosen.combine([points[i] for i in positive], [scalars[i] for i in positive])
    losses = chosen.combine([points[i] for i in negative], [-scalars[i] for i in negative])
    return chosen.encode(chosen.subtract(gains, losses))


def matrix_commitments(
    matrix: RuleMatrix, setup: TrustedSetup, backend: Group | None = None
) -> tuple[tuple[bytes, ...], ...]:
    """Commitments [book][chunk] of a matrix, 96 bytes each."""
    return tuple(
        tuple(
            chunk_commitment(matrix, book, chunk, setup=setup, backend=backend)
            for chunk in range(matrix.chunks_per_book)
        )
        for book in range(matrix.books)
    )


def chunk_blob(matrix: RuleMatrix, book: int, chunk: int) -> bytes:
    """The EIP-4844 blob of a chunk: 4096 field elements of 32 bytes, bit-reversed order."""
    size = matrix.shape.powers
    values = evaluate_on_domain(chunk_polynomial(matrix, book, chunk), size)
    return b"".join(encode_scalar(values[index]) for index in bit_reversal(size))


def matrix_from_blobs(shape: Shape, blobs: Sequence[Sequence[bytes]]) -> RuleMatrix:
    """The matrix whose chunks are ``blobs[book][chunk]``; the inverse of :func:`chunk_blob`.

    The number of rows is S' for every chunk: trailing rows of zeros stay.

    Raises:
        MatrixError: a blob of the wrong length, books of unequal numbers of chunks, an entry of 2^62 or more.
        MalformedInputError: a field element that is not canonical.
    """
    if not blobs or not blobs[0] or len({len(chunks) for chunks in blobs}) != 1:
        raise MatrixError("a matrix needs at least one book, and the same number of chunks (at least one) in each")
    books = [np.vstack([_rows_of_blob(shape, blob) for blob in chunks]) for chunks in blobs]
    return RuleMatrix(shape, np.stack(books, axis=1))


def _rows_of_blob(shape: Shape, blob: bytes) -> NDArray[np.int64]:
    size = shape.powers
    if len(blob) != size * SCALAR_BYTES:
        raise MatrixError(f"a blob has {size * SCALAR_BYTES} bytes, got {len(blob)}")
    values = [decode_scalar(blob[i * SCALAR_BYTES : (i + 1) * SCALAR_BYTES]) for i in bit_reversal(size)]
    coefficients = interpolate_on_domain(values)
    rows = np.zeros((shape.rows_per_chunk, shape.columns), dtype=np.int64)
    for place in range(shape.rows_per_chunk):
        block = coefficients[place * shape.columns : (place + 1) * shape.columns]
        if any(block):
            rows[place] = [_signed_entry(value) for value in evaluate_on_domain(block, shape.columns)]
    return rows


def _signed_entry(value: int) -> int:
    signed = value if value < MODULUS // 2 else value - MODULUS
    if abs(signed) >= ENTRY_BOUND:
        raise MatrixError(f"the blob holds an entry {signed} that is not below 2^62: it is not a margin rule")
    return signed
