"""Rows of a margin rule in calldata, for chains without blobs (twin: contracts/libraries/RowEvaluation.sol).

Posted rows are, one after another: a count of 2 bytes, then as many entries of 10 bytes, a column (2 bytes, ascending)
and a signed value (8 bytes). At most S' rows; those that are missing are zero. The chunk's commitment, opened at a
point that depends on rows and commitment, shows that it is theirs.
"""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from eth_hash.auto import keccak

from verifier.chain.blob_transactions import versioned_hash
from verifier.curve import Group, group
from verifier.errors import MalformedInputError, MatrixError
from verifier.rules.margin_rule import chunk_polynomial
from verifier.scalar_field import MODULUS, batch_inverse, inverse, powers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from verifier.ceremony import TrustedSetup
    from verifier.rules.margin_rule import RuleMatrix
    from verifier.shape import Shape

LABEL: Final = b"zkmargin-posted-rows-v1"
COUNT: Final = struct.Struct(">H")
ENTRY: Final = struct.Struct(">Hq")


def encode_rows(matrix: RuleMatrix, book: int, chunk: int) -> bytes:
    """The rows of a chunk as they are posted, without the rows of zeros at its end."""
    rows = matrix.chunk_rows(book, chunk)
    used = np.flatnonzero(rows.any(axis=1))
    return b"".join(_encode_row(row) for row in rows[: used[-1] + 1 if len(used) else 0])


def _encode_row(row: NDArray[np.int64]) -> bytes:
    columns = np.flatnonzero(row)
    entries = (ENTRY.pack(int(column), int(row[column])) for column in columns)
    return COUNT.pack(len(columns)) + b"".join(entries)


def decode_rows(shape: Shape, data: bytes) -> NDArray[np.int64]:
    """The S' rows that were posted, int64[row, column]; whether they make a rule is for :class:`RuleMatrix` to say.

    Raises:
        MalformedInputError: an entry cut off, more than S' rows, columns that do not ascend or do not exist.
    """
    rows = np.zeros((shape.rows_per_chunk, shape.columns), dtype=np.int64)
    place = row = 0
    while place < len(data):
        if row == shape.rows_per_chunk:
            raise MalformedInputError(
                f"posted rows: {len(data) - place} bytes follow the last of {row} rows; drop them"
            )
        first = place + COUNT.size
        place = first + ENTRY.size * int.from_bytes(data[place:first], "big")
        if place > len(data):
            raise MalformedInputError(f"posted row {row} needs {place} bytes, there are {len(data)}: post whole rows")
        entries = list(ENTRY.iter_unpack(data[first:place]))
        _check_entries(row, entries, shape.columns)
        for column, value in entries:
            rows[row, column] = value
        row += 1
    return rows


def _check_entries(row: int, entries: list[tuple[int, int]], columns: int) -> None:
    for column, _ in entries:
        if column >= columns:
            raise MalformedInputError(f"posted row {row}: column {column} does not exist, columns are below {columns}")
    for (before, _), (column, _) in pairwise(entries):
        if column <= before:
            raise MalformedInputError(f"posted row {row}: column {column} follows {before}; give them ascending")


def row_challenge(commitment: bytes, rows: bytes, backend: Group | None = None) -> int:
    """z, at which a commitment (96 bytes) is compared with posted rows.

    Raises:
        MalformedInputError: a commitment that is no point of the group.
    """
    chosen = backend or group()
    name = versioned_hash(chosen.compress(chosen.decode(commitment)))
    return int.from_bytes(keccak(LABEL + name + keccak(rows)), "big") % MODULUS


def evaluate_rows(shape: Shape, rows: bytes, z: int) -> int:
    """M̂(z) of posted rows: Σ_s z^(Rs) Σ_c M[s][c]·ν^c·(z^R − 1)/(R·(z − ν^c)).

    Raises:
        MalformedInputError: as :func:`decode_rows`, or z is an R-th root of unity.
    """
    matrix = decode_rows(shape, rows)
    step = pow(z, shape.columns, MODULUS)
    if step == 1:
        raise MalformedInputError(f"z = {z} is one of the {shape.columns} roots of unity: take another point")
    roots = powers(shape.nu, shape.columns)
    fractions = batch_inverse([(z - root) % MODULUS for root in roots])
    weights = [root * fraction % MODULUS for root, fraction in zip(roots, fractions, strict=True)]
    value = 0
    for factor, row in zip(powers(step, len(matrix)), matrix, strict=True):
        value += factor * sum(int(row[column]) * weights[column] for column in np.flatnonzero(row))
    return value * (step - 1) * inverse(shape.columns) % MODULUS


def rows_are_committed(
    setup: TrustedSetup, shape: Shape, commitment: bytes, rows: bytes, opening: bytes, backend: Group | None = None
) -> bool:
    """Whether a commitment is that of posted rows: e(P, [τ]_2) = e(C + z·P − y·[1]_1, [1]_2) with the opening P.

    Raises:
        MalformedInputError: malformed rows or points.
    """
    chosen = backend or group()
    z = row_challenge(commitment, rows, chosen)
    y = evaluate_rows(shape, rows, z)
    point = chosen.decode(opening)
    # Negated, so that the second pairing comes to the left.
    terms = [chosen.decode(commitment), point, chosen.generator]
    right = chosen.combine(terms, [MODULUS - 1, -z % MODULUS, y])
    return chosen.pairing_product_is_one([(point, chosen.decode2(setup.tau_g2)), (right, chosen.generator2)])


def row_opening(
    matrix: RuleMatrix, book: int, chunk: int, *, commitment: bytes, setup: TrustedSetup, backend: Group | None = None
) -> bytes:
    """P = [(M̂(τ) − M̂(z))/(τ − z)]_1, which the registry takes beside the rows; checked before it is returned.

    Args:
        matrix: the rule.
        book: of the chunk.
        chunk: of the book.
        commitment: of the chunk, 96 bytes.
        setup: powers of τ, as many as the shape's D.
        backend: group backend; arkworks when omitted.

    Raises:
        MatrixError: the commitment is not that of the chunk.
        MalformedInputError: the commitment is no point of the group.
    """
    chosen = backend or group()
    rows = encode_rows(matrix, book, chunk)
    quotient = _quotient(chunk_polynomial(matrix, book, chunk), row_challenge(commitment, rows, chosen))
    opening = chosen.encode(chosen.combine(setup.points(chosen)[: len(quotient)], quotient))
    if not rows_are_committed(setup, matrix.shape, commitment, rows, opening, chosen):
        raise MatrixError(f"0x{commitment.hex()} is not the commitment of chunk {chunk} of book {book}: commit again")
    return opening


def _quotient(coefficients: list[int], z: int) -> list[int]:
    """Coefficients of (f − f(z))/(X − z), by Horner's scheme."""
    quotient, carried = [0] * (len(coefficients) - 1), 0
    for power in range(len(coefficients) - 1, 0, -1):
        carried = (coefficients[power] + carried * z) % MODULUS
        quotient[power - 1] = carried
    return quotient
