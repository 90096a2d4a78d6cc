"""What is chosen of a simulated day, and what is left of it when it is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prover.errors import SimulationError

if TYPE_CHECKING:
    from pathlib import Path

    from prover.rules.slots import SlotTable
    from prover.simulation.market_path import MarketPath
    from prover.simulation.simulated_day import SimulatedDay

FEWEST_ACCOUNTS: Final = 4
FEWEST_EPOCHS: Final = 3


@dataclass(frozen=True, slots=True)
class DayChoices:
    """What is chosen of a day.

    Attributes:
        accounts: at least four.
        trades: legs that are settled, at least.
        epochs: at least three.
        seed: of prices and choices; blinds come from the operating system.
        history: files of daily prices, one an asset; none for the example.
        shape: of the argument.
    """

    accounts: int = 10
    trades: int = 100
    epochs: int = 12
    seed: int = 1
    history: tuple[Path, ...] = ()
    shape: str = "small"

    def require_possible(self) -> None:
        """Check that there is room for everything that happens in a day.

        Raises:
            SimulationError: there is not.
        """
        if self.accounts < FEWEST_ACCOUNTS or self.epochs < FEWEST_EPOCHS or self.trades < self.epochs:
            raise SimulationError(
                f"{self.accounts} accounts, {self.trades} trades and {self.epochs} epochs are too few for a day: "
                f"give at least {FEWEST_ACCOUNTS} accounts, {FEWEST_EPOCHS} epochs and a trade an epoch"
            )


@dataclass(frozen=True, slots=True)
class DayOutcome:
    """A day that is over.

    Attributes:
        choices: of it.
        path: its prices.
        day: chain and model at its end, all events.
        trades: legs settled.
        table: slots listed at its end.
    """

    choices: DayChoices
    path: MarketPath
    day: SimulatedDay
    trades: int
    table: SlotTable
