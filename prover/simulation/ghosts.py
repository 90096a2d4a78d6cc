"""Openings in the clear, as the model keeps them: what lies in a book, and its blind. Secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from verifier.scalar_field import MODULUS


@dataclass(frozen=True, slots=True)
class Ghost:
    """The opening of one book.

    Attributes:
        positions: signed lots by position of the slot in the book; never zero.
        blind: ρ, in [0, r).
    """

    positions: Mapping[int, int] = field(default_factory=dict, repr=False)
    blind: int = field(default=0, repr=False)

    def plus(self, other: Ghost, sign: int = 1) -> Ghost:
        """The book after a change is added, or taken away (``sign`` −1)."""
        places = sorted(self.positions.keys() | other.positions.keys())
        summed = {place: self.positions.get(place, 0) + sign * other.positions.get(place, 0) for place in places}
        held = {place: lots for place, lots in summed.items() if lots}
        return Ghost(held, (self.blind + sign * other.blind) % MODULUS)

    def vector(self, slots: int) -> tuple[int, ...]:
        """Lots of all N slots of the book."""
        return tuple(self.positions.get(place, 0) for place in range(slots))


Portfolio = Mapping[int, Ghost]
"""Openings by book; a book that is left out is empty."""

EMPTY = Ghost()


def plus(portfolio: Portfolio, change: Portfolio, sign: int = 1) -> Portfolio:
    """The portfolio after a change; every book of the change is in it."""
    return {**portfolio, **{book: portfolio.get(book, EMPTY).plus(ghost, sign) for book, ghost in change.items()}}


def exposed(portfolio: Portfolio) -> frozenset[tuple[int, int]]:
    """Book and position of every slot in which the portfolio holds something."""
    return frozenset((book, place) for book, ghost in portfolio.items() for place in ghost.positions)
