"""One account: the model's side of contracts/types/AccountState.sol, with what its commitments hide."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from prover.simulation.ghosts import EMPTY, Ghost, Portfolio, plus
from prover.simulation.refusals import Refusal, RefusedError
from verifier.books import book_bitmap, books_in
from verifier.chain.account_state import AccountStatus
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class AccountModel:
    """One account.

    Attributes:
        version: number of its changes; 0 before it was opened.
        status: transparent accounts hold exactly their ``holdings``.
        books: bitmap of the books that a proof must cover.
        proven: last epoch at which it proved each rule.
        holdings: ticks of every token, while it is transparent.
        ghosts: what the commitments hide, by book; secret.
        nonces: used up.
        operators: time until which somebody may sign for it, by address.
    """

    version: int = 0
    status: AccountStatus = AccountStatus.TRANSPARENT
    books: int = 0
    proven: Mapping[RuleKind, int] = field(default_factory=dict)
    holdings: Mapping[int, int] = field(default_factory=dict)
    ghosts: Portfolio = field(default_factory=dict, repr=False)
    nonces: frozenset[int] = frozenset()
    operators: Mapping[str, int] = field(default_factory=dict)

    def require_version(self, version: int) -> None:
        """Check that terms were made for the present state.

        Raises:
            RefusedError: the account is not open, or has changed since.
        """
        if self.version == 0:
            raise RefusedError(Refusal.NOT_OPEN)
        if self.version != version:
            raise RefusedError(Refusal.VERSION_MISMATCH)

    def covered(self) -> Portfolio:
        """What a proof is about: the books that the account has."""
        return {book: self.ghosts.get(book, EMPTY) for book in books_in(self.books)}

    def moved(self, slot: int, ticks: int, token: int) -> AccountModel:
        """After a public change of a collateral token, in book 0; the blind stays."""
        ghosts = plus(self.ghosts, {0: Ghost({slot: ticks})})
        holdings = dict(self.holdings)
        if self.status is AccountStatus.TRANSPARENT:
            holdings[token] = holdings.get(token, 0) + ticks
        return replace(self, version=self.version + 1, books=self.books | 1, ghosts=ghosts, holdings=holdings)

    def traded(self, change: Portfolio, epoch: int) -> AccountModel:
        """After a change that came with a proof of initial margin; what it holds is hidden from here on."""
        return replace(
            self,
            version=self.version + 1,
            status=AccountStatus.ACTIVE,
            books=self.books | book_bitmap(change),
            ghosts=plus(self.ghosts, change),
            holdings={},
        ).with_proof(RuleKind.INITIAL, epoch)

    def with_proof(self, kind: RuleKind, epoch: int) -> AccountModel:
        """After a rule was proven at an epoch."""
        return replace(self, proven={**self.proven, kind: epoch})

    def exited(self, slots: Sequence[int], holdings: Sequence[int]) -> AccountModel:
        """After an exit; blinds stay where they are.

        Args:
            slots: of the tokens, in book 0.
            holdings: ticks that the account says it holds of each.

        Raises:
            RefusedError: it is not active, or holds something else.
        """
        if self.status is not AccountStatus.ACTIVE:
            raise RefusedError(Refusal.ACCOUNT_TRANSPARENT)
        shown = {slot: ticks for slot, ticks in zip(slots, holdings, strict=True) if ticks}
        held = {book: dict(ghost.positions) for book, ghost in self.ghosts.items() if ghost.positions}
        if held != ({0: shown} if shown else {}):
            raise RefusedError(Refusal.EXIT_REJECTED)
        return replace(
            self,
            version=self.version + 1,
            status=AccountStatus.TRANSPARENT,
            books=1,
            holdings=dict(enumerate(holdings)),
        )
