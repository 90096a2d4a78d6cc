"""What components hand to the builder: rows of a linear program over the legs of all slots.

A row reads  Σ_i (long_i · v[4i] + short_i · v[4i+1]) + constant + Σ_a c_a · a  ≥ 0 (or = 0), with auxiliaries a ≥ 0.
Coefficients are money a lot, before rounding (:mod:`prover.rules.quantise` rounds them down). A cost therefore
enters with a minus sign, and the long and the short coefficient of a slot never add up to more than zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import numpy as np

from prover.errors import RuleBuildError
from verifier.rules.rule_kind import PUBLISHED_KINDS, RuleKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from prover.rules.auxiliaries import Auxiliary, AuxiliarySolver

COUNT: Final = Decimal(1)
"""Unit of rows and auxiliaries that count lots instead of money."""

T = TypeVar("T")
Other = TypeVar("Other")


class RowKind(StrEnum):
    """What a row says."""

    DEFINITION = "definition"
    EQUALITY = "equality"
    SCENARIO = "scenario"
    FLOOR = "floor"
    LIMIT = "limit"
    MASK = "mask"

    @property
    def is_equality(self) -> bool:
        """True for rows that have no headroom."""
        return self in (RowKind.MASK, RowKind.EQUALITY)

    @property
    def is_money(self) -> bool:
        """True for rows whose headroom is equity left over."""
        return self in (RowKind.SCENARIO, RowKind.FLOOR)


@dataclass(frozen=True, slots=True)
class ByKind(Generic[T]):
    """One value for each kind of margin."""

    initial: T
    maintenance: T

    def of(self, kind: RuleKind) -> T:
        """The value of a kind of margin whose rows are published.

        Raises:
            RuleBuildError: the reduced rule, which has no rows of its own.
        """
        if kind not in PUBLISHED_KINDS:
            raise RuleBuildError(f"{kind.name.lower()} margin has no rows of its own: combine those of the others")
        return self.initial if kind is RuleKind.INITIAL else self.maintenance

    def map(self, function: Callable[[T], Other]) -> ByKind[Other]:
        """The function of both values."""
        return ByKind(function(self.initial), function(self.maintenance))

    @staticmethod
    def make(function: Callable[[RuleKind], Other]) -> ByKind[Other]:
        """The function of both kinds."""
        return ByKind(function(RuleKind.INITIAL), function(RuleKind.MAINTENANCE))


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows of one component.

    Attributes:
        names: one a row, for people.
        unit: what one unit of an entry stands for: the tick, or :data:`COUNT`.
        long: coefficients of the long legs, [row, flat slot].
        short: coefficients of the short legs, [row, flat slot].
        constant: coefficient of the constant one, [row].
        auxiliaries: per row the coefficients of auxiliaries, row quantity per auxiliary quantity (money per money, or
            money per lot), exact; none by default.
    """

    names: tuple[str, ...]
    unit: Decimal
    long: NDArray[np.float64]
    short: NDArray[np.float64]
    constant: NDArray[np.float64]
    auxiliaries: tuple[Mapping[Auxiliary, Fraction], ...] = ()

    def __post_init__(self) -> None:
        """Fill in that no row uses an auxiliary."""
        if not self.auxiliaries:
            object.__setattr__(self, "auxiliaries", tuple({} for _ in self.names))

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.names)


def make_rows(
    names: tuple[str, ...],
    *,
    unit: Decimal,
    long: NDArray[np.float64],
    short: NDArray[np.float64] | None = None,
    constant: NDArray[np.float64] | float = 0.0,
    auxiliaries: tuple[Mapping[Auxiliary, Fraction], ...] = (),
) -> Rows:
    """Rows with a net coefficient: ``short`` is −``long`` unless given; one constant may serve all rows."""
    return Rows(
        names=names,
        unit=unit,
        long=long,
        short=-long if short is None else short,
        constant=np.broadcast_to(np.asarray(constant, dtype=np.float64), (len(names),)),
        auxiliaries=auxiliaries,
    )


def stack_rows(*blocks: Rows) -> Rows:
    """Rows of several blocks of one unit, one after the other."""
    return Rows(
        names=tuple(name for block in blocks for name in block.names),
        unit=blocks[0].unit,
        long=np.concatenate([block.long for block in blocks]),
        short=np.concatenate([block.short for block in blocks]),
        constant=np.concatenate([block.constant for block in blocks]),
        auxiliaries=tuple(coefficients for block in blocks for coefficients in block.auxiliaries),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Contribution:
    """What one component adds to a rule.

    With f the loss factor of a kind of margin, every scenario row of the rule reads

        equity at marks − Σ charges + f · profit ≥ 0.

    Attributes:
        auxiliaries: variables that its rows use.
        definitions: rows ≥ 0 that define auxiliaries; the same for both kinds of margin, so their chunks are shared.
        equalities: rows = 0 that define auxiliaries; the same for both kinds.
        profits: profits (negative = loss) of further scenarios, or of anything else that is scaled by the loss factor.
        charges: costs added to every scenario row, one row a kind: coefficients are ≥ 0 where they cost.
        floors: rows equity at marks − floor ≥ 0 that no charge enters; given without the equity.
        limits: rows ≥ 0 that have nothing to do with equity.
        factor_increase: is added to the loss factor of the rule.
        solver: finds the auxiliaries; by default each takes the least value that its definition rows leave.
    """

    auxiliaries: tuple[Auxiliary, ...] = ()
    definitions: Rows | None = None
    equalities: Rows | None = None
    profits: Rows | None = None
    charges: ByKind[Rows] | None = None
    floors: ByKind[Rows] | None = None
    limits: ByKind[Rows] | None = None
    factor_increase: ByKind[Fraction] = field(default_factory=lambda: ByKind(Fraction(0), Fraction(0)))
    solver: AuxiliarySolver | None = None
