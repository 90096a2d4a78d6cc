"""The figures of the risk engine: pricing, building, committing, solving, and what rules ask for beyond their methods.

All on the bundled market; medians, milliseconds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.benchmarks.benchmark import full_portfolio, median_milliseconds
from prover.comparison import expected_shortfall, minimum_delta, pmrm2, span
from prover.comparison.conservatism import summarise
from prover.components.scenario_grid import ScenarioGridMargin
from prover.market.market_data import EXAMPLE_MARKET
from prover.market.market_files import load_market
from prover.market.pricing import OptionTerms, black76
from prover.rules.rule_builder import build_rules
from prover.rules.rule_file import shipped_rule
from prover.rules.scenarios import Scenario, VolatilityState
from verifier.ceremony import ceremony_setup
from verifier.rules.margin_rule import chunk_blob, matrix_commitments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prover.comparison.conservatism import Excess
    from prover.market.market_data import MarketSnapshot
    from prover.rules.rule_definition import RuleDefinition
    from verifier.rules.margin_rule import RuleMatrix

OPTIONS: Final = 1000
SCENARIOS: Final = 64
ROWS: Final = 64
PORTFOLIOS: Final = 40
SEED: Final = 1


def measure_risk() -> dict[str, float]:
    """Every figure by its name in the table of ``zkmargin bench``."""
    snapshot = load_market(EXAMPLE_MARKET)
    definition = wide_rule()
    matrix = build_rules(snapshot, definition)[0].matrix
    return {
        "price_ms": _price(),
        "build_ms": median_milliseconds(lambda: build_rules(snapshot, definition)),
        "commit_ms": median_milliseconds(lambda: commit_and_form_blobs(matrix)),
        "shortfall_witness_ms": _shortfall_witness(snapshot),
    }


def measure_excess(count: int = PORTFOLIOS) -> tuple[Excess, ...]:
    """What rules ask for beyond their methods on random portfolios, by methodology."""
    snapshot = load_market(EXAMPLE_MARKET)
    methods = (pmrm2, span, expected_shortfall, minimum_delta)
    return summarise([pair for method in methods for pair in method.compare_random(snapshot, count=count, seed=SEED)])


def excess_figures(found: Sequence[Excess]) -> dict[str, float]:
    """Median and worst excess in per cent, by flat names."""
    figures = {}
    for excess in found:
        name = "excess_" + re.sub("[^a-z0-9]+", "_", excess.methodology.lower())
        figures[f"{name}_median_percent"] = 100 * excess.median
        figures[f"{name}_worst_percent"] = 100 * excess.worst
    return figures


def _price() -> float:
    """1,000 options under 64 scenarios."""
    spread = np.linspace(0, 1, OPTIONS)
    terms = OptionTerms(strike=50_000 + 100_000 * spread, years=0.01 + spread, is_call=np.arange(OPTIONS) % 2 == 0)
    forwards = 100_000 * np.linspace(0.5, 2, SCENARIOS)[:, None] * np.ones(OPTIONS)
    volatilities = np.linspace(0.3, 1.2, SCENARIOS)[:, None] + 0.2 * spread
    return median_milliseconds(lambda: black76(terms, forwards, volatilities))


def wide_rule() -> RuleDefinition:
    """The shipped rule with so many scenarios that it has 64 rows."""
    base = shipped_rule("scenarios")
    others = 4  # nothing moves, two limits, the mask
    moves = np.linspace(-0.5, 0.5, (ROWS - others) // 2)
    states = (VolatilityState.UP, VolatilityState.DOWN)
    grid = ScenarioGridMargin(scenarios=tuple(Scenario(float(move), state) for move in moves for state in states))
    return base.model_copy(update={"components": (grid, *base.components[1:])})


def commit_and_form_blobs(matrix: RuleMatrix) -> None:
    """Commitments and blob bytes of all chunks, without cell proofs."""
    matrix_commitments(matrix, ceremony_setup())
    for chunk in range(matrix.chunks_per_book):
        chunk_blob(matrix, 0, chunk)


def _shortfall_witness(snapshot: MarketSnapshot) -> float:
    """Auxiliaries and witness of the shipped expected-shortfall rule, a position in every slot."""
    rule = build_rules(snapshot, shipped_rule("expected-shortfall"))[0]
    openings = full_portfolio(rule)
    return median_milliseconds(lambda: rule.witness(openings))
