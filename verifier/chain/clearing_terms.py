"""What parties agree on and proofs are bound to, as bytes (twins in contracts/types: Settlement, Vault, AccountId).

Pure: a wallet can compute all of it without a node.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from eth_abi.abi import encode as abi_encode
from eth_account.messages import encode_typed_data
from eth_hash.auto import keccak

from verifier.curve import POINT_BYTES
from verifier.errors import MalformedInputError
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

ADDRESS_BYTES: Final = 20
SUBACCOUNT_BITS: Final = 96
VERSION_BITS: Final = 64
EPOCH_BITS: Final = 32
NO_ACTION: Final = bytes(32)
"""Action of a proof that accompanies nothing but its own record."""

DOMAIN_NAME: Final = "zkmargin ClearingHouse"
DOMAIN_VERSION: Final = "1"

SETTLEMENT_FIELDS: Final = (
    ("first", "bytes32"),
    ("second", "bytes32"),
    ("firstVersion", "uint64"),
    ("secondVersion", "uint64"),
    ("epoch", "uint32"),
    ("deadline", "uint64"),
    ("differences", "bytes"),
)
SETTLEMENT_TYPE: Final = f"Settlement({','.join(f'{kind} {name}' for name, kind in SETTLEMENT_FIELDS)})"

WITHDRAWAL_FIELDS: Final = (
    ("account", "bytes32"),
    ("stateVersion", "uint64"),
    ("epoch", "uint32"),
    ("ticks", "uint64"),
    ("recipient", "address"),
)
WITHDRAWAL_TYPE: Final = f"Withdrawal({','.join(f'{kind} {name}' for name, kind in WITHDRAWAL_FIELDS)})"


def account_id(owner: str, subaccount: int) -> bytes:
    """Identity of an account: 20 bytes of its owner, 12 bytes of its number.

    Raises:
        MalformedInputError: not an address, or a number of more than 96 bits.
    """
    try:
        address = bytes.fromhex(owner.removeprefix("0x"))
    except ValueError as error:
        raise MalformedInputError(f"{owner!r} is no address: give 0x and 40 hexadecimal digits") from error
    if len(address) != ADDRESS_BYTES:
        raise MalformedInputError(f"{owner!r} is no address: give 0x and 40 hexadecimal digits")
    _check_unsigned("sub-account", subaccount, SUBACCOUNT_BITS)
    return address + subaccount.to_bytes(SUBACCOUNT_BITS // 8, "big")


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
        _check_account(self.account)
        _check_unsigned("state version", self.state_version, VERSION_BITS)
        _check_unsigned("epoch", self.epoch, EPOCH_BITS)

    def as_tuple(self) -> tuple[bytes, int, int, int]:
        """For the ABI encoder."""
        return (self.account, self.state_version, self.epoch, int(self.kind))


@dataclass(frozen=True, slots=True)
class Settlement:
    """A hidden trade as both owners sign it.

    Attributes:
        first: account whose commitments grow by the differences, 32 bytes.
        second: account whose commitments shrink by them.
        first_version: state version of the first account before the trade.
        second_version: state version of the second account before the trade.
        epoch: at which both prove initial margin.
        deadline: Unix time in seconds after which the trade is void.
        differences: hiding commitment to the change in every book, 96 bytes each.
    """

    first: bytes
    second: bytes
    first_version: int
    second_version: int
    epoch: int
    deadline: int
    differences: tuple[bytes, ...]

    def __post_init__(self) -> None:
        """Check ranges and lengths."""
        _check_account(self.first)
        _check_account(self.second)
        if self.first == self.second:
            raise MalformedInputError(f"account 0x{self.first.hex()} cannot trade with itself: name two accounts")
        _check_unsigned("state version", self.first_version, VERSION_BITS)
        _check_unsigned("state version", self.second_version, VERSION_BITS)
        _check_unsigned("epoch", self.epoch, EPOCH_BITS)
        _check_unsigned("deadline", self.deadline, VERSION_BITS)
        for point in self.differences:
            if len(point) != POINT_BYTES:
                raise MalformedInputError(f"a commitment has {POINT_BYTES} bytes, got {len(point)}")

    def as_tuple(self) -> tuple[bytes, bytes, int, int, int, int, bytes]:
        """For the ABI encoder."""
        return (
            *(self.first, self.second, self.first_version, self.second_version),
            *(self.epoch, self.deadline, b"".join(self.differences)),
        )

    def check_of(self, account: bytes) -> MarginCheck:
        """What one of the two accounts must prove.

        Raises:
            MalformedInputError: the account is not part of the trade.
        """
        versions = {self.first: self.first_version, self.second: self.second_version}
        if account not in versions:
            raise MalformedInputError(f"account 0x{account.hex()} is not part of this trade")
        return MarginCheck(account, versions[account], self.epoch, RuleKind.INITIAL)

    @property
    def action(self) -> bytes:
        """EIP-712 struct hash, which the proofs are bound to."""
        values = (*self.as_tuple()[:-1], keccak(b"".join(self.differences)))
        types = ["bytes32", *(kind for _, kind in SETTLEMENT_FIELDS[:-1]), "bytes32"]
        return bytes(keccak(abi_encode(types, [keccak(SETTLEMENT_TYPE.encode()), *values])))


@dataclass(frozen=True, slots=True)
class SettlementSide:
    """What one side brings to a trade.

    Attributes:
        portfolio: the account's commitments before the trade, 96 bytes a book.
        proof: of initial margin of the commitments after the trade.
        hint: 80 bytes that go with the proof in a batch.
        signature: of the owner over the settlement.
    """

    portfolio: tuple[bytes, ...]
    proof: bytes
    hint: bytes
    signature: bytes

    def as_tuple(self) -> tuple[bytes, bytes, bytes, bytes]:
        """For the ABI encoder."""
        return (b"".join(self.portfolio), self.proof, self.hint, self.signature)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A withdrawal as its margin proof is bound to it.

    Attributes:
        account: that pays, 32 bytes.
        state_version: of the account before it.
        epoch: at which the account proves initial margin after it.
        ticks: how much.
        recipient: address that gets it.
    """

    account: bytes
    state_version: int
    epoch: int
    ticks: int
    recipient: str

    def __post_init__(self) -> None:
        """Check ranges and the address."""
        _check_account(self.account)
        _check_unsigned("state version", self.state_version, VERSION_BITS)
        _check_unsigned("epoch", self.epoch, EPOCH_BITS)
        _check_unsigned("ticks", self.ticks, VERSION_BITS)
        account_id(self.recipient, 0)

    def as_tuple(self) -> tuple[bytes, int, int, int, str]:
        """For the ABI encoder."""
        return (self.account, self.state_version, self.epoch, self.ticks, self.recipient)

    @property
    def check(self) -> MarginCheck:
        """What the account must prove."""
        return MarginCheck(self.account, self.state_version, self.epoch, RuleKind.INITIAL)

    @property
    def action(self) -> bytes:
        """EIP-712 struct hash, which the proof is bound to."""
        types = ["bytes32", *(kind for _, kind in WITHDRAWAL_FIELDS)]
        return bytes(keccak(abi_encode(types, [keccak(WITHDRAWAL_TYPE.encode()), *self.as_tuple()])))


