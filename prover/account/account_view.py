"""The two views of one account: what its owner knows, and what everybody sees."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Final

from prover.account.account_session import portfolio_of
from prover.account.withdrawals import queued_claims
from prover.rules.exposure import assess_margin
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prover.account.venue import Venue
    from prover.account.wallet_records import AccountRecord
    from prover.rules.rule_book import EpochRules
    from prover.rules.slots import SlotTable
    from verifier.chain.house_client import AccountState

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
    for kind in RuleKind:
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
    """All that the clearing house holds of an account; epoch 0 stands for never."""
    values: dict[str, Value] = {
        "account": "0x" + account.hex(),
        "state_version": state.state_version,
        "deposited_ticks": state.deposited,
        "initial_margin_proven_at_epoch": state.initial_epoch,
        "maintenance_margin_proven_at_epoch": state.maintenance_epoch,
    }
    for book in range(state.books):
        values[f"commitment_hash_of_book_{book}"] = "0x" + venue.house.commitment_hash(account, book).hex()
    return values


def waiting_claims(venue: Venue, account: bytes) -> dict[str, Value]:
    """Withdrawals of an account that wait in the queue: how much, to whom, and when they can be paid."""
    claims = queued_claims(venue, account)
    if not claims:
        return {}
    queue, limit = venue.house.queue_state(), venue.house.withdrawal_limit()
    values: dict[str, Value] = {}
    for claim in claims:
        seconds = claim.seconds_left(queue, limit)
        when = f"in {seconds} s" if seconds else "now"
        values[f"queued_claim_{claim.number}"] = f"{claim.ticks} ticks to {claim.recipient}, payable {when}"
    return values


def for_machines(values: Mapping[str, Value]) -> dict[str, int | str]:
    """Decimals as text, so that no reader rounds them."""
    return {name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in values.items()}


def for_people(values: Mapping[str, Value]) -> dict[str, str]:
    """Names in words, thousands apart."""
    return {name.replace("_", " "): value if isinstance(value, str) else f"{value:,}" for name, value in values.items()}


def _rounded(value: float, step: Decimal) -> Decimal:
    return Decimal(value).quantize(step)
