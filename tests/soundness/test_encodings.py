"""Bytes that are no encoding, put in before the hash, at every position (specification, section 7).

The forger hashes the bad bytes and goes on honestly. For each kind the test shows that the same proof passes a
verifier that lacks exactly the check against it.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.cases import Case, scenario_case
from tests.support.contract_judge import ACCEPTED, REJECTED, ContractJudge
from tests.support.encodings import (
    BAD_POINTS,
    LENIENT,
    OTHER_INFINITIES,
    RepairingGroup,
    SubgroupBlindGroup,
    off_curve,
    plus_order_three,
    read_other_infinities,
    shifted_scalars,
)
from tests.support.forgery import Forgery, forge, private_side, true_statement
from tests.support.setups import TINY, known_setup, tiny_key
from tests.support.simulation import POSITIONS, SimulatedProof, simulate
from verifier import proof_format
from verifier.ceremony import ceremony_setup
from verifier.curve import BASE_MODULUS, COMPRESSED_BYTES, INFINITY, group
from verifier.errors import MalformedInputError
from verifier.proof_format import decode_proof
from verifier.scalar_field import SCALAR_BYTES
from verifier.shape import SMALL
from verifier.verification import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from verifier.statement import Statement, VerifyingKey

BOOKS: Final = 2
CHUNKS: Final = 2
STATEMENT_POSITIONS: Final = (
    *(f"C_{book}" for book in range(BOOKS)),
    *(f"M_{book}_{chunk}" for book in range(BOOKS) for chunk in range(CHUNKS)),
)
PROOF_POSITIONS: Final = (
    *(f"{name}_{book}" for name in ("r", "A", "t") for book in range(BOOKS)),
    *("m", "acc", "h", "W"),
)
SCALARS: Final = 3 * BOOKS + 2
INVALID_POINT: Final = ("MarginVerifierInvalidPoint", "Bls12381InvalidPoint")
CEREMONY_POSITIONS: Final = ("C_0", "M_0_0", "acc", "W")

backends = pytest.mark.parametrize("backend", ["arkworks", "py_ecc"])
kinds = pytest.mark.parametrize("kind", BAD_POINTS)
positions = pytest.mark.parametrize("position", [*STATEMENT_POSITIONS, *PROOF_POSITIONS])


@functools.cache
def tiny_case() -> Case:
    """Two books, two chunks each."""
    return scenario_case(shape=TINY, setup=known_setup(), books=BOOKS, rows=6, seed="encodings")


@functools.cache
def small_case() -> Case:
    """One book, one chunk, under the ceremony's setup."""
    return scenario_case(shape=SMALL, setup=ceremony_setup(), rows=4, seed="encodings")


def tampered_statement(case: Case, position: str, change: Callable[[bytes], bytes]) -> Statement:
    """The true statement with other bytes for one of its points."""
    honest = true_statement(case, private_side(case))
    name, book, *chunk = position.split("_")
    if name == "C":
        commitments = list(honest.portfolio_commitments)
        commitments[int(book)] = change(commitments[int(book)])
        return replace(honest, portfolio_commitments=tuple(commitments))
    chunks = [list(points) for points in honest.matrix_commitments]
    chunks[int(book)][int(chunk[0])] = change(chunks[int(book)][int(chunk[0])])
    return replace(honest, matrix_commitments=tuple(map(tuple, chunks)))


def bad_point_forgery(case: Case, key: VerifyingKey, position: str, kind: str) -> Forgery:
    """Bad bytes at one position, hashed, and everything after them honest."""
    change = BAD_POINTS[kind]
    if position[0] in "CM":
        return forge(case, key=key, statement=tampered_statement(case, position, change))
    return forge(case, key=key, tampering={position: change})


@functools.cache
def tiny_forgery(position: str, kind: str) -> Forgery:
    """Under the tiny key."""
    return bad_point_forgery(tiny_case(), tiny_key(), position, kind)


@kinds
@positions
def test_bad_point_is_refused(position: str, kind: str) -> None:
    forgery = tiny_forgery(position, kind)
    with pytest.raises(MalformedInputError, match="point 0x"):
        verify(tiny_key(), forgery.statement, forgery.proof)
    lenient = LENIENT[kind]()
    assert verify(tiny_key(), forgery.statement, forgery.proof, lenient) is True


@kinds
@pytest.mark.parametrize("position", ["C_1", "M_1_1", "r_1", "W"])
def test_bad_point_is_refused_by_the_reference_backend(position: str, kind: str) -> None:
    forgery = tiny_forgery(position, kind)
    with pytest.raises(MalformedInputError, match="point 0x"):
        verify(tiny_key(), forgery.statement, forgery.proof, group("py_ecc"))


@kinds
def test_contract_refuses_bad_points(kind: str, tiny_judge: ContractJudge) -> None:
    for position in (*STATEMENT_POSITIONS, *PROOF_POSITIONS):
        forgery = tiny_forgery(position, kind)
        assert tiny_judge.verdict(forgery.statement, forgery.proof) in INVALID_POINT, position


