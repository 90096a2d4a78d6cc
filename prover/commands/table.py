"""``zkmargin table check``: a deployment against the setup."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from prover.commands.options import json_option, place_options, print_result
from prover.terminal import progress

if TYPE_CHECKING:
    from prover.commands.options import Place


@click.group()
def command() -> None:
    """Check the basis points of a deployed clearing house."""


@command.command()
@place_options
@json_option
def check(place: Place, *, as_json: bool) -> None:
    """Check keys, addresses and the table of basis points, by which deposits are credited, against the setup."""
    from verifier.deployment.deployment import check_deployment  # noqa: PLC0415 - brings the chain client

    venue = place.connect()
    with progress("checking the basis points"):
        check_deployment(venue.chain, venue.deployment, venue.setup)
    print_result(
        {
            "clearing_house": venue.deployment.house,
            "verifying_key": "0x" + venue.key.digest.hex(),
            "basis_points": venue.shape.slots,
            "verdict": "the deployment is what the setup gives",
        },
        as_json=as_json,
    )
