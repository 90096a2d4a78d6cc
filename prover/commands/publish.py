"""``zkmargin publish``: the margin rules of a market as the next epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from prover.commands.options import (
    json_option,
    keystore_option,
    market_options,
    place_options,
    print_result,
    signer,
)
from prover.terminal import progress

if TYPE_CHECKING:
    from pathlib import Path

    from prover.commands.options import MarketFiles, Place


@click.command()
@place_options
@keystore_option
@market_options
@click.option("--books", type=click.IntRange(1, 16), default=1, show_default=True, help="Books of the first epoch.")
@json_option
def command(place: Place, *, keystore: Path | None, files: MarketFiles, books: int, as_json: bool) -> None:
    """Build the initial and the maintenance rule of a market snapshot and publish them as blobs.

    The first epoch lists the instruments and writes the list of slots beside the deployment file; later epochs keep to
    it, for a slot must never change its instrument. Hand the list and the market file to whoever trades.
    """
    from prover.rules.rule_book import kept_slots, load_rule_book  # noqa: PLC0415 - brings numpy and scipy

    publisher = signer(keystore)
    venue = place.connect()
    listed = files.slots_at(place)
    with progress("building the margin rules"):
        rules = load_rule_book(files.market, shape=venue.shape, setup=venue.setup, books=books, slots=listed)
        publication = rules.publication()
    with kept_slots(listed or place.slots_beside, None if listed else rules.slots), progress("publishing blobs"):
        receipts = venue.registry.publish(publisher, publication)
    print_result(
        {
            "epoch": venue.registry.latest_epoch().epoch,
            "snapshot_time": publication.snapshot_time,
            "snapshot_digest": "0x" + publication.snapshot_hash.hex(),
            "list_of_slots": str(listed or place.slots_beside),
            "blobs": len(publication.chunks()),
            "transactions": ["0x" + receipt.transaction_hash.hex() for receipt in receipts],
            "gas": sum(receipt.gas_used for receipt in receipts),
        },
        as_json=as_json,
    )
