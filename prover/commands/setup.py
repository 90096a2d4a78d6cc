"""``zkmargin setup check``: the structure of the trusted setup."""

from __future__ import annotations

import click

from prover.commands.options import json_option, print_result
from prover.terminal import progress
from verifier.ceremony import CEREMONY_DIGEST, ceremony_path, ceremony_setup, check_setup


@click.group()
def command() -> None:
    """Check the trusted setup."""


@command.command()
@json_option
def check(*, as_json: bool) -> None:
    """Check that every power of τ follows from the one before, and that the file is the ceremony's."""
    with progress("checking the powers of τ"):
        setup = ceremony_setup()
        check_setup(setup)
    print_result(
        {
            "setup": setup.name,
            "file": str(ceremony_path()),
            "sha256": CEREMONY_DIGEST,
            "powers": setup.powers,
            "verdict": "every power follows from the one before",
        },
        as_json=as_json,
    )
