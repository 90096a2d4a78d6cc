"""``zkmargin rule build``: both rules of a market, what they cost, and an archive of them."""

from __future__ import annotations

import functools
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import click

from prover.commands.options import json_option, market_options
from prover.terminal import plain_table, print_table, progress
from verifier.rules.rule_kind import RuleKind
from verifier.shape import SHAPES_BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from prover.commands.options import MarketFiles
    from prover.rules.built_rule import BuiltRule
    from prover.rules.rule_book import RuleBook
    from prover.rules.rule_cost import RuleCost

FOLDER: Final = click.Path(path_type=Path, file_okay=False)

_Function = TypeVar("_Function", bound="Callable[..., Any]")


@dataclass(frozen=True, slots=True)
class Listing:
    """How a market is listed where there is no list of slots.

    Attributes:
        shape: name of the argument's shape.
        books: B.
    """

    shape: str
    books: int

    def build(self, files: MarketFiles) -> RuleBook:
        """Both rules; errors as :func:`prover.rules.rule_book.load_rule_book`."""
        from prover.rules.rule_book import load_rule_book  # noqa: PLC0415 - brings numpy and scipy
        from verifier.ceremony import ceremony_setup  # noqa: PLC0415 - the same

        definition = files.definition()
        with progress("building the margin rules"):
            return load_rule_book(
                files.market,
                shape=SHAPES_BY_NAME[self.shape],
                setup=ceremony_setup(),
                books=self.books,
                slots=files.slots,
                rule=definition,
            )


def listing_options(function: _Function) -> _Function:
    """``--shape`` and ``--books``, given to the command as ``listing``."""

    @click.option("--shape", type=click.Choice(list(SHAPES_BY_NAME)), default="standard", show_default=True)
    @click.option("--books", type=click.IntRange(1, 16), default=1, show_default=True, help="Without a list of slots.")
    @functools.wraps(function)
    def wrapped(*arguments: object, shape: str, books: int, **options: object) -> object:
        return function(*arguments, listing=Listing(shape, books), **options)

    return cast("_Function", wrapped)


@click.command()
@market_options
@listing_options
@click.option("--output", type=FOLDER, help="New folder for an archive: what the rules are built from, blobs, digests.")
@json_option
def build(files: MarketFiles, *, listing: Listing, output: Path | None, as_json: bool) -> None:
    """Build both rules of a market, say what they cost, and write them as an archive.

    Nothing is sent. A rule that does not fit, opens a free box or a free ray, or whose initial margin does not imply
    its maintenance margin is refused with the reason.
    """
    from prover.rules.rule_cost import rule_cost  # noqa: PLC0415 - brings numpy

    book = listing.build(files)
    initial = book.built(RuleKind.INITIAL)
    cost = rule_cost(initial, book.built(RuleKind.MAINTENANCE))
    if output is not None:
        _archive(book, output, listing.shape)
    if as_json:
        name = {"rule": initial.definition.name, "instruments": len(initial.slots.listed)}
        click.echo(json.dumps(name | {"cost": asdict(cost), "rows": row_fields(initial), "archive": _text(output)}))
        return
    _print_cost(initial, cost)
    print_rows(initial)
    if output is not None:
        click.echo(f"wrote {output}", err=True)


def _archive(book: RuleBook, folder: Path, shape: str) -> None:
    from verifier.rules.rule_archive import write_archive  # noqa: PLC0415 - brings ckzg

    with progress("committing and writing the archive"):
        write_archive(folder, book.publication(), book.sources, shape)


def _print_cost(rule: BuiltRule, cost: RuleCost) -> None:
    lines = [(field.replace("_", " "), f"{value:,}") for field, value in asdict(cost).items()]
    title = f"rule {rule.definition.name} over {len(rule.slots.listed)} instruments, both kinds of margin together"
    print_table(plain_table(title, ["figure", "value"], lines))


def row_fields(rule: BuiltRule) -> list[dict[str, object]]:
    """Every row for machines: name, number, kind, and what one unit of its headroom is worth."""
    return [
        {"name": row.name, "row": index, "kind": row.kind.value, "unit": f"{row.unit:f}"}
        for index, row in enumerate(rule.rows)
    ]


def print_rows(rule: BuiltRule) -> None:
    """The same for people."""
    lines = [[str(value) for value in fields.values()] for fields in row_fields(rule)]
    print_table(plain_table("rows of each kind of margin", ["name", "row", "kind", "one unit is worth"], lines))


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
