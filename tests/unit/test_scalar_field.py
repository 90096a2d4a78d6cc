"""Arithmetic and strict encodings of F_r."""

from __future__ import annotations

import pytest

from verifier.errors import MalformedInputError
from verifier.scalar_field import (
    GENERATOR,
    MODULUS,
    TWO_ADICITY,
    batch_inverse,
    decode_scalar,
    encode_scalar,
    inverse,
    powers,
    root_of_unity,
)


@pytest.mark.parametrize("order", [1, 2, 32, 4096, 1 << TWO_ADICITY])
def test_root_of_unity_is_primitive(order: int) -> None:
    root = root_of_unity(order)
    assert pow(root, order, MODULUS) == 1
    assert order == 1 or pow(root, order // 2, MODULUS) == MODULUS - 1
    assert root == pow(GENERATOR, (MODULUS - 1) // order, MODULUS)


@pytest.mark.parametrize("order", [0, -2, 3, 12, 1 << (TWO_ADICITY + 1)])
def test_root_of_unity_refuses_other_orders(order: int) -> None:
    with pytest.raises(MalformedInputError, match=f"order {order}: use a power of two"):
        root_of_unity(order)


def test_inverses() -> None:
    values = [1, 2, MODULUS - 1, 12345678901234567890]
    assert [value * inverse(value) % MODULUS for value in values] == [1] * 4
    assert batch_inverse(values) == [inverse(value) for value in values]
    assert batch_inverse([]) == []


@pytest.mark.parametrize("values", [[0], [3, 0, 5], [MODULUS]])
def test_zero_has_no_inverse(values: list[int]) -> None:
    with pytest.raises(ZeroDivisionError, match="zero has no inverse"):
        batch_inverse(values)


def test_powers() -> None:
    assert powers(3, 5) == [1, 3, 9, 27, 81]
    assert powers(3, 0) == []
    assert powers(MODULUS - 1, 3) == [1, MODULUS - 1, 1]


def test_scalars_travel_as_32_canonical_bytes() -> None:
    for value in (0, 1, MODULUS - 1):
        assert decode_scalar(encode_scalar(value)) == value
    assert encode_scalar(-1) == encode_scalar(MODULUS - 1)
    assert encode_scalar(1) == bytes(31) + b"\x01"


@pytest.mark.parametrize("data", [MODULUS.to_bytes(32, "big"), b"\xff" * 32])
def test_scalar_of_r_or_more_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedInputError, match="not canonical: it must be below the group order"):
        decode_scalar(data)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_scalar_of_another_length_is_malformed(length: int) -> None:
    with pytest.raises(MalformedInputError, match=f"32 bytes, got {length}"):
        decode_scalar(bytes(length))
