"""Tables of a risk report: plain data that the terminal, the HTML page and CSV files show alike. Secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.reports.wording import money, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prover.reports.figures import HeatMap, ProfitCurve, Waterfall
    from prover.reports.report import KindReport, RiskReport
    from prover.reports.what_if import WhatIf
    from prover.rules.net_exposure import NetExposure

Cell = str | float | Decimal | None
"""Text, an amount, or nothing where a figure has no meaning."""

MAP_STEP_PRICE: Final = 20
MAP_STEP_VOLATILITY: Final = 5
CURVE_STEP: Final = 10
"""A table beside a picture shows every so many of its points."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: with its unit.
        decimals: of amounts; ``None`` for as many as the cell has.
        is_share: a fraction, shown in percent.
    """

    name: str
    decimals: int | None = 2
    is_share: bool = False

    def text(self, cell: Cell) -> str:
        """A cell as people read it."""
        if cell is None:
            return ""
        if isinstance(cell, str):
            return cell
        return percent(float(cell)) if self.is_share else money(cell, self.decimals)


@dataclass(frozen=True, slots=True)
class TableData:
    """A table; its first column names the rows.

    Attributes:
        title: of the table.
        columns: from left to right.
        rows: cells, as many a row as there are columns.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...] = field(repr=False)

    @property
    def texts(self) -> tuple[tuple[str, ...], ...]:
        """All cells as people read them."""
        return tuple(
            tuple(column.text(cell) for column, cell in zip(self.columns, row, strict=True)) for row in self.rows
        )


def exposure_tables(report: RiskReport) -> tuple[TableData, ...]:
    """Positions, and net exposure by instrument, expiry and underlying."""
    exposures, currency = report.exposures, report.currency
    return (
        TableData(
            "Positions, long against short",
            (
                Column("instrument"),
                Column("long", None),
                Column("short", None),
                Column("net", None),
                Column(f"value, {currency}"),
            ),
            tuple(
                (position.instrument, position.long, position.short, position.net, exposure.value)
                for position, exposure in zip(exposures.positions, exposures.instruments, strict=True)
            ),
        ),
        _exposure_table(
            "Net exposure by instrument", [entry for entry in exposures.instruments if entry.underlying], currency
        ),
        _exposure_table("Net exposure by expiry", exposures.expiries, currency),
        _exposure_table("Net exposure by underlying", (*exposures.underlyings, exposures.total), currency),
    )


def _exposure_table(title: str, entries: Sequence[NetExposure], currency: str) -> TableData:
    columns = (
        Column("of"),
        Column("net delta, coins", 4),
        Column(f"net delta, {currency}"),
        Column(f"gross notional, {currency}"),
        Column(f"hedged delta, {currency}"),
        Column(f"gamma, {currency} per 1 %"),
        Column(f"vega, {currency} per point"),
        Column(f"theta, {currency} a day"),
    )
    rows = tuple(
        (
            entry.name,
            entry.delta,
            entry.delta_notional,
            entry.gross_notional,
            entry.hedged_notional,
            entry.gamma_notional,
            entry.vega,
            entry.theta,
        )
        for entry in entries
    )
    return TableData(title, columns, rows)


def across_table(report: RiskReport) -> TableData | None:
    """Net delta across underlyings, where it is known how they move together."""
    if report.across is None:
        return None
    across = report.across
    rows: tuple[tuple[Cell, ...], ...] = ((f"beta-weighted, in {across.reference}", across.beta_weighted_notional),)
    if across.correlation_adjusted_notional is not None:
        rows += (("correlation-adjusted, √(n' ρ n)", across.correlation_adjusted_notional),)
    return TableData("Net delta across underlyings", (Column("how"), Column(f"notional, {report.currency}")), rows)


def margin_table(report: RiskReport) -> TableData:
    """Equity, requirement and headroom of every kind of margin."""
    columns = (Column("figure"), *(Column(f"{entry.kind.name.lower()}, {report.currency}") for entry in report.kinds))
    assessments = [entry.assessment for entry in report.kinds]
    rows: tuple[tuple[Cell, ...], ...] = (
        ("equity at marks", *(entry.exposure.equity for entry in assessments)),
        ("requirement", *(entry.requirement for entry in assessments)),
        ("headroom", *(entry.binding.headroom for entry in assessments)),
        ("binding row", *(entry.binding.row.name for entry in assessments)),
        ("covered", *(_yes(is_so=entry.is_covered) for entry in assessments)),
        ("what fails", *("; ".join(entry.failures) or "nothing" for entry in assessments)),
    )
    return TableData(f"Margin under the rule {report.rule}", columns, rows)


