"""``zkmargin rule``: build margin rules and see what they cost, read them, audit what was published."""

from __future__ import annotations

import click

from prover.commands.rule_audit import audit
from prover.commands.rule_build import build
from prover.commands.rule_components import components
from prover.commands.rule_inspect import inspect


@click.group()
def command() -> None:
    """Build margin rules, read them, audit published ones."""


for _subcommand in (components, build, inspect, audit):
    command.add_command(_subcommand)
