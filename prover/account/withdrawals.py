"""Withdrawals: public amounts of collateral that leave an account, are paid at once or wait in the house's queue.

An account that has never traded gives back deposits without a proof. Any other proves initial margin of what stays;
the proof is bound to amount and recipient. The opening after it is on the disk before anything is signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from eth_utils.address import is_checksum_address, is_hex_address, to_checksum_address

from prover.account.account_session import portfolio_of
from prover.account.deposits import credited, whole_ticks
from prover.account.proving import prove_opening
from prover.account.wallet_records import Change
from prover.errors import WithdrawalError
from verifier.calldata import claim_hint
from verifier.chain.clearing_terms import Withdrawal
from verifier.chain.contract_interface import contract_interface
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from decimal import Decimal

    from prover.account.account_session import AccountSession
    from prover.account.venue import Venue
    from prover.account.wallet_records import Opening
    from prover.rules.rule_book import EpochRules
    from verifier.chain.chain_client import Receipt
    from verifier.chain.house_client import AccountState
    from verifier.chain.vault_state import WithdrawalClaim

EVENT = "Withdrawn"


@dataclass(frozen=True, slots=True)
class PreparedWithdrawal:
    """A withdrawal ready to be sent; nothing in it is secret.

    Attributes:
        terms: account, amount and recipient; epoch 0 where no proof is needed.
        portfolio: present commitments, 96 bytes a book; empty where no proof is needed.
        proof: of initial margin after it, if one is needed.
        hint: goes with the proof.
    """

    terms: Withdrawal
    portfolio: tuple[bytes, ...] = ()
    proof: bytes = b""
    hint: bytes = b""


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


def withdrawal_ticks(amount: Decimal, venue: Venue) -> int:
    """Whole ticks of an amount in quote currency.

    Raises:
        WithdrawalError: not positive, not finite, or no multiple of the tick.
    """
    return whole_ticks(amount, venue.shape, what="withdrawal", error=WithdrawalError)


def checked_recipient(recipient: str) -> str:
    """The address in checksum form.

    Raises:
        WithdrawalError: no address, or one whose checksum does not fit: most likely a typing error.
    """
    has_digits = is_hex_address(recipient) and recipient.startswith("0x")
    is_plain = recipient[2:] in (recipient[2:].lower(), recipient[2:].upper())
    if not has_digits or not (is_plain or is_checksum_address(recipient)):
        raise WithdrawalError(
            f"{recipient!r} is no address, or its checksum is wrong: give 0x and 40 hexadecimal digits, copied as shown"
        )
    return to_checksum_address(recipient)


def prepare_withdrawal(
    session: AccountSession, amount: Decimal, recipient: str, rules: EpochRules | None
) -> PreparedWithdrawal:
    """Prove what has to be proven, and save the opening after the withdrawal.

    Args:
        session: account that pays.
        amount: quote currency.
        recipient: address that gets it.
        rules: of the active epoch; ``None`` will do for an account that has never traded.

    Raises:
        WithdrawalError: no such amount or recipient, more than there is, or rules are needed.
        InsufficientMarginError: what stays would not be covered.
        WalletOutOfDateError: the chain holds a commitment that the wallet has no opening of.
    """
    ticks, receiver = withdrawal_ticks(amount, session.venue), checked_recipient(recipient)
    record, state = session.refresh()
    _require_possible(session, state, ticks)
    after = credited(record, session.venue.house.collateral_slot(), -ticks)
    terms = Withdrawal(session.account, state.state_version, 0, ticks, receiver)
    prepared = PreparedWithdrawal(terms)
    if state.hidden:
        if rules is None:
            raise WithdrawalError("this account has traded, so that it proves margin: give the market (--market)")
        portfolio_of(record, record.current, rules.slots)
        prepared = _proven(session, rules, terms, before=record.current, after=after)
    change = Change(kind="withdrawal", base_version=state.state_version, after=after)
    session.wallet.save(record.with_change(change))
    return prepared


def submit_withdrawal(session: AccountSession, prepared: PreparedWithdrawal) -> Withdrawn:
    """Send a withdrawal, and follow it in the wallet.

    Raises:
        ContractRevertedError: house or verifier refused, by a named error.
    """
    house, terms = session.venue.house, prepared.terms
    if prepared.proof:
        receipt = house.withdraw(
            session.owner, terms, portfolio=prepared.portfolio, proof=prepared.proof, hint=prepared.hint
        )
    else:
        receipt = house.withdraw_deposit(
            session.owner,
            terms.account,
            state_version=terms.state_version,
            ticks=terms.ticks,
            recipient=terms.recipient,
        )
    session.refresh()
    return Withdrawn(receipt, terms.ticks, _claim_in(receipt))


def queued_claims(venue: Venue, account: bytes) -> tuple[WithdrawalClaim, ...]:
    """Claims of an account that are not paid yet, oldest first."""
    interface = contract_interface("ClearingHouse")
    logs = venue.events.logs(venue.deployment.house, [interface.event_topic(EVENT), account])
    numbers = (int(interface.decode_event(EVENT, log)["claim"]) for log in logs)
    claims = (venue.house.claim(number) for number in numbers if number)
    return tuple(claim for claim in claims if claim is not None)


def _require_possible(session: AccountSession, state: AccountState, ticks: int) -> None:
    """Before anything is proven or written: what the house would refuse whatever the proof."""
    if not state.hidden and ticks > state.deposited:
        raise WithdrawalError(
            f"a withdrawal of {ticks} ticks is more than the account's deposits of {state.deposited}: withdraw less"
        )
    held = session.venue.house.vault_state().net_deposits
    if ticks > held:
        raise WithdrawalError(
            f"a withdrawal of {ticks} ticks is more than the {held} that the clearing house holds: withdraw less"
        )


def _proven(
    session: AccountSession, rules: EpochRules, terms: Withdrawal, *, before: Opening, after: Opening
) -> PreparedWithdrawal:
    """Prove initial margin of what stays."""
    proven = Withdrawal(terms.account, terms.state_version, rules.header.epoch, terms.ticks, terms.recipient)
    made = prove_opening(session, rules, after, proven.check, proven.action)
    covering = before.covering(rules.built(RuleKind.INITIAL).matrix.books, session.venue.shape.slots)
    return PreparedWithdrawal(
        proven,
        portfolio=session.commitments(covering),
        proof=made.proof,
        hint=claim_hint(session.venue.key, made.statement, made.proof, with_opening=False),
    )


def _claim_in(receipt: Receipt) -> int | None:
    """Number of the claim that a withdrawal's event names."""
    interface = contract_interface("ClearingHouse")
    topic = interface.event_topic(EVENT)
    events = [interface.decode_event(EVENT, log) for log in receipt.logs if log.topics[0] == topic]
    return int(events[0]["claim"]) or None
