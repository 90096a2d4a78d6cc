"""Proofs over the books that an account has opened, each with the mask of its dead slots."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from prover.argument.argument import prove
from prover.argument.witness import BookOpening
from prover.errors import ClosedBookError, MaskedSlotError
from prover.rules.prepared_rule import PreparedChunk, masked_rule, prepare_masks, prepare_rule
from tests.support.risk_rules import example_rules, holding
from verifier.ceremony import ceremony_setup
from verifier.commitment_basis import mask_commitment
from verifier.errors import MalformedInputError, MatrixError
from verifier.rules.margin_rule import RuleMatrix
from verifier.rules.mask import mask_matrix
from verifier.rules.rule_audit import CONSTANT_COLUMN
from verifier.shape import SMALL
from verifier.statement import verifying_key
from verifier.verification import verify

BOOKS = 3
SETUP = ceremony_setup()
RULE = example_rules(SMALL, BOOKS)[0]
LIVE = RULE.universe.live.reshape(BOOKS, SMALL.slots).copy()
LIVE[:, -2:] = False
SUBSETS = [(0, *others) for size in range(BOOKS) for others in combinations(range(1, BOOKS), size)]
CASH = 10**9


def openings(books: tuple[int, ...], lots: dict[int, int]) -> list[BookOpening]:
    """Lots by flat slot, in the books that are open."""
    portfolio = holding(RULE, {0: CASH} | lots)
    return [BookOpening(portfolio.lots[book], 7 + book) for book in books]


@pytest.fixture(scope="module")
def masks() -> tuple[PreparedChunk, ...]:
    return prepare_masks(SMALL, LIVE, SETUP)


def test_a_rule_with_constants_proves_for_every_subset_of_open_books(masks: tuple[PreparedChunk, ...]) -> None:
    assert RULE.matrix.entries[:, 0, CONSTANT_COLUMN].any()
    prepared, key = prepare_rule(RULE.matrix, SETUP), verifying_key(SMALL, SETUP)
    for books in SUBSETS:
        held = {book * SMALL.slots + 1: 3 for book in books}
        witness = RULE.witness(openings(books, held), books=books, live=LIVE)
        made = prove(setup=SETUP, rule=masked_rule(prepared, masks, books), witness=witness, context=bytes(32))
        assert made.statement.books == len(books)
        assert made.statement.chunks_per_book == RULE.matrix.chunks_per_book + 1
        assert verify(key, made.statement, made.proof)
        without = replace(
            made.statement, matrix_commitments=tuple(chunks[:-1] for chunks in made.statement.matrix_commitments)
        )
        assert not verify(key, without, made.proof)


def test_the_mask_is_what_the_registry_of_instruments_keeps(masks: tuple[PreparedChunk, ...]) -> None:
    for book, mask in enumerate(masks):
        positions = [int(position) for position in np.flatnonzero(LIVE[book])]
        assert mask.commitment == mask_commitment(SETUP, SMALL, positions)


def test_a_position_in_a_dead_slot_is_named() -> None:
    last = BOOKS * SMALL.slots - 1
    name = next(slot.instrument.name for slot in RULE.slots.listed if RULE.slots.flat_index(slot) == last)
    held = openings((0, 2), {last: -1})
    with pytest.raises(MaskedSlotError, match=f"{name} must be empty and is not"):
        RULE.witness(held, books=(0, 2), live=LIVE)
    fewer = tuple(slot for slot in RULE.slots.listed if slot.instrument.name != name)
    unlisted = replace(RULE, universe=replace(RULE.universe, slots=replace(RULE.slots, listed=fewer)))
    with pytest.raises(MaskedSlotError, match=f"slot {SMALL.slots - 1} of book 2 must be empty"):
        unlisted.witness(held, books=(0, 2), live=LIVE)


def test_what_a_rule_keeps_in_a_closed_book_is_named() -> None:
    """A rule whose first headroom sits in book 1 cannot be proven by an account that has not opened it."""
    row = next(index for index, own in enumerate(RULE.rows) if own.headroom is not None)
    headroom = RULE.rows[row].headroom
    assert headroom is not None
    entries = RULE.matrix.entries.copy()
    entries[row, 0, headroom.unit[1]], entries[row, 1, 3] = 0, -1
    rows = tuple(
        replace(own, headroom=replace(headroom, unit=(1, 3))) if index == row else own
        for index, own in enumerate(RULE.rows)
    )
    rule = replace(RULE, matrix=RuleMatrix(SMALL, entries), layout=replace(RULE.layout, rows=rows))
    with pytest.raises(ClosedBookError, match=f"keeps headroom of '{RULE.rows[row].name}' in book 1") as caught:
        rule.witness(openings((0,), {}), books=(0,))
    assert caught.value.book == 1
    rule.witness(openings((0, 1), {}), books=(0, 1))


@pytest.mark.parametrize("books", [(), (1,), (0, 0), (0, 2, 1), (0, BOOKS)])
def test_books_are_ascending_and_the_first_is_among_them(books: tuple[int, ...]) -> None:
    with pytest.raises(MatrixError, match="give book 0 and others, each once, ascending"):
        RULE.matrix.restricted(books)


def test_one_opening_a_book() -> None:
    with pytest.raises(MalformedInputError, match="1 openings for 2 books"):
        RULE.witness(openings((0,), {}), books=(0, 1))


def test_a_mask_has_the_slots_of_the_shape() -> None:
    with pytest.raises(MatrixError, match="a mask is for 64 slots a book"):
        mask_matrix(SMALL, LIVE[:, :-1])
