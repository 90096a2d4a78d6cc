"""What is public about an account of the clearing house (twin: contracts/types/AccountState.sol)."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verifier.books import books_in
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from typing import Self


class AccountStatus(enum.IntEnum):
    """What is known about an account's holdings; numbered as on chain.

    Transparent: exactly what the house says, until it first trades and after an exit. Active: what its commitments
    hide.
    """

    TRANSPARENT = 0
    ACTIVE = 1


@dataclass(frozen=True, slots=True)
class AccountState:
    """What the house keeps beside the hashes of commitments.

    Attributes:
        state_version: number of changes of its commitments; 0 before the first deposit.
        initial_epoch: last epoch at which it proved initial margin; 0 for never.
        maintenance_epoch: last epoch at which it proved maintenance margin; 0 for never.
        books: bitmap of the books that a proof must cover.
        status: what is known about its holdings.
    """

    state_version: int
    initial_epoch: int
    maintenance_epoch: int
    books: int
    status: AccountStatus

    @classmethod
    def of(cls, values: tuple[int, int, int, int, int]) -> Self:
        """From the values of the Solidity struct."""
        return cls(*values[:-1], AccountStatus(values[-1]))

    @property
    def open_books(self) -> tuple[int, ...]:
        """Books that a proof must cover, ascending."""
        return books_in(self.books)

    def proven_epoch(self, kind: RuleKind) -> int:
        """Last epoch at which it proved a rule."""
        return self.initial_epoch if kind is RuleKind.INITIAL else self.maintenance_epoch


@dataclass(frozen=True, slots=True)
class HousePause:
    """The last pause of a house; it holds from its beginning until just before its end.

    Attributes:
        begin: Unix time in seconds; 0 when there was none.
        end: Unix time in seconds.
    """

    begin: int
    end: int

    def holds_at(self, time: int) -> bool:
        """Whether the house is paused at a Unix time."""
        return self.begin <= time < self.end
