"""Portfolio commitments: what they commit to, and their arithmetic."""

from __future__ import annotations

import pytest

from tests.support.setups import TAU, TINY, known_setup
from verifier.commitment_basis import blinding_point, slot_point
from verifier.curve import BACKENDS, INFINITY, group
from verifier.domain import interpolate_on_domain
from verifier.errors import MalformedInputError
from verifier.portfolio_commitment import (
    add_commitments,
    commit_portfolio,
    credit_commitment,
    subtract_commitments,
)
from verifier.scalar_field import MODULUS

POSITIONS = (500, -7, 0, 3)
BLIND = 123456789
LIMIT = TINY.value_bound

backends = pytest.mark.parametrize("name", BACKENDS)


def commit(positions: tuple[int, ...], blind: int = BLIND) -> bytes:
    return commit_portfolio(positions, blind, shape=TINY, setup=known_setup())


@backends
def test_commitment_is_the_polynomial_at_tau(name: str) -> None:
    """x(X) = Σ x_i λ^U_i(X) + ρ(X^N − 1)."""
    coefficients = interpolate_on_domain(POSITIONS)
    value = sum(c * pow(TAU, power, MODULUS) for power, c in enumerate(coefficients))
    value += BLIND * (pow(TAU, TINY.slots, MODULUS) - 1)
    backend = group(name)
    expected = backend.encode(backend.combine([backend.generator], [value % MODULUS]))
    assert commit_portfolio(POSITIONS, BLIND, shape=TINY, setup=known_setup(), backend=backend) == expected


def test_nothing_without_a_blind_is_infinity() -> None:
    assert commit((0, 0, 0, 0), 0) == INFINITY
    assert commit((0, 0, 0, 0), 1) == blinding_point(known_setup(), TINY.slots)
    assert commit((0, 1, 0, 0), 0) == slot_point(known_setup(), TINY.slots, 1)


@backends
def test_commitments_add_up(name: str) -> None:
    backend = group(name)
    first, second = commit(POSITIONS), commit((1, 2, -3, 4), 99)
    total = commit((501, -5, -3, 7), BLIND + 99)
    assert add_commitments(first, second, backend) == total
    assert subtract_commitments(total, second, backend) == first
    assert subtract_commitments(first, first, backend) == INFINITY
    assert add_commitments(first, INFINITY, backend) == first


@backends
@pytest.mark.parametrize("lots", [25, -25, 0])
def test_public_credit(lots: int, name: str) -> None:
    credited = credit_commitment(commit(POSITIONS), 1, lots, shape=TINY, setup=known_setup(), backend=group(name))
    assert credited == commit((500, -7 + lots, 0, 3))


def test_bytes_that_are_no_points_are_refused() -> None:
    honest = commit(POSITIONS)
    spoiled = honest[:-1] + bytes([honest[-1] ^ 1])
    for left, right in ((honest, spoiled), (spoiled, honest)):
        with pytest.raises(MalformedInputError, match="point 0x"):
            add_commitments(left, right)
        with pytest.raises(MalformedInputError, match="point 0x"):
            subtract_commitments(left, right)
    with pytest.raises(MalformedInputError, match="point 0x"):
        credit_commitment(spoiled, 0, 1, shape=TINY, setup=known_setup())


def test_positions_out_of_range_are_refused_without_being_shown() -> None:
    for lots in (LIMIT, -LIMIT):
        with pytest.raises(MalformedInputError, match=rf"slot 2: the position is beyond ±{LIMIT - 1} lots") as caught:
            commit((0, 0, lots * 7, 0))
        assert str(lots * 7) not in str(caught.value)
    assert commit((LIMIT - 1, 1 - LIMIT, 0, 0))
    with pytest.raises(MalformedInputError, match="4 slots, got 3 positions"):
        commit((1, 2, 3))


@pytest.mark.parametrize(("slot", "lots"), [(4, 1), (-1, 1), (0, LIMIT), (0, -LIMIT)])
def test_credits_out_of_range_are_refused(slot: int, lots: int) -> None:
    with pytest.raises(MalformedInputError, match=r"does not exist|beyond ±"):
        credit_commitment(commit(POSITIONS), slot, lots, shape=TINY, setup=known_setup())
