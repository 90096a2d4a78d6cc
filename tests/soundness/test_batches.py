"""Batches: one bad proof spoils them at any position, and errors do not cancel."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.cases import scenario_case
from tests.support.contract_judge import ACCEPTED, REJECTED, ContractJudge
from tests.support.setups import TAU, TINY, known_setup, tiny_key
from verifier import verification
from verifier.curve import group
from verifier.errors import MalformedInputError
from verifier.proof_format import decode_proof
from verifier.scalar_field import MODULUS, inverse
from verifier.verification import reduce_to_opening, verify, verify_batch

if TYPE_CHECKING:
    from verifier.statement import Statement

    Claim = tuple[Statement, bytes]

COUNT: Final = 3

backends = pytest.mark.parametrize("backend", ["arkworks", "py_ecc"])
places = pytest.mark.parametrize("place", range(COUNT))


@functools.cache
def claims() -> tuple[Claim, ...]:
    """Good claims: the same rule under two of them, another rule of the same size under the third."""
    shared = scenario_case(shape=TINY, setup=known_setup(), rows=6, seed="batch")
    other = scenario_case(shape=TINY, setup=known_setup(), rows=6, seed="other rule")
    made = [shared.prove(), replace(shared, seed="again").prove(), other.prove()]
    return tuple((proof.statement, proof.proof) for proof in made)


def shifted_opening(claim: Claim, logarithm: int) -> Claim:
    """The claim with W' moved by a multiple of the generator; well-formed, and false."""
    statement, proof = claim
    backend, parts = group(), decode_proof(proof, statement.books)
    moved = backend.add(
        backend.decode_compressed(parts.last_opening), backend.combine([backend.generator], [logarithm % MODULUS])
    )
    return statement, replace(parts, last_opening=backend.compress(moved)).encode()


def cancelling_claims() -> list[Claim]:
    """Two false proofs whose errors δ_j(τ − u_j) add up to zero under equal weights."""
    result = []
    for claim, sign in zip(claims()[:2], (1, -1), strict=True):
        opening = reduce_to_opening(tiny_key(), *claim)
        if opening is None:
            raise AssertionError("the honest proof has a zero denominator")
        result.append(shifted_opening(claim, sign * inverse((TAU - opening.u) % MODULUS)))
    return result


@backends
def test_good_batch_is_accepted(backend: str) -> None:
    assert verify_batch(tiny_key(), claims(), group(backend)) is True


def test_empty_batch_is_malformed() -> None:
    with pytest.raises(MalformedInputError, match="at least one claim"):
        verify_batch(tiny_key(), [])


@backends
@places
def test_one_bad_proof_spoils_the_batch(place: int, backend: str) -> None:
    batch = list(claims())
    batch[place] = shifted_opening(batch[place], 1)
    assert verify_batch(tiny_key(), batch, group(backend)) is False


@places
def test_malformed_proof_spoils_the_batch(place: int) -> None:
    batch = list(claims())
    batch[place] = (batch[place][0], batch[place][1][:-1])
    with pytest.raises(MalformedInputError, match="cut off or padded"):
        verify_batch(tiny_key(), batch)


@backends
def test_proofs_swapped_between_statements_are_false(backend: str) -> None:
    first, second, third = claims()
    assert verify_batch(tiny_key(), [(first[0], second[1]), (second[0], first[1])], group(backend)) is False
    assert verify_batch(tiny_key(), [(first[0], third[1]), (third[0], first[1])], group(backend)) is False


@backends
def test_errors_do_not_cancel(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = cancelling_claims()
    for statement, proof in batch:
        assert verify(tiny_key(), statement, proof) is False
    assert verify_batch(tiny_key(), batch, group(backend)) is False
    monkeypatch.setattr(verification, "batch_weights", lambda states: [1] * len(states))
    assert verify_batch(tiny_key(), batch, group(backend)) is True


def test_contract_on_batches(tiny_judge: ContractJudge) -> None:
    good = list(claims())
    assert tiny_judge.batch_verdict(good) == ACCEPTED
    assert tiny_judge.batch_verdict([]) == "MarginVerifierNoClaims"
    for place in range(COUNT):
        batch = list(good)
        batch[place] = shifted_opening(batch[place], 1)
        assert tiny_judge.batch_verdict(batch) == REJECTED, place
    first, second, third = good
    assert tiny_judge.batch_verdict([(first[0], second[1]), (second[0], first[1])]) == REJECTED
    assert tiny_judge.batch_verdict([(first[0], third[1]), (third[0], first[1])]) == REJECTED
    assert tiny_judge.batch_verdict(cancelling_claims()) == REJECTED
