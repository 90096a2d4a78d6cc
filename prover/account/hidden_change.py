"""What a leg of a trade changes of an account: positions and blinds, in some books.

The blind of a leg is ρ = ρ_A + ρ_B in every book, a share from each side, fresh for every trade. A leg covers the books
of the instruments traded, book 0, and all others that both sides have opened: which of these are traded stays hidden.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prover.argument.blinds import fresh_blind
from verifier.books import book_bitmap
from verifier.portfolio_commitment import commit_portfolio
from verifier.scalar_field import MODULUS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from prover.account.venue import Venue
    from prover.rules.portfolio import Portfolio

BookChange = tuple[tuple[int, ...], int]
"""Signed lots of every slot of a book, and a blind."""


@dataclass(frozen=True, slots=True)
class HiddenChange:
    """Positions and blinds by book; secret.

    Attributes:
        books: changes by the number of the book, ascending.
    """

    books: Mapping[int, BookChange] = field(repr=False)

    @property
    def bitmap(self) -> int:
        """Which books change."""
        return book_bitmap(self.books)

    def negated(self) -> HiddenChange:
        """What the other side gets."""
        return HiddenChange(
            {
                book: (tuple(-lots for lots in positions), -blind % MODULUS)
                for book, (positions, blind) in self.books.items()
            }
        )

    def differences(self, venue: Venue) -> tuple[bytes, ...]:
        """ΔC of each book, recomputed from positions and blinds: another form could make later proofs impossible."""
        return tuple(
            commit_portfolio(positions, blind, shape=venue.shape, setup=venue.setup)
            for positions, blind in self.books.values()
        )


def leg_books(change: Portfolio, *opened: int) -> tuple[int, ...]:
    """Books of a leg, ascending.

    Args:
        change: what is traded.
        opened: bitmaps of the books that each side has opened; of one of them alone while the other is not known.
    """
    common = opened[0]
    for bitmap in opened[1:]:
        common &= bitmap
    traded = {book for book, lots in enumerate(change.lots) if any(lots)}
    return tuple(sorted({0} | traded | {book for book in range(len(change.lots)) if common >> book & 1}))


def fresh_blinds(books: Iterable[int]) -> dict[int, int]:
    """One side's share of ρ for every book."""
    return {book: fresh_blind() for book in books}


def hidden_change(change: Portfolio, *shares: Mapping[int, int]) -> HiddenChange:
    """A change with the shares of both sides; its books are those of the last of them."""
    return HiddenChange(
        {book: (change.lots[book], sum(share[book] for share in shares) % MODULUS) for book in sorted(shares[-1])}
    )


def sum_of_changes(changes: Sequence[HiddenChange]) -> HiddenChange:
    """All legs of one account together."""
    total: dict[int, BookChange] = {}
    for change in changes:
        for book, (positions, blind) in change.books.items():
            known, other = total.get(book, ((0,) * len(positions), 0))
            added = tuple(one + two for one, two in zip(known, positions, strict=True))
            total[book] = (added, (other + blind) % MODULUS)
    return HiddenChange(dict(sorted(total.items())))
