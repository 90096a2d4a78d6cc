"""What the chain has seen of one account, in typed rows, from the events of house, vault and registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from eth_utils.address import to_checksum_address

from verifier.books import books_in
from verifier.chain.account_events import (
    DepositSeen,
    EpochSeen,
    ExitSeen,
    HistoryRow,
    InboxSeen,
    LienSeen,
    LienUsed,
    OtherSeen,
    PayoutSeen,
    ProofSeen,
    TradeSeen,
    WithdrawalSeen,
    names_account,
)
from verifier.chain.contract_interface import contract_interface
from verifier.chain.epochs import EpochHeader
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from verifier.chain.account_events import Seen
    from verifier.chain.contract_interface import EventLog
    from verifier.chain.event_index import EventIndex

HOUSE: Final = "ClearingHouse"
VAULT: Final = "CollateralVault"
WORD_BYTES: Final = 32


def account_history(
    index: EventIndex, account: bytes, *, house: str, vault: str, registry: str
) -> tuple[HistoryRow, ...]:
    """All that names an account, and the epochs since its first event, oldest first.

    Args:
        index: events of the three contracts.
        account: identity, 32 bytes.
        house: address of the clearing house.
        vault: address of its vault.
        registry: address of the rule registry.

    Raises:
        ChainError: as :meth:`verifier.chain.event_index.EventIndex.follow`.
        DeploymentError: an event is not what the contract would write.
    """
    sources = ((HOUSE, house), (VAULT, vault))
    rows = [
        _row(log, seen)
        for name, address in sources
        for log in index.logs_naming(address, account)
        if (seen := _seen_of(name, log, account)) is not None
    ]
    if not rows:
        return ()
    begin = min(row.block_number for row in rows)
    epoch_topic = contract_interface("RuleRegistry").event_topic("EpochPublished")
    epochs = [log for log in index.logs(registry, [epoch_topic]) if log.block_number >= begin]
    rows += [row for token, claim in _claims(rows) for row in _payouts(index, vault, token, claim)]
    rows += [_row(log, _epoch_of(log)) for log in epochs]
    return tuple(sorted(rows, key=lambda row: (row.block_number, row.log_index)))


def _claims(rows: Sequence[HistoryRow]) -> list[tuple[int, int]]:
    """Token and number of the withdrawals that were queued."""
    seen = (row.seen for row in rows)
    return [(event.token, event.claim) for event in seen if isinstance(event, WithdrawalSeen) and event.claim]


def _payouts(index: EventIndex, vault: str, token: int, claim: int) -> list[HistoryRow]:
    interface = contract_interface(VAULT)
    topics = [interface.event_topic("ClaimPaid"), token.to_bytes(32, "big"), claim.to_bytes(32, "big")]
    return [_row(log, _payout_of(interface.decode_event("ClaimPaid", log))) for log in index.logs(vault, topics)]


def _row(log: EventLog, seen: Seen) -> HistoryRow:
    return HistoryRow(log.block_number, log.block_hash, log.log_index, log.transaction_hash, seen)


def _seen_of(contract: str, log: EventLog, account: bytes) -> Seen | None:
    """What an event says of an account; ``None`` where it says nothing of it, though its bytes stand there."""
    interface = contract_interface(contract)
    name = interface.event_names().get(log.topics[0])
    if name is None:
        return OtherSeen("0x" + log.topics[0].hex(), {"data": log.data}) if account in _words(log) else None
    values = interface.decode_event(name, log)
    if not names_account(values, account):
        return None
    typed = _TYPED.get(name)
    return OtherSeen(name, values) if typed is None else typed(values, account)


def _words(log: EventLog) -> tuple[bytes, ...]:
    """Topics after the first, and the values that are not indexed, 32 bytes each."""
    return (*log.topics[1:], *(log.data[at : at + WORD_BYTES] for at in range(0, len(log.data), WORD_BYTES)))


def _deposit_of(values: Mapping[str, Any], _account: bytes) -> Seen:
    return DepositSeen(values["token"], values["ticks"], values["stateVersion"], from_inbox=False)


def _merge_of(values: Mapping[str, Any], _account: bytes) -> Seen:
    return DepositSeen(values["token"], values["ticks"], values["stateVersion"], from_inbox=True)


def _withdrawal_of(values: Mapping[str, Any], _account: bytes) -> Seen:
    recipient = to_checksum_address(values["recipient"])
    return WithdrawalSeen(values["token"], recipient, values["ticks"], values["stateVersion"], values["claim"])


def _lien_of(values: Mapping[str, Any], _account: bytes) -> Seen:
    return LienSeen(values["token"], to_checksum_address(values["lender"]), values["ticks"], values["stateVersion"])


def _inbox_of(values: Mapping[str, Any], _account: bytes) -> Seen:
    return InboxSeen(values["token"], to_checksum_address(values["payer"]), values["ticks"])


def _lien_claim_of(values: Mapping[str, Any], _account: bytes) -> Seen:
    return LienUsed(values["token"], to_checksum_address(values["lender"]), values["ticks"], released=False)


def _lien_release_of(values: Mapping[str, Any], _account: bytes) -> Seen:
    return LienUsed(values["token"], to_checksum_address(values["lender"]), values["ticks"], released=True)


def _exit_of(values: Mapping[str, Any], _account: bytes) -> Seen:
    return ExitSeen(tuple(values["holdings"]), values["stateVersion"])


def _payout_of(values: Mapping[str, Any]) -> PayoutSeen:
    return PayoutSeen(values["token"], values["claim"], to_checksum_address(values["recipient"]), values["ticks"])


def _trade_of(values: Mapping[str, Any], account: bytes) -> Seen:
    accounts: Sequence[bytes] = values["accounts"]
    place = accounts.index(account)
    legs = [(receiver, giver, books) for receiver, giver, books, _ in values["legs"] if place in (receiver, giver)]
    others = sorted({receiver if giver == place else giver for receiver, giver, _ in legs})
    touched = 0
    for _, _, books in legs:
        touched |= books
    return TradeSeen(
        counterparties=tuple(accounts[other] for other in others),
        legs=len(legs),
        epoch=values["epoch"],
        action=values["action"],
        books=books_in(touched),
    )


def _proof_of(values: Mapping[str, Any], _account: bytes) -> Seen:
    return ProofSeen(values["epoch"], RuleKind(values["kind"]))


def _epoch_of(log: EventLog) -> EpochSeen:
    values = contract_interface("RuleRegistry").decode_event("EpochPublished", log)
    header = EpochHeader(*values["header"])
    return EpochSeen(header.epoch, header.snapshot_time, header.rule_digest)


_TYPED: Final[Mapping[str, Callable[[Mapping[str, Any], bytes], Seen]]] = {
    "Deposited": _deposit_of,
    "InboxMerged": _merge_of,
    "Withdrawn": _withdrawal_of,
    "LienGranted": _lien_of,
    "Exited": _exit_of,
    "Settled": _trade_of,
    "MarginProven": _proof_of,
    "InboxCredited": _inbox_of,
    "LienClaimed": _lien_claim_of,
    "LienReleased": _lien_release_of,
}
