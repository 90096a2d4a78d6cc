"""Expected shortfall of a portfolio over historical or stated scenarios, by two algorithms that must agree.

ES_α(L) = min_z z + Σ max(L_s − z, 0)/((1 − α)·n), losses L positive, quote currency. Source: risk-methods.md,
"Expected shortfall"; R. T. Rockafellar, S. Uryasev, Optimization of conditional value-at-risk (2000).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import AliasChoices, Field

from prover.errors import MethodologyError
from prover.market.price_history import PriceHistory, read_price_history
from prover.methodologies.inputs import CaseInput, Quantities, inputs_of, read_input

AGREEMENT: Final = 1e-6
"""How far the two algorithms may differ, as a fraction of the greatest |loss|: the solver's rows hold to 10⁻⁷."""

Level = Annotated[float, Field(ge=0, lt=1)]


class StatedLosses(CaseInput):
    """Scenarios with their outcome, quote currency.

    Attributes:
        alpha: level.
        losses: positive = loss; or ``pnl``, positive = gain.
    """

    alpha: Level
    losses: tuple[float, ...] | None = None
    pnl: tuple[float, ...] | None = Field(None, validation_alias=AliasChoices("pnl", "scenario_pnl"))


class HistoricalInputs(CaseInput):
    """A portfolio and the price history that it is replayed over.

    Attributes:
        data: CSV files, relative to the folder that holds the folders of data and cases; ``ASSET-USD_….csv``.
        column: of the price.
        returns: "simple…" or "log…", between consecutive rows; dates missing in any file are left out.
        n_returns: how many there should be, checked where it is stated.
        alpha: level; none for statistics alone.
        qty: units by asset, positive = long.
        price: today's price by asset, quote currency.
    """

    data: tuple[str, ...] = Field(min_length=1)
    column: str = "close"
    returns: str = "simple"
    n_returns: int | None = None
    alpha: Level | None = None
    qty: Mapping[str, float] | None = None
    price: Mapping[str, float] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShortfallReport:
    """What a vector of losses says at one level, quote currency.

    Attributes:
        shortfall: expected shortfall.
        worst: greatest loss.
        value_at_risk: the loss of rank ⌈αn⌉ from below.
    """

    shortfall: float
    worst: float
    value_at_risk: float


def tail_mean(losses: NDArray[np.float64], alpha: float) -> float:
    """Mean of the (1 − α)·n greatest losses, the last of them counted by its fraction.

    Args:
        losses: positive = loss, quote currency.
        alpha: level in [0, 1).
    """
    mass = (1 - alpha) * len(losses)
    ordered = np.sort(losses)[::-1]
    whole = min(math.floor(mass), len(losses))
    fraction = (mass - whole) * float(ordered[whole]) if whole < len(losses) else 0.0
    return (math.fsum(ordered[:whole]) + fraction) / mass


