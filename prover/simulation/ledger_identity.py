"""The ledger identity on points (specification, section 1): all commitments of a book add up to its public deposits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prover.errors import SimulationError
from verifier.commitment_basis import slot_point
from verifier.curve import INFINITY, group

if TYPE_CHECKING:
    from prover.simulation.simulated_day import SimulatedDay


def require_identity(day: SimulatedDay) -> None:
    """Check it with the commitments whose hashes the chain holds, and with the chain's own net deposits.

    Raises:
        SimulationError: a book does not add up.
    """
    backend, venue = group(), day.venue
    books = sorted({book for account in day.house.accounts.values() for book in account.ghosts})
    for book in books:
        total = backend.decode(INFINITY)
        for account in day.house.accounts.values():
            if book in account.ghosts:
                total = backend.add(total, backend.decode(venue.commit(account.ghosts[book])))
        if backend.encode(total) != _public(day, book):
            raise SimulationError(f"the commitments of book {book} do not add up to its deposits; please report this")
    day.seen(1)


def _public(day: SimulatedDay, book: int) -> bytes:
    """Σ N_i L_i of a book: deposits are in book 0 alone."""
    backend, venue = group(), day.venue
    total = backend.decode(INFINITY)
    for token, ledger in enumerate(day.house.vault.tokens if book == 0 else ()):
        ticks = venue.vault.vault_state(token).net_deposits - venue.vault.kept_apart(token)
        point = backend.decode(slot_point(venue.setup, venue.shape.slots, ledger.terms.slot))
        total = backend.add(total, backend.combine([point], [ticks]))
    return backend.encode(total)
