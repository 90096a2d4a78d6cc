"""Reports for machines: JSON objects and CSV. Secret.

``zkmargin margin --json`` prints one object:

    {"schema": "zkmargin-margin-1", "rule": …, "currency": …, "snapshot_time": Unix seconds,
     "equity": amount,
     "kinds": {"initial": KIND, "maintenance": KIND}}              (those asked for)
    KIND = {"requirement": amount, "headroom": amount, "binding_row": name, "covered": bool,
            "masked_slots_empty": bool, "failures": [name, …],     (binding row, limits and mask, where they fail)
            "parts": [{"part": name, "amount": amount}, …],        (they add up to the requirement)
            "rows": [{"row": name, "row_kind": "scenario" | "floor", "headroom": amount, "utilisation": share}, …],
            "auxiliaries": [{"auxiliary": name, "decided_by": row, "amount": amount}, …],  (those that are not zero)
            "limits": [{"row": name, "limit": amount, "used": amount, "headroom": amount, "utilisation": share}, …]}

With a trade to try, "what_if" is added: {"initial": CHANGE, …}, where CHANGE = {"before": KIND, "after": KIND,
"requirement_change": amount, "rows": [{"row": name, "changes": [words], "before": amount, "after": amount}, …]}.

``zkmargin exposure --json`` prints one object:

    {"schema": "zkmargin-exposure-1", "rule": …, "currency": …, "snapshot_time": …,
     "positions": [{"instrument": name, "long": quantity, "short": quantity, "net": quantity}, …],
     "instruments": [EXPOSURE, …], "expiries": [EXPOSURE, …], "underlyings": [EXPOSURE, …], "total": EXPOSURE,
     "across": null | {"reference": coin, "beta_weighted_notional": amount, "correlation_adjusted_notional": amount},
     "limits": {"initial": [limit as above, …], …}}
    EXPOSURE = {"name": …, "underlying": coin or "", "value", "delta" (units or null), "gamma" (units a unit of
                currency, or null), "delta_notional", "long_notional", "short_notional", "gross_notional",
                "hedged_notional", "gamma_notional", "vega", "theta": numbers}

Amounts and quantities of positions are decimals as text, so that no reader rounds them; shares (1 is all) and
exposures are numbers; a share is null where there is nothing to share.
"""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prover.reports.report import KindReport, RiskReport
    from prover.reports.tables import TableData
    from prover.reports.what_if import WhatIf
    from prover.rules.limit_use import LimitUse
    from prover.rules.net_exposure import NetExposure

MARGIN_SCHEMA: Final = "zkmargin-margin-1"
EXPOSURE_SCHEMA: Final = "zkmargin-exposure-1"
CENT: Final = Decimal("0.01")


def margin_fields(report: RiskReport, compared: Sequence[WhatIf] = ()) -> dict[str, Any]:
    """The object of ``zkmargin margin --json``."""
    fields = _head(MARGIN_SCHEMA, report)
    fields["equity"] = _amount(report.exposures.total.value)
    fields["kinds"] = {_name(entry): _kind_fields(entry) for entry in report.kinds}
    if compared:
        fields["what_if"] = {_name(entry.before): _what_if_fields(entry) for entry in compared}
    return fields


def exposure_fields(report: RiskReport) -> dict[str, Any]:
    """The object of ``zkmargin exposure --json``."""
    exposures, across = report.exposures, report.across
    fields = _head(EXPOSURE_SCHEMA, report)
    fields["positions"] = [
        {
            "instrument": position.instrument,
            "long": f"{position.long:f}",
            "short": f"{position.short:f}",
            "net": f"{position.net:f}",
        }
        for position in exposures.positions
    ]
    for level in ("instruments", "expiries", "underlyings"):
        fields[level] = [_exposure_fields(entry) for entry in getattr(exposures, level)]
    fields["total"] = _exposure_fields(exposures.total)
    fields["across"] = None
    if across is not None:
        adjusted = across.correlation_adjusted_notional
        fields["across"] = {
            "reference": across.reference,
            "beta_weighted_notional": _amount(across.beta_weighted_notional),
            "correlation_adjusted_notional": None if adjusted is None else _amount(adjusted),
        }
    fields["limits"] = {_name(entry): [_limit_fields(limit) for limit in entry.limits] for entry in report.kinds}
    return fields


def csv_text(tables: Sequence[TableData]) -> str:
    """Tables one after the other as lines of (table, row, column, value); amounts unrounded, without thousands."""
    content = io.StringIO()
    writer = csv.writer(content, lineterminator="\n")
    writer.writerow(("table", "row", "column", "value"))
    for table in tables:
        for row in table.rows:
            for column, cell in zip(table.columns[1:], row[1:], strict=True):
                writer.writerow((table.title, row[0], column.name, "" if cell is None else cell))
    return content.getvalue()


def _head(schema: str, report: RiskReport) -> dict[str, Any]:
    return {
        "schema": schema,
        "rule": report.rule,
        "currency": report.currency,
        "snapshot_time": report.snapshot_time,
    }


def _name(entry: KindReport) -> str:
    return entry.kind.name.lower()


def _kind_fields(entry: KindReport) -> dict[str, Any]:
    assessment = entry.assessment
    return {
        "requirement": _amount(assessment.requirement),
        "headroom": f"{assessment.binding.headroom:f}",
        "binding_row": assessment.binding.row.name,
        "covered": assessment.is_covered,
        "masked_slots_empty": assessment.masked_slots_empty,
        "failures": list(assessment.failures),
        "parts": [{"part": part.label, "amount": _amount(part.amount)} for part in entry.waterfall.parts],
        "rows": [
            {
                "row": row.row.name,
                "row_kind": str(row.row.kind),
                "headroom": f"{row.headroom:f}",
                "utilisation": entry.utilisation(row),
            }
            for row in entry.tightest
        ],
        "auxiliaries": [
            {"auxiliary": decision.auxiliary, "decided_by": decision.row, "amount": _amount(decision.amount)}
            for decision in entry.decisions
        ],
        "limits": [_limit_fields(limit) for limit in entry.limits],
    }


def _limit_fields(limit: LimitUse) -> dict[str, Any]:
    return {
        "row": limit.name,
        "limit": _amount(limit.limit),
        "used": _amount(limit.used),
        "headroom": _amount(limit.limit - limit.used),
        "utilisation": limit.utilisation,
    }


def _what_if_fields(entry: WhatIf) -> dict[str, Any]:
    return {
        "before": _kind_fields(entry.before),
        "after": _kind_fields(entry.after),
        "requirement_change": _amount(entry.requirement_change),
        "rows": [
            {
                "row": row.name,
                "changes": [str(change) for change in row.changes],
                "before": f"{row.before:f}",
                "after": f"{row.after:f}",
            }
            for row in entry.rows
        ],
    }


def _exposure_fields(entry: NetExposure) -> dict[str, Any]:
    return {
        "name": entry.name,
        "underlying": entry.underlying,
        "value": entry.value,
        "delta": entry.delta,
        "gamma": entry.gamma,
        "delta_notional": entry.delta_notional,
        "long_notional": entry.long_notional,
        "short_notional": entry.short_notional,
        "gross_notional": entry.gross_notional,
        "hedged_notional": entry.hedged_notional,
        "gamma_notional": entry.gamma_notional,
        "vega": entry.vega,
        "theta": entry.theta,
    }


def _amount(value: float) -> str:
    return f"{Decimal(value).quantize(CENT):f}"
