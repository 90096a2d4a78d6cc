"""Withdrawals: public amounts of collateral that leave an account, are paid at once or wait in the vault's queue.

A transparent account, one that has never traded or has left, gives back what it holds without a proof. Any other proves
initial margin of what stays; the proof is bound to token, amount and recipient. The opening after it is on the disk
before anything is signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eth_utils.address import is_checksum_address, is_hex_address, to_checksum_address

from prover.account.account_session import portfolio_of
from prover.account.collateral import find_collateral
from prover.account.proving import evidence_of, prove_opening
from prover.account.wallet_records import Change
from prover.errors import WithdrawalError
from verifier.chain.account_state import AccountStatus
from verifier.chain.contract_interface import contract_interface
from verifier.chain.withdrawal_terms import HoldingsWithdrawal, Lien, Withdrawal

if TYPE_CHECKING:
    from decimal import Decimal

    from prover.account.account_session import AccountSession
    from prover.account.collateral import Collateral
    from prover.account.venue import Venue
    from prover.account.wallet_records import AccountRecord, Opening
    from prover.rules.rule_book import EpochRules
    from verifier.chain.account_state import AccountState
    from verifier.chain.chain_client import Receipt
    from verifier.chain.clearing_terms import MarginEvidence
    from verifier.chain.vault_state import WithdrawalClaim

EVENT: Final = "Withdrawn"


@dataclass(frozen=True, slots=True)
class PreparedWithdrawal:
    """A withdrawal ready to be sent; nothing in it is secret.

    Attributes:
        terms: account, token, amount and recipient.
        collateral: the token.
        evidence: commitments and proof of initial margin after it; ``None`` where no proof is needed.
        commitment: of book 0 before it, 96 bytes.
    """

    terms: Withdrawal | HoldingsWithdrawal
    collateral: Collateral
    evidence: MarginEvidence | None
    commitment: bytes


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What became of a withdrawal.

    Attributes:
        receipt: of the transaction.
        ticks: that left the account.
        claim: number of the claim that was queued; ``None`` when the tokens were paid at once.
    """

    receipt: Receipt
    ticks: int
    claim: int | None


@dataclass(frozen=True, slots=True)
class QueuedClaim:
    """A withdrawal of an account that waits.

    Attributes:
        token: its number in the vault.
        claim: amount, recipient and place in the queue.
    """

    token: int
    claim: WithdrawalClaim


def checked_address(address: str) -> str:
    """The address in checksum form.

    Raises:
        WithdrawalError: no address, or one whose checksum does not fit: most likely a typing error.
    """
    has_digits = is_hex_address(address) and address.startswith("0x")
    is_plain = address[2:] in (address[2:].lower(), address[2:].upper())
    if not has_digits or not (is_plain or is_checksum_address(address)):
        raise WithdrawalError(
            f"{address!r} is no address, or its checksum is wrong: give 0x and 40 hexadecimal digits, copied as shown"
        )
    return to_checksum_address(address)


def prepare_withdrawal(
    session: AccountSession, amount: Decimal, recipient: str, rules: EpochRules | None, token: str | None = None
) -> PreparedWithdrawal:
    """Prove what has to be proven, and save the opening after the withdrawal.

    Args:
        session: of the owner of the account that pays.
        amount: tokens.
        recipient: address that gets them.
        rules: of the active epoch; ``None`` will do for a transparent account.
        token: name, number or address; the quote collateral by default.

    Raises:
        CollateralError: no such token, or no such amount of it.
        WithdrawalError: no such recipient, more than there is, or rules are needed.
        InsufficientMarginError: what stays would not be covered.
        OperatorError: the account is not the signer's.
        EarlierChangeError: what an earlier run began has happened.
        WalletOutOfDateError: the chain holds a commitment that the wallet has no opening of.
    """
    venue = session.venue
    session.owned()
    receiver, collateral = checked_address(recipient), find_collateral(venue, token)
    ticks = collateral.ticks(amount, "withdrawal")
    record, state = session.begin()
    _require_held(venue, session.account, state, collateral, ticks)
    after = record.current.credited(collateral.slot, -ticks)
    commitment = session.commitments(record.current, (0,))[0]
    key = (session.account, state.state_version)
    terms: Withdrawal | HoldingsWithdrawal
    if state.status is AccountStatus.TRANSPARENT:
        terms = HoldingsWithdrawal(*key, collateral.number, ticks, receiver)
        prepared = PreparedWithdrawal(terms, collateral, None, commitment)
    else:
        if rules is None:
            raise WithdrawalError("this account has traded, so that it proves margin: give the market (--market)")
        terms = Withdrawal(*key, rules.header.epoch, collateral.number, ticks, receiver)
        evidence = proven_debit(session, rules, terms, record=record, after=after, state=state)
        prepared = PreparedWithdrawal(terms, collateral, evidence, commitment)
    session.wallet.save(record.with_change(Change(kind="withdrawal", base_version=state.state_version, after=after)))
    return prepared


