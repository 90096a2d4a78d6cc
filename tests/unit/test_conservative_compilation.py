"""Derive's portfolio margin as a rule asks for no less than the method, on published cases and on our own.

How many of how many were followed, and by how much the rules exceed the method, stands at the end of pytest's output.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from prover.comparison.conservatism import Comparison, summarise
from prover.comparison.pmrm2 import UNDISCOUNTED, Refusal, compare_published
from prover.comparison.pmrm2_listing import list_case
from prover.comparison.pmrm2_rule import Discounting, definition_of
from prover.components.basis import Basis
from prover.components.scenario_grid import ScenarioGridMargin
from prover.components.skew import Skew
from prover.errors import MethodologyError
from prover.methodologies.derive_expiry import VolatilityMove
from prover.methodologies.derive_pmrm2 import SKEWS, Pmrm2Case, Pmrm2Margin, margin
from prover.methodologies.inputs import inputs_of, read_input
from prover.rules.rule_context import RuleContext
from prover.rules.rule_file import shipped_rule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from prover.comparison.pmrm2_listing import ListedCase
    from prover.rules.rule_rows import Rows

"""What is computed once serves all tests of this file."""

ROOT = Path(__file__).parents[2]
OWN = ROOT / "tests" / "data" / "cases_own.json"
PUBLISHED = ROOT.parent / "shared" / "cases" / "derive_pmrm2.json"
FILES = [path for path in (OWN, PUBLISHED) if path.exists()]
by_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


@cache
def cases_of(path: Path) -> tuple[Mapping[str, object], ...]:
    """Cases of this method in a file."""
    return tuple(case for case in json.loads(path.read_text())["cases"] if case.get("methodology") == "derive_pmrm2")


@cache
def compared(path: Path) -> tuple[tuple[Comparison, ...], tuple[Refusal, ...]]:
    """Every case of a file, with and without its static discount."""
    return compare_published(cases_of(path))


@by_file
def test_a_rule_never_asks_for_less_than_the_method(path: Path, record_property: Callable[[str, object], None]) -> None:
    comparisons, _ = compared(path)
    assert comparisons
    for comparison in comparisons:
        rounding = 1e-9 * (1 + abs(comparison.clear) + comparison.gross_notional)
        assert comparison.rule >= comparison.clear - rounding, comparison
    for excess in summarise(comparisons):
        record_property(
            "rule beside method",
            f"{path.name}: {excess.methodology}: {excess.portfolios} margins, excess median {excess.median:.3%}, "
            f"worst {excess.worst:.3%}",
        )


@by_file
def test_where_components_are_exact_only_rounding_is_left(path: Path) -> None:
    found = {excess.methodology: excess for excess in summarise(compared(path)[0])}
    for discounting in (Discounting.NONE, Discounting.EXACT):
        excess = found[discounting.methodology]
        assert excess.median <= 0.001
        assert excess.worst <= 0.01


@by_file
def test_bands_of_scenarios_lose_little_of_a_static_discount(path: Path) -> None:
    found = {excess.methodology: excess for excess in summarise(compared(path)[0])}
    if Discounting.BANDED.methodology in found:
        assert found[Discounting.BANDED.methodology].median <= 0.001
        assert found[Discounting.BANDED.methodology].worst <= 0.05
        assert found[Discounting.BY_LEG.methodology].worst >= found[Discounting.BANDED.methodology].worst


@by_file
def test_only_a_static_discount_that_is_not_convex_is_refused(path: Path) -> None:
    comparisons, refusals = compared(path)
    every = 2 * len(cases_of(path))
    assert sum(entry.methodology == Discounting.NONE.methodology for entry in comparisons) == every
    followed = {entry.portfolio for entry in comparisons if entry.methodology != Discounting.NONE.methodology}
    assert len(followed) + 2 * len({refusal.portfolio for refusal in refusals}) == every
    for refusal in refusals:
        assert "which is not convex: raise short_base or lower long_base" in refusal.reason


@cache
def listings(path: Path) -> list[tuple[ListedCase, RuleContext, Pmrm2Margin, NDArray[np.float64]]]:
    """Cases without static discount: as listed, their rule, their margin in clear, and signed lots by slot."""
    found = []
    for fields in cases_of(path):
        listed = list_case(read_input(Pmrm2Case, inputs_of(fields)))
        case = listed.case.model_copy(update={"params": listed.case.params.model_copy(update=UNDISCOUNTED)})
        definition = definition_of(case.params, case.scenarios, Discounting.NONE)
        context = RuleContext(listed.universe, definition.tick, definition.components)
        found.append((listed, context, margin(case), np.array(listed.portfolio.lots[0], dtype=np.float64)))
    return found


@by_file
def test_equity_at_marks_is_what_the_method_counts(path: Path) -> None:
    for listed, _, clear, lots in listings(path):
        equity = float(lots @ (listed.universe.lot_size * listed.universe.mark))
        value = clear.option_value + clear.collateral_value + listed.case.portfolio.cash
        assert equity == pytest.approx(value, rel=1e-9, abs=1e-6)


@by_file
def test_the_grid_gives_the_scenarios_of_the_method(path: Path) -> None:
    for listed, context, clear, lots in listings(path):
        grid = next(part for part in context.components if isinstance(part, ScenarioGridMargin))
        profit = dict(
            zip(
                ((round(1 + item.price_move, 9), item.volatility.value, item.weight) for item in grid.moving),
                grid.weighted_profit(listed.universe) @ (listed.universe.lot_size * lots),
                strict=True,
            )
        )
        compared_scenarios = 0
        scale = 1 + float(np.abs(listed.universe.lot_size * lots * listed.universe.index_price).sum())
        for scenario, expected in zip(listed.case.scenarios, clear.scenario_pnl, strict=True):
            state = "unchanged" if scenario.vol is VolatilityMove.NONE else scenario.vol.value
            found = profit.get((round(scenario.spot, 9), state, scenario.dampening))
            if found is not None:
                assert found == pytest.approx(expected, abs=1e-11 * scale)
                compared_scenarios += 1
        assert compared_scenarios == len(grid.moving)


def least_auxiliaries(definitions: Rows, lots: NDArray[np.float64]) -> float:
    """Σ over auxiliaries of the least value that their rows leave, from coefficients before rounding."""
    needed: dict[str, float] = {}
    for row, coefficients in zip(definitions.long @ lots, definitions.auxiliaries, strict=True):
        (auxiliary,) = coefficients
        needed[auxiliary.name] = max(needed.get(auxiliary.name, 0.0), -float(row))
    return sum(needed.values())


@by_file
def test_basis_and_skews_are_those_of_the_method(path: Path) -> None:
    for listed, context, clear, lots in listings(path):
        scale = 1 + float(np.abs(listed.universe.lot_size * lots * listed.universe.index_price).sum())
        skews = iter(
            pnl
            for scenario, pnl in zip(listed.case.scenarios, clear.scenario_pnl, strict=True)
            if scenario.vol in SKEWS and scenario.dampening
        )
        for component in context.components:
            if isinstance(component, Basis | Skew):
                definitions = component.contribute(context).definitions
                found = 0.0 if definitions is None else least_auxiliaries(definitions, lots)
                expected = clear.basis_contingency if isinstance(component, Basis) else next(skews)
                assert found == pytest.approx(-expected, abs=1e-11 * scale)


def test_the_shipped_rule_has_the_constants_of_the_method() -> None:
    case = Pmrm2Case.model_validate({"market": {"spot": 1}, "portfolio": {}})
    expected = definition_of(case.params, case.scenarios, Discounting.NONE).components
    shipped = {type(part): part for part in shipped_rule("portfolio").components}
    for part in expected:
        if isinstance(part, ScenarioGridMargin):
            twin = shipped[ScenarioGridMargin]
            assert isinstance(twin, ScenarioGridMargin)
            assert {item.name for item in part.moving} == {item.name for item in twin.moving}
            assert part.shock == twin.shock
        elif not isinstance(part, Skew):
            names = {"basis", "oracle-confidence", "stablecoin-depeg"}
            assert part.component not in names or part == shipped[type(part)]


def test_what_no_rule_lists_is_refused() -> None:
    option = {"expiry_sec": 86400, "strike": 100, "is_call": True, "qty": 1, "vol": 0.5}
    expiry = {"expiry_sec": 86400, "forward_variable": 90, "forward_fixed": 10}
    case = Pmrm2Case.model_validate({"market": {"spot": 100, "expiries": [expiry]}, "portfolio": {"options": [option]}})
    with pytest.raises(MethodologyError, match=r"forward_fixed = 10\.0: forwards of rules move with spot as a whole"):
        list_case(case)
