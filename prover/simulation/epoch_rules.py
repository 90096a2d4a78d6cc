"""The rules of a simulated epoch: what the model asks about openings, and what real proofs are made by."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.argument.argument import MarginProof, prove
from prover.argument.witness import BookOpening
from prover.errors import InsufficientMarginError
from prover.rules.built_rule import MARK_BYTES
from prover.rules.prepared_rule import PreparedRule, masked_rule, prepare_masks
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prover.argument.witness import Witness
    from prover.rules.rule_book import RuleBook
    from prover.simulation.ghosts import Portfolio
    from verifier.chain.rule_publication import Publication


REMEMBERED: Final = 32
"""Witnesses, and as many proofs."""

FrozenBooks = tuple[tuple[int, tuple[tuple[int, int], ...], int], ...]
"""Number, positions and blind of every book."""


class EpochRules:
    """Both rules of an epoch with its masks; as a callable it is the model's question about them.

    Args:
        book: rules built from the epoch's market.
        live: book and position of all slots that are listed at its publication.
    """

    def __init__(self, book: RuleBook, live: Iterable[tuple[int, int]]) -> None:
        self._book = book
        self._shape = book.built(RuleKind.INITIAL).matrix.shape
        self.live = np.zeros((book.slots.books, self._shape.slots), dtype=np.bool_)
        for place in live:
            self.live[place] = True
        self._masks = functools.cache(lambda: prepare_masks(self._shape, self.live, book.setup))
        self._rule = functools.cache(self._masked)
        # A trade is asked about before it is proven, and again by the model after it.
        self._witness = functools.lru_cache(maxsize=REMEMBERED)(self._fresh_witness)
        # Attackers alter one honest action in many ways.
        self._proof = functools.lru_cache(maxsize=REMEMBERED)(self._fresh_proof)

    def __call__(self, kind: RuleKind, portfolio: Portfolio) -> bool:
        """Whether a portfolio satisfies a rule."""
        try:
            self._witness(kind, _frozen(portfolio))
        except InsufficientMarginError:
            return False
        return True

    def mark(self, book: int, place: int) -> int:
        """Published mark of a slot, ticks a lot."""
        start = MARK_BYTES * (book * self._shape.slots + place)
        return int.from_bytes(self._book.built(RuleKind.INITIAL).marks[start : start + MARK_BYTES], "big")

    def publication(self) -> Publication:
        """What the registry is given."""
        return self._book.publication()

    def prove(self, kind: RuleKind, portfolio: Portfolio, context: bytes) -> MarginProof:
        """A proof over the books of a portfolio, bound to a context.

        Raises:
            InsufficientMarginError: rows that fail.
            MaskedSlotError: a position in a slot that is not listed.
        """
        rule = self._rule(kind, tuple(sorted(portfolio)))
        return prove(
            setup=self._book.setup, rule=rule, witness=self._witness(kind, _frozen(portfolio)), context=context
        )

    def _fresh_proof(self, kind: RuleKind, books: FrozenBooks, context: bytes) -> MarginProof:
        rule, witness = self._rule(kind, tuple(book for book, _, _ in books)), self._witness(kind, books)
        return prove(setup=self._book.setup, rule=rule, witness=witness, context=context)

    def _fresh_witness(self, kind: RuleKind, books: FrozenBooks) -> Witness:
        openings = []
        for _, positions, blind in books:
            held = dict(positions)
            vector = tuple(held.get(place, 0) for place in range(self._shape.slots))
            openings.append(BookOpening(vector, blind))
        return self._book.built(kind).witness(openings, books=[book for book, _, _ in books], live=self.live)

    def _masked(self, kind: RuleKind, books: tuple[int, ...]) -> PreparedRule:
        return masked_rule(self._book.prepared(kind), self._masks(), books)


def _frozen(portfolio: Portfolio) -> FrozenBooks:
    """Something that can be looked up."""
    return tuple(
        (book, tuple(sorted(portfolio[book].positions.items())), portfolio[book].blind) for book in sorted(portfolio)
    )
