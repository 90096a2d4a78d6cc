"""The last opening W' and the hints of a claim: nothing is hashed after them, so finished proofs are edited."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.cases import Case, scenario_case
from tests.support.contract_judge import ACCEPTED, REJECTED, ContractJudge, claim_of
from tests.support.encodings import SubgroupBlindGroup, plus_order_three
from tests.support.forgery import Forgery, forge
from tests.support.setups import TINY, known_setup, tiny_key
from verifier.ceremony import ceremony_setup
from verifier.curve import BASE_MODULUS, COMPRESSED_BYTES, group
from verifier.errors import MalformedInputError
from verifier.proof_format import decode_proof
from verifier.shape import SMALL
from verifier.verification import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from verifier.calldata import MarginClaim

BOOKS: Final = 2
REFUSED: Final = (REJECTED, "Bls12381InvalidPoint", "PointCompressionMismatch")

backends = pytest.mark.parametrize("backend", ["arkworks", "py_ecc"])


@functools.cache
def tiny_case() -> Case:
    """Two books, two chunks each."""
    return scenario_case(shape=TINY, setup=known_setup(), books=BOOKS, rows=6, seed="last opening")


@functools.cache
def small_case() -> Case:
    """One book, one chunk, under the ceremony's setup."""
    return scenario_case(shape=SMALL, setup=ceremony_setup(), rows=4, seed="last opening")


def with_last_opening(proof: bytes, books: int, change: Callable[[bytes], bytes]) -> bytes:
    """The proof with other bytes for W'."""
    parts = decode_proof(proof, books)
    return replace(parts, last_opening=change(parts.last_opening)).encode()


def _with_flags(bits: int) -> Callable[[bytes], bytes]:
    return lambda data: bytes([data[0] ^ bits]) + data[1:]


def _order_three(data: bytes) -> bytes:
    reference = group("py_ecc")
    point = reference.decode_compressed(data)
    return reference.compress(reference.decode_unchecked(plus_order_three(reference.encode(point))))


def _off_curve(data: bytes) -> bytes:
    for step in range(1, 100):
        x = int.from_bytes(data, "big") + step
        square = (int.from_bytes(bytes([x.to_bytes(48, "big")[0] & 0x1F]) + x.to_bytes(48, "big")[1:], "big") ** 3) + 4
        if pow(square, (BASE_MODULUS - 1) // 2, BASE_MODULUS) != 1:
            return x.to_bytes(COMPRESSED_BYTES, "big")
    raise AssertionError("a hundred neighbours on the curve")


def _x_plus_modulus(data: bytes) -> bytes:
    return (int.from_bytes(data, "big") + BASE_MODULUS).to_bytes(COMPRESSED_BYTES, "big")


MALFORMED_OPENINGS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "compression flag cleared": _with_flags(0x80),
    "infinity flag set": _with_flags(0x40),
    "plus a point of order 3": _order_three,
    "off the curve": _off_curve,
    "infinity with a sign": lambda _: b"\xe0" + bytes(47),
    "infinity with an x": lambda _: b"\xc0" + bytes(46) + b"\x01",
    "uncompressed infinity": lambda _: bytes(48),
}


@functools.cache
def short_x_case() -> tuple[Case, Forgery]:
    """A proof whose W' has an x so small that x + p still fits its 381 bits."""
    for attempt in range(200):
        case = scenario_case(shape=TINY, setup=known_setup(), rows=3, seed=f"short x {attempt}")
        made = forge(case, key=tiny_key())
        opening = decode_proof(made.proof, 1).last_opening
        x = int.from_bytes(bytes([opening[0] & 0x1F]) + opening[1:], "big")
        if x + BASE_MODULUS < 1 << 381:
            return case, made
    raise AssertionError("no proof with a short x among 200")


