"""``zkmargin exposure``: what holdings are exposed to.

The object that ``--json`` prints is described in :mod:`prover.reports.export`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from prover.commands.report_options import report_options

if TYPE_CHECKING:
    from prover.commands.report_options import ReportRequest


@click.command()
@report_options
def command(request: ReportRequest) -> None:
    """Show net exposure: positions, sensitivities by instrument, expiry and underlying, and use of limits.

    Each PORTFOLIO is a JSON file of quantities, {"USD": 250000, "BTC-PERPETUAL": -1.5}, or "-" for standard input;
    several are netted, on the market listed afresh unless --slots is given. Without one, the account of your wallet is
    shown. Everything shown or written is secret.
    """
    from prover.reports.export import exposure_fields  # noqa: PLC0415 - only where it is asked for
    from prover.reports.tables import across_table, exposure_tables, limits_table  # noqa: PLC0415 - brings numpy

    report, compared = request.gather()
    across = across_table(report)
    limits = tuple(limits_table(entry, report.currency) for entry in report.kinds if entry.limits)
    tables = (*exposure_tables(report), *(() if across is None else (across,)), *limits)
    request.finish(report, compared, tables=tables, fields=exposure_fields(report))
