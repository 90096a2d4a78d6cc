"""The scenario grids and the volatility shock."""

from __future__ import annotations

import numpy as np
import pytest

from prover.errors import RuleBuildError
from prover.rules.scenarios import (
    SMALL_GRID,
    STANDARD_GRID,
    Scenario,
    ScenarioGrid,
    VolatilityShock,
    VolatilityState,
)

UP, NONE, DOWN = VolatilityState.UP, VolatilityState.NONE, VolatilityState.DOWN


def test_the_standard_grid_is_the_published_one() -> None:
    moves = (0.135, 0.09, 0.045, 0.0, -0.045, -0.09, -0.135)
    whole = {(move, state) for move in moves for state in VolatilityState} | {(0.18, UP), (-0.18, UP)}
    tails = {-0.66: 0.05455, -0.33: 0.10909, 0.5: 0.072, 1.0: 0.036, 2.0: 0.018, 3.0: 0.012}
    listed = STANDARD_GRID.scenarios
    assert len(listed) == 29
    assert {(item.price_move, item.volatility) for item in listed if item.weight == 1} == whole
    damped = [item for item in listed if item.weight < 1]
    assert {item.price_move: item.weight for item in damped} == pytest.approx(tails, abs=5e-6)
    assert {item.volatility for item in damped} == {UP}
    assert STANDARD_GRID.scenarios[STANDARD_GRID.unshocked] == Scenario(0.0, NONE)


def test_the_small_grid_leaves_room_for_two_limits_and_the_mask_in_sixteen_rows() -> None:
    assert len(SMALL_GRID.scenarios) == 13
    assert SMALL_GRID.scenarios[SMALL_GRID.unshocked].is_unshocked


def test_volatility_shocks_follow_the_published_formulas() -> None:
    years = np.array([0.25, 1.0, 30.0, 31.0, 365.0]) / 365
    volatility = np.full(5, 0.6)
    # m = (30/max(days, 1))^p by hand: a quarter of a day counts as a day.
    multiple = np.array([30**0.3, 30**0.3, 1.0, (30 / 31) ** 0.13, (30 / 365) ** 0.13])
    shock = VolatilityShock()
    assert shock.apply(volatility, years, UP) == pytest.approx(0.6 * (1 + 0.5 * multiple))
    assert shock.apply(volatility, years, DOWN) == pytest.approx(0.6 * np.maximum(0.0, 1 - 0.275 * multiple))
    assert shock.apply(volatility, years, NONE) == pytest.approx(volatility)


def test_low_volatility_rises_to_the_minimum() -> None:
    assert VolatilityShock().apply(np.array([0.1]), np.array([30 / 365]), UP) == pytest.approx([0.45])


def test_names_say_what_happens() -> None:
    assert Scenario(-0.18, UP).name == "spot −18 %, volatility up"
    assert Scenario(0.0, NONE).name == "spot ±0 %, volatility unchanged"
    assert Scenario(1.0, UP, 0.036).name == "spot +100 %, volatility up, weight 3.6 %"


@pytest.mark.parametrize(
    ("move", "weight", "words"),
    [
        (-1.0, 1.0, "price_move = -1.0"),
        (float("nan"), 1.0, "price_move = nan"),
        (0.1, 0.0, "weight = 0"),
        (0.1, 1.5, "1.5"),
    ],
)
def test_impossible_scenarios_are_refused(move: float, weight: float, words: str) -> None:
    with pytest.raises(RuleBuildError, match=words):
        Scenario(move, UP, weight)


def test_grids_without_anchor_or_with_doubles_are_refused() -> None:
    with pytest.raises(RuleBuildError, match="unshocked scenario once"):
        ScenarioGrid((Scenario(0.1, UP),))
    with pytest.raises(RuleBuildError, match="listed twice"):
        ScenarioGrid((Scenario(0.0, NONE), Scenario(0.1, UP), Scenario(0.1, UP)))
