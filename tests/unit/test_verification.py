"""Corners of verification that no random proof reaches, and the calldata of claims."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.cases import scenario_case
from tests.support.deterministic import seeded_scalars
from tests.support.setups import TINY, known_setup, tiny_key
from verifier import verification
from verifier.calldata import claim_hint, inverse_hint, margin_claim, opening_hint
from verifier.commitment_basis import basis_points
from verifier.curve import BACKENDS, group
from verifier.domain import interpolate_on_domain
from verifier.errors import MalformedInputError
from verifier.proof_format import decode_proof
from verifier.scalar_field import MODULUS, inverse
from verifier.shape import SMALL, STANDARD
from verifier.statement import table_values, verifying_key
from verifier.verification import denominators, public_values, replay_transcript, verify, verify_batch

if TYPE_CHECKING:
    from prover.argument.argument import MarginProof
    from verifier.shape import Shape

shapes = pytest.mark.parametrize("shape", [TINY, SMALL, STANDARD], ids=["tiny", "small", "standard"])


@functools.cache
def made() -> MarginProof:
    """Two books, two chunks."""
    return scenario_case(shape=TINY, setup=known_setup(), books=2, rows=6, seed="verification").prove()


def at(values: list[int], point: int) -> int:
    """The polynomial with these values on its domain, at a point."""
    return sum(c * pow(point, power, MODULUS) for power, c in enumerate(interpolate_on_domain(values))) % MODULUS


@shapes
def test_public_polynomials_are_those_of_the_specification(shape: Shape) -> None:
    """Closed forms at ζ against interpolation of their values on W, V and U."""
    beta, zeta = seeded_scalars("public", 2)
    found = public_values(shape, beta, zeta)
    assert found is not None
    size, columns, digits = shape.domain_size, shape.columns, shape.digits
    assert found.vanishing == (pow(zeta, size, MODULUS) - 1) % MODULUS
    assert found.row_quotient * (pow(zeta, columns, MODULUS) - beta) % MODULUS == found.vanishing
    assert found.on_columns == at([int(place % digits == 0) for place in range(size)], zeta)
    assert found.last == at([int(place % digits == digits - 1) for place in range(size)], zeta)
    weights = [
        (pow(beta, shape.slots, MODULUS) - 1) * inverse(beta - pow(shape.nu, c, MODULUS)) for c in range(columns)
    ]
    on_longs = [weight % MODULUS if c % 4 == 0 else 0 for c, weight in enumerate(weights)]
    assert found.link == at(on_longs, zeta)
    assert found.link_before == at(on_longs[-1:] + on_longs[:-1], zeta)
    assert found.constant_column == at([int(column == 2) for column in range(columns)], zeta)


def zero_denominators(shape: Shape) -> list[tuple[int, int]]:
    """For each of the eight a pair β, ζ that makes it zero."""
    beta, nu = 5, shape.nu
    return [
        (beta, nu),
        (beta, inverse(shape.omega) * nu % MODULUS),
        (beta, pow(nu, 4, MODULUS)),
        (beta, pow(nu, 5, MODULUS)),
        (beta, beta),
        (beta, beta * nu % MODULUS),
        (pow(7, shape.columns, MODULUS), 7),
        (beta, nu * nu % MODULUS),
    ]


@shapes
@pytest.mark.parametrize("index", range(8))
def test_a_zero_denominator_is_seen(shape: Shape, index: int) -> None:
    beta, zeta = zero_denominators(shape)[index]
    assert denominators(shape, beta, zeta)[index] == 0
    assert public_values(shape, beta, zeta) is None


def test_a_zero_denominator_rejects(monkeypatch: pytest.MonkeyPatch) -> None:
    assert verify(tiny_key(), made().statement, made().proof) is True
    monkeypatch.setattr(verification, "denominators", lambda *_: (1, 1, 1, 1, 0, 1, 1, 1))
    assert verify(tiny_key(), made().statement, made().proof) is False
    assert verify_batch(tiny_key(), [(made().statement, made().proof)] * 2) is False


def test_points_are_decoded_although_they_are_hashed_first() -> None:
    spoiled = bytes([made().proof[0] | 0x80]) + made().proof[1:]
    statement = replace(made().statement, portfolio_commitments=(b"\xff" * 96, bytes(96)))
    with pytest.raises(MalformedInputError, match="not canonical"):
        verify(tiny_key(), made().statement, spoiled)
    with pytest.raises(MalformedInputError, match="not canonical"):
        verify(tiny_key(), statement, made().proof)


def test_batch_of_one_is_a_proof() -> None:
    claim = (made().statement, made().proof)
    assert verify_batch(tiny_key(), [claim]) is True
    assert verify_batch(tiny_key(), [claim, claim, claim]) is True


@shapes
def test_table(shape: Shape) -> None:
    values = table_values(shape)
    assert len(values) == shape.domain_size
    assert values[: 1 << shape.digit_bits] == list(range(1 << shape.digit_bits))
    assert set(values[1 << shape.digit_bits :]) <= {(1 << shape.digit_bits) - 1}


def test_both_backends_commit_to_the_same_table() -> None:
    """Computed here, since keys come from the cache."""
    for name in BACKENDS:
        backend = group(name)
        points = basis_points(known_setup(), TINY.domain_size, backend=backend)
        assert backend.encode(backend.combine(points, table_values(TINY))) == tiny_key().table_commitment


def test_verifying_key_depends_on_everything() -> None:
    key = tiny_key()
    others = [
        replace(key, tau_g2=key.tau_g2[::-1]),
        replace(key, table_commitment=bytes(96)),
        verifying_key(replace(TINY, digit_bits=4), known_setup()),
    ]
    assert len({key.digest, *(other.digest for other in others)}) == 4


def test_claim_and_hints() -> None:
    key, statement, proof = tiny_key(), made().statement, made().proof
    claim = margin_claim(key, statement, proof, with_opening=True)
    assert claim.as_tuple() == (
        statement.context,
        2,
        b"".join(statement.portfolio_commitments),
        b"".join(statement.points())[192:],
        proof,
        inverse_hint(key, statement, proof) + opening_hint(proof, 2),
    )
    challenges = replay_transcript(key, statement, decode_proof(proof, 2)).challenges
    product = int.from_bytes(inverse_hint(key, statement, proof), "big")
    for value in denominators(TINY, challenges.beta, challenges.zeta):
        product = product * value % MODULUS
    assert product == 1
    last = group().decode_compressed(decode_proof(proof, 2).last_opening)
    assert opening_hint(proof, 2) == group().encode(last)[48:]
    assert len(claim_hint(key, statement, proof, with_opening=False)) == 32


def test_hint_of_a_malformed_opening_is_zero() -> None:
    spoiled = replace(decode_proof(made().proof, 2), last_opening=bytes(48)).encode()
    assert opening_hint(spoiled, 2) == bytes(48)
    with pytest.raises(MalformedInputError, match="cut off or padded"):
        margin_claim(tiny_key(), made().statement, made().proof[:-1])
