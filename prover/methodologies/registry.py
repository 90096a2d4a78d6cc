"""Which methodology or model a case names, and what evaluates it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prover.errors import MethodologyError
from prover.methodologies import (
    black76,
    deribit_portfolio_margin,
    derive_pmrm1,
    derive_pmrm2,
    derive_srm,
    exchange_formulas,
    expected_shortfall,
    paradex,
    span,
    svi,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from prover.methodologies.inputs import Quantities

EVALUATORS: Final[Mapping[str, Callable[[Mapping[str, object]], Quantities]]] = {
    "black76": black76.evaluate,
    "black76_inverse_quote": black76.evaluate,
    "black_scholes_merton": black76.evaluate,
    "black_scholes_spot": black76.evaluate,
    "svi_raw_total_variance": svi.evaluate,
    "span": span.evaluate,
    "derive_pmrm1": derive_pmrm1.evaluate,
    "derive_pmrm2": derive_pmrm2.evaluate,
    "derive_srm": derive_srm.evaluate,
    "deribit_portfolio_margin": deribit_portfolio_margin.evaluate,
    "deribit_standard_margin_linear_perpetual": exchange_formulas.deribit_linear_perpetual,
    "deribit_standard_margin_inverse_perpetual": exchange_formulas.deribit_inverse_perpetual,
    "bybit_option_cross_margin": exchange_formulas.bybit_option,
    "opyn_gamma_naked_margin": exchange_formulas.opyn_naked_margin,
    "tiered_marginal_charge": exchange_formulas.tiered_marginal_charge,
    "dederi_portfolio_margin": exchange_formulas.dederi_future,
    "paradex_portfolio_margin": paradex.evaluate,
}
"""By the name that cases write as ``methodology`` or ``model``."""

EVALUATORS_WITH_DATA: Final[Mapping[str, Callable[[Mapping[str, object], Path], Quantities]]] = {
    "expected_shortfall_historical": expected_shortfall.evaluate,
    "expected_shortfall_scenario": expected_shortfall.evaluate,
    "statistics": expected_shortfall.evaluate,
}
"""Those whose cases may name data files."""


def methodology_of(case: Mapping[str, object]) -> str:
    """The name a case goes by: its ``methodology``, else its ``model``; empty where it has neither."""
    name = case.get("methodology", case.get("model", ""))
    return name if isinstance(name, str) else ""


def evaluate(case: Mapping[str, object], folder: Path) -> Quantities:
    """Everything that the case's methodology computes, by name.

    Args:
        case: as a case file writes it.
        folder: that data paths are relative to.

    Raises:
        MethodologyError: unknown methodology, or a field that is missing or out of range.
        PricingError: an option outside the model's domain.
    """
    name = methodology_of(case)
    if name in EVALUATORS_WITH_DATA:
        return EVALUATORS_WITH_DATA[name](case, folder)
    if name in EVALUATORS:
        return EVALUATORS[name](case)
    known = ", ".join(sorted({*EVALUATORS, *EVALUATORS_WITH_DATA}))
    raise MethodologyError(f"methodology = {name!r} is not known; write one of {known}")
