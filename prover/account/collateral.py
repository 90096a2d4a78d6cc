"""Collateral tokens of a venue: which one is meant, and amounts as whole ticks."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from prover.errors import CollateralError
from verifier.chain.token_client import TokenClient

if TYPE_CHECKING:
    from prover.account.venue import Venue
    from verifier.chain.vault_state import TokenTerms


@dataclass(frozen=True, slots=True)
class Collateral:
    """A token that the vault takes.

    Attributes:
        number: its number in the vault; 0 is the quote collateral.
        name: what is listed in its slot; its own symbol where nothing is listed yet.
        terms: of the vault.
        decimals: of the token.
        client: the token.
    """

    number: int
    name: str
    terms: TokenTerms
    decimals: int
    client: TokenClient

    @property
    def tick(self) -> Decimal:
        """Tokens in one tick, which is one lot of its slot."""
        return Decimal(self.terms.units_per_tick).scaleb(-self.decimals).normalize()

    @property
    def slot(self) -> int:
        """Its slot in book 0."""
        return self.terms.slot

    def ticks(self, amount: Decimal, what: str) -> int:
        """Whole ticks of a public amount.

        Args:
            amount: tokens.
            what: the amount is, for the message.

        Raises:
            CollateralError: not positive, not finite, beyond 64 bits, or no multiple of the tick.
        """
        most = self.tick * ((1 << 64) - 1)
        if not amount.is_finite() or not 0 < amount <= most:
            raise CollateralError(
                f"a {what} of {amount} {self.name} is out of range: give more than 0, at most {most:f}"
            )
        if amount % self.tick:
            raise CollateralError(
                f"a {what} of {amount} {self.name} is no multiple of its tick of {self.tick:f}: round it"
            )
        return int(amount / self.tick)

    def amount(self, ticks: int) -> Decimal:
        """Tokens in so many ticks."""
        return ticks * self.tick

    def units(self, ticks: int) -> int:
        """Units of the token in so many ticks."""
        return ticks * self.terms.units_per_tick


def collaterals(venue: Venue) -> tuple[Collateral, ...]:
    """All tokens of a venue, in the vault's order."""
    names = venue.listing().names
    found = []
    for number, terms in enumerate(venue.vault.tokens()):
        client = TokenClient(venue.chain, terms.token)
        name = names.get((0, terms.slot)) or client.symbol()
        found.append(Collateral(number, name, terms, client.decimals(), client))
    return tuple(found)


def find_collateral(venue: Venue, wanted: str | None = None) -> Collateral:
    """The token that somebody means.

    Args:
        venue: whose vault.
        wanted: its name, its number or its address; ``None`` for the quote collateral.

    Raises:
        CollateralError: the vault takes no such token, or several of that name.
    """
    known = collaterals(venue)
    if wanted is None:
        return known[0]
    named = [
        token
        for token in known
        if wanted in (str(token.number), token.name) or wanted.lower() == token.terms.token.lower()
    ]
    if len(named) != 1:
        choices = ", ".join(f"{token.number} = {token.name}" for token in known)
        fault = "several tokens are" if named else "the vault takes no"
        raise CollateralError(f"{fault} {wanted!r}: name one of {choices}, or its address")
    return named[0]
