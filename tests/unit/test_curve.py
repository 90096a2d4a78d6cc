"""Both group backends: the same bytes, the same strictness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.support.deterministic import seeded_scalars
from tests.support.encodings import BAD_POINTS, OTHER_INFINITIES
from verifier.curve import (
    BACKENDS,
    BASE_MODULUS,
    COMPRESSED_INFINITY,
    G2_BYTES,
    INFINITY,
    group,
)
from verifier.errors import MalformedInputError
from verifier.scalar_field import MODULUS

if TYPE_CHECKING:
    from collections.abc import Callable

FAST: Final = group("arkworks")
REFERENCE: Final = group("py_ecc")

backends = pytest.mark.parametrize("name", BACKENDS)


def sample_points(count: int) -> list[bytes]:
    """Multiples of the generator, as bytes."""
    return [FAST.encode(FAST.combine([FAST.generator], [scalar])) for scalar in seeded_scalars("points", count)]


def test_backends_are_made_once_and_by_name() -> None:
    assert group() is group("arkworks")
    assert group("py_ecc").name == "py_ecc"
    with pytest.raises(MalformedInputError, match="no group backend 'sage'; choose one of arkworks, py_ecc"):
        group("sage")


def test_generators_are_the_same() -> None:
    assert FAST.encode(FAST.generator) == REFERENCE.encode(REFERENCE.generator)
    assert FAST.encode2(FAST.generator2) == REFERENCE.encode2(REFERENCE.generator2)


@backends
def test_encodings_are_inverses_of_decodings(name: str) -> None:
    backend = group(name)
    for data in (*sample_points(4), INFINITY):
        point = backend.decode(data)
        assert backend.encode(point) == data
        compressed = backend.compress(point)
        assert len(compressed) == 48
        assert backend.encode(backend.decode_compressed(compressed)) == data
    assert backend.compress(backend.decode(INFINITY)) == COMPRESSED_INFINITY


def test_compressed_forms_agree() -> None:
    for data in sample_points(8):
        assert FAST.compress(FAST.decode(data)) == REFERENCE.compress(REFERENCE.decode(data))


@pytest.mark.parametrize("count", [0, 1, 2, 7, 40])
def test_multiplications_agree(count: int) -> None:
    points, scalars = sample_points(count), seeded_scalars("scalars", count)
    fast = FAST.combine([FAST.decode(data) for data in points], scalars)
    slow = REFERENCE.combine([REFERENCE.decode(data) for data in points], scalars)
    assert FAST.encode(fast) == REFERENCE.encode(slow)


@backends
def test_multiplication_in_corners(name: str) -> None:
    backend = group(name)
    generator = backend.generator
    assert backend.encode(backend.combine([generator], [0])) == INFINITY
    assert backend.encode(backend.combine([generator, generator], [1, MODULUS - 1])) == INFINITY
    doubled = backend.encode(backend.add(generator, generator))
    assert backend.encode(backend.combine([generator], [2])) == doubled
    assert backend.encode(backend.combine([backend.decode(INFINITY), generator], [5, 2])) == doubled
    assert backend.encode(backend.subtract(generator, generator)) == INFINITY


@backends
def test_pairing_check(name: str) -> None:
    backend = group(name)
    triple = backend.combine([backend.generator], [3])
    negative = backend.combine([backend.generator], [MODULUS - 1])
    triple2 = backend.combine2([backend.generator2], [3])
    good = [(triple, backend.generator2), (negative, triple2)]
    assert backend.pairing_product_is_one(good) is True
    assert backend.pairing_product_is_one([(triple, backend.generator2), (backend.generator, triple2)]) is False
    identity = backend.decode(INFINITY)
    assert backend.pairing_product_is_one([(identity, backend.generator2), (identity, triple2)]) is True


def test_points_of_g2_agree() -> None:
    fast = FAST.combine2([FAST.generator2], [7])
    slow = REFERENCE.combine2([REFERENCE.generator2], [7])
    data = FAST.encode2(fast)
    assert len(data) == G2_BYTES
    assert data == REFERENCE.encode2(slow)
    assert REFERENCE.encode2(REFERENCE.decode2(data)) == FAST.encode2(FAST.decode2(data)) == data


@backends
@pytest.mark.parametrize("kind", BAD_POINTS)
def test_bad_points_are_malformed(kind: str, name: str) -> None:
    honest = sample_points(1)[0]
    with pytest.raises(MalformedInputError, match="point 0x"):
        group(name).decode(BAD_POINTS[kind](honest))


@backends
@pytest.mark.parametrize("form", OTHER_INFINITIES)
def test_other_infinities_are_malformed(form: str, name: str) -> None:
    with pytest.raises(MalformedInputError, match="point 0x"):
        group(name).decode(OTHER_INFINITIES[form])


@backends
@pytest.mark.parametrize("length", [0, 48, 95, 97, 192])
def test_points_of_another_length_are_malformed(length: int, name: str) -> None:
    with pytest.raises(MalformedInputError, match=f"96 bytes, got {length}"):
        group(name).decode(bytes(length))
    with pytest.raises(MalformedInputError, match=f"48 bytes, got {length + 1}"):
        group(name).decode_compressed(bytes(length + 1))


COMPRESSED_GENERATOR: Final = FAST.compress(FAST.generator)

BAD_COMPRESSED: Final[dict[str, Callable[[bytes], bytes]]] = {
    "no compression flag": lambda data: bytes([data[0] & 0x7F]) + data[1:],
    "infinity flag on a point": lambda data: bytes([data[0] | 0x40]) + data[1:],
    "infinity with a sign": lambda _: b"\xe0" + bytes(47),
    "infinity with content": lambda _: b"\xc0" + bytes(46) + b"\x01",
    "infinity without its flag": lambda _: b"\x80" + bytes(46) + b"\x00",
    "x = p": lambda _: bytes([0x80 | BASE_MODULUS.to_bytes(48, "big")[0]]) + BASE_MODULUS.to_bytes(48, "big")[1:],
    "x on no point": lambda _: b"\x80" + bytes(46) + b"\x01",
}


@backends
@pytest.mark.parametrize("kind", BAD_COMPRESSED)
def test_bad_compressed_points_are_malformed(kind: str, name: str) -> None:
    with pytest.raises(MalformedInputError, match="point 0x"):
        group(name).decode_compressed(BAD_COMPRESSED[kind](COMPRESSED_GENERATOR))


@backends
def test_points_of_g2_outside_the_group_are_malformed(name: str) -> None:
    backend = group(name)
    honest = backend.encode2(backend.generator2)
    with pytest.raises(MalformedInputError, match="point 0x"):
        backend.decode2(honest[:-1] + bytes([honest[-1] ^ 1]))
    with pytest.raises(MalformedInputError, match="192 bytes"):
        backend.decode2(honest[:-1])
    with pytest.raises(MalformedInputError, match="not canonical"):
        backend.decode2(BASE_MODULUS.to_bytes(48, "big") + honest[48:])
    with pytest.raises(MalformedInputError, match="compressed"):
        backend.decompress2(bytes(96))
