"""SPAN: risk arrays over 16 scenarios, inter-month charge, inter-commodity credit, short option minimum.

Requirement = max(scan risk + inter-month + delivery − inter-commodity credit, short option minimum) − net option
value, in the currency of the contracts. Source: risk-methods.md, "SPAN". Risk arrays here are P&L of one long lot,
positive = gain (published arrays state losses: pass them as ``risk_arrays_loss_long1``); extreme scenarios are
weighted already.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AliasChoices, Field, model_validator

from prover.errors import MethodologyError
from prover.methodologies.inputs import CaseInput, NonNegative, Quantities, inputs_of, read_input

EXTREME_WEIGHT: Final = 0.35


class SpanScenario(CaseInput):
    """Moves in fractions of the scan ranges, and the weight of the P&L."""

    price: float
    vol: float = 0.0
    weight: float = 1.0


SCENARIOS: Final = (
    *(
        SpanScenario(price=price, vol=vol)
        for price in (0.0, 1 / 3, -1 / 3, 2 / 3, -2 / 3, 1.0, -1.0)
        for vol in (1.0, -1.0)
    ),
    SpanScenario(price=2.0, weight=EXTREME_WEIGHT),
    SpanScenario(price=-2.0, weight=EXTREME_WEIGHT),
)
"""The 16 scenarios, in their order."""


class ContractMonth(CaseInput):
    """Lots long and short of one contract month."""

    month: str = ""
    long: NonNegative = 0.0
    short: NonNegative = 0.0

    @property
    def net(self) -> float:
        """Long less short, lots."""
        return self.long - self.short


class SpanInputs(CaseInput):
    """One combined commodity.

    Attributes:
        scenarios: of the risk arrays, and of futures that have none.
        price_scan_range: loss of one lot over the full range.
        risk_arrays_pnl_long1, risk_arrays_loss_long1: one lot long, by contract.
        positions: lots by contract, or by contract month.
        long, short: lots of a single contract.
        scan_risk: where it is stated instead of computed.
        net_option_value: worth of long less short options.
        short_option_minimum, inter_month_charge, delivery_charge, inter_commodity_credit: totals.
        inter_month_charge_per_spread: charge of each lot spread between months.
    """

    scenarios: tuple[SpanScenario, ...] = SCENARIOS
    price_scan_range: NonNegative | None = None
    risk_arrays_pnl_long1: Mapping[str, tuple[float, ...]] = Field(default_factory=dict)
    risk_arrays_loss_long1: Mapping[str, tuple[float, ...]] = Field(default_factory=dict)
    positions: Mapping[str, float] | tuple[ContractMonth, ...] = ()
    long: NonNegative = 0.0
    short: NonNegative = 0.0
    scan_risk: NonNegative | None = None
    net_option_value: float = 0.0
    short_option_minimum: NonNegative = 0.0
    inter_month_charge: NonNegative = 0.0
    inter_month_charge_per_spread: NonNegative = Field(
        0.0, validation_alias=AliasChoices("inter_month_charge_per_spread", "inter_month_spread_charge")
    )
    delivery_charge: NonNegative = 0.0
    inter_commodity_credit: NonNegative = 0.0

    @model_validator(mode="after")
    def _arrays_fit(self) -> Self:
        for name, array in (*self.risk_arrays_pnl_long1.items(), *self.risk_arrays_loss_long1.items()):
            if len(array) != len(self.scenarios):
                raise ValueError(f"{name} has {len(array)} entries for {len(self.scenarios)} scenarios")
        return self


@dataclass(frozen=True, slots=True)
class SpanRequirement:
    """Requirement and its parts, positive = to be paid.

    Attributes:
        pnl: of the portfolio by scenario, positive = gain; empty where the scan risk was stated.
        scan_risk: greatest loss, at least 0.
        inter_month: charge of spreads between months.
        requirement: what must be deposited.
    """

    pnl: tuple[float, ...]
    scan_risk: float
    inter_month: float
    requirement: float

    @property
    def worst_scenario(self) -> int:
        """Number of the worst scenario, from 1; the first of equals, 0 where the scan risk was stated."""
        return int(np.argmin(self.pnl)) + 1 if self.pnl else 0


def portfolio_pnl(inputs: SpanInputs) -> NDArray[np.float64]:
    """P&L of the portfolio by scenario, positive = gain.

    Raises:
        MethodologyError: a contract has neither a risk array nor a price scan range.
    """
    lots = dict(inputs.positions) if isinstance(inputs.positions, Mapping) else {"": _net_position(inputs)}
    total = np.zeros(len(inputs.scenarios))
    for contract, quantity in lots.items():
        total += quantity * _risk_array(inputs, contract)
    return total


def requirement(inputs: SpanInputs) -> SpanRequirement:
    """Requirement of one combined commodity.

    Raises:
        MethodologyError: a contract has neither a risk array nor a price scan range.
    """
    pnl = () if inputs.scan_risk is not None else tuple(map(float, portfolio_pnl(inputs)))
    scan_risk = inputs.scan_risk if inputs.scan_risk is not None else max(0.0, -min(pnl))
    inter_month = inputs.inter_month_charge + inputs.inter_month_charge_per_spread * _month_spreads(inputs)
    risk = scan_risk + inter_month + inputs.delivery_charge - inputs.inter_commodity_credit
    total = max(risk, inputs.short_option_minimum) - inputs.net_option_value
    return SpanRequirement(pnl, scan_risk, inter_month, total)


def evaluate(case: Mapping[str, object]) -> Quantities:
    """The quantities of a case, by the names of the case files.

    Raises:
        MethodologyError: a field is missing or out of range.
    """
    inputs = read_input(SpanInputs, inputs_of(case))
    result = requirement(inputs)
    return {
        "portfolio_array_pnl": result.pnl,
        "portfolio_array_loss": tuple(-pnl for pnl in result.pnl),
        "scan_risk": result.scan_risk,
        "worst_scenario": result.worst_scenario,
        "net_position": _net_position(inputs),
        "inter_month_charge": result.inter_month,
        "margin": result.requirement,
    }


def _risk_array(inputs: SpanInputs, contract: str) -> NDArray[np.float64]:
    if contract in inputs.risk_arrays_pnl_long1:
        return np.array(inputs.risk_arrays_pnl_long1[contract])
    if contract in inputs.risk_arrays_loss_long1:
        return -np.array(inputs.risk_arrays_loss_long1[contract])
    if inputs.price_scan_range is None:
        raise MethodologyError(f"contract {contract!r} has no risk array; add it, or price_scan_range for a future")
    moves = [scenario.price * scenario.weight for scenario in inputs.scenarios]
    return inputs.price_scan_range * np.array(moves)


def _net_position(inputs: SpanInputs) -> float:
    if isinstance(inputs.positions, Mapping):
        return sum(inputs.positions.values())
    return sum(month.net for month in inputs.positions) + inputs.long - inputs.short


def _month_spreads(inputs: SpanInputs) -> float:
    """Lots that are long in one month and short in another."""
    if isinstance(inputs.positions, Mapping):
        return 0.0
    nets = [month.net for month in inputs.positions]
    return min(sum(net for net in nets if net > 0), -sum(net for net in nets if net < 0))
