"""The margin rules of an epoch (twin: contracts/types/MarginRule.sol)."""

from __future__ import annotations

import enum
from typing import Final


class RuleKind(enum.IntEnum):
    """Numbered as on chain; initial margin is asked of every action that takes risk.

    The reduced rule lies between the two, (3 · maintenance + initial)/4: it has no blobs of its own.
    """

    INITIAL = 0
    MAINTENANCE = 1
    REDUCED = 2


PUBLISHED_KINDS: Final = (RuleKind.INITIAL, RuleKind.MAINTENANCE)
"""Rules whose rows are published; the reduced rule follows from them."""
