"""Portfolios chosen so that every rounding of a coefficient helps the trader: rules still ask for what methods do."""

from __future__ import annotations

import numpy as np
import pytest

from prover.comparison.span import compare_portfolios
from prover.components.exposure_measures import Measure, exposure_a_lot
from prover.components.span_scan import SpanScan
from prover.rules.rule_builder import build_rules
from tests.support.exposure_rules import listed, two_coin_options
from tests.support.risk_rules import holding

LOTS = 10_000


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("hedge", ["ETH-PERPETUAL", "BTC-PERPETUAL"])
def test_rounded_deltas_earn_no_credit(sign: int, hedge: str) -> None:
    """SPAN's credit rests on equalities, which round deltas to the nearest unit: up to half a unit a lot too much.

    Single positions are as hostile as many: each option whose delta rounds up in size, against a hedge large enough to
    be credited in full.
    """
    definition = listed("span")
    component = next(part for part in definition.components if isinstance(part, SpanScan))
    rule = build_rules(two_coin_options(), definition)[0]
    universe, tick = rule.universe, float(rule.tick)
    coin = "BTC" if hedge.startswith("ETH") else "ETH"
    pair = component.inter_commodity[0]
    rate = float(pair.credit * component.price_scan_range[coin])
    delta = rate * exposure_a_lot(universe, Measure.DELTA) / tick
    own = universe.option & (universe.underlying == universe.underlyings.index(coin))
    gained = np.where(own, np.abs(np.round(delta)) - np.abs(delta), 0.0)
    place = rule.slots.flat_index(rule.slots.find(hedge))
    portfolios = [
        holding(rule, {int(slot): int(sign * np.sign(delta[slot])) * LOTS, place: -sign * 10 * LOTS})
        for slot in np.flatnonzero(gained > 0.1)
    ]
    assert portfolios
    for comparison in compare_portfolios(universe, component, portfolios, maintenance_factor=0.8):
        assert comparison.rule >= comparison.clear - 1e-9 * comparison.gross_notional
