"""What accounts hand each other to settle their trades together.

Secrets of a pair: the offer of a leg and the answer to it. Public: legs, terms, sides.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal

from pydantic import Field

from prover.account.hidden_change import hidden_change
from prover.account.netting import AgreedLeg
from prover.account.trade_files import (
    Blinds,
    Deadline,
    Epoch,
    Hexadecimal,
    Nonce,
    Quantity,
    TradeName,
    TradeProposal,
    TradeRecord,
)
from prover.account.wallet_records import Address, Identity  # noqa: TC001 - pydantic reads them
from prover.rules.portfolio import make_portfolio
from verifier.books import BOOKS_BITS
from verifier.chain.clearing_terms import VERSION_BITS
from verifier.chain.open_leg_terms import OpenLeg, netting_action
from verifier.chain.settlement_terms import Leg, Participant, Settlement
from verifier.errors import MalformedInputError

if TYPE_CHECKING:
    from prover.rules.slots import SlotTable
    from verifier.shape import Shape

Point = Annotated[str, Field(pattern=r"^0x[0-9a-f]{192}$")]
Word = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]
StateVersion = Annotated[int, Field(ge=0, lt=1 << VERSION_BITS)]
MOST_ACCOUNTS: Final = 256


class NettingOffer(TradeProposal):
    """What the first of two proposes as a leg of a netting; a secret of the two."""

    what: ClassVar[str] = "offer of a leg"
    format: Literal["zkmargin-leg-offer-1"] = "zkmargin-leg-offer-1"


class NettingAnswer(TradeRecord):
    """What the second answers; a secret of the two.

    Attributes:
        format: of the file.
        trade: name of the leg.
        second: account of the party that accepts.
        second_nonce: a number that it has not used yet.
        blinds: its share of ρ by book: those of the instruments, book 0, and all that both have opened.
        differences: commitments to the change, as this party computed them.
    """

    what: ClassVar[str] = "answer to the offer of a leg"
    format: Literal["zkmargin-leg-answer-1"] = "zkmargin-leg-answer-1"
    trade: TradeName
    second: Identity
    second_nonce: Nonce
    blinds: Blinds = Field(repr=False)
    differences: tuple[Point, ...]


class NettingLeg(TradeRecord):
    """A leg that two accounts agreed on, as everybody may see it.

    Attributes:
        format: of the file.
        trade: name of the leg.
        chain_id: of the chain.
        house: address of the clearing house.
        receiver: account that receives the change.
        giver: account that gives it.
        receiver_nonce: used up if the leg is settled in open mode.
        giver_nonce: the same of the giver.
        books: bitmap of the books that change.
        max_epoch: last epoch at which the two may prove initial margin.
        deadline: Unix time after which the leg is void.
        differences: commitments to the change, one a book.
    """

    what: ClassVar[str] = "leg"
    format: Literal["zkmargin-leg-1"] = "zkmargin-leg-1"
    trade: TradeName
    chain_id: int
    house: Address
    receiver: Identity
    giver: Identity
    receiver_nonce: Nonce
    giver_nonce: Nonce
    books: Annotated[int, Field(gt=0, lt=1 << BOOKS_BITS)]
    max_epoch: Epoch
    deadline: Deadline
    differences: tuple[Point, ...]

    def involves(self, account: str) -> bool:
        """Whether an account is one of the two."""
        return account in (self.receiver, self.giver)

    def other(self, account: str) -> str:
        """The other of the two."""
        return self.giver if account == self.receiver else self.receiver

    def nonce_of(self, account: str) -> int:
        """What the account uses up in open mode."""
        return self.receiver_nonce if account == self.receiver else self.giver_nonce

    def points(self) -> tuple[bytes, ...]:
        """The differences."""
        return tuple(bytes.fromhex(point[2:]) for point in self.differences)

    def open_leg(self) -> OpenLeg:
        """As it is signed in open mode.

        Raises:
            MalformedInputError: an account that trades with itself, or not one difference a book.
        """
        return OpenLeg(
            receiver=bytes.fromhex(self.receiver[2:]),
            giver=bytes.fromhex(self.giver[2:]),
            receiver_nonce=self.receiver_nonce,
            giver_nonce=self.giver_nonce,
            books=self.books,
            max_epoch=self.max_epoch,
            deadline=self.deadline,
            differences=self.points(),
        )


class NettingAgreement(TradeRecord):
    """A leg as one of its two accounts keeps it in its wallet; secret.

    Attributes:
        leg: what everybody may see.
        quantities: what the receiver receives (negative: gives), by instrument.
        first_blinds: share of ρ of the account that offered, by book.
        second_blinds: share of the other.
        signed: nonce that this account put at stake, by the terms in bound mode that it signed.
    """

    what: ClassVar[str] = "leg that was agreed on"
    leg: NettingLeg
    quantities: dict[str, Quantity] = Field(repr=False)
    first_blinds: Blinds = Field(repr=False)
    second_blinds: Blinds = Field(repr=False)
    signed: dict[Word, Nonce] = Field(default_factory=dict)

    def agreed(self, slots: SlotTable, shape: Shape) -> AgreedLeg:
        """The change with its blinds, worked out anew.

        Raises:
            UnknownInstrumentError, PortfolioError: the list of slots has an instrument no more, or in other lots.
        """
        change = make_portfolio({name: Decimal(text) for name, text in self.quantities.items()}, slots, shape)
        hidden = hidden_change(change, self.first_blinds, self.second_blinds)
        return AgreedLeg(bytes.fromhex(self.leg.receiver[2:]), bytes.fromhex(self.leg.giver[2:]), change, hidden)


class NettingParticipant(TradeRecord):
    """An account of terms in bound mode.

    Attributes:
        account: identity.
        state_version: of the account before the settlement.
        nonce: used up by the settlement.
    """

    what: ClassVar[str] = "participant"
    account: Identity
    state_version: StateVersion
    nonce: Nonce


class NettingTerms(TradeRecord):
    """Legs that are settled together; public.

    Attributes:
        format: of the file.
        legs: in the order in which they are settled.
        participants: every account once, where all legs are bound to each other; none in open mode.
    """

    what: ClassVar[str] = "file of terms"
    format: Literal["zkmargin-netting-1"] = "zkmargin-netting-1"
    legs: Annotated[tuple[NettingLeg, ...], Field(min_length=1)]
    participants: Annotated[tuple[NettingParticipant, ...], Field(max_length=MOST_ACCOUNTS)]

    @property
    def is_bound(self) -> bool:
        """Whether all legs happen or none."""
        return bool(self.participants)

    @property
    def accounts(self) -> tuple[str, ...]:
        """Every account, in the order of the participants or else of the legs."""
        if self.is_bound:
            return tuple(participant.account for participant in self.participants)
        return tuple(dict.fromkeys(account for leg in self.legs for account in (leg.receiver, leg.giver)))

    @property
    def max_epoch(self) -> int:
        """The earliest of the legs."""
        return min(leg.max_epoch for leg in self.legs)

    @property
    def deadline(self) -> int:
        """The earliest of the legs."""
        return min(leg.deadline for leg in self.legs)

    def legs_of(self, account: str) -> tuple[NettingLeg, ...]:
        """Legs of an account, in order."""
        return tuple(leg for leg in self.legs if leg.involves(account))

    def participant(self, account: str) -> NettingParticipant | None:
        """An account's entry in bound mode."""
        return next((entry for entry in self.participants if entry.account == account), None)

    def open_legs(self) -> list[OpenLeg]:
        """As they are signed one by one in open mode; errors as of :meth:`NettingLeg.open_leg`."""
        return [leg.open_leg() for leg in self.legs]

    def settlement(self) -> Settlement:
        """As it is signed as a whole in bound mode.

        Raises:
            MalformedInputError: legs and participants do not belong together.
        """
        places = {account: place for place, account in enumerate(self.accounts)}
        strangers = [account for leg in self.legs for account in (leg.receiver, leg.giver) if account not in places]
        if strangers:
            raise MalformedInputError(f"account {strangers[0]} has a leg and is no participant: make the terms anew")
        legs = (Leg(places[leg.receiver], places[leg.giver], leg.books, leg.points()) for leg in self.legs)
        participants = (
            Participant(bytes.fromhex(entry.account[2:]), entry.state_version, entry.nonce)
            for entry in self.participants
        )
        return Settlement(tuple(participants), tuple(legs), self.max_epoch, self.deadline)

    def action(self) -> bytes:
        """What proofs are bound to, 32 bytes: the name of the terms."""
        return self.settlement().action if self.is_bound else netting_action(self.open_legs())


class NettingSide(TradeRecord):
    """What one account brings to terms; public.

    Attributes:
        format: of the file.
        terms: what its proof is bound to.
        account: identity.
        state_version: of the account before.
        epoch: at which it has proven initial margin.
        signer: address of its owner or operator, who signed.
        signatures: one over the terms in bound mode; one over each of its legs, in their order, in open mode.
        portfolio: its commitments before.
        proof: of its initial margin after all its legs.
        hint: goes with the proof.
    """

    what: ClassVar[str] = "side of a netting"
    format: Literal["zkmargin-netting-side-1"] = "zkmargin-netting-side-1"
    terms: Word
    account: Identity
    state_version: StateVersion
    epoch: Epoch
    signer: Address
    signatures: Annotated[tuple[Hexadecimal, ...], Field(min_length=1)]
    portfolio: tuple[Point, ...]
    proof: Hexadecimal
    hint: Hexadecimal
