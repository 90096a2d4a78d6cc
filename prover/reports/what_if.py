"""What a trade would do to margin: before and after, and every row whose state it changes. Secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from prover.reports.report import KindReport, report_kind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from prover.rules.built_rule import BuiltRule
    from prover.rules.exposure import RowHeadroom
    from prover.rules.portfolio import Portfolio


class RowChange(StrEnum):
    """What a trade does to a row."""

    BREAKS = "breaks"
    HEALS = "is healed"
    STARTS_TO_BIND = "starts to bind"
    NO_LONGER_BINDS = "no longer binds"
    STILL_BINDS = "still binds"


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A row that changes sign, or binds before or after the trade.

    Attributes:
        name: of the row.
        changes: what happens to it.
        before: its headroom without the trade, quote currency.
        after: its headroom with the trade.
    """

    name: str
    changes: tuple[RowChange, ...]
    before: Decimal = field(repr=False)
    after: Decimal = field(repr=False)


@dataclass(frozen=True, slots=True)
class WhatIf:
    """One kind of margin without and with a trade.

    Attributes:
        before: without.
        after: with.
        rows: those that change sign or bind.
    """

    before: KindReport
    after: KindReport
    rows: tuple[ChangedRow, ...]

    @property
    def requirement_change(self) -> float:
        """What more (less: negative) the rule asks for after the trade, quote currency."""
        return self.after.assessment.requirement - self.before.assessment.requirement


def add_trade(rules: Sequence[BuiltRule], portfolio: Portfolio, trade: Portfolio) -> tuple[WhatIf, ...]:
    """Compare a portfolio with the same after a trade, for every kind of margin given.

    Raises:
        PortfolioError: portfolio and trade are on different lists of slots.
    """
    together = portfolio.plus(trade)
    compared = ((report_kind(rule, portfolio), report_kind(rule, together)) for rule in rules)
    return tuple(WhatIf(before, after, _changed_rows(before, after)) for before, after in compared)


def _changed_rows(before: KindReport, after: KindReport) -> tuple[ChangedRow, ...]:
    pairs = zip(before.assessment.headrooms, after.assessment.headrooms, strict=True)
    bound, binds = before.assessment.binding.row, after.assessment.binding.row
    rows = []
    for old, new in pairs:
        changes = (*_signs(old, new), *_bindings(old.row == bound, new.row == binds))
        if changes:
            rows.append(ChangedRow(old.row.name, changes, old.headroom, new.headroom))
    return tuple(rows)


def _signs(old: RowHeadroom, new: RowHeadroom) -> tuple[RowChange, ...]:
    if old.headroom >= 0 > new.headroom:
        return (RowChange.BREAKS,)
    return (RowChange.HEALS,) if new.headroom >= 0 > old.headroom else ()


def _bindings(bound: bool, binds: bool) -> tuple[RowChange, ...]:  # noqa: FBT001 - two facts of one row
    if bound and binds:
        return (RowChange.STILL_BINDS,)
    if binds:
        return (RowChange.STARTS_TO_BIND,)
    return (RowChange.NO_LONGER_BINDS,) if bound else ()
