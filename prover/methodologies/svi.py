"""Volatility of a strike from a raw SVI slice of total variance.

w(k) = a + b·(ρ·(k − m) + √((k − m)² + σ²)) with k = ln(K/F); volatility = √(w/τ).
Source: J. Gatheral, A parsimonious arbitrage-free implied volatility parameterization (2004).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from prover.errors import MethodologyError
from prover.methodologies.inputs import CaseInput, NonNegative, Positive, Quantities, inputs_of, read_input

if TYPE_CHECKING:
    from collections.abc import Mapping


class SviSlice(CaseInput):
    """One expiry's smile and the strike asked for.

    Attributes:
        a: level of total variance.
        b: slope of the wings.
        rho: tilt, between −1 and 1.
        m: shift in log moneyness.
        sigma: roundness at the money.
        tau: years to expiry.
        forward: F, quote currency.
        strike: K, quote currency.
    """

    a: float
    b: float
    rho: float
    m: float
    sigma: NonNegative
    tau: Positive
    forward: Positive
    strike: Positive


def total_variance(smile: SviSlice) -> float:
    """w(k), variance until expiry."""
    distance = math.log(smile.strike / smile.forward) - smile.m
    return smile.a + smile.b * (smile.rho * distance + math.hypot(distance, smile.sigma))


def evaluate(case: Mapping[str, object]) -> Quantities:
    """``vol`` and ``total_variance`` at the strike of a case.

    Raises:
        MethodologyError: a field is missing or out of range, or the slice gives a negative variance there.
    """
    smile = read_input(SviSlice, inputs_of(case))
    variance = total_variance(smile)
    if variance < 0:
        raise MethodologyError(f"total variance = {variance!r} at this strike: the slice has arbitrage; raise a or b")
    return {"vol": math.sqrt(variance / smile.tau), "total_variance": variance}