@kinds
def test_contract_of_the_ceremony_refuses_bad_points(kind: str, small_judge: ContractJudge) -> None:
    for position in CEREMONY_POSITIONS:
        forgery = bad_point_forgery(small_case(), small_judge.key, position, kind)
        assert small_judge.verdict(forgery.statement, forgery.proof) in INVALID_POINT, position


def test_contracts_accept_the_honest_points(tiny_judge: ContractJudge, small_judge: ContractJudge) -> None:
    for case, judge in ((tiny_case(), tiny_judge), (small_case(), small_judge)):
        honest = forge(case, key=judge.key)
        assert judge.verdict(honest.statement, honest.proof) == ACCEPTED


# Infinity: a proof whose point at one position is infinity, simulated with the known τ.


@functools.cache
def infinity_proof(position: str, encoding: bytes) -> SimulatedProof:
    """Valid but for how infinity is written."""
    return simulate({position: encoding})


@pytest.mark.parametrize("position", POSITIONS)
def test_infinity_is_accepted_in_its_one_encoding(position: str) -> None:
    made = infinity_proof(position, INFINITY)
    assert verify(tiny_key(), made.statement, made.proof) is True


@pytest.mark.parametrize("form", OTHER_INFINITIES)
@pytest.mark.parametrize("position", POSITIONS)
def test_other_encodings_of_infinity_are_refused(position: str, form: str) -> None:
    made = infinity_proof(position, OTHER_INFINITIES[form])
    with pytest.raises(MalformedInputError, match="point 0x"):
        verify(tiny_key(), made.statement, made.proof)
    lenient = RepairingGroup(read_other_infinities)
    assert verify(tiny_key(), made.statement, made.proof, lenient) is True


@pytest.mark.parametrize("form", OTHER_INFINITIES)
def test_other_encodings_of_infinity_are_refused_by_the_reference_backend(form: str) -> None:
    made = infinity_proof("A_0", OTHER_INFINITIES[form])
    with pytest.raises(MalformedInputError, match="point 0x"):
        verify(tiny_key(), made.statement, made.proof, group("py_ecc"))


def test_contract_on_infinity(tiny_judge: ContractJudge) -> None:
    for position in POSITIONS:
        honest = infinity_proof(position, INFINITY)
        assert tiny_judge.verdict(honest.statement, honest.proof) == ACCEPTED, position
        for form, encoding in OTHER_INFINITIES.items():
            made = infinity_proof(position, encoding)
            assert tiny_judge.verdict(made.statement, made.proof) in INVALID_POINT, (position, form)


# Scalars.


@functools.cache
def scalar_forgery(index: int) -> Forgery:
    """Evaluation number ``index`` is written as itself plus r, hashed so, and everything after it is honest."""
    return forge(tiny_case(), key=tiny_key(), scalars=shifted_scalars(index))


@pytest.mark.parametrize("index", range(SCALARS))
def test_scalar_plus_r_is_refused(index: int, monkeypatch: pytest.MonkeyPatch) -> None:
    forgery = scalar_forgery(index)
    with pytest.raises(MalformedInputError, match="not canonical"):
        verify(tiny_key(), forgery.statement, forgery.proof)
    # Without the check: scalars are read and hashed as they stand.
    monkeypatch.setattr(proof_format, "decode_scalar", lambda data: int.from_bytes(data, "big"))
    monkeypatch.setattr(proof_format, "encode_scalar", lambda value: value.to_bytes(SCALAR_BYTES, "big"))
    assert verify(tiny_key(), forgery.statement, forgery.proof) is True


def test_contract_refuses_scalars_plus_r(tiny_judge: ContractJudge) -> None:
    verdicts = []
    for index in range(SCALARS):
        forgery = scalar_forgery(index)
        verdicts.append(tiny_judge.verdict(forgery.statement, forgery.proof))
    assert set(verdicts) == {"ScalarFieldNotCanonical"}


# The last opening, on a finished proof: nothing is hashed after it.


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
    refused = (*INVALID_POINT, REJECTED, "PointCompressionMismatch", "MarginVerifierOpeningHintMismatch")
    for case, judge, books in ((tiny_case(), tiny_judge, BOOKS), (small_case(), small_judge, 1)):
        honest = forge(case, key=judge.key)
        for kind, change in (*MALFORMED_OPENINGS.items(), ("other sign", _with_flags(0x20))):
            proof = with_last_opening(honest.proof, books, change)
            assert judge.verdict(honest.statement, proof) in refused, kind
    _, honest = short_x_case()
    assert tiny_judge.verdict(honest.statement, with_last_opening(honest.proof, 1, _x_plus_modulus)) in refused
    assert tiny_judge.verdict(honest.statement, honest.proof) == ACCEPTED


def test_off_curve_helper_is_off_the_curve() -> None:
    with pytest.raises(MalformedInputError, match="not"):
        group().decode(off_curve(group().encode(group().generator)))
