"""Accounts, margin checks, the contexts of proofs, as bytes (twins: contracts/types/AccountId.sol, AccountState.sol).

Settlements and withdrawals have modules of their own. Pure: a wallet can compute all of it without a node.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eth_abi.abi import encode as abi_encode
from eth_hash.auto import keccak

from verifier.chain.typed_data import SigningDomain
from verifier.errors import MalformedInputError

if TYPE_CHECKING:
    from verifier.rules.rule_kind import RuleKind

ADDRESS_BYTES: Final = 20
ACCOUNT_BYTES: Final = 32
SUBACCOUNT_BITS: Final = 96
VERSION_BITS: Final = 64
TICKS_BITS: Final = 64
EPOCH_BITS: Final = 32
TOKEN_BITS: Final = 8
NO_ACTION: Final = bytes(32)
"""Action of a proof that accompanies nothing but its own record."""

EXIT_LABEL: Final = b"zkmargin exit"

DOMAIN_NAME: Final = "zkmargin ClearingHouse"
DOMAIN_VERSION: Final = "1"


def account_id(owner: str, subaccount: int) -> bytes:
    """Identity of an account: 20 bytes of its owner, 12 bytes of its number.

    Raises:
        MalformedInputError: not an address, or a number of more than 96 bits.
    """
    check_unsigned("sub-account", subaccount, SUBACCOUNT_BITS)
    return address_bytes(owner) + subaccount.to_bytes(SUBACCOUNT_BITS // 8, "big")


def address_bytes(address: str) -> bytes:
    """The 20 bytes of an address.

    Raises:
        MalformedInputError: it is none.
    """
    try:
        decoded = bytes.fromhex(address.removeprefix("0x"))
    except ValueError as error:
        raise MalformedInputError(f"{address!r} is no address: give 0x and 40 hexadecimal digits") from error
    if len(decoded) != ADDRESS_BYTES:
        raise MalformedInputError(f"{address!r} is no address: give 0x and 40 hexadecimal digits")
    return decoded


@dataclass(frozen=True, slots=True)
class MarginCheck:
    """What a margin proof is asked for.

    Attributes:
        account: identity, 32 bytes.
        state_version: state version that the proof is made for.
        epoch: whose rule.
        kind: which of its rules.
    """

    account: bytes
    state_version: int
    epoch: int
    kind: RuleKind

    def __post_init__(self) -> None:
        """Check ranges."""
        check_account(self.account)
        check_unsigned("state version", self.state_version, VERSION_BITS)
        check_unsigned("epoch", self.epoch, EPOCH_BITS)

    def as_tuple(self) -> tuple[bytes, int, int, int]:
        """For the ABI encoder."""
        return (self.account, self.state_version, self.epoch, int(self.kind))


@dataclass(frozen=True, slots=True)
class MarginEvidence:
    """What shows that an account is covered.

    Attributes:
        portfolio: commitments of the books that the proof covers, 96 bytes each, ascending by book.
        proof: margin proof.
        hint: what goes with it; 80 bytes in a batch.
    """

    portfolio: tuple[bytes, ...]
    proof: bytes
    hint: bytes

    def as_tuple(self) -> tuple[bytes, bytes, bytes]:
        """For the ABI encoder."""
        return (b"".join(self.portfolio), self.proof, self.hint)


def proof_context(chain_id: int, house: str, check: MarginCheck, action: bytes = NO_ACTION) -> bytes:
    """The 32 bytes that bind a proof to chain, contract, account, state version, epoch, rule and action."""
    types = ["uint256", "address", "bytes32", "uint64", "uint32", "uint8", "bytes32"]
    return bytes(keccak(abi_encode(types, [chain_id, house, *check.as_tuple(), action])))


def exit_context(chain_id: int, house: str, account: bytes, state_version: int) -> bytes:
    """The 32 bytes that bind an exit proof to chain, contract, account and state version."""
    check_account(account)
    check_unsigned("state version", state_version, VERSION_BITS)
    types = ["bytes32", "uint256", "address", "bytes32", "uint64"]
    return bytes(keccak(abi_encode(types, [keccak(EXIT_LABEL), chain_id, house, account, state_version])))


def house_domain(chain_id: int, house: str) -> SigningDomain:
    """What separates signatures for this clearing house from all others."""
    return SigningDomain(DOMAIN_NAME, DOMAIN_VERSION, chain_id, house)


def check_account(account: bytes) -> None:
    """Check the length of an account's identity.

    Raises:
        MalformedInputError: not 32 bytes.
    """
    if len(account) != ACCOUNT_BYTES:
        raise MalformedInputError(f"an account's identity has {ACCOUNT_BYTES} bytes, got {len(account)}")


def check_unsigned(name: str, value: int, bits: int) -> None:
    """Check that a number fits its place.

    Raises:
        MalformedInputError: negative, or too many bits.
    """
    if not 0 <= value < 1 << bits:
        raise MalformedInputError(f"{name} {value} is out of range: it must be at least 0 and below 2^{bits}")
