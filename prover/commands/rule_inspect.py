"""``zkmargin rule inspect``: what a rule says, from its file, with a market, or from an archive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from prover.commands.options import MarketFiles, json_option
from prover.commands.rule_build import Listing, listing_options, print_rows, row_fields
from prover.terminal import plain_table, print_table
from verifier.rules.rule_kind import PUBLISHED_KINDS, RuleKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prover.rules.built_rule import BuiltRule
    from prover.rules.rule_book import RuleBook
    from prover.rules.rule_definition import RuleDefinition
    from prover.rules.rule_reading import ReadEntry

MOST_ENTRIES: Final = 12
_FILE: Final = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("subject", metavar="NAME|FILE|ARCHIVE")
@click.option("--market", type=_FILE, help="Market to build the rule on; an archive brings its own.")
@click.option("--slots", type=_FILE, help="List of slots that goes with it.")
@listing_options
@click.option("--kind", type=click.Choice([kind.name.lower() for kind in PUBLISHED_KINDS]), default="initial")
@click.option("--row", help="Show the largest entries of this row: its name or number.")
@click.option("--instrument", help="Show the largest entries of this instrument.")
@json_option
def inspect(subject: str, *, market: Path | None, slots: Path | None, listing: Listing, **view: Any) -> None:  # noqa: ANN401 - what is left of click's options
    """Read a rule: components and constants; with a market, or from an archive, rows, entries and marks as well."""
    if (Path(subject) / "manifest.json").is_file():
        book: RuleBook | None = _archived(Path(subject))
    else:
        book = None if market is None else listing.build(MarketFiles(market, slots, subject))
    rule = None if book is None else book.built(RuleKind[view["kind"].upper()])
    if view["row"] is not None or view["instrument"] is not None:
        if rule is None:
            raise click.UsageError("entries need a market: give --market, or the folder of an archive")
        _show_entries(_entries(rule, view["row"], view["instrument"]), as_json=view["as_json"])
        return
    _show(_definition(subject) if rule is None else rule.definition, rule, as_json=view["as_json"])


def _definition(subject: str) -> RuleDefinition:
    from prover.rules.rule_file import load_rule  # noqa: PLC0415 - brings numpy

    return load_rule(subject)


def _archived(folder: Path) -> RuleBook:
    """The rules of an archive, rebuilt."""
    from verifier.rules.rule_archive import read_archive  # noqa: PLC0415 - brings ckzg

    archive = read_archive(folder)
    files = MarketFiles(archive.market_file, archive.slots_file, str(archive.rule_file))
    return Listing(archive.shape, archive.books).build(files)


def _entries(rule: BuiltRule, row: str | None, instrument: str | None) -> tuple[ReadEntry, ...]:
    from prover.rules.rule_reading import largest_of_instrument, largest_of_row  # noqa: PLC0415 - brings numpy

    of_row = () if row is None else largest_of_row(rule, row, MOST_ENTRIES)
    return of_row if instrument is None else of_row + largest_of_instrument(rule, instrument, MOST_ENTRIES)


def _show_entries(entries: Sequence[ReadEntry], *, as_json: bool) -> None:
    if as_json:
        fields = [
            {"row": one.row, "column": one.column, "entry": one.entry, "value": f"{one.value:f}"} for one in entries
        ]
        click.echo(json.dumps({"entries": fields}))
        return
    lines = [(one.row, one.column, f"{one.entry:,}", f"{one.value:,f}") for one in entries]
    print_table(plain_table("largest entries", ["row", "column", "entry", "a lot adds"], lines))


def _show(definition: RuleDefinition, rule: BuiltRule | None, *, as_json: bool) -> None:
    constants = definition.model_dump(mode="json", by_alias=True)
    marks = {} if rule is None else _marks(rule)
    if as_json:
        built = {} if rule is None else {"rows": row_fields(rule), "marks": marks}
        click.echo(json.dumps({"definition": constants, "digest": "0x" + definition.digest.hex()} | built))
        return
    components = constants.pop("components")
    _print_constants(f"rule {definition.name}", constants)
    for fields in components:
        _print_constants(f"component {fields.pop('component')}", fields)
    if rule is not None:
        print_rows(rule)
        lines = [(name, f"{mark:,.2f}") for name, mark in marks.items()]
        print_table(plain_table("marks", ["instrument", rule.quote_currency], lines))


def _marks(rule: BuiltRule) -> dict[str, float]:
    """Mark of one unit of every listed instrument, quote currency."""
    return {slot.instrument.name: float(rule.universe.mark[rule.slots.flat_index(slot)]) for slot in rule.slots.listed}


def _print_constants(title: str, fields: dict[str, object]) -> None:
    """One constant a line; both kinds of margin beside each other where they differ."""
    width = max(map(len, fields), default=0)
    click.echo(title)
    for name, value in fields.items():
        click.echo(f"  {name:<{width}}  {_shown(value)}")


def _shown(value: object) -> str:
    if isinstance(value, dict):
        if set(value) == {"initial", "maintenance"} and value["initial"] == value["maintenance"]:
            return _shown(value["initial"])
        return ", ".join(f"{name} {_shown(entry)}" for name, entry in value.items())
    if isinstance(value, list):
        return f"{len(value)} entries" if len(value) > MOST_ENTRIES else "; ".join(map(_shown, value))
    return str(value)
