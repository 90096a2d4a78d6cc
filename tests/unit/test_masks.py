"""The mask of a book: the commitment to a row of ones at both legs of every dead slot."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.setups import TINY, known_setup
from verifier.ceremony import ceremony_setup
from verifier.commitment_basis import mask_commitment, mask_table_bytes
from verifier.curve import INFINITY, POINT_BYTES, group
from verifier.errors import MalformedInputError
from verifier.rules.margin_rule import chunk_commitment
from verifier.rules.mask import mask_matrix
from verifier.shape import STANDARD, Shape

if TYPE_CHECKING:
    from verifier.ceremony import TrustedSetup


def row_commitment(shape: Shape, setup: TrustedSetup, live: set[int]) -> bytes:
    """Of the mask as a matrix, by the way that rules are committed to."""
    alive = np.array([[position in live for position in range(shape.slots)]])
    return chunk_commitment(mask_matrix(shape, alive), 0, 0, setup=setup)


@pytest.mark.parametrize("live", [set(), {0}, {1, 3}, {0, 1, 2}])
def test_mask_is_the_commitment_of_its_row(live: set[int]) -> None:
    assert mask_commitment(known_setup(), TINY, live) == row_commitment(TINY, known_setup(), live)


def test_mask_is_the_commitment_of_its_row_under_the_ceremony() -> None:
    live = set(random.Random("live").sample(range(STANDARD.slots), 40))
    assert mask_commitment(ceremony_setup(), STANDARD, live) == row_commitment(STANDARD, ceremony_setup(), live)


def test_a_book_without_dead_slots_has_no_mask() -> None:
    assert mask_commitment(known_setup(), TINY, range(TINY.slots)) == INFINITY


def test_listing_takes_the_point_of_the_slot_away() -> None:
    """What the registry of instruments does, one addition a slot."""
    backend, table = group(), mask_table_bytes(known_setup(), TINY)
    assert len(table) == TINY.slots * POINT_BYTES
    for position in range(TINY.slots):
        listed = backend.decode(table[position * POINT_BYTES : (position + 1) * POINT_BYTES])
        dead = backend.decode(mask_commitment(known_setup(), TINY, set()))
        assert backend.encode(backend.subtract(dead, listed)) == mask_commitment(known_setup(), TINY, {position})


@pytest.mark.parametrize("position", [-1, 4])
def test_positions_outside_the_book_are_refused(position: int) -> None:
    with pytest.raises(MalformedInputError, match=rf"position {position} does not exist: positions are 0 to 3"):
        mask_commitment(known_setup(), TINY, {0, position})
