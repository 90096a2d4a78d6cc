"""What is drawn: plain data of every picture, which its table twin shows as well. Secret where it is a portfolio's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """Profit and loss by price and volatility.

    Attributes:
        subject: what moves, as in ``BTC``.
        price_moves: relative, ascending.
        volatility_moves: relative moves of its implied volatilities, ascending.
        profit: quote currency, [volatility move, price move].
    """

    subject: str
    price_moves: NDArray[np.float64]
    volatility_moves: NDArray[np.float64]
    profit: NDArray[np.float64] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class ProfitLine:
    """Profit and loss by price at one moment.

    Attributes:
        label: the moment, as in ``now`` or ``27DEC24``.
        profit: quote currency, one a price move.
    """

    label: str
    profit: NDArray[np.float64] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class ProfitCurve:
    """Profit and loss by price, now and at expiries.

    Attributes:
        subject: whose price moves.
        index_price: of the subject, quote currency; zero when several underlyings move together.
        price_moves: relative, ascending.
        lines: the present first, then expiries in order.
    """

    subject: str
    index_price: float
    price_moves: NDArray[np.float64]
    lines: tuple[ProfitLine, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    Attributes:
        label: what it stands for.
        amount: its length.
    """

    label: str
    amount: float = field(repr=False)


@dataclass(frozen=True, slots=True)
class BarPanel:
    """Bars of one quantity.

    Attributes:
        title: the quantity.
        unit: on the axis.
        bars: from top to bottom.
    """

    title: str
    unit: str
    bars: tuple[Bar, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Waterfall:
    """How a margin requirement comes about, and what is left of the equity.

    Attributes:
        kind: of margin, as in ``initial``.
        binding_row: name of the row that decides.
        parts: amounts that add up to the requirement, in order.
        requirement: their sum.
        equity: at marks.
    """

    kind: str
    binding_row: str
    parts: tuple[Bar, ...] = field(repr=False)
    requirement: float = field(repr=False)
    equity: float = field(repr=False)

    @property
    def headroom(self) -> float:
        """What is left in the row; negative when it fails."""
        return self.equity - self.requirement
