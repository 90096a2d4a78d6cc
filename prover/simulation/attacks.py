"""What an attacker changes of an honest action before it is sent; the contracts must refuse all of it by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from verifier.curve import BASE_MODULUS, COORDINATE_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

ORDER_THREE: Final = (0, 2)
"""On the curve y² = x³ + 4, of order 3: outside the subgroup."""


def forged(proof: bytes) -> bytes:
    """The proof with another claimed value of T at ζ: well-formed, and false."""
    return proof[:-1] + bytes([proof[-1] ^ 1])


def outside_subgroup(point: bytes, sign: int = 1) -> bytes:
    """An honest point plus one of order 3, by the chord through both; 96 bytes each.

    Args:
        point: neither infinity nor a point with x = 0.
        sign: −1 takes the point of order 3 away.
    """
    x, y = (int.from_bytes(part, "big") for part in (point[:COORDINATE_BYTES], point[COORDINATE_BYTES:]))
    small_x, small_y = ORDER_THREE[0], sign * ORDER_THREE[1]
    slope = (y - small_y) * pow(x - small_x, -1, BASE_MODULUS) % BASE_MODULUS
    sum_x = (slope * slope - x - small_x) % BASE_MODULUS
    sum_y = (slope * (x - sum_x) - y) % BASE_MODULUS
    return sum_x.to_bytes(COORDINATE_BYTES, "big") + sum_y.to_bytes(COORDINATE_BYTES, "big")


def without_last(points: Sequence[bytes]) -> tuple[bytes, ...]:
    """One book less than there is."""
    return tuple(points[:-1])
