"""All pictures of a report: each with a name, words for who can't see it, and tables that say the same. Secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from prover.reports.charts import (
    draw_bar_panels,
    draw_decisions,
    draw_headrooms,
    draw_heat_map,
    draw_limit_use,
    draw_profit_curve,
    draw_waterfall,
)
from prover.reports.figures import Bar, BarPanel
from prover.reports.tables import (
    curve_table,
    decisions_table,
    exposure_tables,
    heat_map_table,
    limits_table,
    rows_table,
    waterfall_table,
)
from prover.reports.wording import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from matplotlib.figure import Figure

    from prover.reports.report import KindReport, RiskReport
    from prover.reports.tables import TableData

TIGHTEST: Final = 12
"""Rows that a picture of rows shows."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture.

    Attributes:
        name: of its file, without ending; unique in a report.
        description: what it shows, in words.
        draw: makes it.
        tables: its data.
    """

    name: str
    description: str = field(repr=False)
    draw: Callable[[], Figure] = field(repr=False)
    tables: tuple[TableData, ...]


def report_pictures(report: RiskReport) -> tuple[Picture, ...]:
    """Every picture of a report, in the order in which people read them."""
    pictures = [*_profit_pictures(report), *_exposure_pictures(report)]
    for entry in report.kinds:
        pictures += _margin_pictures(entry, report.currency)
    return tuple(pictures)


def _profit_pictures(report: RiskReport) -> Iterator[Picture]:
    currency = report.currency
    for heat_map in report.heat_maps:
        worst = whole(float(heat_map.profit.min()))
        yield Picture(
            name=f"heat-map-{_slug(heat_map.subject)}",
            description=(
                f"Heat map of profit and loss by moves of {heat_map.subject} from −30 % to +30 % and of its "
                f"volatilities from −50 % to +50 %; the worst shown is {worst} {currency}."
            ),
            draw=partial(draw_heat_map, heat_map, currency),
            tables=(heat_map_table(heat_map, currency),),
        )
    for curve in report.curves:
        moments = ", ".join(line.label for line in curve.lines)
        yield Picture(
            name=f"profit-curve-{_slug(curve.subject)}",
            description=f"Profit and loss by moves of {curve.subject} from −30 % to +30 %: {moments}.",
            draw=partial(draw_profit_curve, curve, currency),
            tables=(curve_table(curve, currency),),
        )


def _exposure_pictures(report: RiskReport) -> Iterator[Picture]:
    entries, currency = report.exposures.expiries, report.currency
    if not entries:
        return
    measures = {
        "delta notional": (currency, [entry.delta_notional for entry in entries]),
        "gamma notional": (f"{currency} per 1 % move", [entry.gamma_notional for entry in entries]),
        "vega": (f"{currency} per volatility point", [entry.vega for entry in entries]),
        "theta": (f"{currency} a day", [entry.theta for entry in entries]),
    }
    panels = [
        BarPanel(title, unit, tuple(Bar(entry.name, value) for entry, value in zip(entries, values, strict=True)))
        for title, (unit, values) in measures.items()
    ]
    yield Picture(
        name="sensitivities-by-expiry",
        description="Bars of delta notional, gamma notional, vega and theta of every expiry.",
        draw=partial(draw_bar_panels, panels, "Sensitivities by expiry"),
        tables=exposure_tables(report)[2:3],
    )


def _margin_pictures(entry: KindReport, currency: str) -> Iterator[Picture]:
    kind, waterfall = entry.kind.name.lower(), entry.waterfall
    yield Picture(
        name=f"waterfall-{kind}",
        description=(
            f"Waterfall of the {kind} margin requirement of {whole(waterfall.requirement)} {currency} beside equity of "
            f"{whole(waterfall.equity)} {currency}; binding: {waterfall.binding_row}."
        ),
        draw=partial(draw_waterfall, waterfall, currency),
        tables=(waterfall_table(waterfall, currency),),
    )
    rows = tuple(Bar(row.row.name, float(row.headroom)) for row in entry.tightest[:TIGHTEST])
    title = f"Headroom of the tightest rows, {kind} margin; the first one binds"
    yield Picture(
        name=f"headrooms-{kind}",
        description=f"Bars of what is left in the {len(rows)} tightest rows of {kind} margin; {rows[0].label} binds.",
        draw=partial(draw_headrooms, BarPanel(title, currency, rows)),
        tables=(rows_table(entry, currency),),
    )
    if entry.decisions:
        largest = tuple(Bar(f"{one.auxiliary}: {one.row}", one.amount) for one in entry.decisions[:TIGHTEST])
        title = f"What decides the auxiliaries, {kind} margin: the largest"
        yield Picture(
            name=f"decisions-{kind}",
            description=f"Bars of the largest auxiliaries of {kind} margin, each with the row that decides it.",
            draw=partial(draw_decisions, BarPanel(title, currency, largest)),
            tables=(decisions_table(entry, currency),),
        )
    if entry.limits:
        uses = tuple(Bar(limit.name, 100 * use) for limit in entry.limits if (use := limit.utilisation) is not None)
        without = [limit.name for limit in entry.limits if limit.utilisation is None]
        unit = "\n".join(["% of the limit", *(f"nothing is allowed: {name}" for name in without)])
        yield Picture(
            name=f"limits-{kind}",
            description=f"Bars of the used share of every limit of {kind} margin, in percent.",
            draw=partial(draw_limit_use, BarPanel(f"Use of limits, {kind} margin", unit, uses)),
            tables=(limits_table(entry, currency),),
        )


def _slug(subject: str) -> str:
    return subject.lower().replace(" ", "-")
