"""The argument on random statements: complete, additive, and never surprised by bytes."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from prover.argument.witness import BookOpening, build_witness, leg_columns, row_sums
from prover.errors import InsufficientMarginError
from tests.support.cases import Case, row_labels, scenario_case
from tests.support.setups import TINY, known_setup, tiny_key
from verifier.curve import group
from verifier.domain import evaluate_on_domain, interpolate_on_domain
from verifier.errors import MalformedInputError
from verifier.portfolio_commitment import add_commitments, commit_portfolio, credit_commitment
from verifier.proof_format import proof_length
from verifier.rules.margin_rule import RuleMatrix, chunk_blob, matrix_commitments, matrix_from_blobs
from verifier.rules.rule_audit import audit_matrix
from verifier.scalar_field import MODULUS, batch_inverse, decode_scalar, encode_scalar
from verifier.shape import STANDARD
from verifier.statement import Statement
from verifier.verification import verify, verify_batch

PROOFS = settings(max_examples=25)
scalars = st.integers(0, MODULUS - 1)
lots = st.integers(-400, 400)
portfolios = st.tuples(lots, lots, lots, lots)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """True statements of one to three books."""
    books, rows = draw(st.integers(1, 3)), draw(st.integers(2, 8))
    seed = str(draw(st.integers(0, 10**9)))
    return scenario_case(shape=TINY, setup=known_setup(), books=books, rows=rows, seed=seed)


@PROOFS
@given(case=cases(), blind=scalars)
def test_true_statements_are_proven_with_any_blinds(case: Case, blind: int) -> None:
    blinds = [(value + blind) % MODULUS for value in case.blinds]
    for made in (case.prove(), case.prove(blinds=blinds)):
        assert len(made.proof) == proof_length(case.rule.matrix.books)
        assert verify(tiny_key(), made.statement, made.proof) is True


@settings(max_examples=10)
@given(batch=st.lists(cases(), min_size=1, max_size=4))
def test_batches_of_true_statements_are_accepted(batch: list[Case]) -> None:
    claims = [(made.statement, made.proof) for made in (case.prove() for case in batch)]
    assert verify_batch(tiny_key(), claims) is True


@functools.cache
def honest_claim() -> tuple[Statement, bytes]:
    """One book, two chunks."""
    made = scenario_case(shape=TINY, setup=known_setup(), rows=6, seed="bytes").prove()
    return made.statement, made.proof


def is_refused(statement: Statement, proof: bytes) -> bool:
    """Whether bytes are malformed or false; any other exception is a failure of the test."""
    try:
        return not verify(tiny_key(), statement, proof)
    except MalformedInputError:
        return True


@settings(max_examples=150)
@given(start=st.integers(0, 879), content=st.binary(min_size=1, max_size=200))
def test_any_other_bytes_are_refused(start: int, content: bytes) -> None:
    statement, honest = honest_claim()
    proof = (honest[:start] + content + honest[start + len(content) :])[:880]
    assert is_refused(statement, proof) or proof == honest


@settings(max_examples=60)
@given(proof=st.one_of(st.binary(max_size=100), st.binary(min_size=880, max_size=880)))
@example(b"")
@example(bytes(880))
@example(b"\xff" * 880)
def test_noise_is_refused(proof: bytes) -> None:
    assert is_refused(honest_claim()[0], proof)


@settings(max_examples=60)
@given(point=st.binary(min_size=96, max_size=96), place=st.integers(0, 2))
def test_noise_in_the_statement_is_refused(point: bytes, place: int) -> None:
    statement, proof = honest_claim()
    points = list(statement.points())
    points[place] = point
    assert is_refused(Statement(statement.context, (points[0],), ((points[1], points[2]),)), proof)


@PROOFS
@given(first=portfolios, second=portfolios, blinds=st.tuples(scalars, scalars), slot=st.integers(0, 3), credit=lots)
def test_commitments_are_additive(
    first: tuple[int, ...], second: tuple[int, ...], blinds: tuple[int, int], slot: int, credit: int
) -> None:
    setup = known_setup()
    left = commit_portfolio(first, blinds[0], shape=TINY, setup=setup)
    right = commit_portfolio(second, blinds[1], shape=TINY, setup=setup)
    summed = [a + b for a, b in zip(first, second, strict=True)]
    total = commit_portfolio(summed, sum(blinds), shape=TINY, setup=setup)
    assert add_commitments(left, right) == total
    summed[slot] += credit
    expected = commit_portfolio(summed, sum(blinds), shape=TINY, setup=setup) if abs(summed[slot]) < 1024 else None
    assert expected in (None, credit_commitment(total, slot, credit, shape=TINY, setup=setup))


@given(values=st.lists(scalars, min_size=16, max_size=16))
def test_transforms_are_inverse(values: list[int]) -> None:
    assert evaluate_on_domain(interpolate_on_domain(values), 16) == values
    assert interpolate_on_domain(evaluate_on_domain(values, 16)) == values


@given(values=st.lists(st.integers(1, MODULUS - 1), max_size=12))
def test_scalars(values: list[int]) -> None:
    assert [decode_scalar(encode_scalar(value)) for value in values] == values
    inverses = batch_inverse(values)
    assert all(value * inverse % MODULUS == 1 for value, inverse in zip(values, inverses, strict=True))


@given(data=st.binary(min_size=32, max_size=32))
def test_every_accepted_scalar_is_the_one_encoding(data: bytes) -> None:
    try:
        value = decode_scalar(data)
    except MalformedInputError:
        assert int.from_bytes(data, "big") >= MODULUS
    else:
        assert encode_scalar(value) == data


entries = st.integers(-(1 << 62) + 1, (1 << 62) - 1)
places = st.tuples(st.integers(0, 19), st.integers(0, 1), st.integers(0, STANDARD.columns - 1))


@settings(max_examples=8)
@given(held=st.dictionaries(places, entries, max_size=30))
def test_any_matrix_survives_its_blobs(held: dict[tuple[int, int, int], int]) -> None:
    matrix = np.zeros((20, 2, STANDARD.columns), dtype=np.int64)
    for place, value in held.items():
        matrix[place] = value
    rule = RuleMatrix(STANDARD, matrix)
    blobs = [[chunk_blob(rule, book, chunk) for chunk in range(rule.chunks_per_book)] for book in range(2)]
    assert np.array_equal(matrix_from_blobs(STANDARD, blobs).entries[:20], matrix)


@settings(max_examples=20)
@given(values=st.lists(entries, min_size=32, max_size=32))
def test_backends_commit_to_the_same_matrix(values: list[int]) -> None:
    rule = RuleMatrix(TINY, np.array(values, dtype=np.int64).reshape(2, 1, 16))
    fast = matrix_commitments(rule, known_setup())
    assert fast == matrix_commitments(rule, known_setup(), group("py_ecc"))


@given(
    legs=st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 9)), min_size=4, max_size=4),
    constant=st.integers(-9, 9),
    spoiled=st.integers(0, 3),
)
def test_audit_finds_every_free_box_and_nothing_else(legs: list[tuple[int, int]], constant: int, spoiled: int) -> None:
    matrix = np.zeros((1, 1, 16), dtype=np.int64)
    for slot, (value, spread) in enumerate(legs):
        matrix[0, 0, 4 * slot : 4 * slot + 2] = value, -value - spread
    matrix[0, 0, 2], matrix[0, 0, 3] = constant, -1
    assert audit_matrix(RuleMatrix(TINY, matrix)) == []
    matrix[0, 0, 4 * spoiled] += legs[spoiled][1] + 1
    assert [finding.row for finding in audit_matrix(RuleMatrix(TINY, matrix))] == [0]


@given(case=cases(), positions=st.lists(st.integers(-9, 9), min_size=2, max_size=2), cash=st.integers(-500, 500))
@settings(max_examples=40)
def test_a_witness_satisfies_every_row_or_is_refused(case: Case, positions: list[int], cash: int) -> None:
    matrix = case.rule.matrix
    openings = list(case.witness.openings)
    openings[0] = BookOpening((cash, *positions, 0), 1)
    totals = row_sums(matrix, leg_columns(matrix, openings))
    if min(totals) < 0:
        with pytest.raises(InsufficientMarginError) as caught:
            build_witness(matrix, openings, row_labels(matrix.rows))
        failing = {entry.row: entry.shortfall for entry in caught.value.shortfalls}
        assert failing == {row: -total * 0.01 for row, total in enumerate(totals) if total < 0}
    else:
        made = build_witness(matrix, openings, row_labels(matrix.rows))
        assert row_sums(matrix, made.columns) == [0] * matrix.rows
