"""Groups of BLS12-381: one small interface, two implementations with identical bytes (twin: libraries/Bls12381.sol).

Points are opaque to callers; bytes are those of the specification, section 3: 96 bytes ``x ‖ y``, infinity
all zero; 48 bytes in the compressed form of EIP-4844; 192 bytes for G2, ``x.c0 ‖ x.c1 ‖ y.c0 ‖ y.c1``.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any, Final, Protocol

from verifier.errors import MalformedInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

BASE_MODULUS: Final = int(
    "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab", 16
)
"""Order p of the field of coordinates."""

COORDINATE_BYTES: Final = 48
POINT_BYTES: Final = 96
COMPRESSED_BYTES: Final = 48
G2_BYTES: Final = 192
INFINITY: Final = bytes(POINT_BYTES)
COMPRESSED_INFINITY: Final = bytes([0xC0]) + bytes(COMPRESSED_BYTES - 1)
BACKENDS: Final = ("arkworks", "py_ecc")

Point = Any
"""A point of G1 in the representation of one backend."""

Point2 = Any
"""A point of G2 in the representation of one backend."""


class Group(Protocol):
    """What the argument needs of the curve."""

    @property
    def name(self) -> str:
        """Name of the backend."""

    @property
    def generator(self) -> Point:
        """Generator of G1."""

    @property
    def generator2(self) -> Point2:
        """Generator of G2."""

    def decode(self, data: bytes) -> Point:
        """Read 96 bytes; canonical, on the curve, in the subgroup, else MalformedInputError."""

    def decode_unchecked(self, data: bytes) -> Point:
        """Read 96 bytes of a source whose digest is pinned, without curve and subgroup checks."""

    def encode(self, point: Point) -> bytes:
        """The 96 bytes of a point."""

    def decode_compressed(self, data: bytes) -> Point:
        """Read 48 bytes; canonical, on the curve, in the subgroup, else MalformedInputError."""

    def compress(self, point: Point) -> bytes:
        """The 48 bytes of a point."""

    def decode2(self, data: bytes) -> Point2:
        """Read the 192 bytes of a G2 point; strict."""

    def encode2(self, point: Point2) -> bytes:
        """The 192 bytes of a G2 point."""

    def decompress2(self, data: bytes) -> Point2:
        """Read the 96 compressed bytes of a G2 point; strict."""

    def add(self, left: Point, right: Point) -> Point:
        """Sum of two points of G1."""

    def subtract(self, left: Point, right: Point) -> Point:
        """Difference of two points of G1."""

    def combine(self, points: Sequence[Point], scalars: Sequence[int]) -> Point:
        """Multi-scalar multiplication Σ scalar·point; scalars are integers in [0, r)."""

    def combine2(self, points: Sequence[Point2], scalars: Sequence[int]) -> Point2:
        """Multi-scalar multiplication in G2."""

    def pairing_product_is_one(self, pairs: Sequence[tuple[Point, Point2]]) -> bool:
        """Whether Π e(P_i, Q_i) = 1."""


def group(name: str = "arkworks") -> Group:
    """The backend of that name; modules are imported on first use.

    Raises:
        MalformedInputError: there is no such backend.
    """
    return _group(name)


@functools.cache
def _group(name: str) -> Group:
    if name == "arkworks":
        from verifier.curve_arkworks import ArkworksGroup  # noqa: PLC0415 - loads a native library

        return ArkworksGroup()
    if name == "py_ecc":
        # Importing py_ecc raises the recursion limit so far that deeply nested JSON, read later, would overflow the C
        # stack; nothing used here recurses deeper than a scalar has bits.
        limit = sys.getrecursionlimit()
        from verifier.curve_py_ecc import PyEccGroup  # noqa: PLC0415 - slow to import

        sys.setrecursionlimit(limit)
        return PyEccGroup()
    raise MalformedInputError(f"no group backend {name!r}; choose one of {', '.join(BACKENDS)}")


def check_affine_bytes(data: bytes, length: int = POINT_BYTES) -> None:
    """Exact length and canonical coordinates (< p); curve and subgroup are the backend's to check.

    Raises:
        MalformedInputError: naming what is wrong.
    """
    if len(data) != length:
        raise MalformedInputError(f"a point has {length} bytes, got {len(data)}")
    for start in range(0, length, COORDINATE_BYTES):
        if int.from_bytes(data[start : start + COORDINATE_BYTES], "big") >= BASE_MODULUS:
            raise MalformedInputError(f"point 0x{data.hex()}: a coordinate is not canonical, it must be below p")


def check_compressed_bytes(data: bytes, length: int = COMPRESSED_BYTES) -> None:
    """Exact length, flags of EIP-4844, canonical x.

    Raises:
        MalformedInputError: naming what is wrong.
    """
    if len(data) != length:
        raise MalformedInputError(f"a compressed point has {length} bytes, got {len(data)}")
    if not data[0] & 0x80:
        raise MalformedInputError(f"compressed point 0x{data.hex()}: the compression flag 0x80 is not set")
    if data[0] & 0x40:
        if data[0] != COMPRESSED_INFINITY[0] or any(data[1:]):
            raise MalformedInputError(f"compressed point 0x{data.hex()}: not the one encoding of infinity")
        return
    first = bytes([data[0] & 0x1F]) + data[1:COORDINATE_BYTES]
    for coordinate in (first, *(data[i : i + COORDINATE_BYTES] for i in range(COORDINATE_BYTES, length, 48))):
        if int.from_bytes(coordinate, "big") >= BASE_MODULUS:
            raise MalformedInputError(f"compressed point 0x{data.hex()}: a coordinate is not canonical")
