"""``zkmargin rule components``: what rule files can name, with form, constants and defaults."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, get_args

import click

from prover.commands.options import json_option
from prover.terminal import plain_table, print_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

PER_KIND: Final = "ByKind"
"""Beginning of the names of records that hold a constant of each kind of margin; one number stands for both."""


@click.command()
@click.argument("name", required=False)
@json_option
def components(name: str | None, *, as_json: bool) -> None:
    """List the components of rule files, or say what the one called NAME asks for, and of which constants.

    A constant that may differ between initial and maintenance margin is one number, or {initial: …, maintenance: …}.
    With --json the JSON schema of the component, or of whole rule files.
    """
    known = _components()
    if name is not None and name not in known:
        raise click.UsageError(f"no component is called {name!r}: choose {', '.join(known)}")
    if as_json:
        click.echo(json.dumps(_schema(None if name is None else known[name])))
    elif name is None:
        lines = [(each, _plain(model.__doc__ or "").splitlines()[0]) for each, model in known.items()]
        print_table(plain_table("components of rule files", ["component", "what it asks for"], lines))
    else:
        schema = _schema(known[name])
        for title, part in _parts(name, schema):
            click.echo(f"{_plain(part.get('description', title))}\n")
            constants = _constants(part, schema.get("$defs", {}))
            print_table(plain_table(title, ["constant", "choices", "unless given"], constants))


def _components() -> dict[str, type[BaseModel]]:
    from prover.components.registry import AnyComponent  # noqa: PLC0415 - brings numpy

    union = get_args(AnyComponent)[0]
    return {model.model_fields["component"].default: model for model in get_args(union)}


def _schema(model: type[BaseModel] | None) -> dict[str, Any]:
    from prover.rules.rule_definition import RuleDefinition  # noqa: PLC0415 - brings numpy

    return (model or RuleDefinition).model_json_schema(by_alias=True)


def _parts(name: str, schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The component itself, then the records that stand in it."""
    yield name, schema
    for title, part in schema.get("$defs", {}).items():
        if "properties" in part and not title.startswith(PER_KIND):
            yield title.rsplit("__", 1)[-1], part


def _constants(part: dict[str, Any], records: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(name, what it may be where there is a choice, what it is unless it is given); tables default to empty ones."""
    lines = []
    for each, field in part["properties"].items():
        referred = records.get(field.get("$ref", "").rpartition("/")[-1], {})
        choices = [field["const"]] if "const" in field else field.get("enum", referred.get("enum", []))
        default = (
            "must be given" if each in part.get("required", ()) or "const" in field else _json(field.get("default", {}))
        )
        lines.append((each, ", ".join(choices), default))
    return lines


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _plain(docstring: str) -> str:
    """Without the marks of docstrings, and without what the code raises."""
    said, _, _ = docstring.partition("\n\nRaises:")
    return re.sub(r":\w+:`~?([^`]*)`", r"\1", said).replace("``", "").strip()