def proof_context(chain_id: int, house: str, check: MarginCheck, action: bytes = NO_ACTION) -> bytes:
    """The 32 bytes that bind a proof to chain, contract, account, state version, epoch, rule and action."""
    types = ["uint256", "address", "bytes32", "uint64", "uint32", "uint8", "bytes32"]
    return bytes(keccak(abi_encode(types, [chain_id, house, *check.as_tuple(), action])))


def settlement_message(chain_id: int, house: str, settlement: Settlement) -> dict[str, Any]:
    """The EIP-712 document that wallets show and sign."""
    values = dict(zip((name for name, _ in SETTLEMENT_FIELDS), settlement.as_tuple(), strict=True))
    return {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Settlement": [{"name": name, "type": kind} for name, kind in SETTLEMENT_FIELDS],
        },
        "primaryType": "Settlement",
        "domain": {
            "name": DOMAIN_NAME,
            "version": DOMAIN_VERSION,
            "chainId": chain_id,
            "verifyingContract": house,
        },
        "message": values,
    }


def sign_settlement(account: LocalAccount, chain_id: int, house: str, settlement: Settlement) -> bytes:
    """Signature of an owner over a settlement, 65 bytes."""
    message = encode_typed_data(full_message=settlement_message(chain_id, house, settlement))
    return bytes(account.sign_message(message).signature)


def _check_account(account: bytes) -> None:
    if len(account) != ADDRESS_BYTES + SUBACCOUNT_BITS // 8:
        raise MalformedInputError(f"an account's identity has 32 bytes, got {len(account)}")


def _check_unsigned(name: str, value: int, bits: int) -> None:
    if not 0 <= value < 1 << bits:
        raise MalformedInputError(f"{name} {value} is out of range: it must be at least 0 and below 2^{bits}")
