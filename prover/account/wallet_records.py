"""What a wallet remembers of an account: openings of its commitments, and changes that are under way.

Everything here is secret; representations are redacted. Records are frozen: a change makes new ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from eth_hash.auto import keccak
from pydantic import BaseModel, ConfigDict, Field

from prover.argument.witness import BookOpening
from prover.errors import WalletOutOfDateError
from verifier.curve import INFINITY
from verifier.portfolio_commitment import commit_portfolio
from verifier.scalar_field import MODULUS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.ceremony import TrustedSetup
    from verifier.shape import Shape

NEVER_TOUCHED: Final = bytes(32)
"""What the clearing house holds of a book that the account never touched."""

KEPT_OPENINGS: Final = 32
"""Openings that a later one has replaced: a reorganisation of the chain can bring them back."""

Identity = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]
Address = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class BookRecord(_Record):
    """Opening of one book's commitment.

    Attributes:
        positions: N signed lots.
        blind: ρ, in [0, r).
    """

    positions: tuple[int, ...] = Field(repr=False)
    blind: int = Field(repr=False, ge=0, lt=MODULUS)

    @classmethod
    def empty(cls, slots: int) -> Self:
        """A book that nobody touched: no position, no blind; its commitment is infinity."""
        return cls(positions=(0,) * slots, blind=0)

    def plus(self, positions: Sequence[int], blind: int) -> BookRecord:
        """The book after a change."""
        changed = tuple(own + other for own, other in zip(self.positions, positions, strict=True))
        return BookRecord(positions=changed, blind=(self.blind + blind) % MODULUS)


class Opening(_Record):
    """Opening of an account's commitments, book by book."""

    books: tuple[BookRecord, ...] = Field(repr=False)

    def book_openings(self) -> tuple[BookOpening, ...]:
        """For the prover."""
        return tuple(BookOpening(book.positions, book.blind) for book in self.books)

    def commitments(self, shape: Shape, setup: TrustedSetup) -> tuple[bytes, ...]:
        """C_b, 96 bytes each."""
        return tuple(commit_portfolio(book.positions, book.blind, shape=shape, setup=setup) for book in self.books)

    def covering(self, books: int, slots: int) -> Opening:
        """The same opening with empty books added up to this number."""
        missing = books - len(self.books)
        return Opening(books=self.books + (BookRecord.empty(slots),) * missing)

    def plus(self, changes: Sequence[tuple[Sequence[int], int]]) -> Opening:
        """The opening after a change of positions and blind in every book."""
        pairs = zip(self.books, changes, strict=True)
        return Opening(books=tuple(book.plus(positions, blind) for book, (positions, blind) in pairs))


class Change(_Record):
    """A change that was recorded before anything was signed or sent for it.

    Attributes:
        kind: what it is.
        base_version: state version of the account that it starts from; it can only ever happen to that version.
        after: opening once it has happened.
    """

    kind: Literal["deposit", "trade", "withdrawal"]
    base_version: int = Field(ge=0)
    after: Opening = Field(repr=False)


class OfferRecord(_Record):
    """An offer that this wallet made, kept so that an acceptance is compared with it and not with its own copy.

    Attributes:
        name: of the trade.
        content: the offer file.
    """

    name: str
    content: str = Field(repr=False)


class AccountRecord(_Record):
    """One account at one clearing house.

    Attributes:
        account: identity, 32 bytes.
        chain_id: of the chain.
        house: address of the clearing house.
        current: opening that the chain last agreed with.
        changes: what may have happened since.
        earlier: openings that were replaced, or could not happen any more; newest last.
        offers: made and not yet settled.
        instruments: names of the instruments ever held, by "book/slot".
    """

    account: Identity
    chain_id: int
    house: Address
    current: Opening = Field(repr=False)
    changes: tuple[Change, ...] = Field(default=(), repr=False)
    earlier: tuple[Opening, ...] = Field(default=(), repr=False)
    offers: tuple[OfferRecord, ...] = Field(default=(), repr=False)
    instruments: dict[str, str] = Field(default_factory=dict, repr=False)

    def with_change(self, change: Change) -> AccountRecord:
        """Remember a change that is about to be signed; all that were signed before stay possible."""
        if change in self.changes:
            return self
        return self.model_copy(update={"changes": (*self.changes, change)})

    def with_offer(self, offer: OfferRecord) -> AccountRecord:
        """Remember an offer that is about to be handed over."""
        return self.model_copy(update={"offers": (*self.offers, offer)})

    def without_offer(self, name: str) -> AccountRecord:
        """Forget an offer that was settled."""
        return self.model_copy(update={"offers": tuple(offer for offer in self.offers if offer.name != name)})

    def offer(self, name: str) -> OfferRecord | None:
        """The offer of that name."""
        return next((offer for offer in self.offers if offer.name == name), None)

    def reconciled(
        self, stored: Sequence[bytes], state_version: int, *, shape: Shape, setup: TrustedSetup
    ) -> AccountRecord:
        """The record brought up to date: whichever opening the chain's hashes belong to is the truth.

        Args:
            stored: the house's hashes, one for every book that the account ever touched.
            state_version: of the account on chain.
            shape: of the argument.
            setup: powers of τ.

        Raises:
            WalletOutOfDateError: no opening in the wallet belongs to them.
        """
        candidates = (self.current, *(change.after for change in reversed(self.changes)), *reversed(self.earlier))
        for candidate in candidates:
            if _belongs(candidate.commitments(shape, setup), stored):
                return self._moved_to(candidate, state_version)
        raise WalletOutOfDateError(
            f"account {self.account} has changed on chain {self.chain_id} (state version {state_version}) in a way "
            "that this wallet does not know: use the copy of the wallet that made the change"
        )

    def _moved_to(self, opening: Opening, state_version: int) -> AccountRecord:
        possible = tuple(change for change in self.changes if change.base_version >= state_version)
        impossible = tuple(change.after for change in self.changes if change.base_version < state_version)
        replaced = (self.current, *impossible)
        kept = tuple(earlier for earlier in (*self.earlier, *replaced) if earlier != opening)
        if opening == self.current and not impossible:
            return self
        return self.model_copy(update={"current": opening, "changes": possible, "earlier": kept[-KEPT_OPENINGS:]})


class WalletDocument(_Record):
    """Content of a wallet file.

    Attributes:
        version: of this format.
        accounts: one for every account and clearing house.
    """

    version: Literal[1] = 1
    accounts: tuple[AccountRecord, ...] = Field(default=(), repr=False)

    def find(self, account: str, chain_id: int, house: str) -> AccountRecord | None:
        """The record of an account at a house."""
        key = (account, chain_id, house)
        return next((known for known in self.accounts if _key(known) == key), None)

    def with_account(self, record: AccountRecord) -> WalletDocument:
        """The document with one record added or replaced."""
        others = tuple(known for known in self.accounts if _key(known) != _key(record))
        return WalletDocument(accounts=(*others, record))


def _key(record: AccountRecord) -> tuple[str, int, str]:
    return (record.account, record.chain_id, record.house)


def _belongs(commitments: Sequence[bytes], stored: Sequence[bytes]) -> bool:
    """Whether the hashes are those of the commitments; books beyond either list are untouched."""
    size = max(len(commitments), len(stored))
    untouched = keccak(INFINITY)
    given = [keccak(point) for point in commitments] + [untouched] * (size - len(commitments))
    held = [untouched if digest == NEVER_TOUCHED else digest for digest in stored]
    return given == held + [untouched] * (size - len(held))
