"""Bytes that are not *the* encoding of a point or a scalar, and backends that lack the one check that catches each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from py_ecc.fields import optimized_bls12_381_FQ as FQ

from verifier.curve import BASE_MODULUS, COMPRESSED_BYTES, COORDINATE_BYTES, INFINITY, group
from verifier.curve_arkworks import ArkworksGroup
from verifier.proof_format import Evaluations
from verifier.scalar_field import MODULUS, SCALAR_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from verifier.curve import Point

CURVE_COEFFICIENT: Final = 4
LARGER_Y: Final = 0x20

OTHER_INFINITIES: Final = {
    "x = p": BASE_MODULUS.to_bytes(COORDINATE_BYTES, "big") + bytes(COORDINATE_BYTES),
    "y = p": bytes(COORDINATE_BYTES) + BASE_MODULUS.to_bytes(COORDINATE_BYTES, "big"),
    "infinity flag": b"\x40" + INFINITY[1:],
    "compressed form, padded": b"\xc0" + INFINITY[1:],
    "y = 1": INFINITY[:-1] + b"\x01",
}


def coordinates(encoding: bytes) -> tuple[int, int]:
    """X and y as they are written."""
    x, y = encoding[:COORDINATE_BYTES], encoding[COORDINATE_BYTES:]
    return int.from_bytes(x, "big"), int.from_bytes(y, "big")


def written(x: int, y: int) -> bytes:
    """96 bytes, whatever the numbers."""
    return x.to_bytes(COORDINATE_BYTES, "big") + y.to_bytes(COORDINATE_BYTES, "big")


def square_root(value: int) -> int:
    """A square root modulo p; p ≡ 3 (mod 4)."""
    return pow(value, (BASE_MODULUS + 1) // 4, BASE_MODULUS)


def plus_order_three(encoding: bytes) -> bytes:
    """The point plus (0, 2), which is on the curve, has order 3 and pairs to one."""
    reference = group("py_ecc")
    small = (FQ(0), FQ(2), FQ.one())
    return reference.encode(reference.add(reference.decode_unchecked(encoding), small))


def x_plus_modulus(encoding: bytes) -> bytes:
    """The same point with x + p."""
    x, y = coordinates(encoding)
    return written(x + BASE_MODULUS, y)


def y_plus_modulus(encoding: bytes) -> bytes:
    """The same point with y + p."""
    x, y = coordinates(encoding)
    return written(x, y + BASE_MODULUS)


def off_curve(encoding: bytes) -> bytes:
    """The same x beside a y one away from the right one."""
    x, y = coordinates(encoding)
    return written(x, y - 1 if y > BASE_MODULUS // 2 else y + 1)


BAD_POINTS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "plus a point of order 3": plus_order_three,
    "x + p": x_plus_modulus,
    "y + p": y_plus_modulus,
    "off the curve": off_curve,
}


class RepairingGroup(ArkworksGroup):
    """The strict backend behind a decoder that mends one kind of bytes instead of refusing it."""

    def __init__(self, repair: Callable[[bytes], bytes]) -> None:
        super().__init__()
        self._repair = repair

    def decode(self, data: bytes) -> Point:
        """Strict, but for what is mended."""
        return super().decode(self._repair(data))


class SubgroupBlindGroup(ArkworksGroup):
    """The strict backend without its subgroup checks."""

    def decode(self, data: bytes) -> Point:
        """Any point of the curve."""
        return self.decode_unchecked(data)

    def decode_compressed(self, data: bytes) -> Point:
        """Any point of the curve."""
        return self.decode_unchecked(decompress(data))


def reduce_coordinates(encoding: bytes) -> bytes:
    """What a decoder without the canonical check reads."""
    return written(*(value % BASE_MODULUS for value in coordinates(encoding)))


def trust_x_alone(encoding: bytes) -> bytes:
    """What a decoder reads that never compares y² with x³ + 4: y gives the sign alone."""
    x, y = coordinates(encoding)
    root = square_root(x**3 + CURVE_COEFFICIENT)
    larger = max(root, BASE_MODULUS - root)
    return written(x, larger if y > BASE_MODULUS // 2 else BASE_MODULUS - larger) if any(encoding) else encoding


def read_other_infinities(encoding: bytes) -> bytes:
    """What a decoder reads that knows several infinities."""
    return INFINITY if encoding in OTHER_INFINITIES.values() else encoding


LENIENT: Final[dict[str, Callable[[], ArkworksGroup]]] = {
    "plus a point of order 3": SubgroupBlindGroup,
    "x + p": lambda: RepairingGroup(reduce_coordinates),
    "y + p": lambda: RepairingGroup(reduce_coordinates),
    "off the curve": lambda: RepairingGroup(trust_x_alone),
}
"""For every kind of bad point the backend that lacks exactly the check against it."""


def decompress(data: bytes) -> bytes:
    """The 96 bytes of 48, without a subgroup check; y = 0 where x is on no point."""
    if data[0] & 0x40:
        return INFINITY
    x = int.from_bytes(bytes([data[0] & 0x1F]) + data[1:COMPRESSED_BYTES], "big")
    square = (x**3 + CURVE_COEFFICIENT) % BASE_MODULUS
    root = square_root(square)
    if root * root % BASE_MODULUS != square:
        return written(x, 0)
    larger = max(root, BASE_MODULUS - root)
    return written(x, larger if data[0] & LARGER_Y else BASE_MODULUS - larger)


class ShiftedScalars(Evaluations):
    """Evaluations one of which is written as itself plus r; subclasses say which."""

    __slots__ = ()
    index = 0

    def encode(self) -> bytes:
        """As the honest ones, but for one."""
        honest = Evaluations.encode(self)
        start = self.index * SCALAR_BYTES
        value = int.from_bytes(honest[start : start + SCALAR_BYTES], "big") + MODULUS
        return honest[:start] + value.to_bytes(SCALAR_BYTES, "big") + honest[start + SCALAR_BYTES :]


def shifted_scalars(index: int) -> type[Evaluations]:
    """Evaluations whose scalar number ``index`` is written plus r."""
    return type(f"ShiftedScalars{index}", (ShiftedScalars,), {"__slots__": (), "index": index})
