"""Edits of finished proofs: every point, every length, every byte."""

from __future__ import annotations

import functools
import random
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.cases import scenario_case
from tests.support.contract_judge import ACCEPTED, ContractJudge
from tests.support.setups import TINY, known_setup, tiny_key
from verifier.ceremony import ceremony_setup
from verifier.curve import COMPRESSED_INFINITY, INFINITY, POINT_BYTES, group
from verifier.errors import MalformedInputError
from verifier.shape import STANDARD
from verifier.statement import verifying_key
from verifier.verification import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from prover.argument.argument import MarginProof
    from verifier.curve import Group
    from verifier.statement import VerifyingKey

PROOF_BYTES: Final = 880
POINTS: Final = ("r", "m", "A", "acc", "t", "h", "W")
LAST_OPENING_AT: Final = len(POINTS) * POINT_BYTES
SLOW_SAMPLE: Final = 24

backends = pytest.mark.parametrize("backend", ["arkworks", "py_ecc"])


@functools.cache
def tiny_proof() -> MarginProof:
    """One book, two chunks."""
    return scenario_case(shape=TINY, setup=known_setup(), rows=5, seed="smoke").prove()


@functools.cache
def standard_proof() -> MarginProof:
    """One book of the standard shape under the ceremony's setup."""
    return scenario_case(shape=STANDARD, setup=ceremony_setup(), rows=9, seed="smoke").prove()


def refused(key: VerifyingKey, made: MarginProof, proof: bytes, backend: Group) -> bool:
    """Whether a proof is malformed or false."""
    try:
        return not verify(key, made.statement, proof, backend)
    except MalformedInputError:
        return True


def _negated(encoding: bytes) -> bytes:
    backend = group()
    return backend.encode(backend.subtract(backend.combine([], []), backend.decode(encoding)))


REPLACEMENTS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "infinity": lambda _: INFINITY,
    "the generator": lambda _: group().encode(group().generator),
    "the negation": _negated,
}


@backends
@pytest.mark.parametrize("replacement", REPLACEMENTS)
def test_another_point_in_place_of_one_is_false(replacement: str, backend: str) -> None:
    made = tiny_proof()
    for index, name in enumerate(POINTS):
        at = index * POINT_BYTES
        point = REPLACEMENTS[replacement](made.proof[at : at + POINT_BYTES])
        proof = made.proof[:at] + point + made.proof[at + POINT_BYTES :]
        assert verify(tiny_key(), made.statement, proof, group(backend)) is False, name


@backends
def test_another_last_opening_is_false(backend: str) -> None:
    made = tiny_proof()
    honest = made.proof[LAST_OPENING_AT : LAST_OPENING_AT + 48]
    generator = group().compress(group().generator)
    for point in (COMPRESSED_INFINITY, generator, bytes([honest[0] ^ 0x20]) + honest[1:]):
        proof = made.proof[:LAST_OPENING_AT] + point + made.proof[LAST_OPENING_AT + 48 :]
        assert verify(tiny_key(), made.statement, proof, group(backend)) is False


@backends
@pytest.mark.parametrize("change", [-PROOF_BYTES, -384, -32, -1, 1, 32, 384])
def test_cut_or_padded_proof_is_malformed(change: int, backend: str) -> None:
    made = tiny_proof()
    proof = (made.proof + bytes(384))[: PROOF_BYTES + change]
    with pytest.raises(MalformedInputError, match=f"got {PROOF_BYTES + change}: it is cut off or padded"):
        verify(tiny_key(), made.statement, proof, group(backend))


def test_every_byte_counts() -> None:
    made, key = standard_proof(), verifying_key(STANDARD, ceremony_setup())
    assert len(made.proof) == PROOF_BYTES
    assert verify(key, made.statement, made.proof) is True
    generator = random.Random("every byte")
    for place in range(PROOF_BYTES):
        flipped = bytearray(made.proof)
        flipped[place] ^= generator.randint(1, 255)
        assert refused(key, made, bytes(flipped), group()), place


def test_sampled_bytes_count_with_the_reference_backend() -> None:
    made, reference = tiny_proof(), group("py_ecc")
    assert verify(tiny_key(), made.statement, made.proof, reference) is True
    generator = random.Random("sampled bytes")
    # Half of the sample hits W' and the scalars, where a flipped byte is often well-formed.
    early = generator.sample(range(LAST_OPENING_AT), SLOW_SAMPLE // 2)
    late = generator.sample(range(LAST_OPENING_AT, PROOF_BYTES), SLOW_SAMPLE // 2)
    for place in (*early, *late):
        flipped = bytearray(made.proof)
        flipped[place] ^= 1 << generator.randrange(8)
        assert refused(tiny_key(), made, bytes(flipped), reference), place


def test_contract_on_every_byte_and_point(tiny_judge: ContractJudge) -> None:
    made = tiny_proof()
    assert tiny_judge.verdict(made.statement, made.proof) == ACCEPTED
    generator = random.Random("every byte on chain")
    for place in range(PROOF_BYTES):
        flipped = bytearray(made.proof)
        flipped[place] ^= 1 << generator.randrange(8)
        verdict = tiny_judge.verdict(made.statement, bytes(flipped))
        assert verdict not in (ACCEPTED, "UnknownRevert"), place
    for name, replacement in REPLACEMENTS.items():
        for index, position in enumerate(POINTS):
            at = index * POINT_BYTES
            point = replacement(made.proof[at : at + POINT_BYTES])
            proof = made.proof[:at] + point + made.proof[at + POINT_BYTES :]
            assert tiny_judge.verdict(made.statement, proof) == "MarginVerifierRejected", (name, position)
