"""The two views of one account: what its owner knows, and what everybody sees."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Final

from prover.account.account_session import portfolio_of
from prover.account.collateral import collaterals
from prover.account.liens import open_liens
from prover.account.withdrawals import queued_claims
from prover.rules.exposure import assess_margin
from verifier.chain.account_state import AccountStatus
from verifier.rules.rule_kind import PUBLISHED_KINDS, RuleKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prover.account.venue import Venue
    from prover.account.wallet_records import AccountRecord
    from prover.rules.rule_book import EpochRules
    from prover.rules.slots import SlotTable
    from verifier.chain.account_state import AccountState

Value = Decimal | int | str
"""Amounts are decimals, counts are integers, all else is text."""

CENT: Final = Decimal("0.01")


def known_positions(record: AccountRecord, slots: SlotTable) -> dict[str, Value]:
    """Quantity of every instrument held. Secret."""
    return dict(portfolio_of(record, record.current, slots).quantities())


def known_margin(record: AccountRecord, rules: EpochRules) -> dict[str, Value]:
    """Equity, exposure and how the account stands under both rules, in quote currency. Secret."""
    portfolio = portfolio_of(record, record.current, rules.slots)
    values: dict[str, Value] = {}
    for kind in PUBLISHED_KINDS:
        assessment = assess_margin(rules.built(kind), portfolio)
        if kind is RuleKind.INITIAL:
            values["equity_at_marks"] = _rounded(assessment.exposure.equity, CENT)
            values["delta_notional"] = _rounded(assessment.exposure.delta_notional, CENT)
        name = kind.name.lower()
        values[f"{name}_requirement"] = _rounded(assessment.requirement, CENT)
        values[f"{name}_headroom"] = assessment.binding.headroom.quantize(CENT, ROUND_FLOOR)
        values[f"{name}_binding_row"] = assessment.binding.row.name
        values[f"{name}_covered"] = "yes" if assessment.is_covered else "no: zkmargin margin says why"
    return values


def seen_by_the_chain(venue: Venue, account: bytes, state: AccountState) -> dict[str, Value]:
    """All that house and vault hold of an account; epoch 0 stands for never."""
    values: dict[str, Value] = {
        "account": "0x" + account.hex(),
        "status": state.status.name.lower(),
        "state_version": state.state_version,
        "initial_margin_proven_at_epoch": state.initial_epoch,
        "maintenance_margin_proven_at_epoch": state.maintenance_epoch,
    }
    values |= _collateral_seen(venue, account, state)
    for lien in open_liens(venue, account):
        values[f"lien_of_token_{lien.token}_for_{lien.lender}"] = f"{lien.ticks} ticks"
    for book in state.open_books:
        values[f"commitment_hash_of_book_{book}"] = "0x" + venue.house.commitment_hash(account, book).hex()
    pause = venue.house.last_pause()
    if pause.holds_at(venue.chain.block_time()):
        values["house_is_paused_until"] = pause.end
    return values


def waiting_claims(venue: Venue, account: bytes) -> dict[str, Value]:
    """Withdrawals of an account that wait in the queue: how much, to whom, and when they can be paid."""
    values: dict[str, Value] = {}
    for queued in queued_claims(venue, account):
        limit = venue.vault.token_terms(queued.token).limit
        claim, seconds = queued.claim, queued.claim.seconds_left(venue.vault.queue_state(queued.token), limit)
        when = f"in {seconds} s" if seconds else "now"
        name = f"queued_claim_{claim.number}" + (f"_of_token_{queued.token}" if queued.token else "")
        values[name] = f"{claim.ticks} ticks to {claim.recipient}, payable {when}"
    return values


def for_machines(values: Mapping[str, Value]) -> dict[str, int | str]:
    """Decimals as text, so that no reader rounds them."""
    return {name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in values.items()}


def for_people(values: Mapping[str, Value]) -> dict[str, str]:
    """Names in words, thousands apart."""
    return {name.replace("_", " "): value if isinstance(value, str) else f"{value:,}" for name, value in values.items()}


def _collateral_seen(venue: Venue, account: bytes, state: AccountState) -> dict[str, Value]:
    """Holdings of a transparent account, and what waits in its inbox, by the name of the token."""
    values: dict[str, Value] = {}
    is_open = state.status is AccountStatus.TRANSPARENT
    for token in collaterals(venue):
        held = token.amount(venue.house.holdings(account, token.number)) if is_open else "hidden"
        values[f"holds_{token.name}"] = held
        inbox = venue.vault.inbox(account, token.number)
        if inbox:
            values[f"inbox_{token.name}"] = token.amount(inbox)
    return values


def _rounded(value: float, step: Decimal) -> Decimal:
    return Decimal(value).quantize(step)
