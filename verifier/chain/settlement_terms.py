"""Hidden trades that all their owners sign as a whole, as bytes (twin: contracts/types/Settlement.sol)."""

from __future__ import annotations

import functools
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from verifier.books import BOOKS_BITS, books_in
from verifier.chain.clearing_terms import (
    EPOCH_BITS,
    VERSION_BITS,
    MarginCheck,
    check_account,
    check_unsigned,
    house_domain,
)
from verifier.chain.typed_data import TypedStruct
from verifier.curve import POINT_BYTES
from verifier.errors import MalformedInputError
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eth_account.signers.local import LocalAccount

NONCE_BITS: Final = 256
PLACE_BITS: Final = 8

PARTICIPANT_TYPE: Final = TypedStruct(
    "Participant", (("account", "bytes32"), ("stateVersion", "uint64"), ("nonce", "uint256"))
)
LEG_TYPE: Final = TypedStruct(
    "Leg", (("receiver", "uint8"), ("giver", "uint8"), ("books", "uint32"), ("differences", "bytes"))
)
SETTLEMENT_TYPE: Final = TypedStruct(
    "Settlement",
    (("participants", "Participant[]"), ("legs", "Leg[]"), ("maxEpoch", "uint32"), ("deadline", "uint64")),
    (PARTICIPANT_TYPE, LEG_TYPE),
)


@dataclass(frozen=True, slots=True)
class Participant:
    """One account of a settlement.

    Attributes:
        account: identity, 32 bytes.
        state_version: of the account before the settlement.
        nonce: number that its owner has not used yet; 256 bits, in any order.
    """

    account: bytes
    state_version: int
    nonce: int

    def __post_init__(self) -> None:
        """Check ranges."""
        check_account(self.account)
        check_unsigned("state version", self.state_version, VERSION_BITS)
        check_unsigned("nonce", self.nonce, NONCE_BITS)

    def as_tuple(self) -> tuple[bytes, int, int]:
        """For the ABI encoder."""
        return (self.account, self.state_version, self.nonce)


@dataclass(frozen=True, slots=True)
class Leg:
    """What one account receives of another.

    Attributes:
        receiver: place among the participants; its commitments grow by the differences.
        giver: place among the participants; its commitments shrink by them.
        books: bitmap of the books that change.
        differences: hiding commitment to the change in each of these books, 96 bytes each, ascending by book.
    """

    receiver: int
    giver: int
    books: int
    differences: tuple[bytes, ...]

    def __post_init__(self) -> None:
        """Check ranges and lengths."""
        check_unsigned("receiver", self.receiver, PLACE_BITS)
        check_unsigned("giver", self.giver, PLACE_BITS)
        if self.receiver == self.giver:
            raise MalformedInputError(f"participant {self.giver} cannot trade with itself: name two participants")
        check_differences(self.books, self.differences)

    def as_tuple(self) -> tuple[int, int, int, bytes]:
        """For the ABI encoder."""
        return (self.receiver, self.giver, self.books, b"".join(self.differences))


