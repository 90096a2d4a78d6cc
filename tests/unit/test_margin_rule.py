"""Rules as matrices, chunks, commitments and blobs."""

from __future__ import annotations

import functools
import random
from typing import Final

import numpy as np
import pytest
from ckzg import blob_to_kzg_commitment, load_trusted_setup

from tests.support.cases import scenario_matrix
from tests.support.setups import TAU, TINY, known_setup
from verifier.ceremony import ceremony_path, ceremony_setup
from verifier.curve import group
from verifier.domain import evaluate_on_domain
from verifier.errors import MalformedInputError, MatrixError
from verifier.rules.margin_rule import (
    ENTRY_BOUND,
    RuleMatrix,
    chunk_blob,
    chunk_polynomial,
    matrix_commitments,
    matrix_from_blobs,
)
from verifier.scalar_field import MODULUS, encode_scalar
from verifier.shape import SMALL, STANDARD

BLOB_BYTES: Final = 131_072


@functools.cache
def standard_matrix() -> RuleMatrix:
    """Two books of ten rows: two chunks each, the second mostly empty."""
    return scenario_matrix(STANDARD, books=2, rows=10, generator=random.Random("blobs"))


def test_blob_commitment_is_the_chunk_commitment() -> None:
    """The chain itself binds the published data to the commitment that proofs are checked against."""
    kzg = load_trusted_setup(str(ceremony_path()), 0)
    commitments, backend = matrix_commitments(standard_matrix(), ceremony_setup()), group()
    for book in range(2):
        for chunk in range(2):
            blob = chunk_blob(standard_matrix(), book, chunk)
            assert len(blob) == BLOB_BYTES
            ours = backend.compress(backend.decode(commitments[book][chunk]))
            assert blob_to_kzg_commitment(blob, kzg) == ours


def test_matrix_is_read_back_from_its_blobs() -> None:
    matrix = standard_matrix()
    blobs = [[chunk_blob(matrix, book, chunk) for chunk in range(2)] for book in range(2)]
    read = matrix_from_blobs(STANDARD, blobs)
    assert (read.rows, read.books, read.chunks_per_book) == (16, 2, 2)
    assert np.array_equal(read.entries[:10], matrix.entries)
    assert not read.entries[10:].any()


def test_chunk_polynomial_packs_rows() -> None:
    """M̂(X) = Σ X^(R·s')·(row s'), so that block s' of the coefficients interpolates row s'."""
    matrix = scenario_matrix(TINY, books=1, rows=6, generator=random.Random("rows"))
    for row in range(6):
        chunk, place = divmod(row, TINY.rows_per_chunk)
        coefficients = chunk_polynomial(matrix, 0, chunk)
        block = coefficients[place * TINY.columns : (place + 1) * TINY.columns]
        values = evaluate_on_domain(block, TINY.columns)
        assert values == [int(entry) % MODULUS for entry in matrix.entries[row, 0]]


@pytest.mark.parametrize("backend", ["arkworks", "py_ecc"])
def test_commitment_is_the_polynomial_at_tau(backend: str) -> None:
    matrix, chosen = scenario_matrix(TINY, books=2, rows=6, generator=random.Random("τ")), group(backend)
    for book, chunks in enumerate(matrix_commitments(matrix, known_setup(), chosen)):
        for chunk, commitment in enumerate(chunks):
            value = sum(c * pow(TAU, power, MODULUS) for power, c in enumerate(chunk_polynomial(matrix, book, chunk)))
            assert chosen.encode(chosen.combine([chosen.generator], [value % MODULUS])) == commitment


@pytest.mark.parametrize("entry", [ENTRY_BOUND, -ENTRY_BOUND, (1 << 63) - 1, -(1 << 63)])
def test_entries_of_two_to_the_62_are_refused(entry: int) -> None:
    entries = np.zeros((2, 1, 16), dtype=np.int64)
    entries[1, 0, 4] = entry
    with pytest.raises(MatrixError, match=rf"row 1, book 0, column 4: entry {entry} is not below 2\^62; use larger"):
        RuleMatrix(TINY, entries)


def test_the_largest_entries_are_allowed() -> None:
    entries = np.zeros((1, 1, 16), dtype=np.int64)
    entries[0, 0, 4:6] = ENTRY_BOUND - 1, 1 - ENTRY_BOUND
    assert RuleMatrix(TINY, entries).rows == 1


@pytest.mark.parametrize("shape", [(0, 1, 16), (1, 0, 16), (1, 1, 15), (1, 16)])
def test_other_dimensions_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(MatrixError, match="a matrix"):
        RuleMatrix(TINY, np.zeros(shape, dtype=np.int64))


def test_other_types_are_refused() -> None:
    with pytest.raises(MatrixError, match="int64"):
        RuleMatrix(TINY, np.zeros((1, 1, 16), dtype=np.float64))


def test_blobs_that_are_no_rule_are_refused() -> None:
    blob = chunk_blob(standard_matrix(), 0, 0)
    with pytest.raises(MatrixError, match="131072 bytes, got 131071"):
        matrix_from_blobs(STANDARD, [[blob[:-1]]])
    with pytest.raises(MatrixError, match="at least one book"):
        matrix_from_blobs(STANDARD, [])
    with pytest.raises(MatrixError, match="same number of chunks"):
        matrix_from_blobs(STANDARD, [[blob], [blob, blob]])
    with pytest.raises(MalformedInputError, match="not canonical"):
        matrix_from_blobs(STANDARD, [[MODULUS.to_bytes(32, "big") + blob[32:]]])
    with pytest.raises(MatrixError, match=r"not below 2\^62: it is not a margin rule"):
        matrix_from_blobs(SMALL, [[encode_scalar(1) + blob[32:]]])
