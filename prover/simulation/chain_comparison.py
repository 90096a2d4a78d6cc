"""Whether the chain is in the state that the model is in: every difference as a sentence, without a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eth_hash.auto import keccak

from verifier.chain.account_state import AccountStatus
from verifier.chain.house_client import NONCES_PER_WORD
from verifier.errors import ContractRevertedError
from verifier.rules.rule_kind import PUBLISHED_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prover.simulation.house_model import HouseModel
    from prover.simulation.simulated_venue import SimulatedVenue
    from prover.simulation.vault_model import TokenLedger


def compare_accounts(venue: SimulatedVenue, house: HouseModel, accounts: Iterable[bytes]) -> list[str]:
    """What differs of some accounts: versions, status, books, proofs, holdings, nonces, and hashes of commitments."""
    found = []
    for account in accounts:
        found += [f"account 0x{account.hex()}: {what}" for what in _account_differences(venue, house, account)]
    return found


def compare_money(venue: SimulatedVenue, house: HouseModel, donated: dict[int, int]) -> list[str]:
    """What differs of the vault: every token, inboxes, liens, claims, the balance.

    Args:
        venue: contracts.
        house: the model.
        donated: ticks of every token that were sent to the vault without being asked for.
    """
    found = []
    for token, ledger in enumerate(house.vault.tokens):
        found += [f"token {token}: {what}" for what in _token_differences(venue, ledger, token, donated.get(token, 0))]
    return [*found, *_set_aside_differences(venue, house)]


def compare_times(venue: SimulatedVenue, house: HouseModel) -> list[str]:
    """What differs of everything that time and publishers move: epochs, the active clock, the list, the pause."""
    return list(_registry_differences(venue, house))


def _account_differences(venue: SimulatedVenue, house: HouseModel, account: bytes) -> Iterator[str]:
    model, state = house.account(account), venue.house.account_state(account)
    expected = (model.version, model.status, model.books, *(model.proven.get(kind, 0) for kind in PUBLISHED_KINDS))
    found = (state.state_version, state.status, state.books, state.initial_epoch, state.maintenance_epoch)
    if found != expected:
        yield f"state is {found} on chain, {expected} in the model"
    for book, ghost in model.ghosts.items():
        if venue.house.commitment_hash(account, book) != keccak(venue.commit(ghost)):
            yield f"the commitment of book {book} is not that of the ghost opening"
    if model.status is AccountStatus.TRANSPARENT:
        shown = [venue.house.holdings(account, token) for token in range(len(house.vault.tokens))]
        if shown != [model.holdings.get(token, 0) for token in range(len(shown))]:
            yield "holdings differ"
    for word in {nonce // NONCES_PER_WORD for nonce in model.nonces}:
        used = sum(1 << nonce % NONCES_PER_WORD for nonce in model.nonces if nonce // NONCES_PER_WORD == word)
        if venue.house.nonces(account, word) != used:
            yield f"nonces of word {word} differ"
    for operator, until in model.operators.items():
        if venue.house.operator_until(account, operator) != until:
            yield f"the right of operator {operator} differs"


def _token_differences(venue: SimulatedVenue, ledger: TokenLedger, token: int, donated: int) -> Iterator[str]:
    state, queue = venue.vault.vault_state(token), venue.vault.queue_state(token)
    model = ledger.at(state.updated_at)
    pairs = {
        "net deposits": (state.net_deposits, model.net_deposits),
        "room": (state.room, model.room),
        "backlog": (state.backlog, model.backlog),
        "kept apart": (venue.vault.kept_apart(token), model.kept_apart),
        "claims": (queue.claims, model.claim_count),
        "queued": (queue.queued, model.queued),
    }
    for name, (found, expected) in pairs.items():
        if found != expected:
            yield f"{name} is {found} on chain, {expected} in the model"
    for number in range(1, model.claim_count + 1):
        found_claim, expected_claim = venue.vault.claim(token, number), model.claims.get(number)
        if (found_claim and (found_claim.ticks, found_claim.end)) != (
            expected_claim and (expected_claim.ticks, expected_claim.end)
        ):
            yield f"claim {number} differs"
    units = venue.units_per_tick(token)
    if venue.tokens[token].balance(venue.vault.address) != (model.balance + donated) * units:
        yield "the vault's balance is not what moved in and out"


def _set_aside_differences(venue: SimulatedVenue, house: HouseModel) -> Iterator[str]:
    for (account, token), ticks in house.vault.inboxes.items():
        if venue.vault.inbox(account, token) != ticks:
            yield f"inbox of 0x{account.hex()} in token {token} differs"
    for (account, token, lender), ticks in house.vault.liens.items():
        if venue.vault.lien(account, lender, token) != ticks:
            yield f"lien of {lender} on 0x{account.hex()} in token {token} differs"


def _registry_differences(venue: SimulatedVenue, house: HouseModel) -> Iterator[str]:
    # A call sees the time that the vault says it has.
    now = venue.vault.vault_state(0).updated_at
    registry = house.registry
    newest = registry.newest_active(now)
    usable = None if newest is None or registry.is_stale(newest, now) else newest.number
    pairs = {
        "epochs": (venue.registry.latest_epoch().epoch, len(registry.epochs)),
        "active epoch": (_active_epoch(venue), usable),
        "active clock": (venue.registry.active_clock(), registry.active_clock(now)),
        "version of the list": (venue.instruments.version(), house.instruments.version),
        "books": (venue.instruments.books(), len(house.instruments.books)),
        "end of the pause": (venue.house.last_pause().end, house.pause[1]),
    }
    for name, (found, expected) in pairs.items():
        if found != expected:
            yield f"{name}: {found} on chain, {expected} in the model"


def _active_epoch(venue: SimulatedVenue) -> int | None:
    try:
        return venue.registry.active_epoch().epoch
    except ContractRevertedError:
        return None
