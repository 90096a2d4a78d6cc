"""``zkmargin publish``: the margin rules of a market as the next epoch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    from eth_account.signers.local import LocalAccount

    from prover.account.venue import Venue
    from prover.commands.options import MarketFiles, Place
    from prover.rules.epoch_publishing import Agreement
    from prover.rules.rule_book import RuleBook
    from verifier.chain.chain_client import Receipt
    from verifier.chain.rule_publication import Publication


@dataclass(frozen=True, slots=True)
class Work:
    """A publication on its way.

    Attributes:
        place: node and deployment file.
        venue: the same, connected.
        publisher: signs and pays.
        slots: file of the list of slots.
        rules: as built.
        publication: what the registry is given.
    """

    place: Place
    venue: Venue
    publisher: LocalAccount
    slots: Path
    rules: RuleBook
    publication: Publication


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
@click.option(
    "--proposal",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Proposal that others have signed: it is worked out again, signed, and sent once enough have signed.",
)
@click.option("--calldata", is_flag=True, help="Post the rows in calldata, though the chain takes blobs.")
@click.option("--no-wait", is_flag=True, help="Do not wait until the epoch is active.")
@json_option
def command(place: Place, *, keystore: Path | None, files: MarketFiles, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - click hands over what the options above declare
    """Build the margin rules of a market snapshot and publish them, as blobs or, where there are none, as calldata.

    The first epoch lists the instruments, on chain and in the list of slots beside the deployment file; later epochs
    keep to it, for a slot must never change its instrument. Hand the list and the market file to whoever trades.
    Networks keep blobs for some weeks only: the archive keeps them, with snapshot, rule file and list of slots, for
    `rule audit`.

    Where several publishers must sign, the first writes a proposal file instead. The others run the same command on
    their own market file with --proposal; the last one's sends. The epoch becomes active some time after that.
    """
    work = _prepared(place, keystore, files, options["books"])
    agreement = _agreed(work, options["proposal"])
    if not agreement.is_complete:
        path = options["proposal"] or place.proposal_beside
        print_result(_proposed(work, agreement, path), as_json=as_json)
        return
    print_result(_published(work, agreement, options), as_json=as_json)


def _prepared(place: Place, keystore: Path | None, files: MarketFiles, books: int) -> Work:
    """Rules built from a fresh market, in which the vault's tokens are what they are; what they need is listed."""
    from prover.market.freshness import require_fresh  # noqa: PLC0415 - brings numpy and scipy
    from prover.rules.rule_book import load_rule_book, write_slots  # noqa: PLC0415 - the same
    from prover.rules.slot_terms import first_book_terms, list_missing, missing_slots  # noqa: PLC0415 - the same
    from verifier.chain.token_slots import require_listed_as_token  # noqa: PLC0415 - brings the chain client

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
    slots = listed or place.slots_beside
    missing = missing_slots(venue.instruments, publisher.address, rules.slots)
    require_listed_as_token(venue.chain, venue.vault, venue.instruments, planned=first_book_terms(rules.slots))
    if listed is None:
        # Before anything is listed on chain: it stays there, whatever becomes of this run.
        write_slots(slots, rules.slots)
    if missing:
        with progress("listing instruments"):
            list_missing(venue.instruments, publisher, rules.slots)
    return Work(place, venue, publisher, slots, rules, publication)


def _agreed(work: Work, proposed: Path | None) -> Agreement:
    from prover.rules.epoch_publishing import agree  # noqa: PLC0415 - brings numpy and scipy

    return agree(work.venue.registry, work.publisher, work.publication, proposed)


def _proposed(work: Work, agreement: Agreement, path: Path) -> dict[str, object]:
    """Write the proposal for the next publisher."""
    from verifier.chain.proposal_file import ProposalFile  # noqa: PLC0415 - brings pydantic

    ProposalFile.of(work.venue.registry, agreement.signed).save(path)
    missing = agreement.threshold - len(agreement.signers)
    return {
        "proposed_epoch": agreement.signed.proposal.epoch,
        "proposal": str(path),
        "signed_by": list(agreement.signers),
        "signatures_missing": missing,
        "list_of_slots": str(work.slots),
        "snapshot_digest": "0x" + work.publication.snapshot_hash.hex(),
    }


def _published(work: Work, agreement: Agreement, options: dict[str, Any]) -> dict[str, object]:
    """Send what enough have signed; keep the archive."""
    from verifier.chain.blob_transactions import BLOB_GAS  # noqa: PLC0415 - brings rlp and ckzg
    from verifier.rules.rule_archive import kept_archive  # noqa: PLC0415 - the same

    registry, publication = work.venue.registry, work.publication
    epoch = agreement.signed.proposal.epoch
    folder = options["archive"] or work.place.archives_beside / f"epoch-{epoch}-{publication.snapshot_hash.hex()[:16]}"
    with kept_archive(folder, publication, work.rules.sources, work.venue.deployment.shape), progress("publishing"):
        receipts = _sent(work, agreement, by_calldata=options["calldata"], wait=not options["no_wait"])
    header = registry.latest_epoch()
    return {
        "epoch": header.epoch,
        "active_from": header.active_from,
        "rule": work.rules.built(RuleKind.INITIAL).definition.name,
        "snapshot_time": publication.snapshot_time,
        "snapshot_digest": "0x" + publication.snapshot_hash.hex(),
        "signed_by": list(agreement.signers),
        "list_of_slots": str(work.slots),
        "archive": str(folder),
        "blobs": sum(receipt.blob_gas_used for receipt in receipts) // BLOB_GAS,
        "transactions": ["0x" + receipt.transaction_hash.hex() for receipt in receipts],
        "gas": sum(receipt.gas_used for receipt in receipts),
    }


def _sent(work: Work, agreement: Agreement, *, by_calldata: bool, wait: bool) -> tuple[Receipt, ...]:
    registry = work.venue.registry
    if wait:
        registry.wait_for_turn()
    receipts = registry.publish(work.publisher, work.publication, agreement.signed, by_calldata=by_calldata)
    if wait:
        registry.wait_until_active(agreement.signed.proposal.epoch)
    return receipts
