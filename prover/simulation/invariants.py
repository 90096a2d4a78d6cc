"""What holds of the model in every state (specification, section 9), as sentences that say what does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.chain.account_state import AccountStatus
from verifier.scalar_field import MODULUS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prover.simulation.account_model import AccountModel
    from prover.simulation.house_model import HouseModel
    from prover.simulation.vault_model import TokenLedger


def broken_sums(house: HouseModel) -> list[str]:
    """Every sum that does not hold; empty for a sound state.

    Messages name books, slots and tokens, never what an account holds.
    """
    return [*_broken_ledger(house), *_broken_money(house), *_broken_transparency(house)]


def _broken_ledger(house: HouseModel) -> Iterator[str]:
    """1: Σ x = N for every slot of every book, Σ ρ = 0 for every book."""
    public = {(0, ledger.terms.slot): ledger.net_deposits - ledger.kept_apart for ledger in house.vault.tokens}
    held: dict[tuple[int, int], int] = {}
    blinds: dict[int, int] = {}
    for account in house.accounts.values():
        for book, ghost in account.ghosts.items():
            blinds[book] = (blinds.get(book, 0) + ghost.blind) % MODULUS
            for place, lots in ghost.positions.items():
                held[book, place] = held.get((book, place), 0) + lots
    for book, place in sorted(held.keys() | public.keys()):
        if held.get((book, place), 0) != public.get((book, place), 0):
            yield f"positions in slot {place} of book {book} do not add up to its net deposits"
    yield from (f"blinds of book {book} do not add up to zero" for book, total in sorted(blinds.items()) if total)


def _broken_money(house: HouseModel) -> Iterator[str]:
    """2, 21, 23: the balance; what is kept apart; bucket and queue."""
    for token, ledger in enumerate(house.vault.tokens):
        unpaid = sum(claim.ticks for claim in ledger.claims.values())
        if ledger.balance != ledger.net_deposits + unpaid:
            yield f"the balance of token {token} is not its net deposits and unpaid claims"
        if ledger.kept_apart != house.vault.beside(token):
            yield f"what is kept apart of token {token} is not its inboxes and liens"
        if ledger.kept_apart > ledger.net_deposits:
            yield f"more of token {token} is kept apart than there is"
        if not _bucket_holds(ledger, unpaid):
            yield f"the bucket of token {token} lets out more than it may"


def _bucket_holds(ledger: TokenLedger, unpaid: int) -> bool:
    no_overtaking = ledger.room == 0 or ledger.backlog == 0
    return no_overtaking and 0 <= ledger.room <= ledger.terms.capacity and 0 <= ledger.backlog <= unpaid


def _broken_transparency(house: HouseModel) -> Iterator[str]:
    """A transparent account holds its holdings and nothing else."""
    slots = [ledger.terms.slot for ledger in house.vault.tokens]
    for identity, account in house.accounts.items():
        if account.status is AccountStatus.TRANSPARENT and not _is_shown(account, slots):
            yield f"transparent account 0x{identity.hex()} does not hold what it shows"


def _is_shown(account: AccountModel, slots: list[int]) -> bool:
    shown = {slots[token]: ticks for token, ticks in account.holdings.items() if ticks}
    held = {(book, place): lots for book, ghost in account.ghosts.items() for place, lots in ghost.positions.items()}
    return held == {(0, slot): ticks for slot, ticks in shown.items()}
