"""Group backend ``py_ecc``: pure Python, slow, the reference that ``arkworks`` is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from py_ecc.bls.point_compression import compress_G1, decompress_G1, decompress_G2
from py_ecc.bls.typing import G1Compressed, G2Compressed
from py_ecc.fields import optimized_bls12_381_FQ as FQ
from py_ecc.fields import optimized_bls12_381_FQ2 as FQ2
from py_ecc.fields import optimized_bls12_381_FQ12 as FQ12
from py_ecc.optimized_bls12_381.optimized_curve import (
    G1,
    G2,
    Z1,
    Z2,
    add,
    b,
    b2,
    double,
    is_inf,
    is_on_curve,
    multiply,
    neg,
    normalize,
)
from py_ecc.optimized_bls12_381.optimized_pairing import final_exponentiate, pairing

from verifier.curve import (
    COMPRESSED_INFINITY,
    COORDINATE_BYTES,
    G2_BYTES,
    INFINITY,
    check_affine_bytes,
    check_compressed_bytes,
)
from verifier.errors import MalformedInputError
from verifier.scalar_field import MODULUS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.curve import Point, Point2

COMPRESSED2_BYTES: Final = 96


def _split(data: bytes) -> list[int]:
    return [int.from_bytes(data[i : i + COORDINATE_BYTES], "big") for i in range(0, len(data), COORDINATE_BYTES)]


def _join(*coordinates: Point) -> bytes:
    return b"".join(int(value).to_bytes(COORDINATE_BYTES, "big") for value in coordinates)


def _check_member(point: Point, coefficient: Point, data: bytes) -> Point:
    if not is_on_curve(point, coefficient):
        raise MalformedInputError(f"point 0x{data.hex()} is not on the curve")
    if not is_inf(multiply(point, MODULUS)):
        raise MalformedInputError(f"point 0x{data.hex()} is not in the subgroup of order r")
    return point


class PyEccGroup:
    """Implements :class:`verifier.curve.Group`."""

    name: Final = "py_ecc"

    def __init__(self) -> None:
        self.generator = G1
        self.generator2 = G2

    def decode(self, data: bytes) -> Point:
        """See :class:`verifier.curve.Group`."""
        check_affine_bytes(data)
        return _check_member(self.decode_unchecked(data), b, data)

    def decode_unchecked(self, data: bytes) -> Point:
        """See :class:`verifier.curve.Group`."""
        if data == INFINITY:
            return Z1
        x, y = _split(data)
        return (FQ(x), FQ(y), FQ.one())

    def encode(self, point: Point) -> bytes:
        """See :class:`verifier.curve.Group`."""
        if is_inf(point):
            return INFINITY
        return _join(*normalize(point))

    def decode_compressed(self, data: bytes) -> Point:
        """See :class:`verifier.curve.Group`."""
        check_compressed_bytes(data)
        if data == COMPRESSED_INFINITY:
            return Z1
        try:
            point = decompress_G1(G1Compressed(int.from_bytes(data, "big")))
        except ValueError as error:
            raise MalformedInputError(f"compressed point 0x{data.hex()}: {error}") from error
        return _check_member(point, b, data)

    def compress(self, point: Point) -> bytes:
        """See :class:`verifier.curve.Group`."""
        if is_inf(point):
            return COMPRESSED_INFINITY
        return int(compress_G1(point)).to_bytes(COORDINATE_BYTES, "big")

    def decode2(self, data: bytes) -> Point2:
        """See :class:`verifier.curve.Group`."""
        check_affine_bytes(data, G2_BYTES)
        if not any(data):
            return Z2
        x0, x1, y0, y1 = _split(data)
        return _check_member((FQ2([x0, x1]), FQ2([y0, y1]), FQ2.one()), b2, data)

    def encode2(self, point: Point2) -> bytes:
        """See :class:`verifier.curve.Group`."""
        if is_inf(point):
            return bytes(G2_BYTES)
        x, y = normalize(point)
        return _join(*x.coeffs, *y.coeffs)

    def decompress2(self, data: bytes) -> Point2:
        """See :class:`verifier.curve.Group`."""
        check_compressed_bytes(data, COMPRESSED2_BYTES)
        try:
            point = decompress_G2(G2Compressed((int.from_bytes(data[:48], "big"), int.from_bytes(data[48:], "big"))))
        except ValueError as error:
            raise MalformedInputError(f"compressed G2 point 0x{data.hex()}: {error}") from error
        return _check_member(point, b2, data)

    def add(self, left: Point, right: Point) -> Point:
        """See :class:`verifier.curve.Group`."""
        return add(left, right)

    def subtract(self, left: Point, right: Point) -> Point:
        """See :class:`verifier.curve.Group`."""
        return add(left, neg(right))

    def combine(self, points: Sequence[Point], scalars: Sequence[int]) -> Point:
        """See :class:`verifier.curve.Group`."""
        return _bucket_multiplication(points, scalars, Z1)

    def combine2(self, points: Sequence[Point2], scalars: Sequence[int]) -> Point2:
        """See :class:`verifier.curve.Group`."""
        return _bucket_multiplication(points, scalars, Z2)

    def pairing_product_is_one(self, pairs: Sequence[tuple[Point, Point2]]) -> bool:
        """See :class:`verifier.curve.Group`."""
        product = FQ12.one()
        for left, right in pairs:
            product *= pairing(right, left, final_exponentiate=False)
        return bool(final_exponentiate(product) == FQ12.one())


def _bucket_multiplication(points: Sequence[Point], scalars: Sequence[int], zero: Point) -> Point:
    """Σ scalar·point by buckets (Pippenger), windows from the top."""
    pairs = [(point, scalar) for point, scalar in zip(points, scalars, strict=True) if scalar and not is_inf(point)]
    if not pairs:
        return zero
    width = max(2, min(10, len(pairs).bit_length() - 2))
    bits = max(scalar.bit_length() for _, scalar in pairs)
    total = zero
    for shift in range(-(-bits // width) * width - width, -1, -width):
        for _ in range(width):
            total = double(total)
        total = add(total, _window_sum(pairs, shift, width, zero))
    return total


def _window_sum(pairs: Sequence[tuple[Point, int]], shift: int, width: int, zero: Point) -> Point:
    """Σ digit·point for one window of ``width`` bits: running sums over the buckets."""
    mask = (1 << width) - 1
    buckets = [zero] * (mask + 1)
    for point, scalar in pairs:
        digit = (scalar >> shift) & mask
        if digit:
            buckets[digit] = add(buckets[digit], point)
    running = result = zero
    for bucket in reversed(buckets[1:]):
        running = add(running, bucket)
        result = add(result, running)
    return result
