"""Figures as people read them: thousands apart, a true minus sign, units elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from decimal import Decimal

CENTS_BELOW: Final = 100
"""Amounts are shown in whole units from here on."""

MILLION: Final = 1_000_000
MILLIONS_FROM: Final = 10 * MILLION
"""Where there is little room, amounts are shown in millions from here on."""


def money(value: float | Decimal, decimals: int | None = 2) -> str:
    """An amount: ``−1,234.50``; never a negative zero. ``None`` shows as many decimals as a decimal number has."""
    text = f"{abs(value):,f}" if decimals is None else f"{abs(value):,.{decimals}f}"
    is_zero = not text.strip("0,.")
    return text if value >= 0 or is_zero else f"−{text}"


def whole(value: float) -> str:
    """An amount in whole units; one below a hundred with cents."""
    return money(value, 0 if abs(value) >= CENTS_BELOW or value == 0 else 2)


def short(value: float) -> str:
    """An amount where there is little room: from ten million in millions, ``4,700.0 M``."""
    return f"{money(value / MILLION, 1)} M" if abs(value) >= MILLIONS_FROM else whole(value)


def percent(share: float, decimals: int = 1) -> str:
    """A share in percent: ``12.5 %``."""
    return f"{money(100 * share, decimals)} %"


def moment(unix_time: int) -> str:
    """A time: ``2024-11-20 10:00 UTC``."""
    return datetime.fromtimestamp(unix_time, UTC).strftime("%Y-%m-%d %H:%M UTC")