def submit_withdrawal(session: AccountSession, prepared: PreparedWithdrawal) -> Withdrawn:
    """Send a withdrawal, and follow it in the wallet.

    Raises:
        ContractRevertedError: house, vault or verifier refused, by a named error.
    """
    house, terms, owner = session.venue.house, prepared.terms, session.owned()
    if isinstance(terms, HoldingsWithdrawal):
        receipt = house.withdraw_holdings(owner, terms, prepared.commitment)
    elif prepared.evidence is None:
        raise WithdrawalError("this withdrawal has no proof: prepare it with the rules of the active epoch")
    else:
        receipt = house.withdraw(owner, terms, prepared.evidence)
    session.refresh()
    return Withdrawn(receipt, terms.ticks, _claim_in(receipt))


def proven_debit(
    session: AccountSession,
    rules: EpochRules,
    terms: Withdrawal | Lien,
    *,
    record: AccountRecord,
    after: Opening,
    state: AccountState,
) -> MarginEvidence:
    """Prove initial margin of what stays, bound to what leaves."""
    portfolio_of(record, record.current, rules.slots)
    made = prove_opening(session, rules, after, terms.check, books=state.books, action=terms.action)
    return evidence_of(session, made, before=record.current, books=state.books)


def queued_claims(venue: Venue, account: bytes) -> tuple[QueuedClaim, ...]:
    """Claims of an account that are not paid yet, oldest first."""
    interface = contract_interface("ClearingHouse")
    logs = venue.events.logs(venue.deployment.house, [interface.event_topic(EVENT), account])
    events = [interface.decode_event(EVENT, log) for log in logs]
    numbers = [(int(event["token"]), int(event["claim"])) for event in events if event["claim"]]
    found = ((token, venue.vault.claim(token, number)) for token, number in numbers)
    return tuple(QueuedClaim(token, claim) for token, claim in found if claim is not None)


def _require_held(venue: Venue, account: bytes, state: AccountState, collateral: Collateral, ticks: int) -> None:
    """Before anything is proven or written: what house or vault would refuse whatever the proof."""
    if state.status is AccountStatus.TRANSPARENT:
        held = venue.house.holdings(account, collateral.number)
        if ticks > held:
            raise WithdrawalError(
                f"a withdrawal of {ticks} ticks is more than the {held} ticks of {collateral.name} that the account "
                "holds: withdraw less"
            )
    held = venue.vault.vault_state(collateral.number).net_deposits - venue.vault.kept_apart(collateral.number)
    if ticks > held:
        raise WithdrawalError(
            f"a withdrawal of {ticks} ticks is more than the {held} ticks of {collateral.name} that the clearing house "
            "holds for its accounts: withdraw less"
        )


def _claim_in(receipt: Receipt) -> int | None:
    """Number of the claim that a withdrawal's event names."""
    interface = contract_interface("ClearingHouse")
    topic = interface.event_topic(EVENT)
    events = [interface.decode_event(EVENT, log) for log in receipt.logs if log.topics[0] == topic]
    return int(events[0]["claim"]) or None
