"""What can happen at the clearing house, as data: the same list of actions drives the model and the chain."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prover.rules.slots import Slot
    from prover.simulation.ghosts import Portfolio
    from prover.simulation.registry_model import Covers
    from verifier.rules.rule_kind import RuleKind


class Tampering(enum.Enum):
    """What an attacker changes of an action before it is sent; its value says so to people."""

    FORGED_PROOF = "another value in the proof"
    FOREIGN_SIGNATURE = "a signature of somebody else"
    WRONG_COMMITMENT = "a commitment that is not the account's"
    OMITTED_BOOK = "a book left out of the proof"
    POINT_OF_ORDER_THREE = "a point outside the subgroup added to the change"


@dataclass(frozen=True, slots=True)
class Publish:
    """A new epoch.

    Attributes:
        snapshot_time: of its market.
        list_version: of the instruments that its rules were built for.
        rule: what its rows say.
        signers: publishers that sign it.
        with_blobs: whether the data of its rows is published.
    """

    snapshot_time: int
    list_version: int
    rule: Covers = field(repr=False)
    signers: int = 2
    with_blobs: bool = True


@dataclass(frozen=True, slots=True)
class ListSlots:
    """Instruments are listed at the next free places of a book.

    Attributes:
        book: the book; the one after the last is opened by this.
        expiries: Unix time in seconds, 0 for what does not expire.
        collateral: places among them of cash, tokens and coins.
        instruments: what they are, for the chain.
    """

    book: int
    expiries: tuple[int, ...]
    collateral: tuple[int, ...] = ()
    instruments: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True)
class Delist:
    """A slot, book·N + position, dies."""

    slot: int


@dataclass(frozen=True, slots=True)
class RetireBook:
    """A book dies, all of whose slots have expired."""

    book: int


@dataclass(frozen=True, slots=True)
class Deposit:
    """An owner deposits into an own account."""

    account: bytes
    token: int
    ticks: int
    tampering: Tampering | None = None


@dataclass(frozen=True, slots=True)
class DepositFor:
    """A third party deposits into an account's inbox."""

    account: bytes
    token: int
    ticks: int


@dataclass(frozen=True, slots=True)
class MergeInbox:
    """An account takes in what is in its inbox; ``caller`` is its owner or an operator."""

    account: bytes
    token: int
    caller: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """An account pays out with a proof of initial margin of what stays; called by its owner."""

    account: bytes
    version: int
    epoch: int
    token: int
    ticks: int
    recipient: str
    tampering: Tampering | None = None


@dataclass(frozen=True, slots=True)
class WithdrawHoldings:
    """A transparent account pays out; no proof, no epoch."""

    account: bytes
    version: int
    token: int
    ticks: int
    recipient: str


@dataclass(frozen=True, slots=True)
class GrantLien:
    """An account grants a lender a part of its collateral, with a proof of initial margin of what stays."""

    account: bytes
    version: int
    epoch: int
    token: int
    ticks: int
    lender: str
    tampering: Tampering | None = None


@dataclass(frozen=True, slots=True)
class ClaimLien:
    """A lender takes collateral that was granted."""

    account: bytes
    token: int
    ticks: int
    lender: str
    recipient: str


@dataclass(frozen=True, slots=True)
class ReleaseLien:
    """A lender gives collateral back, into the account's inbox."""

    account: bytes
    token: int
    ticks: int
    lender: str


@dataclass(frozen=True, slots=True)
class PayQueued:
    """Anyone has a claim paid whose turn it is."""

    token: int
    claim: int


@dataclass(frozen=True, slots=True)
class Exit:
    """An account shows what it holds, collateral tokens and nothing else, and becomes transparent.

    Attributes:
        holdings: ticks that it says it holds of each token.
    """

    account: bytes
    version: int
    holdings: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Leg:
    """A change that goes from one account to another; the receiver's books grow by it. Secret."""

    receiver: bytes
    giver: bytes
    change: Portfolio = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settle:
    """Several accounts trade, all or none.

    Attributes:
        versions: state version of every participant that was agreed on; in the order of the participants.
        nonces: of every participant.
        legs: pairwise.
        epoch: at which all prove initial margin.
        max_epoch: up to which the terms hold.
        deadline: Unix time in seconds.
        signers: address that signs for every participant.
    """

    versions: Mapping[bytes, int]
    nonces: Mapping[bytes, int]
    legs: tuple[Leg, ...]
    epoch: int
    max_epoch: int
    deadline: int
    signers: Mapping[bytes, str]
    tampering: Tampering | None = None


@dataclass(frozen=True, slots=True)
class OpenLeg:
    """A leg that two owners sign by itself; it may be settled with any others, or be dropped."""

    leg: Leg
    receiver_nonce: int
    giver_nonce: int
    max_epoch: int
    deadline: int
    receiver_signer: str
    giver_signer: str


@dataclass(frozen=True, slots=True)
class SettleOpen:
    """Open legs are settled together.

    Attributes:
        versions: present state version of every account of the legs.
        legs: the ones that are left after some were dropped.
        epoch: at which all prove initial margin.
    """

    versions: Mapping[bytes, int]
    legs: tuple[OpenLeg, ...]
    epoch: int
    tampering: Tampering | None = None


@dataclass(frozen=True, slots=True)
class ProveMargin:
    """An account proves that it is covered."""

    account: bytes
    version: int
    epoch: int
    kind: RuleKind
    tampering: Tampering | None = None


@dataclass(frozen=True, slots=True)
class ProveMargins:
    """Several accounts prove that they are covered, in one batch."""

    checks: tuple[ProveMargin, ...]


@dataclass(frozen=True, slots=True)
class SetOperator:
    """An owner lets somebody sign for an account."""

    account: bytes
    operator: str
    valid_until: int


@dataclass(frozen=True, slots=True)
class InvalidateNonces:
    """An owner or operator makes nonces unusable: bit i of ``bits`` is nonce 256·word + i."""

    account: bytes
    word: int
    bits: int
    caller: str


@dataclass(frozen=True, slots=True)
class Pause:
    """The guardian stops what takes risk, for a time."""

    seconds: int
    caller: str


@dataclass(frozen=True, slots=True)
class Unpause:
    """The guardian or the owner ends a pause."""

    caller: str


Action = (
    Publish
    | ListSlots
    | Delist
    | RetireBook
    | Deposit
    | DepositFor
    | MergeInbox
    | Withdraw
    | WithdrawHoldings
    | GrantLien
    | ClaimLien
    | ReleaseLien
    | PayQueued
    | Exit
    | Settle
    | SettleOpen
    | ProveMargin
    | ProveMargins
    | SetOperator
    | InvalidateNonces
    | Pause
    | Unpause
)
