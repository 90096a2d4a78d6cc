"""Liens: collateral that an account sets aside for a lender, as public as a withdrawal.

The account's commitment shrinks by the lien, so every later proof is made on what is left: nobody can trade a lien
away. The lender claims up to it, or gives it back into the account's inbox.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prover.account.collateral import find_collateral
from prover.account.wallet_records import Change
from prover.account.withdrawals import checked_address, proven_debit
from prover.errors import WithdrawalError
from verifier.chain.contract_interface import contract_interface
from verifier.chain.withdrawal_terms import Lien

if TYPE_CHECKING:
    from decimal import Decimal

    from eth_account.signers.local import LocalAccount

    from prover.account.account_session import AccountSession
    from prover.account.venue import Venue
    from prover.rules.rule_book import EpochRules
    from verifier.chain.chain_client import Receipt
    from verifier.chain.clearing_terms import MarginEvidence

EVENT: Final = "LienGranted"


@dataclass(frozen=True, slots=True)
class PreparedLien:
    """A lien ready to be granted; nothing in it is secret.

    Attributes:
        terms: account, token, amount and lender.
        evidence: commitments and proof of initial margin after it.
    """

    terms: Lien
    evidence: MarginEvidence


@dataclass(frozen=True, slots=True)
class OpenLien:
    """What a lender may still claim of an account; public.

    Attributes:
        token: its number in the vault.
        lender: address.
        ticks: how much.
    """

    token: int
    lender: str
    ticks: int


def prepare_lien(
    session: AccountSession, amount: Decimal, lender: str, rules: EpochRules, token: str | None = None
) -> PreparedLien:
    """Prove initial margin of what stays, and save the opening after the lien.

    Args:
        session: of the owner of the account that grants it.
        amount: tokens.
        lender: address that may claim them.
        rules: of the active epoch.
        token: name, number or address; the quote collateral by default.

    Raises:
        CollateralError: no such token, or no such amount of it.
        WithdrawalError: no such lender.
        InsufficientMarginError: what stays would not be covered.
        OperatorError: the account is not the signer's.
        EarlierChangeError: what an earlier run began has happened.
    """
    session.owned()
    collateral, receiver = find_collateral(session.venue, token), checked_address(lender)
    ticks = collateral.ticks(amount, "lien")
    record, state = session.begin()
    after = record.current.credited(collateral.slot, -ticks)
    terms = Lien(session.account, state.state_version, rules.header.epoch, collateral.number, ticks, receiver)
    evidence = proven_debit(session, rules, terms, record=record, after=after, state=state)
    session.wallet.save(record.with_change(Change(kind="lien", base_version=state.state_version, after=after)))
    return PreparedLien(terms, evidence)


def submit_lien(session: AccountSession, prepared: PreparedLien) -> Receipt:
    """Grant a lien, and follow it in the wallet.

    Raises:
        ContractRevertedError: house, vault or verifier refused, by a named error.
    """
    receipt = session.venue.house.grant_lien(session.owned(), prepared.terms, prepared.evidence)
    session.refresh()
    return receipt


def claim_lien(
    venue: Venue, lender: LocalAccount, account: bytes, amount: Decimal, *, token: str | None, recipient: str
) -> Receipt:
    """Take of a lien, paid at once or queued; errors of amounts and addresses as of :func:`prepare_lien`."""
    number, ticks = _of_lien(venue, lender.address, account, amount, token)
    return venue.vault.claim_lien(lender, account, number, ticks, checked_address(recipient))


def release_lien(venue: Venue, lender: LocalAccount, account: bytes, amount: Decimal, *, token: str | None) -> Receipt:
    """Give a lien up, or a part of it: the ticks go to the account's inbox; errors as of :func:`claim_lien`."""
    number, ticks = _of_lien(venue, lender.address, account, amount, token)
    return venue.vault.release_lien(lender, account, number, ticks)


def open_liens(venue: Venue, account: bytes) -> tuple[OpenLien, ...]:
    """Liens that an account has granted and that are not used up, oldest first."""
    interface = contract_interface("ClearingHouse")
    logs = venue.events.logs(venue.deployment.house, [interface.event_topic(EVENT), account])
    events = (interface.decode_event(EVENT, log) for log in logs)
    granted = dict.fromkeys((int(event["token"]), checked_address(event["lender"])) for event in events)
    liens = (OpenLien(token, lender, venue.vault.lien(account, lender, token)) for token, lender in granted)
    return tuple(lien for lien in liens if lien.ticks)


def _of_lien(venue: Venue, lender: str, account: bytes, amount: Decimal, token: str | None) -> tuple[int, int]:
    """Number of the token, and ticks, of which there must be enough."""
    collateral = find_collateral(venue, token)
    ticks = collateral.ticks(amount, "claim")
    held = venue.vault.lien(account, lender, collateral.number)
    if ticks > held:
        raise WithdrawalError(
            f"{ticks} ticks of {collateral.name} are more than the {held} that account 0x{account.hex()} owes "
            f"{lender}: ask for less"
        )
    return collateral.number, ticks
