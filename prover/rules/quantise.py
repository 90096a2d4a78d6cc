"""Where floats end: coefficients in quote currency become matrix entries in ticks, rounded against the trader."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.errors import EntryRangeError
from verifier.rules.margin_rule import ENTRY_BOUND

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEFAULT_TICK: Final = Decimal("0.01")
"""One tick in quote currency."""


def quantise(coefficients: NDArray[np.float64], tick: Decimal) -> NDArray[np.int64]:
    """Signed coefficients as whole ticks, each rounded down.

    A long leg enters with +value and a short leg with −cost, so that one direction serves both: a value is rounded
    down, ⌊value/tick⌋, and a cost up, −⌈cost/tick⌉ = ⌊−cost/tick⌋. Both lower the headroom, by less than one tick a
    lot each.

    Args:
        coefficients: quote currency per lot.
        tick: quote currency, positive.

    Raises:
        EntryRangeError: a coefficient that is not finite, or an entry of 2^62 ticks or more in absolute value.
    """
    if tick <= 0:
        raise EntryRangeError(f"tick = {tick}: use a positive amount of quote currency, for example {DEFAULT_TICK}")
    ticks = np.floor(coefficients / float(tick))
    usable = np.isfinite(ticks) & (np.abs(ticks) < float(ENTRY_BOUND))
    if not usable.all():
        place = tuple(int(index) for index in np.argwhere(~usable)[0])
        raise EntryRangeError(
            f"coefficient {float(coefficients[place])} at {place} is not below 2^62 ticks of {tick}; "
            "use larger ticks or smaller lots"
        )
    return ticks.astype(np.int64)
