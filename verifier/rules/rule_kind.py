"""The two margin rules of an epoch (twin: contracts/types/MarginRule.sol)."""

from __future__ import annotations

import enum


class RuleKind(enum.IntEnum):
    """Numbered as on chain; initial margin is asked of every action that takes risk."""

    INITIAL = 0
    MAINTENANCE = 1
