"""What commands print: results on standard output, progress on standard error."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.table import Table

NARROW_TERMINAL: Final = 76
"""Columns that every terminal has."""

QUIET_SECONDS: Final = 0.5
"""What is done sooner needs no progress line."""


@contextlib.contextmanager
def progress(title: str) -> Iterator[None]:
    """Say what is going on while it takes longer than half a second: a spinner, or a line where it is no terminal."""
    if sys.stderr.isatty():
        from rich.console import Console  # noqa: PLC0415 - quick commands print without it

        with Console(stderr=True).status(f"{title} …"):
            yield
        return
    timer = threading.Timer(QUIET_SECONDS, _say, (f"{title} …",))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _say(line: str) -> None:
    """Standard error may be gone by the time that a timer fires."""
    with contextlib.suppress(OSError, ValueError):
        click.echo(line, err=True)


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Elapsed so far."""
        return time.perf_counter() - self._start


def side_by_side(known: Mapping[str, str], seen: Mapping[str, str], *, title: str) -> Table:
    """What the trader knows beside what the chain sees."""
    from rich.table import Table  # noqa: PLC0415 - quick commands print without it

    table = Table(title=title, title_justify="left", show_lines=False)
    table.add_column("the trader knows", overflow="fold")
    table.add_column("the chain sees", overflow="fold")
    table.add_row(_listed(known), _listed(seen))
    return table


def plain_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table of figures: the first column names the rows, the others are aligned to the right."""
    from rich.table import Table  # noqa: PLC0415 - quick commands print without it

    # A table that is narrower than its title breaks it into lines.
    table = Table(title=title, title_justify="left", min_width=min(len(title), NARROW_TERMINAL))
    for place, name in enumerate(columns):
        table.add_column(name, justify="right" if place else "left", no_wrap=not place, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _listed(values: Mapping[str, str]) -> Table:
    from rich.table import Table  # noqa: PLC0415 - quick commands print without it

    inner = Table.grid(padding=(0, 2))
    inner.add_column(overflow="fold")
    inner.add_column(overflow="fold")
    for name, value in values.items():
        inner.add_row(name, value)
    return inner


def print_table(table: Table) -> None:
    """Print to standard output, as wide as the terminal; wide enough for hashes where it is none."""
    from rich.console import Console  # noqa: PLC0415 - quick commands print without it

    width = None if sys.stdout.isatty() else PLAIN_WIDTH
    Console(width=width).print(table)


PLAIN_WIDTH: Final = 140
