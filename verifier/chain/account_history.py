"""What the chain has seen of one account, in typed rows, from the events of clearing house and registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from eth_utils.address import to_checksum_address

from verifier.chain.contract_interface import contract_interface
from verifier.chain.registry_client import EpochHeader
from verifier.curve import POINT_BYTES
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from verifier.chain.contract_interface import EventLog
    from verifier.chain.event_index import EventIndex


@dataclass(frozen=True, slots=True)
class DepositSeen:
    """Collateral was deposited.

    Attributes:
        ticks: credited.
        deposited: ticks deposited so far, less those withdrawn.
        state_version: after it.
    """

    name: ClassVar[str] = "deposit"

    ticks: int
    deposited: int
    state_version: int


@dataclass(frozen=True, slots=True)
class WithdrawalSeen:
    """Collateral left the account.

    Attributes:
        recipient: address that gets the tokens.
        ticks: debited.
        deposited: ticks deposited so far, less those withdrawn.
        state_version: after it.
        claim: number under which it was queued; 0 when it was paid at once.
    """

    name: ClassVar[str] = "withdrawal"

    recipient: str
    ticks: int
    deposited: int
    state_version: int
    claim: int


@dataclass(frozen=True, slots=True)
class PayoutSeen:
    """A queued withdrawal was paid.

    Attributes:
        claim: its number.
        recipient: address that got the tokens.
        ticks: how much.
    """

    name: ClassVar[str] = "payout"

    claim: int
    recipient: str
    ticks: int


@dataclass(frozen=True, slots=True)
class TradeSeen:
    """The account traded; what and how much is hidden.

    Attributes:
        counterparty: the other account, 32 bytes.
        is_first: whether its commitments grew by the differences, rather than shrank.
        epoch: at which both proved initial margin.
        settlement: digest of what both signed, 32 bytes.
        books: number of books of the differences.
    """

    name: ClassVar[str] = "trade"

    counterparty: bytes
    is_first: bool
    epoch: int
    settlement: bytes
    books: int


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


Seen = DepositSeen | WithdrawalSeen | PayoutSeen | TradeSeen | ProofSeen | EpochSeen | OtherSeen


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


def account_history(index: EventIndex, house: str, registry: str, account: bytes) -> tuple[HistoryRow, ...]:
    """All that names an account, and the epochs since its first event, oldest first.

    Args:
        index: events of both contracts.
        house: address of the clearing house.
        registry: address of the rule registry.
        account: identity, 32 bytes.

    Raises:
        ChainError: as :meth:`verifier.chain.event_index.EventIndex.follow`.
        DeploymentError: an event is not what the contract would write.
    """
    own = index.logs_naming(house, account)
    if not own:
        return ()
    begin = own[0].block_number
    epoch_topic = contract_interface("RuleRegistry").event_topic("EpochPublished")
    epochs = [log for log in index.logs(registry, [epoch_topic]) if log.block_number >= begin]
    rows = [_row(log, _seen_of(log, account)) for log in own]
    rows += [row for claim in _claims(rows) for row in _payouts(index, house, claim)]
    rows += [_row(log, _epoch_of(log)) for log in epochs]
    return tuple(sorted(rows, key=lambda row: (row.block_number, row.log_index)))


def _claims(rows: Sequence[HistoryRow]) -> list[int]:
    """Numbers of the withdrawals that were queued."""
    return [row.seen.claim for row in rows if isinstance(row.seen, WithdrawalSeen) and row.seen.claim]


def _payouts(index: EventIndex, house: str, claim: int) -> list[HistoryRow]:
    interface = contract_interface("ClearingHouse")
    logs = index.logs(house, [interface.event_topic("ClaimPaid"), claim.to_bytes(32, "big")])
    return [_row(log, _payout_of(interface.decode_event("ClaimPaid", log))) for log in logs]


def _row(log: EventLog, seen: Seen) -> HistoryRow:
    return HistoryRow(log.block_number, log.block_hash, log.log_index, log.transaction_hash, seen)


def _seen_of(log: EventLog, account: bytes) -> Seen:
    house = contract_interface("ClearingHouse")
    name = house.event_names().get(log.topics[0])
    if name is None:
        return OtherSeen("0x" + log.topics[0].hex(), {"data": log.data})
    values = house.decode_event(name, log)
    typed = _TYPED.get(name)
    return OtherSeen(name, values) if typed is None else typed(values, account)


def _deposit_of(values: Mapping[str, Any], _account: bytes) -> Seen:
    return DepositSeen(values["ticks"], values["deposited"], values["stateVersion"])


def _withdrawal_of(values: Mapping[str, Any], _account: bytes) -> Seen:
    recipient = to_checksum_address(values["recipient"])
    return WithdrawalSeen(recipient, values["ticks"], values["deposited"], values["stateVersion"], values["claim"])


def _payout_of(values: Mapping[str, Any]) -> PayoutSeen:
    return PayoutSeen(values["claim"], to_checksum_address(values["recipient"]), values["ticks"])


def _trade_of(values: Mapping[str, Any], account: bytes) -> Seen:
    is_first = values["first"] == account
    return TradeSeen(
        counterparty=values["second" if is_first else "first"],
        is_first=is_first,
        epoch=values["epoch"],
        settlement=values["settlement"],
        books=len(values["differences"]) // POINT_BYTES,
    )


def _proof_of(values: Mapping[str, Any], _account: bytes) -> Seen:
    return ProofSeen(values["epoch"], RuleKind(values["kind"]))


def _epoch_of(log: EventLog) -> EpochSeen:
    values = contract_interface("RuleRegistry").decode_event("EpochPublished", log)
    header = EpochHeader(*values["header"])
    return EpochSeen(header.epoch, header.snapshot_time, header.rule_digest)


_TYPED: Mapping[str, Callable[[Mapping[str, Any], bytes], Seen]] = {
    "Deposited": _deposit_of,
    "Withdrawn": _withdrawal_of,
    "Settled": _trade_of,
    "MarginProven": _proof_of,
}
