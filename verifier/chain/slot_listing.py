"""What was listed when an epoch was announced, by the events of the registry of instruments.

An epoch keeps the masks of that moment, however the list goes on; whoever proves under it needs the slots that they let
live.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from verifier.chain.contract_interface import contract_interface

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from verifier.chain.contract_interface import EventLog

_LISTED: Final = "SlotListed"
_DELISTED: Final = "SlotDelisted"
_RETIRED: Final = "BookRetired"


@dataclass(frozen=True, slots=True, eq=False)
class SlotListing:
    """A moment of the list.

    Attributes:
        names: of everything ever listed until then, by (book, position).
        live: whether a slot may hold positions, bool[book, slot].
    """

    names: dict[tuple[int, int], str]
    live: NDArray[np.bool_]


def slot_listing(
    logs: Iterable[EventLog], *, books: int, slots_per_book: int, until: EventLog | None = None
) -> SlotListing:
    """Replay the events of the registry of instruments.

    Args:
        logs: all of them, oldest first.
        books: that are looked at; others are left out.
        slots_per_book: N.
        until: an event of any contract; later ones are left out. ``None`` takes all.
    """
    interface = contract_interface("InstrumentRegistry")
    kinds = {interface.event_topic(name): name for name in (_LISTED, _DELISTED, _RETIRED)}
    names: dict[tuple[int, int], str] = {}
    live = np.zeros((books, slots_per_book), dtype=np.bool_)
    for log in logs:
        kind = kinds.get(log.topics[0])
        if kind is None or (until is not None and _place(log) > _place(until)):
            continue
        values = interface.decode_event(kind, log)
        if kind == _RETIRED:
            live[values["book"] : values["book"] + 1] = False
            continue
        book, position = divmod(values["slot"], slots_per_book)
        if kind == _LISTED:
            names[book, position] = values["name"]
        if book < books:
            live[book, position] = kind == _LISTED
    return SlotListing(names, live)


def _place(log: EventLog) -> tuple[int, int]:
    return log.block_number, log.log_index