def linear_program(losses: NDArray[np.float64], alpha: float) -> float:
    """The same by Rockafellar and Uryasev's linear program, solved by HiGHS.

    Variables z (free) and u_s ≥ 0 with u_s ≥ L_s − z; least z + Σu_s/((1 − α)·n).

    Raises:
        MethodologyError: the solver fails.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415 - slow to load, and only this needs it
    from scipy.sparse import csr_array  # noqa: PLC0415 - the same

    count = len(losses)
    scale = max(float(np.abs(losses).max()), np.finfo(np.float64).tiny)
    costs = np.concatenate([[1.0], np.full(count, 1 / ((1 - alpha) * count))])
    scenarios = np.arange(count)
    places = (np.concatenate([scenarios, scenarios]), np.concatenate([np.zeros(count, dtype=int), scenarios + 1]))
    rows = csr_array((np.ones(2 * count), places), shape=(count, count + 1))
    bounds = Bounds(np.concatenate([[-np.inf], np.zeros(count)]), np.full(count + 1, np.inf))
    solution = milp(costs, bounds=bounds, constraints=LinearConstraint(rows, lb=losses / scale))
    if not solution.success or solution.fun is None:
        raise MethodologyError(f"the linear program of expected shortfall was not solved: {solution.message}")
    return float(solution.fun) * scale


def shortfall_report(losses: NDArray[np.float64], alpha: float) -> ShortfallReport:
    """Expected shortfall by both algorithms, worst loss and value at risk.

    Raises:
        MethodologyError: there are no losses, or the algorithms disagree.
    """
    if not len(losses):
        raise MethodologyError("there are no scenarios; state losses or pnl")
    mean, optimum = tail_mean(losses, alpha), linear_program(losses, alpha)
    if abs(mean - optimum) > AGREEMENT * float(np.abs(losses).max()):
        raise MethodologyError(f"expected shortfall is {mean!r} by tail mean and {optimum!r} by linear program")
    rank = max(math.ceil(alpha * len(losses)), 1)
    return ShortfallReport(mean, float(losses.max()), float(np.sort(losses)[rank - 1]))


def evaluate(case: Mapping[str, object], folder: Path) -> Quantities:
    """Shortfall of a case, and the statistics of its price history.

    Args:
        case: with stated losses or P&L, or with price history.
        folder: that its data paths are relative to.

    Raises:
        MethodologyError: a field is missing or out of range, or a file cannot be used.
    """
    stated = inputs_of(case)
    if isinstance(stated, Mapping) and "data" not in stated:
        scenarios = read_input(StatedLosses, stated)
        if scenarios.losses is None and scenarios.pnl is None:
            raise MethodologyError("losses are missing; state losses, pnl or data")
        losses = scenarios.losses if scenarios.losses is not None else tuple(-gain for gain in scenarios.pnl or ())
        return _named(shortfall_report(np.array(losses), scenarios.alpha))
    inputs = read_input(HistoricalInputs, stated)
    history = read_price_history([folder / name for name in inputs.data], inputs.column)
    returns = history.returns(logarithmic=inputs.returns.startswith("log"))
    if inputs.n_returns is not None and inputs.n_returns != len(returns):
        raise MethodologyError(f"n_returns = {inputs.n_returns}: the files give {len(returns)}; check files and dates")
    quantities = _statistics(history, returns)
    if inputs.alpha is None or inputs.qty is None:
        return quantities
    losses_by_day = -returns @ _exposures(history, inputs)
    return quantities | _named(shortfall_report(losses_by_day, inputs.alpha))


def _named(report: ShortfallReport) -> dict[str, float]:
    return {"es": report.shortfall, "worst_loss": report.worst, "var_alpha_order_stat": report.value_at_risk}


def _exposures(history: PriceHistory, inputs: HistoricalInputs) -> NDArray[np.float64]:
    """Quantity times today's price by asset, in the order of the history; the last price where none is stated."""
    for asset in inputs.qty or {}:
        if asset not in history.assets:
            raise MethodologyError(f"qty.{asset}: no price history; add its file to data")
    quantities = np.array([(inputs.qty or {}).get(asset, 0.0) for asset in history.assets])
    today = zip(history.assets, history.prices[-1], strict=True)
    values = np.array([inputs.price.get(asset, float(last)) for asset, last in today])
    return np.asarray(quantities * values, dtype=np.float64)


def _statistics(history: PriceHistory, returns: NDArray[np.float64]) -> dict[str, float]:
    quantities: dict[str, float] = {}
    for index, asset in enumerate(history.assets):
        name = asset.lower()
        quantities[f"daily_vol_{name}"] = float(np.std(returns[:, index], ddof=1))
        quantities[f"mean_{name}"] = float(returns[:, index].mean())
        quantities[f"worst_{name}"] = float(returns[:, index].min())
        quantities[f"best_{name}"] = float(returns[:, index].max())
    if len(history.assets) > 1:
        correlation = float(np.corrcoef(returns[:, 0], returns[:, 1])[0, 1])
        quantities |= {"pearson_simple_returns": correlation, "pearson": correlation}
    return quantities
