"""What leaves an account, as bytes (twins: contracts/types/Settlement.sol, Vault.sol)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from verifier.chain.clearing_terms import (
    EPOCH_BITS,
    TICKS_BITS,
    TOKEN_BITS,
    VERSION_BITS,
    MarginCheck,
    address_bytes,
    check_account,
    check_unsigned,
)
from verifier.chain.typed_data import TypedStruct
from verifier.rules.rule_kind import RuleKind

WITHDRAWAL_TYPE: Final = TypedStruct(
    "Withdrawal",
    (
        ("account", "bytes32"),
        ("stateVersion", "uint64"),
        ("epoch", "uint32"),
        ("token", "uint8"),
        ("ticks", "uint64"),
        ("recipient", "address"),
    ),
)
LIEN_TYPE: Final = TypedStruct(
    "Lien",
    (
        ("account", "bytes32"),
        ("stateVersion", "uint64"),
        ("epoch", "uint32"),
        ("token", "uint8"),
        ("ticks", "uint64"),
        ("lender", "address"),
    ),
)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A withdrawal as its margin proof is bound to it.

    Attributes:
        account: that pays, 32 bytes.
        state_version: of the account before it.
        epoch: at which the account proves initial margin after it.
        token: which of the vault's tokens.
        ticks: how much.
        recipient: address that gets it.
    """

    account: bytes
    state_version: int
    epoch: int
    token: int
    ticks: int
    recipient: str

    def __post_init__(self) -> None:
        """Check ranges and the address."""
        _check_fields(self)
        address_bytes(self.recipient)

    def as_tuple(self) -> tuple[bytes, int, int, int, int, str]:
        """For the ABI encoder."""
        return (self.account, self.state_version, self.epoch, self.token, self.ticks, self.recipient)

    @property
    def check(self) -> MarginCheck:
        """What the account must prove."""
        return MarginCheck(self.account, self.state_version, self.epoch, RuleKind.INITIAL)

    @property
    def action(self) -> bytes:
        """EIP-712 struct hash, which the proof is bound to."""
        return WITHDRAWAL_TYPE.struct_hash(WITHDRAWAL_TYPE.named(self.as_tuple()))


@dataclass(frozen=True, slots=True)
class Lien:
    """A grant of collateral to a lender, as its margin proof is bound to it: the account's proofs run without it.

    Attributes:
        account: that grants it, 32 bytes.
        state_version: of the account before it.
        epoch: at which the account proves initial margin after it.
        token: which of the vault's tokens.
        ticks: how much.
        lender: address that may claim it.
    """

    account: bytes
    state_version: int
    epoch: int
    token: int
    ticks: int
    lender: str

    def __post_init__(self) -> None:
        """Check ranges and the address."""
        _check_fields(self)
        address_bytes(self.lender)

    def as_tuple(self) -> tuple[bytes, int, int, int, int, str]:
        """For the ABI encoder."""
        return (self.account, self.state_version, self.epoch, self.token, self.ticks, self.lender)

    @property
    def check(self) -> MarginCheck:
        """What the account must prove."""
        return MarginCheck(self.account, self.state_version, self.epoch, RuleKind.INITIAL)

    @property
    def action(self) -> bytes:
        """EIP-712 struct hash, which the proof is bound to."""
        return LIEN_TYPE.struct_hash(LIEN_TYPE.named(self.as_tuple()))


@dataclass(frozen=True, slots=True)
class HoldingsWithdrawal:
    """A withdrawal from a transparent account; nothing is proven, and the state version keeps it from paying twice.

    Attributes:
        account: that pays, 32 bytes.
        state_version: of the account before it.
        token: which of the vault's tokens.
        ticks: how much.
        recipient: address that gets it.
    """

    account: bytes
    state_version: int
    token: int
    ticks: int
    recipient: str

    def __post_init__(self) -> None:
        """Check ranges and the address."""
        _check_fields(self)
        address_bytes(self.recipient)

    def as_tuple(self) -> tuple[bytes, int, int, int, str]:
        """For the ABI encoder."""
        return (self.account, self.state_version, self.token, self.ticks, self.recipient)


@dataclass(frozen=True, slots=True)
class AccountExit:
    """An account shows that it holds public amounts and nothing else.

    Attributes:
        account: identity, 32 bytes.
        state_version: of the account before it.
        holdings: ticks of every token of the vault, in its order.
        portfolio: present commitments of the account's books, 96 bytes each, ascending.
        nonce: first half of the exit proof, 96 bytes.
        response: second half, below the group order.
    """

    account: bytes
    state_version: int
    holdings: tuple[int, ...]
    portfolio: tuple[bytes, ...]
    nonce: bytes
    response: int

    def __post_init__(self) -> None:
        """Check ranges."""
        check_account(self.account)
        check_unsigned("state version", self.state_version, VERSION_BITS)
        for ticks in self.holdings:
            check_unsigned("ticks", ticks, TICKS_BITS)

    def as_tuple(self) -> tuple[bytes, int, list[int], bytes, bytes, int]:
        """For the ABI encoder."""
        points = b"".join(self.portfolio)
        return (self.account, self.state_version, list(self.holdings), points, self.nonce, self.response)


def _check_fields(terms: Withdrawal | Lien | HoldingsWithdrawal) -> None:
    check_account(terms.account)
    check_unsigned("state version", terms.state_version, VERSION_BITS)
    if not isinstance(terms, HoldingsWithdrawal):
        check_unsigned("epoch", terms.epoch, EPOCH_BITS)
    check_unsigned("token", terms.token, TOKEN_BITS)
    check_unsigned("ticks", terms.ticks, TICKS_BITS)
