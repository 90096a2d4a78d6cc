"""The two views of one account: what its owner knows, and what everybody sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prover.account_session import portfolio_of
from prover.exposure import assess_margin
from verifier.rule_kind import RuleKind

if TYPE_CHECKING:
    from prover.rule_book import EpochRules
    from prover.slots import SlotTable
    from prover.venue import Venue
    from prover.wallet_records import AccountRecord
    from verifier.house_client import AccountState


def known_positions(record: AccountRecord, slots: SlotTable) -> dict[str, str]:
    """Quantity of every instrument held. Secret."""
    quantities = portfolio_of(record, record.current, slots).quantities()
    return {name: f"{quantity:,f}" for name, quantity in quantities.items()}


def known_margin(record: AccountRecord, rules: EpochRules) -> dict[str, str]:
    """Equity, exposure and how the account stands under both rules. Secret."""
    portfolio = portfolio_of(record, record.current, rules.slots)
    currency = rules.built(RuleKind.INITIAL).quote_currency
    values: dict[str, str] = {}
    for kind in RuleKind:
        assessment = assess_margin(rules.built(kind), portfolio)
        name = kind.name.lower()
        if not values:
            values["equity at marks"] = f"{assessment.exposure.equity:,.2f} {currency}"
            values["net delta"] = f"{assessment.exposure.net_delta:,.4f} units"
        values[f"{name} requirement"] = f"{assessment.requirement:,.2f} {currency}"
        values[f"{name} headroom"] = f"{assessment.binding.headroom:,.2f} {currency} in {assessment.binding.row.name!r}"
    return values


def seen_by_the_chain(venue: Venue, account: bytes, state: AccountState) -> dict[str, str]:
    """All that the clearing house holds of an account."""
    values = {
        "account": "0x" + account.hex(),
        "state version": str(state.state_version),
        "deposited": f"{state.deposited:,} ticks",
        "initial margin proven": _epoch(state.initial_epoch),
        "maintenance margin proven": _epoch(state.maintenance_epoch),
    }
    for book in range(state.books):
        values[f"commitment hash, book {book}"] = "0x" + venue.house.commitment_hash(account, book).hex()
    return values


def _epoch(number: int) -> str:
    return f"at epoch {number}" if number else "never"
