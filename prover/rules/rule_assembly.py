"""Puts the contributions of all components together: every row of both kinds of margin, before rounding."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.errors import RuleBuildError
from prover.rules.rule_rows import COUNT, ByKind, Contribution, RowKind, Rows, make_rows, stack_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from decimal import Decimal

    from prover.rules.auxiliaries import Auxiliary
    from prover.rules.rule_context import RuleContext
    from prover.rules.universe import Universe
    from verifier.rules.rule_kind import RuleKind

UNSHOCKED: Final = "nothing moves"
"""Name of the row that every rule has: equity at marks must cover the charges."""


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """Rows of one kind, the same rows for both kinds of margin."""

    kind: RowKind
    rows: ByKind[Rows]


def assemble(
    context: RuleContext, contributions: Sequence[Contribution], factors: ByKind[Fraction]
) -> tuple[Section, ...]:
    """All rows of a rule, in the order of the matrix: what both kinds of margin share comes first.

    Raises:
        RuleBuildError: two auxiliaries of one name, or a row whose auxiliary no component declares.
    """
    _require_distinct(contributions)
    sections = [*_shared(contributions), _scenarios(context, contributions, factors)]
    sections += [
        Section(RowKind.FLOOR, part.floors.map(lambda rows: _plus_equity(context, rows)))
        for part in contributions
        if part.floors is not None
    ]
    sections += [Section(RowKind.LIMIT, part.limits) for part in contributions if part.limits is not None]
    return (*sections, _mask(context.universe))


def _require_distinct(contributions: Sequence[Contribution]) -> None:
    names = [auxiliary.name for part in contributions for auxiliary in part.auxiliaries]
    doubles = sorted({name for name in names if names.count(name) > 1})
    if doubles:
        raise RuleBuildError(
            f"two components define {doubles[0]!r}: a rule can hold that component once; merge their constants"
        )


def _shared(contributions: Sequence[Contribution]) -> Iterator[Section]:
    """Definition rows, then equalities: the same for both kinds of margin."""
    for part in contributions:
        if part.definitions is not None:
            yield Section(RowKind.DEFINITION, ByKind(part.definitions, part.definitions))
    for part in contributions:
        if part.equalities is not None:
            yield Section(RowKind.EQUALITY, ByKind(part.equalities, part.equalities))


def _scenarios(context: RuleContext, contributions: Sequence[Contribution], factors: ByKind[Fraction]) -> Section:
    """Equity at marks − Σ charges + f · profit, for no profit and for every profit row."""
    profits = [part.profits for part in contributions if part.profits is not None]
    nothing = np.zeros((1, context.universe.size))
    profit = stack_rows(make_rows((UNSHOCKED,), unit=context.tick, long=nothing), *profits)

    def of_kind(kind: RuleKind) -> Rows:
        before = _plus_equity(context, _scaled(profit, factors.of(kind)))
        return _less_charges(before, [part.charges.of(kind) for part in contributions if part.charges is not None])

    return Section(RowKind.SCENARIO, ByKind.make(of_kind))


def loss_factor(stated: ByKind[Decimal], contributions: Sequence[Contribution], kind: RuleKind) -> Fraction:
    """What profits of a kind of margin are multiplied by, increases of components included."""
    increases = (part.factor_increase.of(kind) for part in contributions)
    return Fraction(stated.of(kind)) + sum(increases, Fraction(0))


def _scaled(rows: Rows, factor: Fraction) -> Rows:
    """Every coefficient times a factor."""
    times = float(factor)
    auxiliaries = tuple({key: factor * value for key, value in row.items()} for row in rows.auxiliaries)
    return Rows(rows.names, rows.unit, times * rows.long, times * rows.short, times * rows.constant, auxiliaries)


def _plus_equity(context: RuleContext, rows: Rows) -> Rows:
    equity = context.universe.lot_size * context.universe.mark
    return Rows(rows.names, rows.unit, rows.long + equity, rows.short - equity, rows.constant, rows.auxiliaries)


def _less_charges(rows: Rows, charges: Sequence[Rows]) -> Rows:
    """Each charge is one row, taken from every row."""
    long, short, constant = rows.long, rows.short, rows.constant
    shared: dict[Auxiliary, Fraction] = {}
    for charge in charges:
        long, short, constant = long - charge.long, short - charge.short, constant - charge.constant
        shared = _combined(shared, {key: -value for key, value in charge.auxiliaries[0].items()})
    auxiliaries = tuple(_combined(own, shared) for own in rows.auxiliaries)
    return Rows(rows.names, rows.unit, long, short, constant, auxiliaries)


def _combined(left: Mapping[Auxiliary, Fraction], right: Mapping[Auxiliary, Fraction]) -> dict[Auxiliary, Fraction]:
    return {key: left.get(key, Fraction(0)) + right.get(key, Fraction(0)) for key in (*left, *right)}


def _mask(universe: Universe) -> Section:
    """Σ over slots that are not live of (v[4i] + v[4i+1]) = 0: columns are not negative, so each of them is zero."""
    dead = np.where(universe.live, 0.0, 1.0)[None, :]
    rows = make_rows(("unlisted slots are empty",), unit=COUNT, long=dead, short=dead)
    return Section(RowKind.MASK, ByKind(rows, rows))