@dataclass(frozen=True, slots=True)
class Settlement:
    """Hidden trades of two accounts or more, as all their owners sign it: all of it happens, or nothing.

    Attributes:
        participants: every account once; each takes part in at least one leg.
        legs: pairwise.
        max_epoch: last epoch at which they may prove initial margin.
        deadline: Unix time in seconds after which the settlement is void.
    """

    participants: tuple[Participant, ...]
    legs: tuple[Leg, ...]
    max_epoch: int
    deadline: int

    def __post_init__(self) -> None:
        """Check ranges, and that participants and legs belong together."""
        check_unsigned("epoch", self.max_epoch, EPOCH_BITS)
        check_unsigned("deadline", self.deadline, VERSION_BITS)
        accounts = [participant.account for participant in self.participants]
        if len(set(accounts)) != len(accounts):
            raise MalformedInputError("an account takes part twice: name every account once")
        used = {place for leg in self.legs for place in (leg.receiver, leg.giver)}
        if used != set(range(len(accounts))) or not used:
            raise MalformedInputError(
                f"the legs name participants {sorted(used)} of {len(accounts)}: every participant needs a leg, "
                "and every leg two participants"
            )

    def as_tuple(self) -> tuple[Any, ...]:
        """For the ABI encoder."""
        return (
            [participant.as_tuple() for participant in self.participants],
            [leg.as_tuple() for leg in self.legs],
            *(self.max_epoch, self.deadline),
        )

    def values(self) -> dict[str, Any]:
        """As the members of the signed document."""
        participants, legs, max_epoch, deadline = self.as_tuple()
        return {
            "participants": [PARTICIPANT_TYPE.named(values) for values in participants],
            "legs": [LEG_TYPE.named(values) for values in legs],
            "maxEpoch": max_epoch,
            "deadline": deadline,
        }

    def place_of(self, account: bytes) -> int:
        """Place of an account among the participants.

        Raises:
            MalformedInputError: the account takes no part.
        """
        for place, participant in enumerate(self.participants):
            if participant.account == account:
                return place
        raise MalformedInputError(f"account 0x{account.hex()} is not part of this trade")

    def books_of(self, account: bytes) -> int:
        """Bitmap of the books of an account that the settlement changes."""
        place = self.place_of(account)
        return functools.reduce(operator.or_, (leg.books for leg in self.legs if place in (leg.receiver, leg.giver)))

    def check_of(self, account: bytes, epoch: int) -> MarginCheck:
        """What an account must prove.

        Args:
            account: one of the participants.
            epoch: at which all of them prove it; the active one, at most ``max_epoch``.

        Raises:
            MalformedInputError: the account takes no part, or the epoch is later than agreed.
        """
        if epoch > self.max_epoch:
            raise MalformedInputError(
                f"the settlement holds until epoch {self.max_epoch}, and epoch {epoch} is active: agree on it anew"
            )
        version = self.participants[self.place_of(account)].state_version
        return MarginCheck(account, version, epoch, RuleKind.INITIAL)

    @property
    def action(self) -> bytes:
        """EIP-712 struct hash, which the proofs are bound to."""
        return SETTLEMENT_TYPE.struct_hash(self.values())

    def document(self, chain_id: int, house: str) -> dict[str, Any]:
        """The EIP-712 document that wallets show and sign."""
        return SETTLEMENT_TYPE.document(house_domain(chain_id, house), self.values())

    def sign(self, signer: LocalAccount, chain_id: int, house: str) -> bytes:
        """Signature of a participant's owner or operator, 65 bytes."""
        return SETTLEMENT_TYPE.sign(signer, house_domain(chain_id, house), self.values())


@dataclass(frozen=True, slots=True)
class SettlementSide:
    """What one participant brings to a settlement.

    Attributes:
        signer: address of the owner or operator who signed.
        signature: over the settlement.
        portfolio: the account's commitments before it, 96 bytes a book: of the books it has touched and of those that
            its legs change, ascending.
        proof: of initial margin of the commitments after it.
        hint: 80 bytes that go with the proof in a batch.
    """

    signer: str
    signature: bytes
    portfolio: tuple[bytes, ...]
    proof: bytes
    hint: bytes

    def as_tuple(self) -> tuple[str, bytes, bytes, bytes, bytes]:
        """For the ABI encoder."""
        return (self.signer, self.signature, b"".join(self.portfolio), self.proof, self.hint)


def check_differences(books: int, differences: Sequence[bytes]) -> None:
    """Check that there is one commitment a book.

    Raises:
        MalformedInputError: there is not, or there is no book.
    """
    check_unsigned("set of books", books, BOOKS_BITS)
    if not books or len(differences) != len(books_in(books)):
        raise MalformedInputError(
            f"{len(differences)} differences for {len(books_in(books))} books: give one a book, and at least one book"
        )
    for point in differences:
        if len(point) != POINT_BYTES:
            raise MalformedInputError(f"a commitment has {POINT_BYTES} bytes, got {len(point)}")
