"""From a market snapshot and a rule file to margin rules: the matrices that are published, and what their rows mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prover.errors import RuleBuildError
from prover.market.instruments import Cash
from prover.rules.built_rule import BuiltRule, RulePart, reduced_rule
from prover.rules.rule_assembly import assemble, loss_factor
from prover.rules.rule_context import RuleContext
from prover.rules.rule_entries import rule_entries
from prover.rules.rule_file import shipped_rule
from prover.rules.rule_implication import require_implication
from prover.rules.rule_layout import lay_out
from prover.rules.rule_rows import ByKind, RowKind
from prover.rules.slots import CASH_SLOT, SlotTable, list_slots
from prover.rules.universe import build_universe
from verifier.rules.margin_rule import RuleMatrix
from verifier.rules.reduced_rule import lowered_to_parts
from verifier.rules.rule_audit import headroom_columns, require_sound
from verifier.rules.rule_boundedness import require_bounded
from verifier.rules.rule_kind import RuleKind
from verifier.shape import SMALL, STANDARD

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from prover.market.market_data import MarketSnapshot
    from prover.rules.auxiliaries import Auxiliary
    from prover.rules.rule_definition import RuleDefinition
    from prover.rules.rule_layout import Layout
    from prover.rules.universe import Universe
    from verifier.shape import Shape

DEFAULT_RULES: Final = {STANDARD: "scenarios", SMALL: "scenarios-small"}
"""Shipped rule files that are taken when none is named."""


@dataclass(frozen=True, slots=True)
class MarketOrigin:
    """Where a listed market comes from.

    Attributes:
        quote_currency: of its prices.
        snapshot_time: Unix seconds.
        snapshot_digest: of the snapshot, 32 bytes.
    """

    quote_currency: str
    snapshot_time: int
    snapshot_digest: bytes


def build_rules(
    snapshot: MarketSnapshot,
    definition: RuleDefinition | None = None,
    *,
    shape: Shape = STANDARD,
    books: int = 1,
    slots: SlotTable | None = None,
) -> tuple[BuiltRule, BuiltRule]:
    """Initial and maintenance rule of one snapshot, on the same slots and in the same columns.

    Args:
        snapshot: the market.
        definition: the rule file; by default the shipped one of the shape.
        shape: of the argument that will prove them.
        books: B, when ``slots`` is not given.
        slots: an earlier epoch's list, of which whatever the snapshot does not price is masked; by default the
            snapshot is listed afresh.

    Raises:
        RuleBuildError: no rule file for the shape, slots of another shape or currency, constants that a component
            refuses, too few columns, or initial margin that does not imply maintenance margin.
        EntryRangeError: a coefficient that does not fit a matrix entry.
        MatrixError: the matrix opens a free box or an unbounded ray (a fault of a component).
    """
    chosen = definition or _default_definition(shape)
    table = slots or list_slots(snapshot, shape, chosen, books=books)
    _require_fitting(table, snapshot, shape)
    origin = MarketOrigin(snapshot.quote_currency, snapshot.snapshot_time, snapshot.digest)
    return compile_rules(build_universe(snapshot, table, chosen.spread), chosen, origin, shape=shape)


def compile_rules(
    universe: Universe, definition: RuleDefinition, origin: MarketOrigin, *, shape: Shape
) -> tuple[BuiltRule, BuiltRule]:
    """Initial and maintenance rule of a listed market; errors as :func:`build_rules`."""
    context = RuleContext(universe, definition.tick, definition.components)
    parts = tuple(RulePart(part.component, part.contribute(context)) for part in definition.components)
    contributions = [part.contribution for part in parts]
    factors = ByKind.make(lambda kind: loss_factor(definition.loss_factor, contributions, kind))
    sections = assemble(context, contributions, factors)
    layout = lay_out(sections, _auxiliaries(parts), shape=shape, books=universe.slots.books)

    share = factors.maintenance / factors.initial
    entries = ByKind.make(
        lambda kind: rule_entries(sections, layout, universe=universe, kind=kind, shape=shape, share=share)
    )
    initial, maintenance = (
        BuiltRule(
            kind=kind,
            matrix=_checked_matrix(shape, values, layout),
            layout=layout,
            parts=parts,
            universe=universe,
            definition=definition,
            quote_currency=origin.quote_currency,
            snapshot_time=origin.snapshot_time,
            snapshot_digest=origin.snapshot_digest,
        )
        for kind, values in (
            (RuleKind.INITIAL, lowered_to_parts(entries.initial, entries.maintenance)),
            (RuleKind.MAINTENANCE, entries.maintenance),
        )
    )
    reduced = reduced_rule(initial, maintenance)
    for stricter, looser in ((initial, maintenance), (initial, reduced), (reduced, maintenance)):
        require_implication(stricter, looser)
    return initial, maintenance


def _checked_matrix(shape: Shape, entries: NDArray[np.int64], layout: Layout) -> RuleMatrix:
    """The matrix, if it opens neither a free box nor an unbounded ray."""
    matrix = RuleMatrix(shape, entries)
    _require_own_headrooms(matrix, layout)
    require_sound(matrix)
    require_bounded(matrix, [index for index, row in enumerate(layout.rows) if row.kind is RowKind.LIMIT])
    return matrix


def _require_own_headrooms(matrix: RuleMatrix, layout: Layout) -> None:
    """Whoever reads the matrix alone must find the same headrooms: an auxiliary may not look like one."""
    for row, found in zip(layout.rows, headroom_columns(matrix), strict=True):
        if found != row.headroom:
            raise RuleBuildError(
                f"row {row.name!r}: an auxiliary that no other row uses would be taken for its headroom, so it does "
                "nothing; charge it, or leave out the component with rate zero that it belongs to"
            )


def _default_definition(shape: Shape) -> RuleDefinition:
    if shape not in DEFAULT_RULES:
        raise RuleBuildError(f"no rule file belongs to a shape of {shape.columns} columns; name one")
    return shipped_rule(DEFAULT_RULES[shape])


def _auxiliaries(parts: Sequence[RulePart]) -> list[Auxiliary]:
    return [auxiliary for part in parts for auxiliary in part.contribution.auxiliaries]


def _require_fitting(slots: SlotTable, snapshot: MarketSnapshot, shape: Shape) -> None:
    if slots.slots_per_book != shape.slots:
        raise RuleBuildError(
            f"the list has {slots.slots_per_book} slots a book, the shape {shape.slots}; use its shape"
        )
    cash = Cash(snapshot.quote_currency)
    if not any(slot.instrument == cash and (slot.book, slot.position) == (0, CASH_SLOT) for slot in slots.listed):
        raise RuleBuildError(
            f"slot {CASH_SLOT} of book 0 is not {cash.name}, the market's quote currency; use a snapshot quoted in the "
            "currency of the list"
        )
