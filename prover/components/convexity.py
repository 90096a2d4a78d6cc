"""What rule files may ask for and no margin rule can: requirements that are not convex, each refused with its reason.

A margin rule that holds for two portfolios holds for half of each together: what a linear program requires is convex.
The lesser of two requirements is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NOT_CONVEX: Final = {
    "standard-margin": (
        "for every expiry it asks the lesser of what its options need alone and of their greatest loss at expiry, and "
        "the lesser of two requirements is not convex: use scenario-grid with naked-shorts instead, or look "
        "at the method in clear with 'zkmargin cases run'"
    ),
    "inter-month-spread": (
        "rate · min(long, short) over months is not convex: use calendar-spread, or inter_month of span-scan, which "
        "ask no less"
    ),
}
"""Methods that have a name, and what to use instead."""

LESSER: Final = frozenset({"min", "minimum", "lesser", "best"})


def refuse_not_convex(fields: object) -> object:
    """Fields of a component as they are.

    Raises:
        ValueError: the component, or the way it combines requirements, is not convex; pydantic reports it.
    """
    if not isinstance(fields, Mapping):
        return fields
    name, combine = fields.get("component"), fields.get("combine")
    if isinstance(name, str) and name in NOT_CONVEX:
        message = f"component = {name!r} is no margin rule: {NOT_CONVEX[name]}"
        raise ValueError(message)
    if isinstance(combine, str) and combine in LESSER:
        message = (
            f"combine = {combine!r} of {name}: the least of several requirements is not convex, so no margin rule can "
            "ask it: leave combine out, and every one of them is asked"
        )
        raise ValueError(message)
    return fields
