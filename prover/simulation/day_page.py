"""A simulated day as one HTML page: prices and money over time, gas, invariants, accounts, everything that happened."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from matplotlib.dates import DateFormatter

from prover.reports.charts import draw_bar_panels
from prover.reports.drawing import BLUE, GREEN, GREY, ORANGE, VERMILION, Thousands, canvas
from prover.reports.figures import Bar, BarPanel
from prover.reports.html import Section, drawn_picture, filled_page
from prover.reports.pictures import Picture
from prover.simulation.day_invariants import shown_invariants
from prover.simulation.day_report import account_table, event_table, gas_table, invariant_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from prover.simulation.day_outcome import DayOutcome

TICKS_A_UNIT = 100
"""Ticks of 0.01 in a unit of the quote currency."""

LINES = (BLUE, ORANGE, GREEN)


def day_page(outcome: DayOutcome) -> str:
    """The whole page; nothing in it is secret."""
    invariants, gas = invariant_table(outcome), gas_table(outcome)
    pictures = (_timeline(outcome), _money(outcome))
    sections = [
        Section("Invariants", (invariants,)),
        Section("The day", (), tuple(map(drawn_picture, pictures))),
        Section("Gas", (gas,), (drawn_picture(_gas_picture(outcome)),)),
        Section("Accounts", (account_table(outcome),)),
        Section("Everything that happened", (event_table(outcome),)),
    ]
    return filled_page(
        "day.html.jinja",
        assets=" and ".join(outcome.path.assets),
        day=outcome.path.day.isoformat(),
        accounts=outcome.choices.accounts,
        trades=outcome.trades,
        epochs=outcome.choices.epochs,
        seed=outcome.choices.seed,
        cards=_cards(outcome),
        sections=sections,
    )


def _cards(outcome: DayOutcome) -> list[dict[str, Any]]:
    shown, events = shown_invariants(outcome.day), outcome.day.events
    holding = sum(one.holds for one in shown)
    contract = sum(event.refused_by == "contract" for event in events)
    prover = sum(event.refused_by == "prover" for event in events)
    clock = events[-1].clock
    return [
        {
            "name": "invariants seen to hold",
            "value": f"{holding} of {len(shown)}",
            "detail": "chain and model agreed after every action",
            "is_good": holding == len(shown),
        },
        _card("actions", f"{len(events):,}", f"{sum(event.transactions for event in events):,} transactions"),
        _card("attempts refused", f"{contract + prover:,}", f"{contract:,} by contracts, {prover:,} by the prover"),
        _card("gas", f"{sum(event.gas for event in events):,}", "without blob gas and deployment"),
        _card("active clock", f"{clock:,} s", f"of {events[-1].time - outcome.day.began:,} s of the day"),
        _card("equity of hidden accounts", "hidden", "proven to be covered, and nothing else is known"),
    ]


def _card(name: str, value: str, detail: str) -> dict[str, Any]:
    return {"name": name, "value": value, "detail": detail, "is_good": None}


def _timeline(outcome: DayOutcome) -> Picture:
    assets = " and ".join(outcome.path.assets)
    return Picture(
        name="prices",
        description=f"Prices of {assets} by epoch; time without a fresh epoch is shaded, refused attempts are marked.",
        draw=partial(_draw_prices, outcome),
        tables=(),
    )


def _money(outcome: DayOutcome) -> Picture:
    return Picture(
        name="public-money",
        description="Net deposits, what inboxes and liens keep apart, room in the bucket and backlog of the queue.",
        draw=partial(_draw_money, outcome),
        tables=(),
    )


def _gas_picture(outcome: DayOutcome) -> Picture:
    table = gas_table(outcome)
    bars = tuple(Bar(str(row[0]), float(str(row[3]).replace(",", ""))) for row in table.rows)
    panel = BarPanel("Mean gas of a transaction", "gas", bars)
    return Picture(
        name="gas",
        description="Bars of the mean gas of every entry point.",
        draw=partial(draw_bar_panels, [panel], "Gas by entry point"),
        tables=(),
    )


def _draw_prices(outcome: DayOutcome) -> Figure:
    """One line an asset, in percent of its first price."""
    epochs, events = outcome.day.house.registry.epochs, outcome.day.events
    times = [_when(epoch.active_from) for epoch in epochs] + [_when(events[-1].time)]
    with canvas(4.0) as figure:
        axes = figure.add_subplot()
        for place, (asset, colour) in enumerate(zip(outcome.path.assets, LINES, strict=False)):
            first = outcome.path.prices[0][place]
            moves = [100 * (row[place] / first - 1) for row in outcome.path.prices[: len(epochs)]]
            axes.step(times, [*moves, moves[-1]], where="post", color=colour, linewidth=1.8, label=asset)
        _shade_outages(outcome, axes)
        refused = [event for event in events if event.refused_by == "contract"]
        axes.plot(
            [_when(event.time) for event in refused],
            [0.0] * len(refused),
            "x",
            color=VERMILION,
            markersize=5,
            label="refused attempt",
        )
        axes.set_title("Prices by epoch")
        axes.set_ylabel("% of the first epoch's price, change")
        _finish(axes)
    return figure


def _draw_money(outcome: DayOutcome) -> Figure:
    """Of the quote collateral, in units of the quote currency."""
    # The deposit up to the cap at the end would flatten everything before it.
    events = [event for event in outcome.day.events if event.money and event.money[0].net_deposits * 2 < _cap(outcome)]
    series: dict[str, Sequence[int]] = {
        "net deposits": [event.money[0].net_deposits for event in events],
        "inboxes and liens": [event.money[0].kept_apart for event in events],
        "room in the bucket": [event.money[0].room for event in events],
        "backlog of the queue": [event.money[0].backlog for event in events],
    }
    times = [_when(event.time) for event in events]
    with canvas(4.0) as figure:
        axes = figure.add_subplot()
        for (name, ticks), colour in zip(series.items(), (BLUE, GREEN, ORANGE, VERMILION), strict=True):
            axes.step(times, [tick / TICKS_A_UNIT for tick in ticks], where="post", color=colour, label=name)
        _shade_outages(outcome, axes)
        axes.yaxis.set_major_formatter(Thousands())
        axes.set_title("Public money of the quote collateral")
        axes.set_ylabel("quote currency")
        _finish(axes)
    return figure


def _cap(outcome: DayOutcome) -> int:
    return outcome.day.house.vault.tokens[0].terms.cap


def _shade_outages(outcome: DayOutcome, axes: Axes) -> None:
    registry = outcome.day.house.registry
    for epoch, follower in zip(registry.epochs, registry.epochs[1:], strict=False):
        stale_from = epoch.snapshot_time + registry.timing.maximum_age
        if stale_from < follower.active_from:
            axes.axvspan(_when(stale_from), _when(follower.active_from), color=GREY, alpha=0.3, label="no fresh epoch")


def _finish(axes: Axes) -> None:
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M", tz=UTC))  # type: ignore[no-untyped-call]
    axes.grid(visible=True)
    axes.legend(loc="best")


def _when(unix_time: int) -> Any:  # noqa: ANN401 - matplotlib takes datetimes, its types say floats
    return datetime.fromtimestamp(unix_time, UTC)
