"""Portfolio commitments: hiding, binding, additive (specification, section 2; clearing house, section 1).

``C = Σ x_i L_i + ρH`` with L_i = [λ^U_i(τ)] and H = [τ^N − 1]. Contracts net trades and credit deposits by
point addition alone; the functions here are their twins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.commitment_basis import basis_points, slot_point
from verifier.curve import Group, group
from verifier.errors import MalformedInputError
from verifier.scalar_field import MODULUS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.ceremony import TrustedSetup
    from verifier.shape import Shape


def commit_portfolio(
    positions: Sequence[int], blind: int, *, shape: Shape, setup: TrustedSetup, backend: Group | None = None
) -> bytes:
    """Commit to one book.

    Args:
        positions: N signed lots, one per slot.
        blind: ρ, uniform in [0, r).
        shape: gives N.
        setup: powers of τ.
        backend: group backend; arkworks when omitted.

    Returns:
        96 bytes.

    Raises:
        MalformedInputError: not N positions, or a position outside ±2^(dk).
    """
    chosen = backend or group()
    if len(positions) != shape.slots:
        raise MalformedInputError(f"a book has {shape.slots} slots, got {len(positions)} positions")
    for slot, lots in enumerate(positions):
        if abs(lots) >= shape.value_bound:
            # The position itself is a secret and stays out of the message.
            raise MalformedInputError(f"slot {slot}: the position is beyond ±{shape.value_bound - 1} lots; reduce it")
    held = [slot for slot in range(shape.slots) if positions[slot]]
    basis = basis_points(setup, shape.slots, backend=chosen)
    powers = setup.points(chosen)
    points = [basis[slot] for slot in held] + [powers[shape.slots], powers[0]]
    scalars = [positions[slot] % MODULUS for slot in held] + [blind % MODULUS, -blind % MODULUS]
    return chosen.encode(chosen.combine(points, scalars))


def add_commitments(left: bytes, right: bytes, backend: Group | None = None) -> bytes:
    """``left + right``; strict decoding of both."""
    chosen = backend or group()
    return chosen.encode(chosen.add(chosen.decode(left), chosen.decode(right)))


def subtract_commitments(left: bytes, right: bytes, backend: Group | None = None) -> bytes:
    """``left − right``; strict decoding of both."""
    chosen = backend or group()
    return chosen.encode(chosen.subtract(chosen.decode(left), chosen.decode(right)))


def credit_commitment(
    commitment: bytes, slot: int, lots: int, *, shape: Shape, setup: TrustedSetup, backend: Group | None = None
) -> bytes:
    """``commitment + lots·L_slot``: a public credit (or debit, when negative), as the contract makes it.

    Raises:
        MalformedInputError: no such slot, or lots beyond ±2^(dk).
    """
    chosen = backend or group()
    if not 0 <= slot < shape.slots:
        raise MalformedInputError(f"slot {slot} does not exist: slots are 0 to {shape.slots - 1}")
    if abs(lots) >= shape.value_bound:
        raise MalformedInputError(f"a credit of {lots} lots is beyond ±{shape.value_bound - 1}; credit less at a time")
    point = chosen.decode(slot_point(setup, shape.slots, slot))
    return chosen.encode(chosen.add(chosen.decode(commitment), chosen.combine([point], [lots % MODULUS])))
