"""The seven false statements of the specification, section 7, each false in one way alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from prover.argument.witness import BookOpening
from tests.support.cases import with_headrooms
from tests.support.forgery import PrivateSide, private_side
from verifier.rules.rule_audit import CONSTANT_COLUMN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.support.cases import Case


def _with_columns(side: PrivateSide, changes: dict[int, int]) -> tuple[tuple[int, ...], ...]:
    first = list(side.columns[0])
    for column, value in changes.items():
        first[column] = value
    return (tuple(first), *side.columns[1:])


def _with_position(side: PrivateSide, slot: int, lots: int) -> tuple[BookOpening, ...]:
    first = side.openings[0]
    positions = list(first.positions)
    positions[slot] = lots
    return (BookOpening(tuple(positions), first.blind), *side.openings[1:])


def failing_row(case: Case) -> PrivateSide:
    """Cash is owed instead of held: headrooms are negative, and everything else is as it should be."""
    side = private_side(case)
    cash = side.openings[0].positions[0]
    columns = with_headrooms(case.rule.matrix, _with_columns(side, {0: 0, 1: cash}))
    return replace(side, openings=_with_position(side, 0, -cash), columns=columns)


def column_beyond_range(case: Case) -> PrivateSide:
    """Both legs of cash are 2^(dk) larger than they may be; no row and no link notices."""
    side, bound = private_side(case), case.shape.value_bound
    long, short = side.columns[0][0:2]
    return replace(side, columns=_with_columns(side, {0: long + bound, 1: short + bound}))


def jumping_chain(case: Case) -> PrivateSide:
    """The second suffix of the cash column does not follow from the first."""
    side, shape = private_side(case), case.shape
    return replace(side, suffixes={1: (side.columns[0][0] >> shape.digit_bits) + 1})


def broken_link(case: Case) -> PrivateSide:
    """The commitment holds one lot less than the legs say."""
    side = private_side(case)
    return replace(side, openings=_with_position(side, 0, side.openings[0].positions[0] - 1))


def wrong_constant(case: Case) -> PrivateSide:
    """The constant column is two; headrooms follow."""
    side = private_side(case)
    return replace(side, columns=with_headrooms(case.rule.matrix, _with_columns(side, {CONSTANT_COLUMN: 2})))


def wrong_multiplicities(case: Case) -> PrivateSide:
    """One occurrence of digit 0 is counted as digit 1: the total is right."""
    return replace(private_side(case), counts={0: -1, 1: 1})


def filled_mask(case: Case) -> PrivateSide:
    """A position in the slot that the mask keeps empty."""
    side, slot = private_side(case), case.shape.slots - 1
    return replace(side, openings=_with_position(side, slot, 1), columns=_with_columns(side, {4 * slot: 1}))


FALSEHOODS: Final[Sequence[Callable[[Case], PrivateSide]]] = (
    failing_row,
    column_beyond_range,
    jumping_chain,
    broken_link,
    wrong_constant,
    wrong_multiplicities,
    filled_mask,
)
