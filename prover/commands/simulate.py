"""``zkmargin simulate``: a clearing house under way, on a chain of its own."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from prover.commands.options import json_option
from prover.terminal import Stopwatch, plain_table, print_table, progress
from verifier.shape import SHAPES_BY_NAME

if TYPE_CHECKING:
    from prover.simulation.day_outcome import DayOutcome
    from prover.simulation.simulated_day import Event

NAME_WIDTH = 17
STORY_WIDTH = 64

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def command() -> None:
    """Simulate a clearing house with real contracts, blobs and proofs, beside a model of it that must agree."""


@command.command()
@click.option("--accounts", default=10, show_default=True, help="Accounts, at least 4.")
@click.option("--trades", default=100, show_default=True, help="Hidden trades, those of nettings counted one by one.")
@click.option("--epochs", default=12, show_default=True, help="Epochs, at least 3; each has the prices of another day.")
@click.option("--seed", default=1, show_default=True, help="Of prices and choices; blinds are never drawn from it.")
@click.option(
    "--history",
    type=_FILE,
    multiple=True,
    help="CSV file of daily prices (Date, close), named COIN-…; may be given for several coins.  [default: an example]",
)
@click.option("--shape", type=click.Choice(sorted(SHAPES_BY_NAME)), default="small", show_default=True)
@click.option("--html", type=_FILE, help="Write a page with tables and pictures to this file.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@json_option
def day(*, html: Path | None, force: bool, as_json: bool, **chosen: object) -> None:
    """A day: trades, nettings, deposits, withdrawals, liens, exits, an outage, a pause, attacks, a reorganisation.

    After every action chain and model are compared; the invariants that were seen to hold are listed at the end.
    Nothing that is printed or written is secret: positions never leave the process. Starts a local chain and ends it.
    """
    from prover.simulation.day_outcome import DayChoices  # noqa: PLC0415 - with what follows
    from prover.simulation.day_report import day_fields  # noqa: PLC0415 - brings numpy
    from prover.simulation.day_story import run_day  # noqa: PLC0415 - brings everything

    if html is not None and html.exists() and not force:
        raise click.ClickException(f"{html} exists: give another path, or --force to replace it")
    choices, watch = DayChoices(**chosen), Stopwatch()  # type: ignore[arg-type]  # click has converted them
    with progress("simulating a day") if as_json else contextlib.nullcontext():
        outcome = run_day(choices, _silent if as_json else _narrate)
    if html is not None:
        _write(html, outcome)
    if as_json:
        click.echo(json.dumps(day_fields(outcome) | {"seconds": round(watch.seconds, 3)}))
    else:
        _summarise(outcome, watch.seconds)


def _silent(_event: Event) -> None:
    """Print nothing."""


def _narrate(event: Event) -> None:
    """One line an event: entry point, story, outcome."""
    outcome = f"refused by the {event.refused_by}: {event.refused}" if event.refused else f"{event.gas:>9,} gas"
    click.echo(f"{event.epoch:>3}  {event.name:<{NAME_WIDTH}} {event.story:<{STORY_WIDTH}} {outcome}")


def _summarise(outcome: DayOutcome, seconds: float) -> None:
    from prover.simulation.day_report import SHOWN_BY, gas_table, invariant_table  # noqa: PLC0415 - brings numpy

    for table in (gas_table(outcome), invariant_table(outcome)):
        names = [column.name for column in table.columns if column.name != SHOWN_BY]
        click.echo()
        print_table(plain_table(table.title, names, [row[: len(names)] for row in table.texts]))
    events = outcome.day.events
    refused = sum(bool(event.refused) for event in events)
    click.echo(
        f"\n{outcome.trades} trades of {outcome.choices.accounts} accounts in {outcome.choices.epochs} epochs: "
        f"{len(events)} actions, {refused} of them refused as they must be; chain and model agreed after each "
        f"({seconds:.0f} s)"
    )


def _write(path: Path, outcome: DayOutcome) -> None:
    from prover.simulation.day_page import day_page  # noqa: PLC0415 - brings matplotlib

    try:
        path.write_text(day_page(outcome), encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written ({error.strerror}): give another path") from error
    click.echo(f"wrote {path}", err=True)
