"""``zkmargin publish``: the margin rules of a market as the next epoch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from prover.commands.options import (
    ARCHIVE_SUFFIX,
    json_option,
    keystore_option,
    market_options,
    place_options,
    print_result,
    signer,
)
from prover.terminal import progress
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from prover.commands.options import MarketFiles, Place


@click.command()
@place_options
@keystore_option
@market_options
@click.option("--books", type=click.IntRange(1, 16), default=1, show_default=True, help="Books of the first epoch.")
@click.option(
    "--archive",
    type=click.Path(path_type=Path, file_okay=False),
    help=f"New folder that keeps what auditors need.  [default: in the deployment file's folder with {ARCHIVE_SUFFIX}]",
)
@json_option
def command(
    place: Place, *, keystore: Path | None, files: MarketFiles, books: int, archive: Path | None, as_json: bool
) -> None:
    """Build the initial and the maintenance rule of a market snapshot and publish them as blobs.

    The first epoch lists the instruments and writes the list of slots beside the deployment file; later epochs keep to
    it, for a slot must never change its instrument. Hand the list and the market file to whoever trades. Networks keep
    blobs for some weeks only: the archive keeps them, with snapshot, rule file and list of slots, for `rule audit`.
    """
    from prover.market.freshness import require_fresh  # noqa: PLC0415 - brings numpy and scipy
    from prover.rules.rule_book import kept_slots, load_rule_book  # noqa: PLC0415 - the same
    from verifier.chain.blob_transactions import BLOB_GAS  # noqa: PLC0415 - brings rlp and ckzg
    from verifier.rules.rule_archive import kept_archive  # noqa: PLC0415 - the same

    publisher = signer(keystore)
    definition = files.definition()
    venue = place.connect()
    listed = files.slots_at(place)
    with progress("building the margin rules"):
        rules = load_rule_book(
            files.market, shape=venue.shape, setup=venue.setup, books=books, slots=listed, rule=definition
        )
        require_fresh(rules.snapshot, venue.chain.block_time(), venue.registry.maximum_age())
        publication = rules.publication()
    epoch = venue.registry.latest_epoch().epoch + 1
    folder = archive or place.archives_beside / f"epoch-{epoch}-{publication.snapshot_hash.hex()[:16]}"
    with (
        kept_slots(listed or place.slots_beside, None if listed else rules.slots),
        kept_archive(folder, publication, rules.sources, venue.deployment.shape),
        progress("publishing blobs"),
    ):
        receipts = venue.registry.publish(publisher, publication)
    print_result(
        {
            "epoch": venue.registry.latest_epoch().epoch,
            "rule": rules.built(RuleKind.INITIAL).definition.name,
            "snapshot_time": publication.snapshot_time,
            "snapshot_digest": "0x" + publication.snapshot_hash.hex(),
            "list_of_slots": str(listed or place.slots_beside),
            "archive": str(folder),
            "blobs": sum(receipt.blob_gas_used for receipt in receipts) // BLOB_GAS,
            "transactions": ["0x" + receipt.transaction_hash.hex() for receipt in receipts],
            "gas": sum(receipt.gas_used for receipt in receipts),
        },
        as_json=as_json,
    )
