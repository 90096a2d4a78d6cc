"""Deribit portfolio margin of inverse instruments: requirements in coin, positive = to be held; P&L positive = gain.

Requirement = worst case + roll shock + delta shock (+ correlation contingency); maintenance margin is mm_factor of
it, initial margin adds open orders and market maker protection. Source: risk-methods.md, "Deribit portfolio margin":
reproduced for futures and perpetuals, read but not reproduced for options, where the floor of volatilities under an
upward shock and the annual roll move (proportional to time) are the plainest reading of the parameters' names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from prover.errors import MethodologyError
from prover.market.inverse_contracts import coin_profit
from prover.market.pricing import OptionTerms, black76, black76_delta
from prover.methodologies.inputs import CaseInput, NonNegative, Positive, Quantities, inputs_of, read_input

EXTENDED_MOVES: Final = (-0.66, -0.33, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0)
DAYS_PER_YEAR: Final = 365
THIRTY_DAYS: Final = 30
VOLATILITY_SIDES: Final = (1, 0, -1)
"""Up, same, down."""


class DeribitInstrument(CaseInput):
    """A position.

    Attributes:
        kind: what it is; only what settles in coin.
        mark_price: of futures in USD, of options in coin.
        position_coin: size of futures in coin, positive = long.
        position: options, positive = long.
        t_years: time to expiry, 0 for a perpetual.
        forward, strike, vol, is_call: of options; USD and fractions.
    """

    kind: Literal["inverse_perpetual", "inverse_future", "inverse_option"]
    mark_price: NonNegative = 0.0
    position_coin: float = 0.0
    position: float = 0.0
    t_years: NonNegative = 0.0
    forward: Positive | None = None
    strike: NonNegative = 0.0
    vol: NonNegative = 0.0
    is_call: bool = True


class DeribitModel(CaseInput):
    """Model parameters by the names of the exchange's interface; defaults are those of BTC in 2024."""

    mm_factor: NonNegative = 0.8
    buckets_count: Literal[1, 2, 3, 4, 5, 6, 7, 8, 9, 10] = 4
    price_range: float = 0.16
    volatility_range_up: NonNegative = 0.5
    volatility_range_down: NonNegative = 0.25
    min_volatility_for_shock_up: NonNegative = 0.5
    short_term_vega_power: float = 0.3
    long_term_vega_power: float = 0.13
    extended_table_factor: NonNegative = 1.0
    delta_total_liq_shock_threshold: NonNegative = 20_000_000.0
    min_annualised_move: NonNegative = 0.01
    annualised_move_risk: NonNegative = 0.075
    pnl_offset: NonNegative = 0.0
    extended_dampener: NonNegative = 100_000.0
    correlation_set: bool = False


class DeribitInputs(CaseInput):
    """One currency's portfolio.

    Attributes:
        index_price: USD.
        instruments: positions by name.
        open_orders_margin, mmp_margin: coin, part of initial margin only.
        model_params: constants.
    """

    index_price: Positive
    instruments: Mapping[str, DeribitInstrument]
    open_orders_margin: NonNegative = 0.0
    mmp_margin: NonNegative = 0.0
    model_params: DeribitModel = DeribitModel()


@dataclass(frozen=True, slots=True, eq=False)
class RiskVectors:
    """P&L in coin: ``standard`` by price bucket and volatility (up, same, down), ``extended`` by extreme move."""

    standard: NDArray[np.float64]
    extended: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class DeribitMargin:
    """Requirement and its parts, coin.

    Attributes:
        by_instrument: risk vectors before aggregation.
        initial: their sums.
        aggregated: after dampening and offset.
        roll_shock: charge on deltas by expiry.
        risk_matrix_margin: requirement without open orders.
    """

    by_instrument: Mapping[str, RiskVectors]
    initial: RiskVectors
    aggregated: RiskVectors
    roll_shock: float
    risk_matrix_margin: float

    @property
    def cells(self) -> NDArray[np.float64]:
        """All aggregated cells, standard ones first."""
        return np.concatenate([self.aggregated.standard, self.aggregated.extended])

    @property
    def worst_case(self) -> float:
        """Greatest loss over all cells, at least 0."""
        return max(0.0, -float(self.cells.min()))


def price_moves(model: DeribitModel) -> NDArray[np.float64]:
    """Relative moves of the standard buckets, from the lowest to the highest."""
    steps = np.arange(-model.buckets_count, model.buckets_count + 1)
    return steps * model.price_range / model.buckets_count


def margin(inputs: DeribitInputs) -> DeribitMargin:
    """Requirement of a portfolio.

    Raises:
        MethodologyError: correlation, or a delta beyond the liquidity threshold: their formulas are not published.
    """
    model = inputs.model_params
    vectors = {name: _risk_vectors(instrument, model) for name, instrument in inputs.instruments.items()}
    initial = RiskVectors(
        np.sum([np.zeros(3 * (2 * model.buckets_count + 1)), *(one.standard for one in vectors.values())], axis=0),
        np.sum([np.zeros(len(EXTENDED_MOVES)), *(one.extended for one in vectors.values())], axis=0),
    )
    aggregated = RiskVectors(
        _offset(initial.standard, model), _offset(_dampened(initial.extended, inputs.index_price, model), model)
    )
    deltas = _deltas(tuple(inputs.instruments.values()))
    _refuse_unpublished(sum(deltas.values()) * inputs.index_price, model)
    roll = sum(
        abs(delta) * max(model.min_annualised_move, model.annualised_move_risk * years)
        for years, delta in deltas.items()
    )
    worst = max(0.0, -float(min(aggregated.standard.min(), aggregated.extended.min())))
    return DeribitMargin(vectors, initial, aggregated, roll, worst + roll)


