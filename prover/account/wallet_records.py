"""What a wallet remembers of an account: openings of its commitments, and changes that are under way.

Everything here is secret; representations are redacted. Records are frozen: a change makes new ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from eth_hash.auto import keccak
from pydantic import BaseModel, ConfigDict, Field

from prover.account.public_changes import changed_since
from prover.argument.witness import BookOpening
from prover.errors import WalletOutOfDateError
from verifier.curve import INFINITY
from verifier.portfolio_commitment import commit_portfolio
from verifier.scalar_field import MODULUS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from prover.account.public_changes import PublicChange
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

    def of_books(self, books: Sequence[int]) -> tuple[BookOpening, ...]:
        """Openings of some books, for the prover; books that are not known are empty."""
        slots = len(self.books[0].positions)
        covering = self.covering(max(books, default=0) + 1, slots).book_openings()
        return tuple(covering[book] for book in books)

    def plus(self, changes: Mapping[int, tuple[Sequence[int], int]]) -> Opening:
        """The opening after a change of positions and blind in some books."""
        covering = self.covering(max(changes, default=0) + 1, len(self.books[0].positions)).books
        return Opening(
            books=tuple(book.plus(*changes[index]) if index in changes else book for index, book in enumerate(covering))
        )

    def credited(self, slot: int, ticks: int) -> Opening:
        """The opening after the house has added ticks to a slot of book 0, or taken them away; the blind stays."""
        credit = [0] * len(self.books[0].positions)
        credit[slot] = ticks
        return self.plus({0: (credit, 0)})


class Change(_Record):
    """A change that was recorded before anything was signed or sent for it.

    Attributes:
        kind: what it is.
        base_version: state version of the account that it starts from; it can only ever happen to that version.
        after: opening once it has happened.
    """

    kind: Literal["deposit", "merge", "trade", "withdrawal", "lien"]
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


class LegRecord(_Record):
    """A leg of a netting that this account agreed on, kept so that terms are compared with it.

    Attributes:
        name: of the leg.
        content: the agreement.
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
        version: state version at which it did.
        changes: what may have happened since.
        earlier: openings that were replaced, or could not happen any more; newest last.
        offers: made and not yet settled.
        legs: agreed on to be settled with others.
        instruments: names of the instruments ever held, by "book/slot".
    """

    account: Identity
    chain_id: int
    house: Address
    current: Opening = Field(repr=False)
    version: int = Field(default=0, ge=0)
    changes: tuple[Change, ...] = Field(default=(), repr=False)
    earlier: tuple[Opening, ...] = Field(default=(), repr=False)
    offers: tuple[OfferRecord, ...] = Field(default=(), repr=False)
    legs: tuple[LegRecord, ...] = Field(default=(), repr=False)
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

    def with_legs(self, legs: Sequence[LegRecord]) -> AccountRecord:
        """With these legs and no others."""
        return self.model_copy(update={"legs": tuple(legs)})

    @property
    def books(self) -> int:
        """Books of the largest opening that may be true, or become true again."""
        openings = (self.current, *(change.after for change in self.changes), *self.earlier)
        return max(len(opening.books) for opening in openings)

    def reconciled(
        self,
        stored: Sequence[bytes],
        state_version: int,
        *,
        shape: Shape,
        setup: TrustedSetup,
        public: Sequence[PublicChange] = (),
    ) -> AccountRecord:
        """The record brought up to date: whichever opening the chain's hashes belong to is the truth.

        Args:
            stored: the house's hashes, book by book.
            state_version: of the account on chain.
            shape: of the argument.
            setup: powers of τ.
            public: changes of the account that everybody can follow; an opening that is true after them is found too.

        Raises:
            WalletOutOfDateError: no opening in the wallet belongs to them.
        """
        for candidate in self._candidates(public):
            if _belongs(candidate.commitments(shape, setup), stored):
                return self._moved_to(candidate, state_version)
        raise WalletOutOfDateError(
            f"account {self.account} has changed on chain {self.chain_id} (state version {state_version}) in a way "
            "that this wallet does not know: use the copy of the wallet that made the change"
        )

    def _candidates(self, public: Sequence[PublicChange]) -> Iterator[Opening]:
        known = [(self.current, self.version)]
        known += [(change.after, change.base_version + 1) for change in reversed(self.changes)]
        yield from (opening for opening, _ in known)
        yield from reversed(self.earlier)
        if public:
            yield from (changed_since(opening, version, public) for opening, version in known)

    def _moved_to(self, opening: Opening, state_version: int) -> AccountRecord:
        possible = tuple(change for change in self.changes if change.base_version >= state_version)
        impossible = tuple(change.after for change in self.changes if change.base_version < state_version)
        # What was true comes last: it is the likeliest to come back, and must not fall out of what is kept.
        replaced = (*impossible, self.current)
        kept = tuple(earlier for earlier in (*self.earlier, *replaced) if earlier != opening)
        if opening == self.current and not impossible and state_version == self.version:
            return self
        return self.model_copy(
            update={
                "current": opening,
                "version": state_version,
                "changes": possible,
                "earlier": kept[-KEPT_OPENINGS:],
            }
        )


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
