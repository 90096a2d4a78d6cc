"""Paradex portfolio margin: requirements in USD, positive = to be held.

IM = max(scan, minimum delta) + provisions, MM = half of the maximum + provisions. Minimum delta =
(2 %·|net delta| + 1 %·hedged delta)·S with hedged = (gross − |net|)/2. Scan: greatest weighted loss over 24
scenarios, volatility σ·(1 + shock·(30/max(1, days))^p), p = 0.3 below 30 days, else 0.13. Source: risk-methods.md,
"Paradex" and "Net exposure".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from prover.errors import MethodologyError
from prover.market.pricing import OptionTerms, black76, black76_delta
from prover.methodologies.inputs import CaseInput, NonNegative, Positive, Quantities, inputs_of, read_input

DAYS_PER_YEAR: Final = 365
THIRTY_DAYS: Final = 30
VOLATILITY_UP: Final = 0.4
VOLATILITY_DOWN: Final = -0.22
SHORT_TERM_POWER: Final = 0.3
LONG_TERM_POWER: Final = 0.13
MAINTENANCE_FRACTION: Final = 0.5

_EDGE: Final = 0.16
_INNER: Final = (0.12, 0.08, 0.04, 0.0, -0.04, -0.08, -0.12)
_TAILS: Final = (
    (-0.66, 0.24),
    (-0.33, 0.48),
    (0.5, 0.32),
    (1.0, 0.16),
    (2.0, 0.08),
    (3.0, 0.0533),
    (4.0, 0.04),
    (5.0, 0.032),
)
SCENARIOS: Final = (
    (_EDGE, VOLATILITY_UP, 1.0),
    *((move, volatility, 1.0) for move in _INNER for volatility in (VOLATILITY_UP, VOLATILITY_DOWN)),
    (-_EDGE, VOLATILITY_UP, 1.0),
    *((move, VOLATILITY_UP, weight) for move, weight in _TAILS),
)
"""(spot move, volatility shock at 30 days, weight), in the published order."""


class ParadexPosition(CaseInput):
    """A perpetual, or an option where a strike is stated.

    Attributes:
        qty: units of the underlying, positive = long.
        delta: of one unit; computed for options that state terms, 1 for perpetuals.
        strike, days, vol, is_call: terms of an option; quote currency, days to expiry, fraction.
    """

    qty: float
    delta: float | None = None
    strike: NonNegative | None = None
    days: NonNegative | None = None
    vol: NonNegative | None = None
    is_call: bool = True

    @property
    def has_terms(self) -> bool:
        """Whether an option can be priced."""
        return self.strike is not None and self.days is not None and self.vol is not None

    def unit_value(self, spot: float, volatility_shock: float) -> float:
        """Worth of one unit at a spot price, quote currency; options on the spot price undiscounted."""
        if self.strike is None or self.days is None or self.vol is None:
            return spot
        power = SHORT_TERM_POWER if self.days < THIRTY_DAYS else LONG_TERM_POWER
        volatility = self.vol * max(0.0, 1 + volatility_shock * (THIRTY_DAYS / max(1.0, self.days)) ** power)
        return float(black76(OptionTerms(self.strike, self.days / DAYS_PER_YEAR, self.is_call), spot, volatility))

    def unit_delta(self, spot: float) -> float:
        """Delta of one unit.

        Raises:
            MethodologyError: an option with neither delta nor terms.
        """
        if self.delta is not None:
            return self.delta
        if self.strike is None:
            return 1.0
        if self.days is None or self.vol is None:
            raise MethodologyError("delta is missing for an option; add it, or days and vol")
        terms = OptionTerms(self.strike, self.days / DAYS_PER_YEAR, self.is_call)
        return float(black76_delta(terms, spot, self.vol))


class ParadexInputs(CaseInput):
    """A portfolio in one underlying; spot in USD, provisions in USD, rates fractions."""

    spot: Positive
    positions: tuple[ParadexPosition, ...]
    net_rate: NonNegative = 0.02
    hedged_rate: NonNegative = 0.01
    funding_provision: float = 0.0
    fee_provision: float = 0.0


@dataclass(frozen=True, slots=True)
class DeltaExposure:
    """Deltas in units of the underlying: net signed, gross and hedged not negative."""

    net: float
    gross: float

    @property
    def hedged(self) -> float:
        """(gross − |net|)/2."""
        return (self.gross - abs(self.net)) / 2


def delta_exposure(inputs: ParadexInputs) -> DeltaExposure:
    """Net and gross delta of a portfolio."""
    deltas = [position.qty * position.unit_delta(inputs.spot) for position in inputs.positions]
    return DeltaExposure(sum(deltas), sum(map(abs, deltas)))


def minimum_delta_risk(exposure: DeltaExposure, inputs: ParadexInputs) -> float:
    """(net rate·|net| + hedged rate·hedged)·S, USD."""
    return (inputs.net_rate * abs(exposure.net) + inputs.hedged_rate * exposure.hedged) * inputs.spot


def scan_risk(inputs: ParadexInputs) -> float:
    """Greatest weighted loss over the scenarios, at least 0, USD."""

    def value(move: float, volatility_shock: float) -> float:
        spot = inputs.spot * (1 + move)
        return sum(position.qty * position.unit_value(spot, volatility_shock) for position in inputs.positions)

    base = value(0.0, 0.0)
    return max(0.0, *((base - value(move, shock)) * weight for move, shock, weight in SCENARIOS))


def evaluate(case: Mapping[str, object]) -> Quantities:
    """Deltas and minimum delta; scan risk and margins too where every option states its terms.

    Raises:
        MethodologyError: a field is missing or out of range.
    """
    inputs = read_input(ParadexInputs, inputs_of(case))
    exposure = delta_exposure(inputs)
    least = minimum_delta_risk(exposure, inputs)
    quantities = {
        "net_delta": exposure.net,
        "gross_delta": exposure.gross,
        "hedged_delta": exposure.hedged,
        "min_delta_risk": least,
    }
    if any(not position.has_terms and position.delta not in {None, 1.0} for position in inputs.positions):
        return quantities
    scan = scan_risk(inputs)
    net, provisions = max(scan, least), inputs.funding_provision + inputs.fee_provision
    return quantities | {
        "scan_risk": scan,
        "initial_margin": net + provisions,
        "maintenance_margin": net * MAINTENANCE_FRACTION + provisions,
    }
