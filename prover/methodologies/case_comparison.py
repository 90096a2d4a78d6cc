"""Comparison of what a case expects with what was computed: number by number, within the tolerances it states.

Tolerances are ``tolerance_abs`` and ``tolerance_rel`` (a number, or a table by quantity), or a table ``tolerance``
with ``abs``, ``rel`` and entries for named quantities: ``im_mm_rel`` is for ``im`` and ``mm``, ``scenario_pnl_abs``
for that list. A number is met within the greater of the two. ``<quantity>_trunc`` is the quantity truncated towards
zero, after 10⁻⁹ was added in magnitude for rounding.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeGuard

if TYPE_CHECKING:
    from prover.methodologies.inputs import Quantities

DEFAULT_TOLERANCE: Final = 1e-9
"""Relative and absolute, where a case states none."""

TRUNCATED: Final = "_trunc"
TRUNCATION_ALLOWANCE: Final = 1e-9

_BOUNDS: Final = ("abs", "rel")


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Bounds of a difference; the greater counts.

    Attributes:
        absolute: in the quantity's unit.
        relative: fraction of the expected number.
    """

    absolute: float
    relative: float

    def admits(self, expected: float, got: float) -> bool:
        """Whether a number is met."""
        if math.isinf(expected) or math.isinf(got):
            return expected == got
        return abs(got - expected) <= max(self.absolute, self.relative * abs(expected))


@dataclass(frozen=True, slots=True)
class Difference:
    """One number, text or list that is not as expected.

    Attributes:
        quantity: its name, with the place inside lists and tables.
        expected, got: as stated and as computed; ``None`` where nothing was computed.
    """

    quantity: str
    expected: object
    got: object


def differences(case: Mapping[str, object], quantities: Quantities) -> Iterator[Difference]:
    """Everything that a case expects and that is not met; an expected null is not looked at."""
    expected = case.get("expected")
    if not isinstance(expected, Mapping):
        return
    for name, value in expected.items():
        if value is not None:
            yield from _compare(str(name), value, _computed(str(name), quantities), tolerance_of(case, str(name)))


def tolerance_of(case: Mapping[str, object], quantity: str) -> Tolerance:
    """The bounds that a case states for a quantity.

    Bounds named for a quantity come first, then those for all; where only other quantities have bounds, the widest
    of those; where there are none, the default.
    """
    table = case.get("tolerance")
    entries: dict[str, float] = {}
    if isinstance(table, Mapping):
        entries = {str(name): float(bound) for name, bound in table.items() if _is_number(bound)}
    elif _is_number(table):
        entries = {"abs": float(table)}
    for kind in _BOUNDS:
        entries |= _flattened(case.get(f"tolerance_{kind}"), kind)
    if not entries:
        return Tolerance(0.0, 0.0) if _has_rule(table) else Tolerance(DEFAULT_TOLERANCE, DEFAULT_TOLERANCE)
    own = {kind: _own_bound(entries, quantity, kind) for kind in _BOUNDS}
    if own == dict.fromkeys(_BOUNDS):
        own = {kind: max((b for name, b in entries.items() if name.endswith(kind)), default=None) for kind in _BOUNDS}
    return Tolerance(own["abs"] or 0.0, own["rel"] or 0.0)


def _own_bound(entries: Mapping[str, float], quantity: str, kind: str) -> float | None:
    named = [
        bound
        for name, bound in entries.items()
        if name == f"{quantity}_{kind}" or (name.endswith(f"_{kind}") and quantity in name.split("_")[:-1])
    ]
    return max(named) if named else entries.get(kind)


def _flattened(stated: object, kind: str) -> dict[str, float]:
    if isinstance(stated, Mapping):
        return {f"{name}_{kind}": float(bound) for name, bound in stated.items() if _is_number(bound)}
    return {kind: float(stated)} if _is_number(stated) else {}


def _has_rule(table: object) -> bool:
    return isinstance(table, Mapping) and "rule" in table


def _computed(name: str, quantities: Quantities) -> object:
    if name not in quantities and name.endswith(TRUNCATED):
        whole = quantities.get(name.removesuffix(TRUNCATED))
        if isinstance(whole, int | float) and math.isfinite(whole):
            return math.trunc(whole + math.copysign(TRUNCATION_ALLOWANCE, whole))
    return quantities.get(name)


def _compare(place: str, expected: object, got: object, tolerance: Tolerance) -> Iterator[Difference]:
    if isinstance(expected, Mapping) and isinstance(got, Mapping):
        for name, value in expected.items():
            yield from _compare(f"{place}.{name}", value, got.get(name), tolerance)
    elif _is_list(expected) and _is_list(got) and len(expected) == len(got):
        for index, pair in enumerate(zip(expected, got, strict=True)):
            yield from _compare(f"{place}[{index}]", *pair, tolerance)
    elif not _is_met(expected, got, tolerance):
        yield Difference(place, expected, got)


def _is_met(expected: object, got: object, tolerance: Tolerance) -> bool:
    if isinstance(expected, int | float) and isinstance(got, int | float):
        return tolerance.admits(float(expected), float(got))
    return not isinstance(expected, Mapping) and not _is_list(expected) and expected == got


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
