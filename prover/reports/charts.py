"""Pictures of a risk report, by matplotlib without a display; a function a picture, from plain data.

Diverging maps run from red over white at zero to blue. The cross and the zero line of a map stay dark on any page, as
the map under them does not change with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.ticker import MaxNLocator

from prover.reports.drawing import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    Thousands,
    canvas,
    wrapped,
)
from prover.reports.wording import percent, short, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from prover.reports.figures import BarPanel, HeatMap, ProfitCurve, ProfitLine, Waterfall

LINE_STYLES: Final = ((BLUE, "-"), (VERMILION, "--"), (GREEN, "-."), (PURPLE, ":"), (ORANGE, (0, (6, 1, 1, 1, 1, 1))))
"""As many moments are drawn as can be told apart; the table beside the picture has all."""

MOST_EQUITY_SHOWN: Final = 2.2
"""Equity beyond so many times the requirement is cut off."""

ON_THE_MAP: Final = "#202020"
NEARLY_USED: Final = 80
"""Percent of a limit from which on a risk manager looks twice."""


def draw_heat_map(data: HeatMap, currency: str) -> Figure:
    """Profit and loss by price and volatility; a line where it is zero, a cross at the worst place shown."""
    with canvas(5.0) as figure:
        axes = figure.add_subplot()
        prices, volatilities = data.price_moves * 100, data.volatility_moves * 100
        reach = max(float(np.abs(data.profit).max()), 1.0)
        image = axes.imshow(
            data.profit,
            origin="lower",
            aspect="auto",
            cmap="RdBu",
            vmin=-reach,
            vmax=reach,
            interpolation="bilinear",
            extent=(prices[0], prices[-1], volatilities[0], volatilities[-1]),
        )
        if data.profit.min() < 0 < data.profit.max():
            axes.contour(prices, volatilities, data.profit, levels=[0.0], colors=ON_THE_MAP, linewidths=1.2)
        row, column = np.unravel_index(int(data.profit.argmin()), data.profit.shape)
        axes.plot(prices[column], volatilities[row], "X", color=ON_THE_MAP, mec="white", markersize=10, clip_on=False)
        axes.set_title(f"Profit and loss when price and volatility of {data.subject} move")
        axes.set_xlabel(
            f"move of {data.subject}, %\n"
            f"✕ worst place shown: {whole(float(data.profit[row, column]))} {currency}; black line: zero"
        )
        axes.set_ylabel(f"relative move of volatilities of {data.subject}, %")
        figure.colorbar(image, ax=axes, format=Thousands(), label=f"profit or loss, {currency}")
    return figure


def draw_profit_curve(data: ProfitCurve, currency: str) -> Figure:
    """Profit and loss by price: now, at the nearest expiry, and at others up to the last."""
    with canvas(4.8) as figure:
        axes = figure.add_subplot()
        for line, (color, style) in zip(_some_lines(data.lines), LINE_STYLES, strict=False):
            width = 2.4 if color == BLUE else 1.6
            axes.plot(data.price_moves * 100, line.profit, color=color, ls=style, linewidth=width, label=line.label)
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.axvline(0, color=INK, linewidth=0.8, alpha=0.5)
        axes.margins(x=0)
        axes.grid(visible=True)
        axes.yaxis.set_major_formatter(Thousands())
        axes.set_xlabel(f"move of {data.subject}, %")
        axes.set_ylabel(f"profit or loss, {currency}")
        if data.index_price:
            _add_prices(axes, data, currency)
        axes.set_title(f"Profit and loss by price of {data.subject}, volatilities unchanged", pad=12)
        axes.legend(loc="best")
    return figure


def _some_lines(lines: Sequence[ProfitLine]) -> list[ProfitLine]:
    """All lines, or as many as can be told apart: the first two, the last, and some between."""
    most = len(LINE_STYLES)
    if len(lines) <= most:
        return list(lines)
    places = np.linspace(1, len(lines) - 1, most - 1).round().astype(int)
    return [lines[place] for place in (0, *places)]


def _add_prices(axes: Axes, data: ProfitCurve, currency: str) -> None:
    """The price itself, above the moves."""
    twin = axes.twiny()
    twin.set_xlim(*(data.index_price * (1 + np.array(axes.get_xlim()) / 100)))
    twin.spines["top"].set_visible(True)
    twin.xaxis.set_major_formatter(Thousands())
    twin.set_xlabel(f"{data.subject} price, {currency}")


def draw_bar_panels(panels: Sequence[BarPanel], title: str) -> Figure:
    """Signed bars, two panels side by side with the same labels, every bar with its figure."""
    rows, most = -(-len(panels) // 2), max(len(panel.bars) for panel in panels)
    with canvas(0.8 + rows * (1.1 + 0.27 * most)) as figure:
        _title(figure, title)
        for place, panel in enumerate(panels):
            axes = figure.add_subplot(rows, 2, place + 1)
            _draw_bars(axes, panel, [BLUE if bar.amount >= 0 else VERMILION for bar in panel.bars], short)
            axes.xaxis.set_major_locator(MaxNLocator(3))
            axes.set_title(panel.title, fontsize=10)
            axes.axvline(0, color=INK, linewidth=0.8)
            if place % 2:
                axes.tick_params(labelleft=False)
    return figure


def draw_limit_use(panel: BarPanel) -> Figure:
    """Share of every limit that is used, in percent: orange from 80 %, red beyond the limit."""
    with canvas(1.3 + 0.34 * len(panel.bars)) as figure:
        axes = figure.add_subplot()
        _draw_bars(axes, panel, [_color_of_use(bar.amount) for bar in panel.bars], lambda amount: percent(amount / 100))
        axes.axvline(100, color=VERMILION, linewidth=1.4, linestyle="--")
        axes.set_xlim(0, max(118.0, *(bar.amount * 1.18 for bar in panel.bars)))
        _title(figure, panel.title)
    return figure


def draw_headrooms(panel: BarPanel) -> Figure:
    """What is left in the tightest rows; the row that binds stands on top, in orange, failing rows are red."""
    with canvas(1.3 + 0.36 * len(panel.bars)) as figure:
        axes = figure.add_subplot()
        colors = [ORANGE, *(BLUE for _ in panel.bars[1:])]
        colors = [VERMILION if bar.amount < 0 else color for bar, color in zip(panel.bars, colors, strict=True)]
        _draw_bars(axes, panel, colors)
        axes.axvline(0, color=INK, linewidth=0.8)
        _title(figure, panel.title)
    return figure


def draw_decisions(panel: BarPanel) -> Figure:
    """What auxiliaries are worth, each under the row that decides it."""
    with canvas(1.3 + 0.36 * len(panel.bars)) as figure:
        axes = figure.add_subplot()
        _draw_bars(axes, panel, [BLUE for _ in panel.bars])
        _title(figure, panel.title)
    return figure


def draw_waterfall(data: Waterfall, currency: str) -> Figure:
    """From the worst case over charges to the requirement, and from there over the headroom to the equity.

    Equity far beyond the requirement is cut off, with an arrow, so that the parts stay readable.
    """
    steps = _waterfall_steps(data)
    edges = [edge for _, start, amount, _ in steps for edge in (start, start + amount)]
    levels = [start + amount for _, start, amount, _ in steps[: len(data.parts) + 1]]
    right = min((max(0.0, *edges) or 1.0) * 1.14, (max(0.0, *levels) or np.inf) * MOST_EQUITY_SHOWN)
    with canvas(1.5 + 0.38 * len(steps)) as figure:
        axes = figure.add_subplot()
        for place, (_, start, amount, color) in enumerate(steps):
            axes.barh(place, amount, left=start, color=color, height=0.68)
            _annotate_step(axes, place, (start, amount), right)
            if place:
                axes.plot([start, start], [place - 1, place], color=INK, linewidth=0.6, alpha=0.6)
        _finish_bars(axes, [label for label, *_ in steps])
        axes.set_xlim(min(0.0, *edges) * 1.05, right)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.set_xlabel(f"{currency}; binding: {data.binding_row}")
        _title(figure, f"How the {data.kind} margin requirement comes about")
    return figure


def _annotate_step(axes: Axes, place: int, bar: tuple[float, float], right: float) -> None:
    """The figure beside a bar of (start, amount); at the end of the picture, on the bar, where the bar goes on."""
    start, amount = bar
    text, far = whole(amount), max(start, start + amount)
    is_cut = far > right
    where, shift, side = (right, -6, "right") if is_cut else (far, 5, "left")
    axes.annotate(
        f"{text} →" if is_cut else text,
        (where, place),
        (shift, 0),
        textcoords="offset points",
        va="center",
        ha=side,
        fontsize=9,
        color="white" if is_cut else INK,
        fontweight="bold" if is_cut else "normal",
    )


def _waterfall_steps(data: Waterfall) -> list[tuple[str, float, float, str]]:
    """(label, start, amount, colour) of every bar."""
    steps, level = [], 0.0
    for part in data.parts:
        steps.append((part.label, level, part.amount, VERMILION if part.amount >= 0 else SKY))
        level += part.amount
    steps.append(("requirement", 0.0, data.requirement, GREY))
    rest = ("headroom", GREEN) if data.headroom >= 0 else ("shortfall", PURPLE)
    steps.append((rest[0], data.requirement, data.headroom, rest[1]))
    steps.append(("equity at marks", 0.0, data.equity, BLUE))
    return steps


def _title(figure: Figure, title: str) -> None:
    """At the left end of the picture, where long labels leave it room."""
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")


def _draw_bars(axes: Axes, panel: BarPanel, colors: Sequence[str], wording: Callable[[float], str] = whole) -> None:
    amounts = [bar.amount for bar in panel.bars]
    axes.barh(range(len(amounts)), amounts, color=colors, height=0.68)
    for place, amount in enumerate(amounts):
        shift, side = (4, "left") if amount >= 0 else (-4, "right")
        axes.annotate(
            wording(amount), (amount, place), (shift, 0), textcoords="offset points", va="center", ha=side, fontsize=8.5
        )
    _finish_bars(axes, [bar.label for bar in panel.bars])
    axes.set_xlim(_limits_with_room(amounts))
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.set_xlabel(panel.unit)


def _finish_bars(axes: Axes, labels: Sequence[str]) -> None:
    axes.set_yticks(range(len(labels)), [wrapped(label) for label in labels])
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.xaxis.set_major_formatter(Thousands())
    axes.grid(visible=True, axis="x")
    axes.set_axisbelow(True)


def _limits_with_room(amounts: Sequence[float]) -> tuple[float, float]:
    """Axis limits that leave room for figures beside bars."""
    low, high = min(0.0, *amounts), max(0.0, *amounts)
    room = 0.4 * (high - low) or 1.0
    return low - room if low < 0 else low, high + room if high > 0 else high + 0.1 * room


def _color_of_use(percent: float) -> str:
    if percent > 100:  # noqa: PLR2004 - of the limit
        return VERMILION
    return ORANGE if percent >= NEARLY_USED else GREEN
