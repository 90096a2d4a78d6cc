"""Lagrange bases in the group: commitments to vectors of small integers and to single slots.

The points are computed once from the powers of τ by a transform in the group, and cached on disk under a
digest of the setup (:mod:`verifier.disk_cache`). Names of the points follow the clearing house: L_i over U,
Λ_c over V.
"""

from __future__ import annotations

import functools
import hashlib
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from verifier.curve import POINT_BYTES, Group, group
from verifier.disk_cache import cached_bytes
from verifier.errors import MalformedInputError
from verifier.scalar_field import inverse, powers, root_of_unity

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from verifier.ceremony import TrustedSetup
    from verifier.shape import Shape

_DECODED: Final[dict[tuple[str, str], list[Any]]] = {}
_SUFFIX_SUMS: Final[dict[tuple[str, int, str], tuple[list[Any], Any]]] = {}


def _group_transform(points: Sequence[Any], twiddles: Sequence[int], backend: Group) -> list[Any]:
    """Discrete Fourier transform of points, decimation in time."""
    if len(points) == 1:
        return list(points)
    even = _group_transform(points[0::2], twiddles[::2], backend)
    odd = _group_transform(points[1::2], twiddles[::2], backend)
    turned = [backend.combine([point], [factor]) for point, factor in zip(odd, twiddles, strict=True)]
    pairs = list(zip(even, turned, strict=True))
    return [backend.add(a, b) for a, b in pairs] + [backend.subtract(a, b) for a, b in pairs]


def _compute(setup: TrustedSetup, size: int, offset: int) -> bytes:
    backend = group()
    points = setup.points(backend)[offset : offset + size]
    scale = inverse(size)
    scaled = [backend.combine([point], [scale]) for point in points]
    transformed = _group_transform(scaled, powers(inverse(root_of_unity(size)), size // 2), backend)
    return b"".join(backend.encode(point) for point in transformed)


def basis_bytes(setup: TrustedSetup, size: int, offset: int = 0) -> bytes:
    """[τ^offset · λ_i(τ)] for the Lagrange basis λ of the domain of that ``size``, 96 bytes a point."""
    tag = hashlib.sha256(f"{setup.digest}:{size}:{offset}".encode()).hexdigest()
    return cached_bytes(f"lagrange-{tag}", lambda: _compute(setup, size, offset))


def basis_points(setup: TrustedSetup, size: int, offset: int = 0, backend: Group | None = None) -> list[Any]:
    """The same as points of a backend, decoded once."""
    chosen = backend or group()
    key = (f"{setup.digest}:{size}:{offset}", chosen.name)
    if key not in _DECODED:
        data = basis_bytes(setup, size, offset)
        _DECODED[key] = [chosen.decode_unchecked(data[i : i + POINT_BYTES]) for i in range(0, len(data), POINT_BYTES)]
    return _DECODED[key]


def suffix_sums(setup: TrustedSetup, size: int, backend: Group) -> tuple[list[Any], Any]:
    """The points S_j = Σ_{i≥j} [λ_i(τ)] and their sum, for commitments to running sums; computed once."""
    key = (setup.digest, size, backend.name)
    if key not in _SUFFIX_SUMS:
        descending = accumulate(reversed(basis_points(setup, size, backend=backend)), backend.add)
        # Encoding and decoding brings the points to affine form, in which they multiply faster.
        points = [backend.decode_unchecked(backend.encode(point)) for point in descending][::-1]
        _SUFFIX_SUMS[key] = (points, backend.combine(points, [1] * size))
    return _SUFFIX_SUMS[key]


def slot_point(setup: TrustedSetup, slots: int, slot: int) -> bytes:
    """L_slot: what one lot of a slot adds to a portfolio commitment."""
    data = basis_bytes(setup, slots)
    return data[slot * POINT_BYTES : (slot + 1) * POINT_BYTES]


@functools.cache
def blinding_point(setup: TrustedSetup, slots: int) -> bytes:
    """H = [τ^N − 1]: what one unit of blind adds to a portfolio commitment."""
    backend = group()
    points = setup.points(backend)
    return backend.encode(backend.subtract(points[slots], points[0]))


@functools.cache
def mask_table_bytes(setup: TrustedSetup, shape: Shape) -> bytes:
    """Λ_4j + Λ_(4j+1) for every position j of a book, 96 bytes each: what a dead slot adds to the book's mask."""
    backend = group()
    basis = basis_points(setup, shape.columns, backend=backend)
    long_legs = range(0, shape.columns, shape.columns // shape.slots)
    return b"".join(backend.encode(backend.add(basis[column], basis[column + 1])) for column in long_legs)


def mask_commitment(setup: TrustedSetup, shape: Shape, live_positions: Collection[int]) -> bytes:
    """Mask of a book: the commitment to a row of ones at both legs of every slot but the live ones.

    Twin: contracts/InstrumentRegistry.sol.

    Args:
        setup: powers of τ.
        shape: gives N.
        live_positions: slots that may hold positions.

    Returns:
        96 bytes.

    Raises:
        MalformedInputError: a position that a book does not have.
    """
    beyond = [position for position in live_positions if not 0 <= position < shape.slots]
    if beyond:
        raise MalformedInputError(f"position {beyond[0]} does not exist: positions are 0 to {shape.slots - 1}")
    backend = group()
    table = mask_table_bytes(setup, shape)
    live = set(live_positions)
    dead = [position * POINT_BYTES for position in range(shape.slots) if position not in live]
    points = [backend.decode_unchecked(table[start : start + POINT_BYTES]) for start in dead]
    return backend.encode(backend.combine(points, [1] * len(points)))
