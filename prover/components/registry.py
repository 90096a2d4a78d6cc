"""Which component a name in a rule file stands for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from prover.components.basis import Basis
from prover.components.collateral import CollateralHaircut, IlliquidCollateral
from prover.components.leg_charges import LegCharges
from prover.components.naked_shorts import NakedShorts
from prover.components.net_exposure_limit import NetExposureLimit
from prover.components.oracle_confidence import OracleConfidence
from prover.components.scenario_grid import ScenarioGridMargin
from prover.components.skew import Skew
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
    | NetExposureLimit,
    Field(discriminator="component"),
]
