"""Group backend ``arkworks``: the Rust library behind the package py_arkworks_bls12381; the default.

The multiplication releases the interpreter lock, so threads run it in parallel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

from verifier.curve import G2_BYTES, INFINITY, check_affine_bytes, check_compressed_bytes
from verifier.errors import MalformedInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from verifier.curve import Point, Point2

COMPRESSED2_BYTES: Final = 96


def _scalars(values: Sequence[int]) -> list[Point]:
    # `Scalar.from_le_bytes` is some twenty times faster than `Scalar(int)`.
    read = Scalar.from_le_bytes
    return [read(value.to_bytes(32, "little")) for value in values]


def _read(reader: Callable[[bytes], Point], data: bytes, what: str) -> Point:
    try:
        return reader(data)
    except ValueError as error:
        raise MalformedInputError(f"{what} 0x{data.hex()} is not a point of the group: {error}") from error


class ArkworksGroup:
    """Implements :class:`verifier.curve.Group`."""

    name: Final = "arkworks"

    def __init__(self) -> None:
        self.generator = G1Point()
        self.generator2 = G2Point()

    def decode(self, data: bytes) -> Point:
        """See :class:`verifier.curve.Group`."""
        check_affine_bytes(data)
        if data == INFINITY:
            return G1Point.identity()
        return _read(G1Point.from_xy_bytes_be, data, "point")

    def decode_unchecked(self, data: bytes) -> Point:
        """See :class:`verifier.curve.Group`."""
        return G1Point.from_xy_bytes_unchecked_be(data)

    def encode(self, point: Point) -> bytes:
        """See :class:`verifier.curve.Group`."""
        return bytes(point.to_xy_bytes_be())

    def decode_compressed(self, data: bytes) -> Point:
        """See :class:`verifier.curve.Group`."""
        check_compressed_bytes(data)
        return _read(G1Point.from_compressed_bytes, data, "compressed point")

    def compress(self, point: Point) -> bytes:
        """See :class:`verifier.curve.Group`."""
        return bytes(point.to_compressed_bytes())

    def decode2(self, data: bytes) -> Point2:
        """See :class:`verifier.curve.Group`."""
        check_affine_bytes(data, G2_BYTES)
        return _read(G2Point.from_xy_bytes_be, data, "G2 point")

    def encode2(self, point: Point2) -> bytes:
        """See :class:`verifier.curve.Group`."""
        return bytes(point.to_xy_bytes_be())

    def decompress2(self, data: bytes) -> Point2:
        """See :class:`verifier.curve.Group`."""
        check_compressed_bytes(data, COMPRESSED2_BYTES)
        return _read(G2Point.from_compressed_bytes, data, "compressed G2 point")

    def add(self, left: Point, right: Point) -> Point:
        """See :class:`verifier.curve.Group`."""
        return left + right

    def subtract(self, left: Point, right: Point) -> Point:
        """See :class:`verifier.curve.Group`."""
        return left - right

    def combine(self, points: Sequence[Point], scalars: Sequence[int]) -> Point:
        """See :class:`verifier.curve.Group`."""
        if not points:
            return G1Point.identity()
        if len(points) == 1:
            return points[0] * _scalars(scalars)[0]
        return G1Point.multiexp_unchecked(list(points), _scalars(scalars))

    def combine2(self, points: Sequence[Point2], scalars: Sequence[int]) -> Point2:
        """See :class:`verifier.curve.Group`."""
        return G2Point.multiexp_unchecked(list(points), _scalars(scalars))

    def pairing_product_is_one(self, pairs: Sequence[tuple[Point, Point2]]) -> bool:
        """See :class:`verifier.curve.Group`."""
        return bool(GT.pairing_check([left for left, _ in pairs], [right for _, right in pairs]))
