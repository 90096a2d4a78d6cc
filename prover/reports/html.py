"""A risk report as one HTML page: no script, nothing fetched, light and dark, every picture with its tables. Secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from prover.reports.drawing import svg_text
from prover.reports.pictures import report_pictures
from prover.reports.tables import across_table, exposure_tables, margin_table, what_if_tables
from prover.reports.wording import moment, money

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prover.reports.pictures import Picture
    from prover.reports.report import RiskReport
    from prover.reports.tables import TableData
    from prover.reports.what_if import WhatIf

TEMPLATES: Final = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class DrawnPicture:
    """A picture as it stands on the page."""

    svg: Markup = field(repr=False)
    tables: tuple[TableData, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Part of the page under one heading."""

    title: str
    tables: tuple[TableData, ...] = ()
    pictures: tuple[DrawnPicture, ...] = ()


def filled_page(template: str, **values: object) -> str:
    """A page from one of the templates beside this module."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    return environment.get_template(template).render(**values)


def html_page(report: RiskReport, compared: Sequence[WhatIf] = ()) -> str:
    """The whole page.

    Args:
        report: what it shows.
        compared: margin without and with a trade, if one was asked about.
    """
    total = report.exposures.total
    return filled_page(
        "report.html.jinja",
        report=report,
        moment=moment(report.snapshot_time),
        equity=money(total.value),
        net_delta=money(total.delta_notional),
        gross=money(total.gross_notional),
        kinds=[
            {
                "name": entry.kind.name.lower(),
                "requirement": money(entry.assessment.requirement),
                "headroom": money(entry.assessment.binding.headroom),
                "binding": entry.assessment.binding.row.name,
                "is_covered": entry.assessment.is_covered,
                "failures": "; ".join(entry.assessment.failures),
            }
            for entry in report.kinds
        ],
        sections=_sections(report, compared),
    )


def _sections(report: RiskReport, compared: Sequence[WhatIf]) -> list[Section]:
    drawn = {picture.name: drawn_picture(picture) for picture in report_pictures(report)}

    def named(*beginnings: str) -> tuple[DrawnPicture, ...]:
        return tuple(picture for name, picture in drawn.items() if name.startswith(beginnings))

    across = across_table(report)
    sections = [
        Section("Margin", (margin_table(report),), named("waterfall")),
        Section("Which row binds", (), named("headrooms", "decisions")),
        Section("Profit and loss", (), named("heat-map", "profit-curve")),
        Section("Net exposure", (*exposure_tables(report), *([] if across is None else [across])), named("sensitiv")),
        Section("Limits", (), named("limits")),
    ]
    if compared:
        sections.insert(0, Section("What if", what_if_tables(compared, report.currency)))
    return [section for section in sections if section.tables or section.pictures]


def drawn_picture(picture: Picture) -> DrawnPicture:
    """A picture with its tables, ready for a page."""
    svg = svg_text(picture.draw(), picture.name, picture.description)
    # The SVG is made by this package and escapes what it writes.
    return DrawnPicture(Markup(svg), picture.tables)  # noqa: S704 - as the comment says
