"""``zkmargin margin``: what a rule asks of holdings, why, and what a trade would change.

The object that ``--json`` prints is described in :mod:`prover.reports.export`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from prover.commands.report_options import report_options

if TYPE_CHECKING:
    from prover.commands.report_options import ReportRequest


@click.command()
@report_options
@click.option(
    "--what-if",
    "trade",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help='File of quantities to add, cash included; "-" for standard input.',
)
def command(request: ReportRequest, *, trade: Path | None) -> None:
    """Show margin under a rule: requirement and its parts, headroom, every row, and what a trade would change.

    Each PORTFOLIO is a JSON file of quantities, {"USD": 250000, "BTC-PERPETUAL": -1.5}, or "-" for standard input;
    several are netted, on the market listed afresh unless --slots is given. Without one, the account of your wallet is
    shown. The trade to try comes from a file too, as others can read command lines. Everything shown or written is
    secret. Nothing is proven or sent; the exit code is 0 whether the holdings are covered or not.
    """
    from prover.reports.export import margin_fields  # noqa: PLC0415 - only where it is asked for
    from prover.reports.tables import (  # noqa: PLC0415 - brings numpy
        decisions_table,
        limits_table,
        margin_table,
        rows_table,
        waterfall_table,
        what_if_tables,
    )

    if trade is not None and [str(trade), *map(str, request.portfolios)].count("-") > 1:
        raise click.UsageError("only one of portfolio and trade can come from standard input: give the other as a file")
    report, compared = request.gather(trade)
    tables = [margin_table(report)]
    for entry in report.kinds:
        tables += [waterfall_table(entry.waterfall, report.currency), rows_table(entry, report.currency)]
        tables += [decisions_table(entry, report.currency)] if entry.decisions else []
        tables += [limits_table(entry, report.currency)] if entry.limits else []
    tables += what_if_tables(compared, report.currency)
    request.finish(report, compared, tables=tuple(tables), fields=margin_fields(report, compared))
