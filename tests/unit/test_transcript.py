"""Every value is absorbed before the challenges that must depend on it."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.cases import scenario_case
from tests.support.setups import TINY, known_setup, tiny_key
from tests.support.vectors import enhex, specified_transcript
from verifier.errors import MalformedInputError
from verifier.proof_format import decode_proof
from verifier.scalar_field import MODULUS
from verifier.statement import VerifyingKey, word
from verifier.transcript import Transcript, batch_weights, squeeze

if TYPE_CHECKING:
    from prover.argument.argument import MarginProof
    from verifier.statement import Statement

# Where a part of a proof of two books begins, its length, and the first state that depends on it.
PARTS = {
    "r_0": (0, 96, 1),
    "r_1": (96, 96, 1),
    "m": (192, 96, 1),
    "A_0": (288, 96, 2),
    "A_1": (384, 96, 2),
    "acc": (480, 96, 2),
    "t_0": (576, 96, 2),
    "t_1": (672, 96, 2),
    "h": (768, 96, 3),
    "W": (864, 96, 5),
    "W'": (960, 48, 6),
    **{f"scalar {index}": (1008 + 32 * index, 32, 4) for index in range(8)},
}


@functools.cache
def made() -> MarginProof:
    """Two books, two chunks."""
    return scenario_case(shape=TINY, setup=known_setup(), books=2, rows=6, seed="transcript").prove()


def states(key: VerifyingKey, statement: Statement, data: bytes) -> list[bytes]:
    """S0 to s6."""
    proof, transcript = decode_proof(data, statement.books), Transcript(key, statement)
    transcript.absorb_digits(proof.digit_bytes())
    transcript.absorb_sums(proof.sum_bytes())
    transcript.absorb_quotient(proof.quotient)
    transcript.absorb_evaluations(proof.values.encode())
    transcript.absorb_opening(proof.opening)
    transcript.absorb_last_opening(proof.last_opening)
    return transcript.states


@pytest.mark.parametrize("part", PARTS)
def test_states_change_from_the_first_that_depends_on_a_part(part: str) -> None:
    start, length, first = PARTS[part]
    honest = states(tiny_key(), made().statement, made().proof)
    for place in (start, start + length - 1):
        changed = bytearray(made().proof)
        changed[place] ^= 1
        try:
            found = states(tiny_key(), made().statement, bytes(changed))
        except MalformedInputError:
            continue  # the first byte of a scalar may lift it above r
        same = [left == right for left, right in zip(found, honest, strict=True)]
        assert same == [True] * first + [False] * (7 - first)


def test_every_part_of_the_statement_reaches_the_first_state() -> None:
    key, statement = tiny_key(), made().statement
    (first, second), chunks = statement.portfolio_commitments, statement.matrix_commitments
    others = [
        (key, replace(statement, context=bytes(32))),
        (key, replace(statement, portfolio_commitments=(second, first))),
        (key, replace(statement, portfolio_commitments=(first, bytes(96)))),
        (key, replace(statement, matrix_commitments=chunks[::-1])),
        (key, replace(statement, matrix_commitments=tuple(book[::-1] for book in chunks))),
        (key, replace(statement, matrix_commitments=tuple(book[:1] for book in chunks))),
        (replace(key, tau_g2=bytes(192)), statement),
        (replace(key, table_commitment=bytes(96)), statement),
        (replace(key, shape=replace(TINY, digit_bits=4)), statement),
    ]
    first_states = {Transcript(other, changed).states[0] for other, changed in [(key, statement), *others]}
    assert len(first_states) == 1 + len(others)


def test_counts_keep_lists_of_points_apart() -> None:
    """The same points cut into another number of books and chunks give another state."""
    point = bytes(range(96))
    four = replace(made().statement, portfolio_commitments=(point,), matrix_commitments=((point,) * 3,))
    two = replace(made().statement, portfolio_commitments=(point, point), matrix_commitments=((point,), (point,)))
    assert b"".join(four.points()) == b"".join(two.points())
    assert Transcript(tiny_key(), four).states != Transcript(tiny_key(), two).states


def test_states_are_those_of_the_specification() -> None:
    specified = specified_transcript(tiny_key().digest, made().statement, made().proof)["states"]
    assert [enhex(state) for state in states(tiny_key(), made().statement, made().proof)] == list(specified.values())


def test_challenges_differ_by_their_index() -> None:
    squeezed = [squeeze(bytes(32), index) for index in range(3)]
    assert len(set(squeezed)) == 3
    assert all(0 <= value < MODULUS for value in squeezed)


def test_batch_weights_depend_on_count_order_and_every_state() -> None:
    one, two, three = (word(number) for number in (1, 2, 3))
    assert batch_weights([one]) == [1]
    found = [batch_weights(list(last))[1] for last in ((one, two), (two, one), (one, three), (one, two, three))]
    assert len(set(found)) == len(found)
    weights = batch_weights([one, two, three])
    assert weights[0] == 1
    assert len(set(weights)) == 3
