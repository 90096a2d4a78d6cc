"""Rule files that follow Derive's portfolio margin (PMRM), version 2, from the method's parameters."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from prover.comparison.pmrm2_listing import COIN
from prover.errors import MethodologyError
from prover.market.market_data import canonical_json
from prover.methodologies.derive_expiry import VolatilityMove
from prover.methodologies.derive_pmrm2 import SKEWS
from prover.rules.rule_definition import SCHEMA
from prover.rules.rule_file import decode_rule
from prover.rules.scenarios import VolatilityState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from prover.methodologies.derive_expiry import Scenario
    from prover.methodologies.derive_pmrm2 import Pmrm2Parameters
    from prover.rules.rule_definition import RuleDefinition

Fields = dict[str, object]


class Discounting(StrEnum):
    """What of the static discount a rule follows."""

    NONE = "none"
    EXACT = "exact"
    BANDED = "banded"
    BY_LEG = "by-leg"

    @property
    def methodology(self) -> str:
        """For people."""
        form = "no static discount" if self is Discounting.NONE else f"static discount {self.replace('-', ' ')}"
        return f"Derive PMRM 2, {form}"


_MOVES: Final = {
    VolatilityMove.UP: VolatilityState.UP,
    VolatilityMove.NONE: VolatilityState.NONE,
    VolatilityMove.DOWN: VolatilityState.DOWN,
}


def definition_of(
    parameters: Pmrm2Parameters,
    scenarios: Sequence[Scenario],
    discounting: Discounting,
    *,
    rates: Mapping[str, float] | None = None,
    haircuts: Mapping[str, tuple[float, float]] | None = None,
    lot_sizes: Mapping[str, float] | None = None,
) -> RuleDefinition:
    """The rule file of a set of parameters.

    Args:
        parameters: of the method.
        scenarios: of the method; those of weight zero are left out.
        discounting: which static discount the rule follows.
        rates: interest rates by name of expiry.
        haircuts: by token, of initial margin on top of maintenance, and of maintenance margin.
        lot_sizes: by coin or token.

    Raises:
        RuleFileError: parameters that no rule follows.
    """
    fields = {
        "schema": SCHEMA,
        "name": "derive-pmrm-2",
        "lot_sizes": dict(lot_sizes or {COIN: 1}),
        "loss_factor": _kinds(parameters.im_factor, parameters.mm_factor),
        "components": [
            *_grid(parameters, scenarios, discounting, rates or {}),
            {
                "component": "basis",
                "up": parameters.basis_spot_up,
                "down": parameters.basis_spot_down,
                "add": parameters.basis_add_factor,
                "multiple": parameters.basis_mult_factor,
            },
            *_skews(parameters, scenarios),
            *_contingencies(parameters, haircuts or {}),
        ],
    }
    return decode_rule(canonical_json(fields), "rule of the case")


def _kinds(initial: float, maintenance: float) -> Fields:
    return {"initial": initial, "maintenance": maintenance}


def _grid(
    parameters: Pmrm2Parameters, scenarios: Sequence[Scenario], discounting: Discounting, rates: Mapping[str, float]
) -> Iterator[Fields]:
    listed = [
        {"price_move": scenario.spot - 1, "volatility": _MOVES[scenario.vol], "weight": scenario.dampening}
        for scenario in scenarios
        if scenario.vol in _MOVES and scenario.dampening
    ]
    discount: Fields = {
        "long_base": parameters.long_base_static_discount,
        "long_rate_multiple": parameters.long_rate_mult,
        "long_rate_add": parameters.long_rate_add,
        "short_base": parameters.short_base_static_discount,
        "short_rate_multiple": parameters.short_rate_mult,
        "short_rate_add": parameters.short_rate_add,
        "rates": dict(rates),
        "mode": discounting,
    }
    yield {
        "component": "scenario-grid",
        "scenarios": listed,
        "shock": {
            "up": parameters.vol_range_up,
            "down": parameters.vol_range_down,
            "minimum_volatility": parameters.min_vol_up_shock,
            "floor_days": parameters.dte_floor_days,
            "short_power": parameters.short_term_power,
            "long_power": parameters.long_term_power,
        },
        "static_discount": None if discounting is Discounting.NONE else discount,
    }


def _skews(parameters: Pmrm2Parameters, scenarios: Sequence[Scenario]) -> Iterator[Fields]:
    for scenario in scenarios:
        if scenario.vol not in SKEWS or not scenario.dampening:
            continue
        if scenario.spot != 1:
            raise MethodologyError(f"scenario spot = {scenario.spot} of a skew: rules leave spot still; set it to 1")
        linear = scenario.vol is VolatilityMove.LINEAR
        yield {
            "component": "skew",
            "shape": "linear" if linear else "absolute",
            "base_cap": parameters.linear_base_cap if linear else parameters.abs_base_cap,
            "slope": parameters.linear_c_base if linear else parameters.abs_c_base,
            "least_width": parameters.min_k_star,
            "width": parameters.width_scale,
            "static": parameters.vol_param_static,
            "scale": parameters.vol_param_scale,
            "weight": scenario.dampening,
            "conservative": True,
        }


def _contingencies(parameters: Pmrm2Parameters, haircuts: Mapping[str, tuple[float, float]]) -> Iterator[Fields]:
    yield {
        "component": "leg-charges",
        "spread": False,
        "perpetual": _kinds(parameters.mm_perp_pct + parameters.im_perp_pct, parameters.mm_perp_pct),
        "short_option": _kinds(parameters.mm_option_pct + parameters.im_option_pct, parameters.mm_option_pct),
    }
    yield {
        "component": "collateral-haircut",
        "haircuts": {name: _kinds(added + kept, kept) for name, (added, kept) in haircuts.items()},
    }
    yield {
        "component": "oracle-confidence",
        "threshold": parameters.conf_threshold,
        "margin": _kinds(parameters.conf_margin, 0),
    }
    yield {
        "component": "stablecoin-depeg",
        "threshold": parameters.peg_loss_threshold,
        "factor": _kinds(parameters.peg_loss_factor, 0),
    }
