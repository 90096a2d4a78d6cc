"""The scenario grids and the volatility shock."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from prover.components.scenario_grid import ScenarioGridMargin
from prover.errors import RuleBuildError
from prover.rules.rule_file import shipped_rule
from prover.rules.scenarios import (
    Scenario,
    VolatilityShock,
    VolatilityState,
)

UP, NONE, DOWN = VolatilityState.UP, VolatilityState.NONE, VolatilityState.DOWN


def shipped_grid(name: str) -> ScenarioGridMargin:
    """The grid of a shipped rule file."""
    return next(part for part in shipped_rule(name).components if isinstance(part, ScenarioGridMargin))


def test_the_standard_grid_is_the_published_one() -> None:
    moves = (0.135, 0.09, 0.045, 0.0, -0.045, -0.09, -0.135)
    whole = {(move, state) for move in moves for state in VolatilityState} | {(0.18, UP), (-0.18, UP)}
    whole.remove((0.0, NONE))
    tails = {-0.66: 0.05455, -0.33: 0.10909, 0.5: 0.072, 1.0: 0.036, 2.0: 0.018, 3.0: 0.012}
    listed = shipped_grid("scenarios").scenarios
    assert len(listed) == 28
    assert {(item.price_move, item.volatility) for item in listed if item.weight == 1} == whole
    damped = [item for item in listed if item.weight < 1]
    assert {item.price_move: item.weight for item in damped} == pytest.approx(tails, abs=5e-6)
    assert {item.volatility for item in damped} == {UP}
    assert shipped_grid("scenarios").shock == VolatilityShock()


def test_the_small_grid_leaves_room_for_four_other_rows_in_sixteen() -> None:
    assert len(shipped_grid("scenarios-small").scenarios) == 12


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


def test_grids_in_which_nothing_moves_or_with_doubles_are_refused() -> None:
    with pytest.raises(ValidationError, match="nothing moves"):
        ScenarioGridMargin(scenarios=(Scenario(0.0, NONE),))
    with pytest.raises(ValidationError, match="listed twice"):
        ScenarioGridMargin(scenarios=(Scenario(0.0, NONE), Scenario(0.1, UP), Scenario(0.1, UP)))
