"""``zkmargin demo``: the whole way on a chain of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from prover.commands.options import json_option
from prover.terminal import print_table, progress, side_by_side

if TYPE_CHECKING:
    import contextlib

    from prover.demo_report import DemoReport, Refusal, Step

NAME_WIDTH = 58


@click.command()
@click.option(
    "--market",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Market snapshot (JSON) or option chain (CSV).  [default: an example that comes with the package]",
)
@json_option
def command(*, market: Path | None, as_json: bool) -> None:
    """Deploy, publish a rule, trade in hiding, prove margin; then a trade that breaks margin, a forgery, a replay.

    Starts a local chain on a free port and ends it. The chain's clock starts at the market's time.
    """
    from prover.demo import run_demo  # noqa: PLC0415 - brings everything
    from prover.market.market_data import EXAMPLE_MARKET  # noqa: PLC0415 - the same

    report = run_demo(market or EXAMPLE_MARKET, Silent() if as_json else Narrator())
    if as_json:
        click.echo(json.dumps(report.as_fields()))
    else:
        _print_views(report)


class Silent:
    """Prints nothing but progress, on standard error."""

    def during(self, name: str) -> contextlib.AbstractContextManager[None]:
        """Show progress."""
        return progress(name)

    def done(self, step: Step) -> None:
        """Print nothing."""

    def refused(self, refusal: Refusal) -> None:
        """Print nothing."""


class Narrator(Silent):
    """Prints every step as it is done."""

    def done(self, step: Step) -> None:
        """One line: what, how long, how much gas, what came of it."""
        gas = "" if step.gas is None else f"{step.gas:,} gas"
        line = f"{step.name:<{NAME_WIDTH}} {step.seconds:>6.2f} s {gas:>14}  {step.detail}"
        click.echo(line.rstrip())

    def refused(self, refusal: Refusal) -> None:
        """Two lines: what was tried, and how it was refused."""
        click.echo(f"{refusal.attempt:<{NAME_WIDTH}} refused by the {refusal.refused_by}: {refusal.error}")
        click.echo(f"    {refusal.message}")


def _print_views(report: DemoReport) -> None:
    from prover.account.account_view import for_people  # noqa: PLC0415 - brings numpy

    for view in report.views:
        click.echo()
        print_table(side_by_side(for_people(view.trader_knows), for_people(view.chain_sees), title=view.title))
    gas = sum(step.gas or 0 for step in report.steps)
    click.echo(f"\n{report.market}: done in {report.watch.seconds:.1f} s, {gas:,} gas beside blobs and deployment")
