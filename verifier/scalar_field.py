"""The scalar field F_r of BLS12-381 (twin: contracts/libraries/ScalarField.sol).

Elements are Python integers in [0, r). Encodings are 32 bytes, big-endian, canonical
(specification, section 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from verifier.errors import MalformedInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

MODULUS: Final = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
"""Order r of the groups G1 and G2 of BLS12-381."""

GENERATOR: Final = 7
"""Generator of the multiplicative group of F_r."""

SCALAR_BYTES: Final = 32
TWO_ADICITY: Final = 32


def root_of_unity(order: int) -> int:
    """Primitive root of unity 7^((r−1)/order).

    Raises:
        MalformedInputError: ``order`` is not a power of two up to 2^32.
    """
    if order < 1 or order & (order - 1) or order > 1 << TWO_ADICITY:
        raise MalformedInputError(f"no root of unity of order {order}: use a power of two up to 2^{TWO_ADICITY}")
    return pow(GENERATOR, (MODULUS - 1) // order, MODULUS)


def inverse(value: int) -> int:
    """Multiplicative inverse.

    Raises:
        ZeroDivisionError: ``value`` is zero in the field.
    """
    if value % MODULUS == 0:
        raise ZeroDivisionError("zero has no inverse in the scalar field")
    return pow(value, -1, MODULUS)


def batch_inverse(values: Sequence[int]) -> list[int]:
    """Inverses of all values with one exponentiation (Montgomery's trick).

    Raises:
        ZeroDivisionError: one of the values is zero.
    """
    prefixes = []
    product = 1
    for value in values:
        prefixes.append(product)
        product = product * value % MODULUS
    suffix = inverse(product)
    inverses = [0] * len(values)
    for index in range(len(values) - 1, -1, -1):
        inverses[index] = suffix * prefixes[index] % MODULUS
        suffix = suffix * values[index] % MODULUS
    return inverses


def powers(base: int, count: int) -> list[int]:
    """``[1, base, …, base^(count−1)]`` modulo r."""
    result = []
    value = 1
    for _ in range(count):
        result.append(value)
        value = value * base % MODULUS
    return result


def encode_scalar(value: int) -> bytes:
    """32 bytes, big-endian; the value is taken modulo r."""
    return (value % MODULUS).to_bytes(SCALAR_BYTES, "big")


def decode_scalar(data: bytes) -> int:
    """Read 32 canonical bytes.

    Raises:
        MalformedInputError: wrong length, or a value of r or more.
    """
    if len(data) != SCALAR_BYTES:
        raise MalformedInputError(f"a scalar has {SCALAR_BYTES} bytes, got {len(data)}")
    value = int.from_bytes(data, "big")
    if value >= MODULUS:
        raise MalformedInputError(f"scalar 0x{data.hex()} is not canonical: it must be below the group order")
    return value
