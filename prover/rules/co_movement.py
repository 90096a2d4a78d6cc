"""How underlyings move together, and what a portfolio's net deltas amount to across them.

With n_u the delta notional of underlying u, β_u its beta to a reference and ρ the correlation of returns:

    beta-weighted net = Σ_u β_u · n_u          correlation-adjusted net = √(n' ρ n)

The first is the delta notional in the reference that gains and loses as much on average. The second is |Σ n| when all
move as one; it is less where the risk is spread, and more where one underlying hedges another imperfectly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from prover.errors import MarketDataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from prover.market.price_history import PriceHistory
    from prover.rules.net_exposure import NetExposure


@dataclass(frozen=True, slots=True, eq=False)
class CoMovement:
    """Public facts about several underlyings.

    Attributes:
        reference: coin that betas refer to.
        betas: expected relative move of each coin for one of the reference.
        correlations: of the coins in the order of ``betas``, [coin, coin]; ``None`` when only betas are known.
    """

    reference: str
    betas: Mapping[str, float]
    correlations: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class CrossExposure:
    """Net delta across underlyings, quote currency; secret.

    Attributes:
        reference: coin that betas refer to.
        beta_weighted_notional: Σ β·n.
        correlation_adjusted_notional: √(n' ρ n); ``None`` when correlations are not known.
    """

    reference: str
    beta_weighted_notional: float = field(repr=False)
    correlation_adjusted_notional: float | None = field(repr=False)


def estimate_co_movement(history: PriceHistory, reference: str) -> CoMovement:
    """Betas and correlations of daily returns: β_u = cov(r_u, r_ref)/var(r_ref).

    Raises:
        MarketDataError: no prices of the reference, or too few or constant prices.
    """
    if reference not in history.assets:
        raise MarketDataError(
            f"there is no price history of {reference!r}, only of {', '.join(history.assets)}: name one of them"
        )
    returns = history.returns()
    if len(returns) < 2 or (returns.std(axis=0) == 0).any():  # noqa: PLR2004 - a covariance needs two returns
        raise MarketDataError(
            f"{len(history.dates)} common days of {', '.join(history.assets)} give no covariance: give a longer history"
        )
    covariance = np.atleast_2d(np.cov(returns, rowvar=False))
    place = history.assets.index(reference)
    betas = covariance[:, place] / covariance[place, place]
    deviation = np.sqrt(np.diag(covariance))
    return CoMovement(
        reference,
        {asset: float(beta) for asset, beta in zip(history.assets, betas, strict=True)},
        covariance / np.outer(deviation, deviation),
    )


def measure_across(underlyings: Sequence[NetExposure], movement: CoMovement) -> CrossExposure:
    """Delta notionals of underlyings as one figure.

    Raises:
        MarketDataError: nothing is known about the moves of an underlying that has a delta.
    """
    notionals = {entry.underlying: entry.delta_notional for entry in underlyings if entry.underlying}
    unknown = sorted(set(notionals) - set(movement.betas))
    if unknown:
        raise MarketDataError(
            f"no beta of {unknown[0]} to {movement.reference}: add its daily prices, or state its beta"
        )
    net = np.array([notionals.get(coin, 0.0) for coin in movement.betas])
    adjusted = None
    if movement.correlations is not None:
        adjusted = float(np.sqrt(max(0.0, net @ movement.correlations @ net)))
    return CrossExposure(movement.reference, float(net @ np.array(list(movement.betas.values()))), adjusted)
