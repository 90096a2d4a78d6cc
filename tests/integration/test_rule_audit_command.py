"""Audits of published rules: honest ones from every source, and ones with an entry, a row or a file exchanged."""

from __future__ import annotations

import functools
import json
import shutil
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from prover.market.market_data import EXAMPLE_MARKET
from prover.market.market_files import load_market
from prover.rules.epoch_audit import NO_ROW, EpochAudit, NamedDifference, audit_epoch
from prover.rules.rule_book import RuleBook, load_rule_book
from prover.rules.rule_builder import build_rules
from prover.rules.rule_file import encode_rule, shipped_rule
from tests.support.beacon_node import GENESIS_TIME, SECONDS_PER_SLOT, foundations, served
from tests.support.console import run_in_process
from tests.support.own_use import OwnUse, later_undone, own_use_venue
from verifier.ceremony import ceremony_setup
from verifier.chain.beacon_client import BLOBS
from verifier.chain.blob_sources import NodeBlobs
from verifier.chain.instrument_client import InstrumentClient, InstrumentKind, SlotTerms
from verifier.chain.rule_publishing import RulePublisher
from verifier.rules.margin_rule import RuleMatrix
from verifier.rules.rule_archive import read_archive
from verifier.rules.rule_kind import PUBLISHED_KINDS, RuleKind
from verifier.shape import SMALL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from verifier.chain.rule_publication import Publication

PUBLISHER, OWNER = 0, 1
NOTHING_MOVES = "nothing moves"


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnUse]:
    """Nothing is published; every test undoes what it publishes."""
    with own_use_venue(tmp_path_factory.mktemp("rule-audit")) as made:
        yield made


@pytest.fixture
def published(venue: OwnUse) -> Iterator[tuple[OwnUse, Path]]:
    """Epoch 1 published by the command, and its archive beside the deployment file."""
    with later_undone(venue):
        arguments = ("publish", "--rule", "scenarios-small", "--json")
        fields = json.loads(run_in_process(*arguments, variables=venue.variables(PUBLISHER)).stdout)
        assert fields["rule"] == "scenarios-small"
        archive = venue.folder / "deployment.archive" / f"epoch-1-{fields['snapshot_digest'][2:18]}"
        assert fields["archive"] == str(archive)
        yield venue, archive
        (venue.folder / "deployment.slots.json").unlink()
        shutil.rmtree(archive.parent)


