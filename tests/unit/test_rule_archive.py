"""Archives: written and read back, and every way in which one can be incomplete."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from eth_hash.auto import keccak

from prover.market.market_data import EXAMPLE_MARKET
from prover.market.market_files import load_market
from prover.rules.rule_book import RuleBook
from prover.rules.rule_builder import build_rules
from verifier.ceremony import ceremony_setup
from verifier.chain.epochs import EpochHeader
from verifier.errors import ContractRevertedError, TransactionPendingError
from verifier.rules.rule_archive import (
    ArchiveError,
    RuleSources,
    find_archive,
    kept_archive,
    read_archive,
    write_archive,
)
from verifier.rules.rule_kind import RuleKind
from verifier.shape import SMALL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from verifier.chain.rule_publication import Publication


@functools.cache
def book() -> RuleBook:
    snapshot = load_market(EXAMPLE_MARKET)
    return RuleBook(build_rules(snapshot, shape=SMALL), ceremony_setup(), snapshot)


@functools.cache
def publication() -> Publication:
    return book().publication()


def header(epoch: int = 1, **changes: bytes) -> EpochHeader:
    """An epoch as the registry would describe it."""
    made = publication()
    described = EpochHeader(
        data="0x",
        epoch=epoch,
        snapshot_time=made.snapshot_time,
        published_at=made.snapshot_time,
        active_from=made.snapshot_time,
        list_version=1,
        books=1,
        initial_chunks=1,
        maintenance_chunks=1,
        snapshot_hash=made.snapshot_hash,
        rule_digest=made.rule_digest,
        slots_digest=made.slots_digest,
    )
    return replace(described, **changes)  # type: ignore[arg-type]  # digests only


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    write_archive(folder, publication(), book().sources, "small")
    return folder


def test_what_is_written_is_read(archive: Path) -> None:
    read = read_archive(archive)
    assert read.sources == book().sources
    assert (read.shape, read.books, read.snapshot_time) == ("small", 1, publication().snapshot_time)
    assert read.marks == publication().marks
    assert read.commitments[RuleKind.INITIAL] == publication().initial.commitments
    assert read.commitments[RuleKind.MAINTENANCE] == publication().maintenance.commitments
    assert len(list(read.blobs.iterdir())) == len(set(publication().chunk_points()))
    assert read.belongs_to(header())


def test_digests_are_those_of_the_files(archive: Path) -> None:
    manifest = json.loads((archive / "manifest.json").read_text())
    for part, name in (("market", "snapshot_hash"), ("rule", "rule_digest"), ("slots", "slots_digest")):
        assert manifest[name] == "0x" + keccak((archive / f"{part}.json").read_bytes()).hex()
        assert manifest[name] == "0x" + getattr(publication(), name).hex()


def test_an_archive_is_found_among_others(archive: Path) -> None:
    assert find_archive(archive, header()).folder == archive
    assert find_archive(archive.parent, header()).folder == archive
    with pytest.raises(ArchiveError, match=r"holds no archive of epoch 2 .* among 1: ask its publisher"):
        find_archive(archive.parent, header(2, rule_digest=b"\x01" * 32))


def spoil_part(folder: Path) -> None:
    path = folder / "market.json"
    path.write_bytes(path.read_bytes().replace(b"BTC", b"ETH", 1))


def remove_blob(folder: Path) -> None:
    next((folder / "blobs").iterdir()).unlink()


def change_field(name: str, value: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "manifest.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {name: value}))

    return change


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_part, r"market\.json is not the file with snapshot_hash 0x.* take its original"),
        (remove_blob, r"lacks 0x01.*\.blob \(1 missing\): take a complete archive"),
        (lambda folder: (folder / "rule.json").unlink(), r"rule\.json: No such file"),
        (lambda folder: (folder / "manifest.json").unlink(), "name the folder of an archive"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "is not JSON"),
        (lambda folder: (folder / "manifest.json").write_text("[]"), "is no manifest of schema"),
        (change_field("schema", "zkmargin-archive-9"), "is no manifest of schema 'zkmargin-archive-1'"),
        (change_field("shape", "huge"), "shape 'huge' .* use standard or small"),
        (change_field("initial", {}), r"lacks or spoils a field \('commitments'\)"),
        (change_field("books", "many"), "lacks or spoils a field"),
        (change_field("marks", 5), "lacks or spoils a field"),
        (change_field("rule_digest", "0x00"), r"rule\.json is not the file with rule_digest 0x00"),
    ],
)
def test_incomplete_archives_are_refused(archive: Path, spoil: Callable[[Path], None], message: str) -> None:
    spoil(archive)
    with pytest.raises(ArchiveError, match=message):
        read_archive(archive)


def test_sources_of_another_publication_are_refused(tmp_path: Path) -> None:
    other = RuleSources(book().sources.market + b" ", book().sources.rule, book().sources.slots)
    with pytest.raises(ArchiveError, match=r"snapshot_hash 0x.* is not that of the publication"):
        write_archive(tmp_path / "archive", publication(), other, "small")
    assert not (tmp_path / "archive").exists()


def test_nothing_is_written_over(archive: Path) -> None:
    with pytest.raises(ArchiveError, match="exists: name another folder"):
        write_archive(archive, publication(), book().sources, "small")
    (archive.parent / "file").write_text("")
    with pytest.raises(ArchiveError, match="cannot be written"):
        write_archive(archive.parent / "file" / "archive", publication(), book().sources, "small")


def publish_and_fail(folder: Path, error: BaseException) -> None:
    with kept_archive(folder, publication(), book().sources, "small"):
        assert read_archive(folder).books == 1
        raise error


def test_the_archive_goes_when_publishing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractRevertedError, match="TooSoon"):
        publish_and_fail(tmp_path / "archives" / "epoch-1", ContractRevertedError("TooSoon", {}, "wait"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), TransactionPendingError("no receipt")])
def test_the_archive_stays_where_the_end_of_publishing_is_not_known(tmp_path: Path, error: BaseException) -> None:
    """The epoch may stand on the chain, and its blobs are gone in some weeks."""
    folder = tmp_path / "archives" / "epoch-1"
    with pytest.raises(type(error)):
        publish_and_fail(folder, error)
    assert read_archive(folder).books == 1
    with kept_archive(folder, publication(), book().sources, "small"):
        pass


def test_half_an_archive_is_in_nobody_s_way(archive: Path) -> None:
    """As after a kill in the middle of writing."""
    (archive / "manifest.json").unlink()
    archive.rename(archive.with_name(".again.part"))
    write_archive(archive.with_name("again"), publication(), book().sources, "small")
    assert [path.name for path in archive.parent.iterdir()] == ["again"]


def test_the_same_archive_may_be_there_already(archive: Path) -> None:
    with kept_archive(archive, publication(), book().sources, "small"):
        pass
    assert read_archive(archive).books == 1
    other = replace(publication(), initial=publication().maintenance)
    with pytest.raises(ArchiveError, match="exists"), kept_archive(archive, other, book().sources, "small"):
        pass