def waterfall_table(waterfall: Waterfall, currency: str) -> TableData:
    """Parts of the requirement, and what is left of the equity."""
    rows: tuple[tuple[Cell, ...], ...] = tuple((part.label, part.amount) for part in waterfall.parts)
    rows += (("requirement", waterfall.requirement), ("equity at marks", waterfall.equity))
    rows += (("headroom", waterfall.headroom),)
    return TableData(f"Parts of the {waterfall.kind} margin requirement", (Column("part"), Column(currency)), rows)


def rows_table(entry: KindReport, currency: str, most: int | None = None) -> TableData:
    """Scenarios and floors, the tightest first."""
    columns = (Column("row"), Column(f"headroom, {currency}"), Column("share of equity required", is_share=True))
    rows = tuple((row.row.name, row.headroom, entry.utilisation(row)) for row in entry.tightest[:most])
    return TableData(f"Rows of {entry.kind.name.lower()} margin, the tightest first", columns, rows)


def decisions_table(entry: KindReport, currency: str) -> TableData:
    """What decides the rule's auxiliaries: the worst scenario of a scan, the tail of a history."""
    columns = (Column("auxiliary"), Column("decided by"), Column(currency))
    rows = tuple((decision.auxiliary, decision.row, decision.amount) for decision in entry.decisions)
    return TableData(f"What decides the auxiliaries of {entry.kind.name.lower()} margin", columns, rows)


def limits_table(entry: KindReport, currency: str) -> TableData:
    """Use of every limit."""
    columns = (
        Column("limit"),
        Column(f"at most, {currency}"),
        Column(f"used, {currency}"),
        Column("use", is_share=True),
        Column("kept"),
    )
    rows = tuple(
        (limit.name, limit.limit, limit.used, limit.utilisation, _yes(is_so=limit.is_kept)) for limit in entry.limits
    )
    return TableData(f"Limits of {entry.kind.name.lower()} margin", columns, rows)


def what_if_tables(compared: Sequence[WhatIf], currency: str) -> tuple[TableData, ...]:
    """Margin before and after a trade, and the rows that it changes."""
    tables = []
    for entry in compared:
        name = entry.before.kind.name.lower()
        before, after = entry.before.assessment, entry.after.assessment
        figures = (
            ("equity at marks", before.exposure.equity, after.exposure.equity),
            ("requirement", before.requirement, after.requirement),
            ("headroom", float(before.binding.headroom), float(after.binding.headroom)),
        )
        rows: tuple[tuple[Cell, ...], ...] = tuple((what, old, new, new - old) for what, old, new in figures)
        rows += (("covered", _yes(is_so=before.is_covered), _yes(is_so=after.is_covered), None),)
        rows += (("what fails", *("; ".join(one.failures) or "nothing" for one in (before, after)), None),)
        columns = (Column("figure"), *(Column(f"{word}, {currency}") for word in ("before", "after", "change")))
        tables.append(TableData(f"What if: {name} margin", columns, rows))
        changed = tuple((row.name, ", ".join(row.changes), row.before, row.after) for row in entry.rows)
        columns = (Column("row"), Column("what happens"), Column(f"before, {currency}"), Column(f"after, {currency}"))
        tables.append(TableData(f"What if: rows of {name} margin that break, heal or bind", columns, changed))
    return tuple(tables)


def _yes(*, is_so: bool) -> str:
    return "yes" if is_so else "no"


def heat_map_table(data: HeatMap, currency: str) -> TableData:
    """Some points of a heat map, the highest volatility on top."""
    columns = range(0, len(data.price_moves), MAP_STEP_PRICE)
    rows = range(len(data.volatility_moves) - 1, -1, -MAP_STEP_VOLATILITY)
    return TableData(
        f"Profit or loss, {currency}: relative move of volatilities by move of {data.subject}",
        (Column("volatilities"), *(Column(_move(data.price_moves[place]), 0) for place in columns)),
        tuple(
            (_move(data.volatility_moves[row]), *(float(data.profit[row, place]) for place in columns)) for row in rows
        ),
    )


def curve_table(data: ProfitCurve, currency: str) -> TableData:
    """Some points of all curves."""
    places = np.arange(0, len(data.price_moves), CURVE_STEP)
    return TableData(
        f"Profit or loss, {currency}, by move of {data.subject}",
        (Column("move"), *(Column(line.label, 0) for line in data.lines)),
        tuple(
            (_move(data.price_moves[place]), *(float(line.profit[place]) for line in data.lines)) for place in places
        ),
    )


def _move(move: float) -> str:
    text = percent(float(move), 0)
    return f"+{text}" if move > 0 else text