def audit(venue: OwnUse, *arguments: str | Path) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON of an audit."""
    run = run_in_process("rule", "audit", *arguments, "--json", variables=venue.variables(PUBLISHER))
    assert run.stdout, run.stderr
    fields: dict[str, Any] = json.loads(run.stdout)
    return run.returncode, fields


def wrong_rows(fields: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for row in fields["rows"] if not row["as_it_should_be"]]


def test_audits_from_the_node_and_from_the_archive(published: tuple[OwnUse, Path]) -> None:
    venue, archive = published
    code, fields = audit(venue)
    assert (code, fields["as_it_should_be"], fields["findings"], wrong_rows(fields)) == (0, True, [], [])
    assert {row["kind"] for row in fields["rows"]} == {"initial", "maintenance"}
    assert fields["blobs_from"] == "the node"
    code, fields = audit(venue, "--archive", archive)
    assert (code, fields["as_it_should_be"]) == (0, True)
    assert fields["blobs_from"] == f"archive {archive / 'blobs'}"
    run = run_in_process("rule", "audit", "--archive", archive.parent, variables=venue.variables(PUBLISHER))
    assert run.returncode == 0
    assert "rows are what they should be; no free box, no free ray" in run.stdout


def test_audits_from_a_beacon_node(published: tuple[OwnUse, Path]) -> None:
    venue, archive = published
    published_at = RulePublisher(venue.chain, venue.deployment.registry).latest_epoch().published_at
    slot = (published_at - GENESIS_TIME) // SECONDS_PER_SLOT
    blobs = [path.read_bytes() for path in sorted((archive / "blobs").iterdir())]
    with served({**foundations(), f"{BLOBS}/{slot}": ["0x" + blob.hex() for blob in blobs]}) as (_, url):
        code, fields = audit(venue, "--beacon", url)
    assert (code, fields["blobs_from"], wrong_rows(fields)) == (0, "the beacon node", [])


def test_another_rule_file_or_market_is_told(published: tuple[OwnUse, Path], tmp_path: Path) -> None:
    venue, archive = published
    definition = json.loads(encode_rule(shipped_rule("scenarios-small")))
    definition["loss_factor"]["maintenance"] = "0.7"
    other = tmp_path / "rule.yaml"
    other.write_text(json.dumps(definition))
    code, fields = audit(venue, "--rule", other)
    assert (code, fields["as_it_should_be"]) == (1, False)
    assert "names a rule file with digest" in fields["findings"][0]
    # Initial margin, too: its entries are lowered so that the reduced rule is whole.
    assert {row["kind"] for row in wrong_rows(fields)} == {"initial", "maintenance"}
    market = json.loads((archive / "market.json").read_text())
    market["snapshot_time"] -= 1
    older = tmp_path / "market.json"
    older.write_text(json.dumps(market))
    code, fields = audit(venue, "--market", older, "--rule", "scenarios-small")
    assert code == 1
    assert "names a market snapshot with digest" in fields["findings"][0]
    assert any("snapshot time" in finding for finding in fields["findings"])
    _, fields = audit(venue, "--market", older, "--archive", archive)
    assert not any("rule file" in finding or "list of slots" in finding for finding in fields["findings"])


def test_ticks_that_deposits_are_not_credited_in_are_refused(venue: OwnUse, tmp_path: Path) -> None:
    """A list in lots of 1 USD would make a deposit of 100 USD count as 10,000."""
    definition = shipped_rule("scenarios-small").model_copy(update={"tick": Decimal(1)})
    path = tmp_path / "own.json"
    path.write_bytes(encode_rule(definition))
    message = "tick = 1: the list of slots has lots of 1 USD, but clearing houses credit deposits in lots of 0.01"
    assert message in venue.refuses(PUBLISHER, "publish", "--rule", path)
    snapshot = load_market(EXAMPLE_MARKET)
    coarse = RuleBook(build_rules(snapshot, definition, shape=SMALL), ceremony_setup(), snapshot)
    publication = replace(
        honest().publication(), rule_digest=definition.digest, slots_digest=coarse.slots.digest, marks=b""
    )
    assert any(finding.startswith("tick = 1") for finding in audit_of(venue, publication, coarse).findings)
    slots = tmp_path / "slots.json"
    slots.write_bytes(coarse.slots.encode())
    with later_undone(venue):
        registry = RulePublisher(venue.chain, venue.deployment.registry)
        open_book(venue)
        registry.publish(venue.running.account(PUBLISHER), publication)
        registry.wait_until_active(1)
        assert message in venue.refuses(OWNER, "prove", "--rule", path, "--slots", slots)


def test_traders_use_the_rule_file_of_the_epoch(venue: OwnUse, tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_bytes(encode_rule(shipped_rule("scenarios-small").model_copy(update={"name": "own"})))
    own = venue.variables(OWNER) | {"ZKMARGIN_WALLET": str(tmp_path / "wallet.json")}
    with later_undone(venue):
        arguments = ("publish", "--rule", path, "--archive", tmp_path / "archive")
        assert run_in_process(*arguments, variables=venue.variables(PUBLISHER)).returncode == 0
        assert run_in_process("deposit", "1000", variables=own).returncode == 0
        run = run_in_process("prove", variables=own)
        assert run.returncode == 1
        assert "was built from a rule file with digest" in run.stderr
        assert "use the publisher's files (--market, --rule, --slots)" in run.stderr
        assert run_in_process("prove", "--rule", path, variables=own).returncode == 0
        status = ("status", "--market", EXAMPLE_MARKET, "--rule", path, "--json")
        (account,) = json.loads(run_in_process(*status, variables=own).stdout)["accounts"]
        assert float(account["trader_knows"]["initial_headroom"]) > 0
    (venue.folder / "deployment.slots.json").unlink()


def test_what_is_missing_is_told(published: tuple[OwnUse, Path], tmp_path: Path) -> None:
    venue, archive = published
    assert "has published no epoch 2" in venue.refuses(PUBLISHER, "rule", "audit", "--epoch", "2")
    (tmp_path / "empty").mkdir()
    assert "holds no archive of epoch 1" in venue.refuses(PUBLISHER, "rule", "audit", "--archive", tmp_path / "empty")
    blob = next((archive / "blobs").iterdir())
    content = bytearray(blob.read_bytes())
    content[-1] ^= 1
    blob.write_bytes(content)
    assert f"blob {blob.stem}" in venue.refuses(PUBLISHER, "rule", "audit", "--archive", archive)
    blob.unlink()
    assert f"lacks {blob.name}" in venue.refuses(PUBLISHER, "rule", "audit", "--archive", archive)


@functools.cache
def honest() -> RuleBook:
    snapshot = load_market(EXAMPLE_MARKET)
    return RuleBook(build_rules(snapshot, shape=SMALL), ceremony_setup(), snapshot)


def tampered(kind: RuleKind, change: Callable[[NDArray[np.int64]], None]) -> Publication:
    """The honest digests with the entries of one rule changed."""
    entries = honest().built(kind).matrix.entries.copy()
    change(entries)
    rules = {
        each: replace(honest().built(each), matrix=RuleMatrix(SMALL, entries)) if each is kind else honest().built(each)
        for each in PUBLISHED_KINDS
    }
    snapshot = load_market(EXAMPLE_MARKET)
    return RuleBook((rules[RuleKind.INITIAL], rules[RuleKind.MAINTENANCE]), ceremony_setup(), snapshot).publication()


def open_book(venue: OwnUse) -> None:
    """List one instrument, so that rules of one book can be published; audits look at no list."""
    instruments = InstrumentClient(venue.chain, venue.deployment.instruments)
    instruments.list(venue.running.account(PUBLISHER), 0, [SlotTerms(0, InstrumentKind.CASH, 0, 0, 0)], ["USD"])


def audit_of(venue: OwnUse, publication: Publication, book: RuleBook | None = None) -> EpochAudit:
    """Publish, audit against the honest rules, take back."""
    registry = RulePublisher(venue.chain, venue.deployment.registry)
    with later_undone(venue):
        open_book(venue)
        registry.publish(venue.running.account(PUBLISHER), publication)
        return audit_epoch(registry, registry.epoch_event(1), book or honest(), NodeBlobs(venue.chain))


def place_of(name: str) -> tuple[int, int]:
    """Book and column of an instrument's long leg."""
    slot = honest().slots.find(name)
    return slot.book, 4 * slot.position


