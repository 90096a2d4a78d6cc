"""Expected shortfall, SPAN and Paradex's minimum delta as rules ask for no less than the methods, on published cases.

By how much they exceed the method stands at the end of pytest's output.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from prover.comparison import expected_shortfall, minimum_delta, span
from prover.comparison.conservatism import Comparison, summarise
from prover.errors import MethodologyError
from prover.methodologies.span import SpanInputs
from tests.support.component_rules import rule_of
from tests.support.requirements import two_coin_rules
from tests.support.risk_rules import example_market
from tests.support.small_markets import two_coin_market

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

ROOT: Final = Path(__file__).parents[2]
OWN: Final = ROOT / "tests" / "data" / "cases_own.json"
PUBLISHED: Final = ROOT.parent / "shared" / "cases"
DAYS: Final = 64
"""Cases of years of daily returns are cut to as many days as the shipped rule has, on both sides."""


def followed(cases: Iterable[Mapping[str, object]], folder: Path) -> tuple[Comparison, ...]:
    """Cases of the three methods."""
    by_method: dict[object, list[Mapping[str, object]]] = {}
    for case in cases:
        by_method.setdefault(case.get("methodology"), []).append(case)
    shortfalls = by_method.get("expected_shortfall_historical", [])
    historical = [case for case in shortfalls if "data" in json.dumps(case["inputs"])]
    return (
        *span.compare_published(by_method.get("span", [])),
        *expected_shortfall.compare_published(historical, folder, days=DAYS),
        *minimum_delta.compare_published(by_method.get("paradex_portfolio_margin", [])),
    )


@cache
def compared(path: Path) -> tuple[Comparison, ...]:
    """Cases of a file."""
    return followed(json.loads(path.read_text())["cases"], path.parent.parent)


NAMES: Final = ("span_examples", "selfcomputed_expected_shortfall", "exchange_examples")
FILES: Final = [path for path in (OWN, *(PUBLISHED / f"{name}.json" for name in NAMES)) if path.exists()]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_rule_never_asks_for_less_than_the_method_and_hardly_more(
    path: Path, record_property: Callable[[str, object], None]
) -> None:
    comparisons = compared(path)
    assert comparisons
    for comparison in comparisons:
        assert comparison.rule >= comparison.clear - 1e-6, comparison
        assert comparison.excess <= 0.01, comparison
    for excess in summarise(comparisons):
        record_property(
            "rule beside method",
            f"{path.name}: {excess.methodology}: {excess.portfolios} margins, excess median {excess.median:.3%}, "
            f"worst {excess.worst:.3%}",
        )


def test_random_portfolios_of_the_bundled_market() -> None:
    """Without inter-commodity credits only rounding is left, and the inter-month charge of options."""
    found = (
        *span.compare_random(example_market(), count=30, seed=1),
        *expected_shortfall.compare_random(example_market(), count=30, seed=1),
        *minimum_delta.compare_random(example_market(), count=10, seed=1),
    )
    assert [excess.portfolios for excess in summarise(found)] == [60, 60, 20]
    for comparison in found:
        assert comparison.rule >= comparison.clear - 1e-9 * (1 + comparison.gross_notional), comparison
    for excess in summarise(found):
        assert excess.median <= 0.01
        assert excess.worst <= 0.1


def test_totals_of_a_span_case_count_on_neither_side() -> None:
    inputs = SpanInputs.model_validate({"price_scan_range": 100.0, "positions": {"A": 2.0}, "delivery_charge": 50.0})
    comparison = span.compare_case("case", inputs)
    assert comparison.clear == 200
    assert comparison.rule == pytest.approx(200, abs=0.1)


def test_what_no_rule_compares_is_refused() -> None:
    slots = two_coin_rules(rule_of({"component": "minimum-delta"}))[0].slots
    with pytest.raises(MethodologyError, match=r"underlyings \['BTC', 'ETH'\]: compare one at a time"):
        minimum_delta.universe_on_spot(two_coin_market(), slots)
    many = [{"price": 0.1 * place} for place in range(17)]
    with pytest.raises(MethodologyError, match=r"17 scenarios: rules follow SPAN's 16; merge some"):
        span.compare_case("case", SpanInputs.model_validate({"scenarios": many, "price_scan_range": 1.0}))
