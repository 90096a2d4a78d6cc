"""Cumulative funding indices of perpetuals, as they are published beside the marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prover.market.instruments import Perpetual

if TYPE_CHECKING:
    from prover.rules.slots import SlotTable

INDEX_BYTES: Final = 8
NO_FUNDING: Final = 0
"""Market snapshots carry no funding: perpetuals are worth their mark."""


def funding_indices(slots: SlotTable) -> bytes:
    """Ticks of funding that a lot of each perpetual has paid so far: 8 bytes a perpetual, in the order of the slots."""
    perpetuals = [slot for slot in slots.listed if isinstance(slot.instrument, Perpetual)]
    return b"".join(NO_FUNDING.to_bytes(INDEX_BYTES, "big", signed=True) for _ in perpetuals)