@backends
@pytest.mark.parametrize("kind", MALFORMED_OPENINGS)
def test_malformed_last_opening_is_refused(kind: str, backend: str) -> None:
    honest = forge(tiny_case(), key=tiny_key())
    proof = with_last_opening(honest.proof, BOOKS, MALFORMED_OPENINGS[kind])
    with pytest.raises(MalformedInputError, match="point 0x"):
        verify(tiny_key(), honest.statement, proof, group(backend))


def test_last_opening_outside_the_subgroup_passes_without_the_check() -> None:
    honest = forge(tiny_case(), key=tiny_key())
    proof = with_last_opening(honest.proof, BOOKS, _order_three)
    assert verify(tiny_key(), honest.statement, proof, SubgroupBlindGroup()) is True


@backends
def test_last_opening_with_x_plus_p_is_refused(backend: str) -> None:
    _, honest = short_x_case()
    proof = with_last_opening(honest.proof, 1, _x_plus_modulus)
    with pytest.raises(MalformedInputError, match="not canonical"):
        verify(tiny_key(), honest.statement, proof, group(backend))
    assert verify(tiny_key(), honest.statement, honest.proof, group(backend)) is True


@backends
def test_last_opening_with_the_other_sign_is_false(backend: str) -> None:
    honest = forge(tiny_case(), key=tiny_key())
    proof = with_last_opening(honest.proof, BOOKS, _with_flags(0x20))
    assert verify(tiny_key(), honest.statement, proof, group(backend)) is False


def test_contracts_refuse_malformed_last_openings(tiny_judge: ContractJudge, small_judge: ContractJudge) -> None:
    for case, judge, books in ((tiny_case(), tiny_judge, BOOKS), (small_case(), small_judge, 1)):
        honest = forge(case, key=judge.key)
        for kind, change in (*MALFORMED_OPENINGS.items(), ("other sign", _with_flags(0x20))):
            proof = with_last_opening(honest.proof, books, change)
            assert judge.verdict(honest.statement, proof) in REFUSED, kind
    _, honest = short_x_case()
    assert tiny_judge.verdict(honest.statement, with_last_opening(honest.proof, 1, _x_plus_modulus)) in REFUSED
    assert tiny_judge.verdict(honest.statement, honest.proof) == ACCEPTED


def test_contracts_refuse_hints_that_do_not_match(tiny_judge: ContractJudge, small_judge: ContractJudge) -> None:
    for case, judge in ((tiny_case(), tiny_judge), (small_case(), small_judge)):
        honest = forge(case, key=judge.key)
        claim = claim_of(judge.key, honest.statement, honest.proof, with_opening=judge.with_opening)

        def outcome(hint: bytes, judge: ContractJudge = judge, claim: MarginClaim = claim) -> str:
            return judge.outcome("verify", replace(claim, hint=hint).as_tuple())

        other = (int.from_bytes(claim.hint[:32], "big") ^ 1).to_bytes(32, "big")
        assert outcome(other + claim.hint[32:]) == "MarginVerifierInverseHintMismatch"
        assert outcome(bytes(32) + claim.hint[32:]) == "MarginVerifierInverseHintMismatch"
        assert outcome(b"\xff" * 32 + claim.hint[32:]) == "ScalarFieldNotCanonical"
        assert outcome(claim.hint[:-1]) == outcome(claim.hint + b"\0") == "MarginVerifierHintLength"
        assert outcome(claim.hint) == ACCEPTED


def test_contract_refuses_another_y_of_the_last_opening(tiny_judge: ContractJudge) -> None:
    honest = forge(tiny_case(), key=tiny_key())
    claim = claim_of(tiny_key(), honest.statement, honest.proof, with_opening=True)
    y = int.from_bytes(claim.hint[32:], "big")
    others = {
        BASE_MODULUS - y: "PointCompressionMismatch",
        y ^ 1: "Bls12381InvalidPoint",
        0: "PointCompressionMismatch",
    }
    for other, expected in others.items():
        changed = replace(claim, hint=claim.hint[:32] + other.to_bytes(48, "big"))
        assert tiny_judge.outcome("verify", changed.as_tuple()) == expected
