"""What stands in for quotes that nobody gives."""

from __future__ import annotations

from decimal import Decimal

from prover.components.constants import Rate, Record


class SpreadAssumption(Record):
    """Half the spread between bid and ask where one of them is missing; the larger of the two parts counts.

    Attributes:
        of_option_mark: fraction of an option's mark.
        of_forward: fraction of an option's forward.
        of_perpetual_mark: fraction of a perpetual's mark.
    """

    of_option_mark: Rate = Decimal("0.05")
    of_forward: Rate = Decimal("0.0005")
    of_perpetual_mark: Rate = Decimal("0.0005")
