"""Market moves of single days: stated in the rule file, or read from daily prices when the file is read.

Stated, so that the digest of the rule binds them:

    scenarios:
      - {name: "2023-12-29", moves: {BTC: -0.0115, ETH: -0.0197}}

or, in a file that names price histories (paths are relative to the rule file):

    history: {files: {BTC: BTC-USD_daily.csv, ETH: ETH-USD_daily.csv}, days: 64, until: "2023-12-29"}

A rule read from such a file holds the moves themselves; written out, it names no files.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BeforeValidator, Field

from prover.components.constants import Record
from prover.errors import MethodologyError, RuleFileError
from prover.market.price_history import read_price_history

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER: Final = "folder"
"""Key of the validation context under which the reader of a rule file says where the file lies."""

PLACES: Final = Decimal("1e-8")
"""To which moves read from prices are rounded."""

Move = Annotated[Decimal, Field(gt=-1, le=100)]


def _day(value: object) -> object:
    """YAML reads 2023-12-29 without quotes as a date."""
    return value.isoformat() if isinstance(value, date) else value


class ReturnScenario(Record):
    """What happened on one day, or might.

    Attributes:
        name: unique in a component; a day.
        moves: relative move of each underlying's price, above −1.
        volatility_move: relative move of every implied volatility.
    """

    name: Annotated[str, BeforeValidator(_day), Field(min_length=1, max_length=64)]
    moves: Annotated[dict[str, Move], Field(min_length=1)]
    volatility_move: Move = Decimal(0)


class PriceFiles(Record):
    """Where daily prices stand.

    Attributes:
        files: CSV file by underlying, relative to the rule file; a column ``Date`` and columns of prices.
        days: how many returns, the latest ones.
        until: last day that counts; by default the last one of the files.
        column: of the price.
    """

    files: Annotated[dict[str, str], Field(min_length=1)]
    days: Annotated[int, Field(ge=1, le=10_000)]
    until: date | None = None
    column: str = "close"


def resolve_history(fields: Any, context: Any) -> Any:  # noqa: ANN401 - what a file may hold, and pydantic's context
    """Fields of a component with ``scenarios`` in place of ``history``; anything else as it is.

    Raises:
        ValueError: both are given, no file is being read, or the prices cannot be used; pydantic reports it.
    """
    if not isinstance(fields, dict) or "history" not in fields:
        return fields
    if "scenarios" in fields:
        message = "history and scenarios are both given: keep one"
        raise ValueError(message)
    if not context or FOLDER not in context:
        message = "history: paths are relative to a rule file: load the rule from a file, or state scenarios"
        raise ValueError(message)
    rest = {name: value for name, value in fields.items() if name != "history"}
    try:
        scenarios = historical_scenarios(PriceFiles.model_validate(fields["history"]), Path(context[FOLDER]))
    except (MethodologyError, RuleFileError) as error:
        message = f"history: {error}"
        raise ValueError(message) from error
    return rest | {"scenarios": scenarios}


def historical_scenarios(source: PriceFiles, folder: Path) -> tuple[ReturnScenario, ...]:
    """Simple returns between consecutive days that all files have, oldest first.

    Raises:
        MethodologyError: a file cannot be used; names it.
        RuleFileError: the files have fewer days than are asked for.
    """
    assets = _by_asset(source.files, folder)
    history = read_price_history(tuple(assets), source.column)
    last = source.until or history.dates[-1]
    places = [place for place, day in enumerate(history.dates) if place > 0 and day <= last][-source.days :]
    if len(places) < source.days:
        raise RuleFileError(f"days = {source.days}: the files have {len(places)} returns until {last}; ask for fewer")
    returns = history.returns()
    names = [assets[path] for path in assets]
    return tuple(
        ReturnScenario(
            name=str(history.dates[place]),
            moves={
                name: Decimal(float(move)).quantize(PLACES)
                for name, move in zip(names, returns[place - 1], strict=True)
            },
        )
        for place in places
    )


def _by_asset(files: Mapping[str, str], folder: Path) -> dict[Path, str]:
    paths = {folder / file: name for name, file in files.items()}
    stems = {path.name.split("-")[0] for path in paths}
    if len(paths) != len(files) or len(stems) != len(files):
        raise RuleFileError("files: each underlying needs a file of its own, whose name begins with its asset")
    return paths
