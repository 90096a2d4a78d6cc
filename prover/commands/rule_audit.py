"""``zkmargin rule audit``: whether a published rule is what its market and its rule file give."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from prover.commands.options import MarketFiles, json_option, place_options
from prover.commands.rule_build import FOLDER
from prover.terminal import plain_table, print_table, progress

if TYPE_CHECKING:
    from prover.account.venue import Venue
    from prover.commands.options import Place
    from prover.rules.epoch_audit import EpochAudit, RowVerdict
    from prover.rules.rule_book import RuleBook
    from verifier.chain.blob_sources import BlobSource
    from verifier.chain.epochs import EpochHeader

MOST_DIFFERENCES: Final = 3
"""Of a row, on the terminal; JSON has all."""

SOMETHING_WRONG: Final = 1
_FILE: Final = click.Path(path_type=Path, dir_okay=False)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an audit is done with.

    Attributes:
        market: snapshot or option chain; ``None`` for the archive's.
        slots: list of slots; ``None`` for the archive's, or the one beside the deployment file.
        rule: rule file or shipped name; ``None`` for the archive's, or the shape's own.
        beacon: address of a beacon node that has the blobs.
        archive: folder of archives; where it is named, the blobs come from it too.
    """

    market: Path | None
    slots: Path | None
    rule: str | None
    beacon: str | None
    archive: Path | None

    def files(self, place: Place, header: EpochHeader) -> MarketFiles:
        """What the rules are rebuilt from: files that are named, else those of the archive.

        Raises:
            ArchiveError: no archive belongs to the epoch.
        """
        if self.market is not None and self.archive is None:
            return MarketFiles(self.market, MarketFiles(Path(), self.slots).slots_at(place), self.rule)
        from verifier.rules.rule_archive import find_archive  # noqa: PLC0415 - brings ckzg

        archive = find_archive(self.archive or place.archives_beside, header)
        rule = self.rule or str(archive.rule_file)
        return MarketFiles(self.market or archive.market_file, self.slots or archive.slots_file, rule)

    def source(self, venue: Venue, header: EpochHeader) -> BlobSource:
        """Where the blobs come from."""
        from verifier.chain.beacon_client import BeaconClient  # noqa: PLC0415 - brings requests
        from verifier.chain.blob_sources import ArchivedBlobs, BeaconBlobs, NodeBlobs  # noqa: PLC0415 - brings ckzg
        from verifier.rules.rule_archive import find_archive  # noqa: PLC0415 - the same

        if self.beacon is not None:
            return BeaconBlobs(venue.chain, BeaconClient(self.beacon))
        if self.archive is not None:
            return ArchivedBlobs(find_archive(self.archive, header).blobs)
        return NodeBlobs(venue.chain)


@click.command()
@place_options
@click.option("--epoch", type=click.IntRange(1), help="Number of the epoch.  [default: the latest]")
@click.option("--market", type=_FILE, help="Market.  [default: the archive's]")
@click.option("--slots", type=_FILE, help="List of slots.  [default: the archive's, or the one beside the deployment]")
@click.option("--rule", metavar="NAME|FILE", help="Rule file, or name of a shipped one.  [default: the archive's]")
@click.option("--beacon", envvar="ZKMARGIN_BEACON", help="Fetch the blobs from the beacon node at this address.")
@click.option("--archive", type=FOLDER, help="Archive of the epoch, or a folder of them: take everything from there.")
@json_option
@click.pass_context
def audit(ctx: click.Context, /, place: Place, epoch: int | None, *, as_json: bool, **evidence: Any) -> None:  # noqa: ANN401 - what is left of click's options
    """Rebuild an epoch's rules from snapshot and rule file, fetch its blobs, and compare row by row.

    Market, rule file and list of slots are those named, else those of the archive that `publish` wrote. Blobs come from
    the node (a local one keeps them), a beacon node (--beacon) or an archive (--archive), and are checked against the
    hashes on the chain. Checked as well: no free box, no free ray, and that initial margin implies maintenance margin.
    Exit code 1 when anything is not as it should be.
    """
    given = Evidence(**evidence)
    venue = place.connect()
    number = epoch or venue.registry.latest_epoch().epoch
    report = _audit(venue, place, given, number)
    if as_json:
        click.echo(json.dumps(_fields(report)))
    else:
        _print(report)
    ctx.exit(0 if report.is_as_it_should_be else SOMETHING_WRONG)


def _audit(venue: Venue, place: Place, evidence: Evidence, epoch: int) -> EpochAudit:
    from prover.rules.epoch_audit import audit_epoch  # noqa: PLC0415 - brings numpy and scipy

    event = venue.registry.epoch_event(epoch)
    with progress("rebuilding the margin rules"):
        book = _rebuilt(venue, evidence.files(place, event.header), event.header.books)
    with progress("fetching and comparing the blobs"):
        return audit_epoch(venue.registry, event, book, evidence.source(venue, event.header))


def _rebuilt(venue: Venue, files: MarketFiles, books: int) -> RuleBook:
    from prover.rules.rule_book import load_rule_book  # noqa: PLC0415 - brings numpy and scipy

    return load_rule_book(
        files.market,
        shape=venue.shape,
        setup=venue.setup,
        books=books,
        slots=files.slots,
        rule=files.definition(),
    )


def _fields(report: EpochAudit) -> dict[str, object]:
    return {
        "epoch": report.epoch,
        "blobs_from": report.source,
        "as_it_should_be": report.is_as_it_should_be,
        "findings": list(report.findings),
        "rows": [_row_fields(row) for row in report.rows],
    }


def _row_fields(row: RowVerdict) -> dict[str, object]:
    return {
        "kind": row.kind.name.lower(),
        "row": row.row,
        "name": row.name,
        "as_it_should_be": not row.differences,
        "stands_for": row.stands_for,
        "differences": [
            {"column": one.column, "on_chain": one.found, "expected": one.expected} for one in row.differences
        ],
    }


def _print(report: EpochAudit) -> None:
    lines = [(row.name, row.kind.name.lower(), str(row.row), _said(row)) for row in report.rows]
    title = f"epoch {report.epoch}, blobs from {report.source}"
    print_table(plain_table(title, ["name", "margin", "row", "on the chain"], lines))
    for finding in report.findings:
        click.echo(f"finding: {finding}")
    wrong = len(report.wrong_rows)
    if report.is_as_it_should_be:
        click.echo(f"all {len(report.rows)} rows are what they should be; no free box, no free ray")
    else:
        click.echo(f"{wrong} of {len(report.rows)} rows are not what they should be, {len(report.findings)} findings")


def _said(row: RowVerdict) -> str:
    if not row.differences:
        return "as it should be"
    if row.stands_for is not None:
        return f"holds row {row.stands_for!r} instead"
    shown = [
        f"{one.column}: {one.found:,} on chain, {one.expected:,} expected" for one in row.differences[:MOST_DIFFERENCES]
    ]
    more = len(row.differences) - len(shown)
    return "; ".join([*shown, f"{more} more entries differ"] if more else shown)