def test_one_entry_is_found(venue: OwnUse) -> None:
    book, column = place_of("BTC-PERPETUAL")
    row = honest().built(RuleKind.MAINTENANCE).row_names.index(NOTHING_MOVES)
    before = int(honest().built(RuleKind.MAINTENANCE).matrix.entries[row, book, column])

    def lower(entries: NDArray[np.int64], units: int = 8) -> None:
        entries[row, book, column] -= units

    report = audit_of(venue, tampered(RuleKind.MAINTENANCE, lower))
    assert not report.is_as_it_should_be
    (wrong,) = report.wrong_rows
    assert (wrong.kind, wrong.row, wrong.name, wrong.stands_for) == (RuleKind.MAINTENANCE, row, NOTHING_MOVES, None)
    assert wrong.differences == (NamedDifference("BTC-PERPETUAL long", before - 8, before),)
    assert report.findings == ()
    odd = audit_of(venue, tampered(RuleKind.MAINTENANCE, lambda entries: lower(entries, 7)))
    assert any("no multiple of 4, so the reduced rule is not whole there" in finding for finding in odd.findings)


def test_rows_that_changed_places_are_found(venue: OwnUse) -> None:
    names = honest().built(RuleKind.INITIAL).row_names

    def swap(entries: NDArray[np.int64]) -> None:
        headrooms = [honest().built(RuleKind.INITIAL).rows[row].headroom for row in (1, 2)]
        kept = [entries[row].copy() for row in (1, 2)]
        for row, other in ((1, 0), (2, 1)):
            mine, theirs = headrooms[row - 1], headrooms[1 - (row - 1)]
            assert mine is not None
            assert theirs is not None
            entries[row] = kept[1 - other]
            entries[row][theirs.unit] = 0
            entries[row][mine.unit] = -1

    report = audit_of(venue, tampered(RuleKind.INITIAL, swap))
    assert [(wrong.name, wrong.stands_for) for wrong in report.wrong_rows] == [
        (names[1], names[2]),
        (names[2], names[1]),
    ]


def test_a_free_box_is_found(venue: OwnUse) -> None:
    book, column = place_of("BTC-PERPETUAL")

    def open_box(entries: NDArray[np.int64]) -> None:
        entries[0, book, column] = 1 - entries[0, book, column + 1]

    report = audit_of(venue, tampered(RuleKind.INITIAL, open_box))
    assert len(report.wrong_rows) == 1
    assert any("initial margin, row 0: slot 1 of book 0: holding both legs" in text for text in report.findings)


def test_a_free_ray_is_found(venue: OwnUse) -> None:
    columns = np.flatnonzero(~honest().built(RuleKind.INITIAL).matrix.entries[:, 0].any(axis=0))
    free = int(next(column for column in columns if column % 4 >= 2))

    def open_ray(entries: NDArray[np.int64]) -> None:
        entries[1, 0, free] = 3

    report = audit_of(venue, tampered(RuleKind.INITIAL, open_ray))
    (wrong,) = report.wrong_rows
    assert wrong.differences == (NamedDifference(f"free column {free} of book 0", 3, 0),)
    assert any(f"a free ray through column {free} of book 0" in text for text in report.findings)


