"""What the console says of components: everything that a rule file can name can be looked up."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from prover.components.registry import AnyComponent
from tests.support.console import run_in_process

MODELS = {model.model_fields["component"].default: model for model in get_args(get_args(AnyComponent)[0])}


def test_all_components_are_listed() -> None:
    shown = run_in_process("rule", "components").stdout
    assert set(MODELS) <= set(shown.split())


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_constant_of_a_component_is_shown(name: str) -> None:
    shown = run_in_process("rule", "components", name)
    assert shown.returncode == 0, shown.stderr
    assert set(MODELS[name].model_fields) <= set(shown.stdout.split())
    assert "``" not in shown.stdout
    assert "Raises:" not in shown.stdout


def test_defaults_choices_and_records_within() -> None:
    words = [
        line.strip("│ ").split("│")
        for line in run_in_process("rule", "components", "concentration").stdout.splitlines()
    ]
    lines = {line[0].strip(): [cell.strip() for cell in line[1:]] for line in words if len(line) > 1}
    assert lines["measure"] == ["delta, gamma, vega, notional, collateral", '"delta"']
    assert lines["of"] == ["net, gross", '"net"']
    assert lines["tiers"] == lines["above"] == ["", "must be given"]


def test_the_schema_is_that_of_rule_files() -> None:
    schema = json.loads(run_in_process("rule", "components", "--json").stdout)
    assert {"schema", "tick", "lot_sizes", "components"} <= set(schema["properties"])
    assert json.loads(run_in_process("rule", "components", "basis", "--json").stdout)["title"] == "Basis"


def test_another_name_is_refused_with_the_choice() -> None:
    refused = run_in_process("rule", "components", "basics")
    assert refused.returncode == 2
    assert "no component is called 'basics': choose scenario-grid, basis, skew" in refused.stderr
