"""What the chain can see of one account, as typed events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verifier.rules.rule_kind import RuleKind


@dataclass(frozen=True, slots=True)
class DepositSeen:
    """Collateral came into the account.

    Attributes:
        token: which of the vault's tokens.
        ticks: credited.
        state_version: after it.
        from_inbox: whether others had deposited it.
    """

    name: ClassVar[str] = "deposit"

    token: int
    ticks: int
    state_version: int
    from_inbox: bool


@dataclass(frozen=True, slots=True)
class WithdrawalSeen:
    """Collateral left the account.

    Attributes:
        token: which of the vault's tokens.
        recipient: address that gets the tokens.
        ticks: debited.
        state_version: after it.
        claim: number under which it was queued; 0 when it was paid at once.
    """

    name: ClassVar[str] = "withdrawal"

    token: int
    recipient: str
    ticks: int
    state_version: int
    claim: int


@dataclass(frozen=True, slots=True)
class LienSeen:
    """Collateral was set aside for a lender.

    Attributes:
        token: which of the vault's tokens.
        lender: address that may claim it.
        ticks: debited.
        state_version: after it.
    """

    name: ClassVar[str] = "lien"

    token: int
    lender: str
    ticks: int
    state_version: int


@dataclass(frozen=True, slots=True)
class InboxSeen:
    """Somebody paid in for the account, or a lender gave a lien back; it waits to be merged.

    Attributes:
        token: which of the vault's tokens.
        payer: address that paid.
        ticks: how much.
    """

    name: ClassVar[str] = "inbox"

    token: int
    payer: str
    ticks: int


@dataclass(frozen=True, slots=True)
class LienUsed:
    """A lender claimed of a lien, or released it.

    Attributes:
        token: which of the vault's tokens.
        lender: address of the lender.
        ticks: how much.
        released: whether the lender gave it back rather than take it.
    """

    name: ClassVar[str] = "lien used"

    token: int
    lender: str
    ticks: int
    released: bool


@dataclass(frozen=True, slots=True)
class ExitSeen:
    """The account showed what it holds, and that there is nothing else.

    Attributes:
        holdings: ticks of every token of the vault.
        state_version: after it.
    """

    name: ClassVar[str] = "exit"

    holdings: tuple[int, ...]
    state_version: int


@dataclass(frozen=True, slots=True)
class PayoutSeen:
    """A queued withdrawal was paid.

    Attributes:
        token: which of the vault's tokens.
        claim: its number.
        recipient: address that got the tokens.
        ticks: how much.
    """

    name: ClassVar[str] = "payout"

    token: int
    claim: int
    recipient: str
    ticks: int


@dataclass(frozen=True, slots=True)
class TradeSeen:
    """The account traded; what and how much is hidden.

    Attributes:
        counterparties: accounts that it shared a leg with, 32 bytes each.
        legs: number of legs that it took part in.
        epoch: at which all proved initial margin.
        action: digest of what was settled, 32 bytes.
        books: books of its legs, ascending.
    """

    name: ClassVar[str] = "trade"

    counterparties: tuple[bytes, ...]
    legs: int
    epoch: int
    action: bytes
    books: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ProofSeen:
    """The account proved that it is covered.

    Attributes:
        epoch: at whose prices.
        kind: rule that it fulfils.
    """

    name: ClassVar[str] = "proof"

    epoch: int
    kind: RuleKind


@dataclass(frozen=True, slots=True)
class EpochSeen:
    """New rules became active.

    Attributes:
        epoch: number.
        snapshot_time: Unix time of its market snapshot, in seconds.
        rule_digest: digest of its rule file, 32 bytes.
    """

    name: ClassVar[str] = "epoch"

    epoch: int
    snapshot_time: int
    rule_digest: bytes


@dataclass(frozen=True, slots=True)
class OtherSeen:
    """Another event of the clearing house that names the account.

    Attributes:
        name: in the contract.
        values: by name.
    """

    name: str
    values: Mapping[str, Any]


Seen = (
    DepositSeen
    | WithdrawalSeen
    | LienSeen
    | InboxSeen
    | LienUsed
    | ExitSeen
    | PayoutSeen
    | TradeSeen
    | ProofSeen
    | EpochSeen
    | OtherSeen
)


def names_account(values: Mapping[str, Any], account: bytes) -> bool:
    """Whether an event is about an account; its bytes may stand in other values too, whoever put them there.

    Args:
        values: of the event by name.
        account: identity, 32 bytes.
    """
    return account == values.get("account") or account in values.get("accounts", ())


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One thing that the chain saw, and where it stands.

    Attributes:
        block_number: height.
        block_hash: 32 bytes.
        log_index: place in the block.
        transaction_hash: 32 bytes.
        seen: what it was.
    """

    block_number: int
    block_hash: bytes
    log_index: int
    transaction_hash: bytes
    seen: Seen
