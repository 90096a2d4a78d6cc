"""``zkmargin market``: files of exchanges as one snapshot, checked, completed and summed up."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from prover.commands.options import json_option, print_result
from prover.terminal import plain_table, print_table

if TYPE_CHECKING:
    from prover.market.market_data import MarketSnapshot
    from prover.market.market_summary import ExpirySummary


def _print_schema(context: click.Context, parameter: click.Parameter, asked: bool) -> None:  # noqa: FBT001 - click's form
    del parameter
    if asked:
        from prover.market.market_data import MarketDraft  # noqa: PLC0415 - brings numpy and scipy

        click.echo(json.dumps(MarketDraft.model_json_schema(), indent=1))
        context.exit()


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_schema,
    help="Print the JSON schema of snapshot files and leave.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="New file for the snapshot.")
@click.option(
    "--keep-listed",
    metavar="SLOTS",
    type=click.Path(path_type=Path, dir_okay=False),
    help="List of slots: add its options that nobody quotes any more, at the volatility of their expiry's surface.",
)
@click.option("--maximum-age", metavar="SECONDS", type=click.IntRange(min=1), help="Refuse an older market.")
@json_option
def command(
    files: tuple[Path, ...], *, out: Path | None, keep_listed: Path | None, maximum_age: int | None, as_json: bool
) -> None:
    """Read a snapshot, or book summaries (JSON) and option chains (CSV) taken at one moment; a folder gives its files.

    Volatilities that are missing are solved from marks or interpolated. A slot whose option is no longer quoted is
    masked by rules, so that nobody may hold it; --keep-listed is the other choice. Whoever publishes and whoever trades
    must use the same file: write it with --out.
    """
    from prover.market.freshness import require_fresh  # noqa: PLC0415 - brings numpy and scipy
    from prover.market.market_files import load_market, load_markets  # noqa: PLC0415 - the same
    from prover.market.market_summary import summarise_expiries  # noqa: PLC0415 - the same

    snapshot = load_market(files[0]) if len(files) == 1 else load_markets(files)
    if maximum_age is not None:
        require_fresh(snapshot, int(time.time()), maximum_age)
    quoted = len(snapshot.options)
    if keep_listed is not None:
        snapshot = _with_listed(snapshot, keep_listed)
    if out is not None:
        _write(snapshot, out)
    fields = _fields(snapshot, added=len(snapshot.options) - quoted)
    expiries = summarise_expiries(snapshot)
    if as_json:
        click.echo(json.dumps(fields | {"expiries": [_expiry_fields(expiry) for expiry in expiries]}))
        return
    print_result(fields, as_json=False)
    if expiries:
        columns = ("expiry", "days", "options", "bid and offer", "forward", "volatility at the money", "open interest")
        print_table(plain_table("options", columns, [_row(expiry) for expiry in expiries]))


def _with_listed(snapshot: MarketSnapshot, slots: Path) -> MarketSnapshot:
    from prover.market.completion import quote_options  # noqa: PLC0415 - brings numpy and scipy
    from prover.market.instruments import Option  # noqa: PLC0415 - beside its use
    from prover.rules.rule_book import load_slots  # noqa: PLC0415 - brings numpy and scipy

    listed = (slot.instrument for slot in load_slots(slots).listed)
    return quote_options(snapshot, [instrument for instrument in listed if isinstance(instrument, Option)])


def _write(snapshot: MarketSnapshot, path: Path) -> None:
    from prover.errors import MarketDataError  # noqa: PLC0415 - beside its use
    from prover.market.market_data import canonical_json  # noqa: PLC0415 - brings numpy and scipy

    try:
        with path.open("xb") as file:
            file.write(canonical_json(snapshot.model_dump(mode="json")))
    except OSError as error:
        raise MarketDataError(f"snapshot {path} cannot be written ({error.strerror}): choose another file") from error


def _fields(snapshot: MarketSnapshot, *, added: int) -> dict[str, object]:
    return {
        "snapshot_time": snapshot.snapshot_time,
        "snapshot_digest": "0x" + snapshot.digest.hex(),
        "quote_currency": snapshot.quote_currency,
        "underlyings": [f"{coin} {price.index_price:,.2f}" for coin, price in sorted(snapshot.underlyings.items())],
        "perpetuals": [quote.instrument for quote in snapshot.perpetuals],
        "futures": [quote.instrument for quote in snapshot.futures],
        "tokens": [quote.instrument for quote in snapshot.tokens],
        "options": len(snapshot.options),
        "options_added": added,
    }


def _expiry_fields(expiry: ExpirySummary) -> dict[str, object]:
    return {
        "expiry": expiry.name,
        "years": expiry.years,
        "options": expiry.options,
        "quoted": expiry.quoted,
        "forward": expiry.forward,
        "volatility": expiry.volatility,
        "open_interest": expiry.open_interest,
    }


def _row(expiry: ExpirySummary) -> tuple[str, ...]:
    return (
        expiry.name,
        f"{expiry.years * 365:.2f}",
        str(expiry.options),
        str(expiry.quoted),
        f"{expiry.forward:,.2f}",
        f"{expiry.volatility:.2%}",
        f"{expiry.open_interest:,.1f}",
    )