def test_maintenance_dearer_than_initial_is_found(venue: OwnUse) -> None:
    book, column = place_of("BTC-PERPETUAL")

    def dearer(entries: NDArray[np.int64]) -> None:
        entries[:, book, column] -= np.where(entries[:, 0, 0] > 0, 10**6, 0)

    report = audit_of(venue, tampered(RuleKind.MAINTENANCE, dearer))
    assert any("of maintenance margin asks for more than initial margin does" in text for text in report.findings)


def test_more_and_fewer_rows_are_found(venue: OwnUse) -> None:
    rows = honest().built(RuleKind.INITIAL).matrix.rows
    assert rows % SMALL.rows_per_chunk == 0
    short = shipped_rule("scenarios-small")
    fewer = short.model_copy(update={"components": short.components[:-1]})
    snapshot = load_market(EXAMPLE_MARKET)
    less = RuleBook(build_rules(snapshot, fewer, shape=SMALL), ceremony_setup(), snapshot)
    report = audit_of(venue, honest().publication(), less)
    assert any(row.name == NO_ROW for row in report.wrong_rows)
    assert any("names a rule file with digest" in text for text in report.findings)
    assert any("implication is not checked" in text for text in report.findings)


def test_other_marks_are_found(venue: OwnUse) -> None:
    publication = replace(honest().publication(), marks=bytes(8))
    report = audit_of(venue, publication)
    assert report.wrong_rows == ()
    assert report.findings == ("the marks of the epoch are not those of the snapshot",)


def test_points_of_other_blobs_are_found(venue: OwnUse) -> None:
    """No contract of ours lets them differ: the event is altered on the way."""
    registry = RulePublisher(venue.chain, venue.deployment.registry)
    with later_undone(venue):
        open_book(venue)
        registry.publish(venue.running.account(PUBLISHER), honest().publication())
        event = registry.epoch_event(1)
        altered = replace(event, versioned_hashes=event.versioned_hashes[::-1])
        report = audit_epoch(registry, altered, honest(), NodeBlobs(venue.chain))
    assert report.findings == (
        "the points that the registry checks proofs against are not the commitments of the epoch's blobs",
    )


def test_an_epoch_whose_points_are_gone_is_audited_by_its_log(venue: OwnUse) -> None:
    """The registry keeps the points of three epochs."""
    registry = RulePublisher(venue.chain, venue.deployment.registry)
    publisher = venue.running.account(PUBLISHER)
    with later_undone(venue):
        open_book(venue)
        for age in (30, 20, 10, 0):
            made = honest().publication()
            registry.wait_for_turn()
            registry.publish(publisher, replace(made, snapshot_time=made.snapshot_time - age))
        report = audit_epoch(registry, registry.epoch_event(1), honest(), NodeBlobs(venue.chain))
    assert report.wrong_rows == ()
    assert len(report.findings) == 1
    assert "snapshot time" in report.findings[0]


def test_blobs_that_are_no_rule_are_found(venue: OwnUse) -> None:
    """A commitment to an arbitrary blob: the registry takes it, an audit does not."""
    honest_one = honest().publication()
    blob = (1).to_bytes(32, "big") + bytes(131_072 - 32)
    point = _commitment_of(blob)
    initial = replace(honest_one.initial, commitments=((point,),), blobs=((blob,),))
    report = audit_of(venue, replace(honest_one, initial=initial))
    assert report.rows == ()
    assert "not below 2^62: it is not a margin rule" in report.findings[0]


def _commitment_of(blob: bytes) -> bytes:
    """The commitment in 96 bytes, from the blob's polynomial."""
    from verifier.curve import group  # noqa: PLC0415 - only here
    from verifier.domain import bit_reversal, interpolate_on_domain  # noqa: PLC0415 - only here
    from verifier.scalar_field import decode_scalar  # noqa: PLC0415 - only here

    values = [decode_scalar(blob[32 * index : 32 * index + 32]) for index in bit_reversal(4096)]
    backend = group()
    return backend.encode(backend.combine(ceremony_setup().points(backend), interpolate_on_domain(values)))


def test_the_archive_is_what_was_published(published: tuple[OwnUse, Path]) -> None:
    venue, folder = published
    archive = read_archive(folder)
    event = RulePublisher(venue.chain, venue.deployment.registry).epoch_event(1)
    assert archive.versioned_hashes() == event.versioned_hashes
    assert archive.belongs_to(event.header)
    assert archive.marks == event.marks
    rebuilt = load_rule_book(
        archive.market_file,
        shape=SMALL,
        setup=ceremony_setup(),
        books=archive.books,
        slots=archive.slots_file,
        rule=shipped_rule("scenarios-small"),
    )
    assert rebuilt.sources == archive.sources
    assert rebuilt.prepared(RuleKind.INITIAL).commitments == archive.commitments[RuleKind.INITIAL]