def evaluate(case: Mapping[str, object]) -> Quantities:
    """The quantities of a case, by the names of the case files.

    Raises:
        MethodologyError: a field is missing or out of range, or a parameter asks for what is not published.
    """
    inputs = read_input(DeribitInputs, inputs_of(case))
    result = margin(inputs)
    return {
        "initial_risk_vectors": {name: one.standard.tolist() for name, one in result.by_instrument.items()},
        "initial_risk_vectors_extended": {name: one.extended.tolist() for name, one in result.by_instrument.items()},
        "initial_risk_vector_standard": result.initial.standard.tolist(),
        "initial_risk_vector_extended": result.initial.extended.tolist(),
        "aggregated_standard": result.aggregated.standard.tolist(),
        "aggregated_extended": result.aggregated.extended.tolist(),
        "worst_case": result.worst_case,
        "worst_case_index": int(np.argmin(result.cells)) + 1,
        "roll_shock": result.roll_shock,
        "delta_shock": 0.0,
        "correlation_contingency": 0.0,
        "risk_matrix_margin": result.risk_matrix_margin,
        "initial_margin": result.risk_matrix_margin + inputs.open_orders_margin + inputs.mmp_margin,
        "maintenance_margin": result.risk_matrix_margin * inputs.model_params.mm_factor,
    }


def _refuse_unpublished(delta_usd: float, model: DeribitModel) -> None:
    if model.correlation_set:
        raise MethodologyError("correlation_set = true: the correlation contingency is not published; set it to false")
    threshold = model.delta_total_liq_shock_threshold
    if abs(delta_usd) > threshold:
        raise MethodologyError(
            f"net delta of {delta_usd:,.0f} USD is beyond {threshold:,.0f}: the delta shock is not published; "
            "reduce the portfolio or raise delta_total_liq_shock_threshold"
        )


def _risk_vectors(instrument: DeribitInstrument, model: DeribitModel) -> RiskVectors:
    moves = price_moves(model)
    standard = np.stack([_pnl(instrument, model, moves, side) for side in VOLATILITY_SIDES], axis=1).ravel()
    extremes = np.array(EXTENDED_MOVES)
    edge = np.sign(extremes) * model.price_range
    scale = model.extended_table_factor * (edge / extremes) * (1 + extremes) / (1 + edge)
    return RiskVectors(standard, _pnl(instrument, model, extremes, 1) * scale)


def _pnl(
    instrument: DeribitInstrument, model: DeribitModel, moves: NDArray[np.float64], side: int
) -> NDArray[np.float64]:
    """P&L in coin under relative price moves, volatility moved to a side."""
    if instrument.kind != "inverse_option":
        return coin_profit(instrument.position_coin, moves)
    forward = _forward(instrument)
    terms = OptionTerms(instrument.strike, instrument.t_years, instrument.is_call)
    moved = forward * (1 + moves)
    marks = black76(terms, moved, _moved_volatility(instrument, model, side)) / moved
    return instrument.position * (marks - float(black76(terms, forward, instrument.vol)) / forward)


def _moved_volatility(instrument: DeribitInstrument, model: DeribitModel, side: int) -> float:
    days = max(instrument.t_years * DAYS_PER_YEAR, 1.0)
    power = model.short_term_vega_power if days <= THIRTY_DAYS else model.long_term_vega_power
    term = float((THIRTY_DAYS / days) ** power)
    if side > 0:
        return max(model.min_volatility_for_shock_up, instrument.vol * (1 + model.volatility_range_up * term))
    return instrument.vol * max(0.0, 1 + side * model.volatility_range_down * term)


def _deltas(instruments: Sequence[DeribitInstrument]) -> dict[float, float]:
    """Net delta in coin by time to expiry; an option's is Black's less its mark in coin."""
    deltas: dict[float, float] = {}
    for instrument in instruments:
        delta = instrument.position_coin
        if instrument.kind == "inverse_option":
            forward = _forward(instrument)
            terms = OptionTerms(instrument.strike, instrument.t_years, instrument.is_call)
            mark = float(black76(terms, forward, instrument.vol)) / forward
            delta = instrument.position * (float(black76_delta(terms, forward, instrument.vol)) - mark)
        deltas[instrument.t_years] = deltas.get(instrument.t_years, 0.0) + delta
    return deltas


def _forward(instrument: DeribitInstrument) -> float:
    if instrument.forward is None:
        raise MethodologyError("forward is missing for an option; add it, in USD")
    return instrument.forward


def _dampened(pnl: NDArray[np.float64], index_price: float, model: DeribitModel) -> NDArray[np.float64]:
    """Extended cells pulled towards 0 by min((|m|/range − 1)·dampener/((1 ± range)·index), |P&L|)."""
    extremes = np.array(EXTENDED_MOVES)
    edge = np.sign(extremes) * model.price_range
    pull = (np.abs(extremes) / model.price_range - 1) * model.extended_dampener / ((1 + edge) * index_price)
    pulled = pnl - np.sign(pnl) * np.minimum(np.maximum(pull, 0.0), np.abs(pnl))
    return np.asarray(pulled, dtype=np.float64)


def _offset(pnl: NDArray[np.float64], model: DeribitModel) -> NDArray[np.float64]:
    return np.where(pnl > 0, pnl * model.pnl_offset, pnl)
