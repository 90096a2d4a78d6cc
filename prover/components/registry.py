"""Which component a name in a rule file stands for."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from prover.components.basis import Basis
from prover.components.calendar_spread import CalendarSpread
from prover.components.collateral import CollateralHaircut, IlliquidCollateral
from prover.components.concentration import Concentration
from prover.components.convexity import refuse_not_convex
from prover.components.expected_shortfall import ExpectedShortfall
from prover.components.gross_limit import GrossLimit
from prover.components.leg_charges import LegCharges
from prover.components.minimum_delta import MinimumDelta
from prover.components.naked_shorts import NakedShorts
from prover.components.net_exposure_limit import NetExposureLimit
from prover.components.oracle_confidence import OracleConfidence
from prover.components.scenario_grid import ScenarioGridMargin
from prover.components.short_option_minimum import ShortOptionMinimum
from prover.components.skew import Skew
from prover.components.span_scan import SpanScan
from prover.components.spread_credit import SpreadCredit
from prover.components.stablecoin_depeg import StablecoinDepeg

AnyComponent = Annotated[
    ScenarioGridMargin
    | Basis
    | Skew
    | LegCharges
    | NakedShorts
    | CollateralHaircut
    | IlliquidCollateral
    | OracleConfidence
    | StablecoinDepeg
    | NetExposureLimit
    | GrossLimit
    | Concentration
    | CalendarSpread
    | MinimumDelta
    | ShortOptionMinimum
    | ExpectedShortfall
    | SpanScan
    | SpreadCredit,
    Field(discriminator="component"),
    BeforeValidator(refuse_not_convex),
]
