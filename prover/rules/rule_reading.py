"""A rule as people read it: names of columns, entries in money, the largest of a row or of an instrument."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.errors import RuleBuildError
from prover.rules.slots import COLUMNS_PER_SLOT
from verifier.rules.rule_audit import CONSTANT_COLUMN, LEGS

if TYPE_CHECKING:
    from decimal import Decimal

    from prover.rules.built_rule import BuiltRule
    from prover.rules.rule_layout import RuleRow

CONSTANT: Final = "constant"
UNUSED: Final = "free column"
_SIDES: Final = ("long", "short")


@dataclass(frozen=True, slots=True)
class ReadEntry:
    """One entry of a rule.

    Attributes:
        row: name of its row.
        column: what it belongs to: a leg of an instrument, an auxiliary, the constant, a headroom.
        entry: as in the matrix.
        value: the same in the row's unit, quote currency or lots.
    """

    row: str
    column: str
    entry: int
    value: Decimal


class ColumnNames:
    """What every column of a rule stands for.

    Args:
        rule: either kind; columns are the same.
    """

    def __init__(self, rule: BuiltRule) -> None:
        self._names: dict[tuple[int, int], str] = {(0, CONSTANT_COLUMN): CONSTANT}
        for slot in rule.slots.listed:
            for leg, side in enumerate(_SIDES):
                place = (slot.book, COLUMNS_PER_SLOT * slot.position + leg)
                self._names[place] = f"{slot.instrument.name} {side}"
        for auxiliary, place in rule.layout.auxiliaries.items():
            self._names[place] = auxiliary.name
        for row in rule.rows:
            for place in () if row.headroom is None else row.headroom.columns:
                self._names[place] = f"headroom of {row.name!r}"

    def name(self, book: int, column: int) -> str:
        """The name of a column; of an empty slot its place."""
        known = self._names.get((book, column))
        if known is not None:
            return known
        slot, offset = divmod(column, COLUMNS_PER_SLOT)
        return f"slot {slot} of book {book} {_SIDES[offset]}" if offset < LEGS else f"{UNUSED} {column} of book {book}"


def row_named(rule: BuiltRule, name: str) -> tuple[int, RuleRow]:
    """A row by its name or its number.

    Raises:
        RuleBuildError: there is none.
    """
    if name.isascii() and name.isdigit() and int(name) < len(rule.rows):
        return int(name), rule.rows[int(name)]
    if name not in rule.row_names:
        raise RuleBuildError(f"row {name!r} is none of the {len(rule.rows)} rows of the rule: see `rule inspect`")
    index = rule.row_names.index(name)
    return index, rule.rows[index]


def largest_of_row(rule: BuiltRule, name: str, count: int) -> tuple[ReadEntry, ...]:
    """The entries of a row that are largest in absolute value, headrooms left out.

    Raises:
        RuleBuildError: there is no such row.
    """
    index, row = row_named(rule, name)
    entries = rule.matrix.entries[index].copy()
    for book, column in () if row.headroom is None else row.headroom.columns:
        entries[book, column] = 0
    names = ColumnNames(rule)
    order = np.argsort(-np.abs(entries), axis=None, kind="stable")[:count]
    places = [divmod(int(place), entries.shape[1]) for place in order]
    return tuple(_read(row, names.name(*place), int(entries[place])) for place in places if entries[place])


def largest_of_instrument(rule: BuiltRule, name: str, count: int) -> tuple[ReadEntry, ...]:
    """The entries of both legs of an instrument that are largest in absolute value.

    Raises:
        UnknownInstrumentError: it is not listed.
    """
    slot = rule.slots.find(name)
    first = COLUMNS_PER_SLOT * slot.position
    legs = rule.matrix.entries[:, slot.book, first : first + LEGS]
    values = legs * np.array([float(row.unit) for row in rule.rows])[:, None]
    order = np.argsort(-np.abs(values), axis=None, kind="stable")[:count]
    places = [divmod(int(place), LEGS) for place in order]
    return tuple(
        _read(rule.rows[row], f"{name} {_SIDES[leg]}", int(legs[row, leg])) for row, leg in places if legs[row, leg]
    )


def _read(row: RuleRow, column: str, entry: int) -> ReadEntry:
    return ReadEntry(row.name, column, entry, entry * row.unit)
