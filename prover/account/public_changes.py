"""Changes of an account that everybody can follow: deposits, merged inboxes, withdrawals, liens.

An operator may have merged an inbox, and what is in it can grow until the moment it is merged: a wallet then finds its
opening by adding what the chain says to one that it knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from verifier.chain.account_events import names_account
from verifier.chain.contract_interface import contract_interface

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prover.account.venue import Venue
    from prover.account.wallet_records import Opening

_SIGNS: Final = {"Deposited": 1, "InboxMerged": 1, "Withdrawn": -1, "LienGranted": -1}


@dataclass(frozen=True, slots=True)
class PublicChange:
    """Collateral came or went.

    Attributes:
        state_version: of the account after it.
        slot: of the token, in book 0.
        ticks: that came; negative for those that went.
    """

    state_version: int
    slot: int
    ticks: int


def public_changes(venue: Venue, account: bytes) -> tuple[PublicChange, ...]:
    """All of them, by state version."""
    interface = contract_interface("ClearingHouse")
    kinds = {interface.event_topic(name): name for name in _SIGNS}
    slots = [terms.slot for terms in venue.vault.tokens()]
    found = []
    for log in venue.events.logs_naming(venue.deployment.house, account):
        kind = kinds.get(log.topics[0])
        if kind is not None and names_account(values := interface.decode_event(kind, log), account):
            found.append(PublicChange(values["stateVersion"], slots[values["token"]], _SIGNS[kind] * values["ticks"]))
    return tuple(sorted(found, key=lambda change: change.state_version))


def changed_since(opening: Opening, version: int, changes: Iterable[PublicChange]) -> Opening:
    """An opening after the public changes that came later than its state version."""
    for change in changes:
        if change.state_version > version:
            opening = opening.credited(change.slot, change.ticks)
    return opening
