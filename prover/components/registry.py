"""Which component a name in a rule file stands for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from prover.components.leg_charges import LegCharges
from prover.components.net_exposure_limit import NetExposureLimit
from prover.components.scenario_grid import ScenarioGridMargin

AnyComponent = Annotated[ScenarioGridMargin | LegCharges | NetExposureLimit, Field(discriminator="component")]
