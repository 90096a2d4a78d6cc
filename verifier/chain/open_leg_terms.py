"""Hidden trades that settle with any others or without them, as bytes (twin: contracts/types/Settlement.sol)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from eth_hash.auto import keccak

from verifier.chain.clearing_terms import EPOCH_BITS, VERSION_BITS, check_account, check_unsigned, house_domain
from verifier.chain.settlement_terms import NONCE_BITS, check_differences
from verifier.chain.typed_data import TypedStruct
from verifier.errors import MalformedInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eth_account.signers.local import LocalAccount

OPEN_LEG_TYPE: Final = TypedStruct(
    "OpenLeg",
    (
        ("receiver", "bytes32"),
        ("giver", "bytes32"),
        ("receiverNonce", "uint256"),
        ("giverNonce", "uint256"),
        ("books", "uint32"),
        ("maxEpoch", "uint32"),
        ("deadline", "uint64"),
        ("differences", "bytes"),
    ),
)


@dataclass(frozen=True, slots=True)
class OpenLeg:
    """A trade of two accounts that may be settled with any others, or without them.

    Attributes:
        receiver: account whose commitments grow by the differences, 32 bytes.
        giver: account whose commitments shrink by them.
        receiver_nonce: number that the receiver's owner has not used yet.
        giver_nonce: the same of the giver's.
        books: bitmap of the books that change.
        max_epoch: last epoch at which they may prove initial margin.
        deadline: Unix time in seconds after which the leg is void.
        differences: hiding commitment to the change in each of these books, 96 bytes each, ascending by book.
    """

    receiver: bytes
    giver: bytes
    receiver_nonce: int
    giver_nonce: int
    books: int
    max_epoch: int
    deadline: int
    differences: tuple[bytes, ...]

    def __post_init__(self) -> None:
        """Check ranges and lengths."""
        check_account(self.receiver)
        check_account(self.giver)
        if self.receiver == self.giver:
            raise MalformedInputError(f"account 0x{self.giver.hex()} cannot trade with itself: name two accounts")
        check_unsigned("nonce", self.receiver_nonce, NONCE_BITS)
        check_unsigned("nonce", self.giver_nonce, NONCE_BITS)
        check_unsigned("epoch", self.max_epoch, EPOCH_BITS)
        check_unsigned("deadline", self.deadline, VERSION_BITS)
        check_differences(self.books, self.differences)

    def as_tuple(self) -> tuple[bytes, bytes, int, int, int, int, int, bytes]:
        """For the ABI encoder."""
        return (
            *(self.receiver, self.giver, self.receiver_nonce, self.giver_nonce),
            *(self.books, self.max_epoch, self.deadline, b"".join(self.differences)),
        )

    def values(self) -> dict[str, Any]:
        """As the members of the signed document."""
        return OPEN_LEG_TYPE.named(self.as_tuple())

    @property
    def leg_hash(self) -> bytes:
        """EIP-712 struct hash, 32 bytes."""
        return OPEN_LEG_TYPE.struct_hash(self.values())

    def document(self, chain_id: int, house: str) -> dict[str, Any]:
        """The EIP-712 document that wallets show and sign."""
        return OPEN_LEG_TYPE.document(house_domain(chain_id, house), self.values())

    def sign(self, signer: LocalAccount, chain_id: int, house: str) -> bytes:
        """Signature of an owner or operator of one of its accounts, 65 bytes."""
        return OPEN_LEG_TYPE.sign(signer, house_domain(chain_id, house), self.values())


@dataclass(frozen=True, slots=True)
class OpenLegSignatures:
    """Who signed an open leg.

    Attributes:
        receiver_signer: address of the receiver's owner or operator.
        receiver_signature: over the leg.
        giver_signer: address of the giver's owner or operator.
        giver_signature: over the leg.
    """

    receiver_signer: str
    receiver_signature: bytes
    giver_signer: str
    giver_signature: bytes

    def as_tuple(self) -> tuple[str, bytes, str, bytes]:
        """For the ABI encoder."""
        return (self.receiver_signer, self.receiver_signature, self.giver_signer, self.giver_signature)


@dataclass(frozen=True, slots=True)
class OpenSide:
    """What one account brings to the settlement of open legs.

    Attributes:
        account: identity, 32 bytes.
        state_version: of the account before it.
        portfolio: the account's commitments before it, 96 bytes a book: of the books it has touched and of those that
            the legs change, ascending.
        proof: of initial margin of the commitments after all legs.
        hint: 80 bytes that go with the proof in a batch.
    """

    account: bytes
    state_version: int
    portfolio: tuple[bytes, ...]
    proof: bytes
    hint: bytes

    def as_tuple(self) -> tuple[bytes, int, bytes, bytes, bytes]:
        """For the ABI encoder."""
        return (self.account, self.state_version, b"".join(self.portfolio), self.proof, self.hint)


def netting_action(legs: Sequence[OpenLeg]) -> bytes:
    """What the proofs of a settlement of open legs are bound to: keccak256 of the legs' struct hashes, in order."""
    return bytes(keccak(b"".join(leg.leg_hash for leg in legs)))
