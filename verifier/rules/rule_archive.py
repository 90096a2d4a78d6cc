"""Archives of published rules: everything from which an auditor rebuilds an epoch and compares it with the chain.

A folder holds ``manifest.json``, the canonical snapshot ``market.json``, the rule file ``rule.json``, the list of
slots ``slots.json``, and every blob once under ``blobs/``, named by its versioned hash. Reading checks every part
against the manifest's digests; whether these are the digests on the chain is for the auditor to say.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from eth_hash.auto import keccak

from verifier.chain.blob_sources import blob_file_name, missing_files
from verifier.chain.blob_transactions import versioned_hash
from verifier.curve import group
from verifier.errors import ContractRevertedError, VerifierError
from verifier.rules.rule_kind import PUBLISHED_KINDS, RuleKind
from verifier.shape import SHAPES_BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from verifier.chain.epochs import EpochHeader
    from verifier.chain.rule_publication import Publication, PublishedRule

SCHEMA: Final = "zkmargin-archive-1"
MANIFEST: Final = "manifest.json"
BLOBS: Final = "blobs"
PARTS: Final = {"market": "snapshot_hash", "rule": "rule_digest", "slots": "slots_digest"}
"""Files without their suffix, and the digest in the manifest that each must have."""


class ArchiveError(VerifierError):
    """An archive that cannot be read or written, or a part of it that its manifest does not name."""


@dataclass(frozen=True, slots=True)
class RuleSources:
    """What a rule is built from, as canonical bytes.

    Attributes:
        market: snapshot, JSON.
        rule: rule file, JSON.
        slots: list of slots, JSON.
    """

    market: bytes
    rule: bytes
    slots: bytes

    def digests(self) -> dict[str, bytes]:
        """keccak256 of every part, by the name of the digest."""
        contents = {"market": self.market, "rule": self.rule, "slots": self.slots}
        return {PARTS[part]: bytes(keccak(content)) for part, content in contents.items()}


@dataclass(frozen=True, slots=True)
class RuleArchive:
    """An archive as read.

    Attributes:
        folder: where it is.
        shape: name of the argument's shape.
        snapshot_time: Unix seconds.
        books: B.
        commitments: of each rule, [book][chunk], 96 bytes each.
        marks: of the instruments.
        sources: what the rules were built from.
    """

    folder: Path
    shape: str
    snapshot_time: int
    books: int
    commitments: dict[RuleKind, tuple[tuple[bytes, ...], ...]]
    marks: bytes
    sources: RuleSources

    @property
    def blobs(self) -> Path:
        """Folder of the blobs."""
        return self.folder / BLOBS

    @property
    def market_file(self) -> Path:
        """The snapshot."""
        return self.folder / "market.json"

    @property
    def rule_file(self) -> Path:
        """The rule file."""
        return self.folder / "rule.json"

    @property
    def slots_file(self) -> Path:
        """The list of slots."""
        return self.folder / "slots.json"

    def belongs_to(self, header: EpochHeader) -> bool:
        """Whether an epoch names the same snapshot, rule file and list of slots."""
        named = {name: getattr(header, name) for name in PARTS.values()}
        return self.sources.digests() == named

    def versioned_hashes(self) -> tuple[bytes, ...]:
        """Of all chunks, initial rule first, book by book."""
        return tuple(
            _hash_of(point) for kind in PUBLISHED_KINDS for chunks in self.commitments[kind] for point in chunks
        )


@contextlib.contextmanager
def kept_archive(folder: Path, publication: Publication, sources: RuleSources, shape: str) -> Iterator[None]:
    """Write the archive of a publication, which stays unless a contract refuses in the block that publishes it.

    Whoever is interrupted, or waits for a node, may have published: networks forget blobs, so that the archive stays.
    An archive of the same publication that is there already is left alone.

    Raises:
        ArchiveError: the folder holds something else, cannot be written, or the sources are not those of the
            publication.
    """
    if (folder / MANIFEST).is_file() and _is_of(read_archive(folder), publication, sources):
        yield
        return
    is_first = not folder.parent.exists()
    write_archive(folder, publication, sources, shape)
    try:
        yield
    except ContractRevertedError:
        shutil.rmtree(folder)
        if is_first:
            folder.parent.rmdir()
        raise


def _is_of(archive: RuleArchive, publication: Publication, sources: RuleSources) -> bool:
    own = {RuleKind.INITIAL: publication.initial.commitments, RuleKind.MAINTENANCE: publication.maintenance.commitments}
    return archive.sources == sources and archive.commitments == own


def write_archive(folder: Path, publication: Publication, sources: RuleSources, shape: str) -> None:
    """Write the archive of a publication to a new folder; errors as :func:`kept_archive`."""
    digests = sources.digests()
    for name, digest in digests.items():
        if getattr(publication, name) != digest:
            raise ArchiveError(f"{name} 0x{digest.hex()} is not that of the publication: archive what is published")
    if folder.exists():
        raise ArchiveError(f"archive {folder} exists: name another folder (--archive)")
    # Renamed once it is whole: what an interruption leaves is in nobody's way.
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        (part / BLOBS).mkdir(parents=True)
        for point, blob in zip(publication.chunk_points(), publication.chunks(), strict=True):
            (part / BLOBS / blob_file_name(_hash_of(point))).write_bytes(blob)
        for name, content in (("market", sources.market), ("rule", sources.rule), ("slots", sources.slots)):
            (part / f"{name}.json").write_bytes(content)
        # Last, so that a folder with a manifest is a whole archive.
        (part / MANIFEST).write_text(json.dumps(_manifest(publication, digests, shape), indent=2) + "\n")
        part.rename(folder)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise ArchiveError(f"archive {folder} cannot be written ({error.strerror}): name another folder") from error


def _manifest(publication: Publication, digests: dict[str, bytes], shape: str) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "shape": shape,
        "books": len(publication.initial.commitments),
        "snapshot_time": publication.snapshot_time,
        **{name: _hex(digest) for name, digest in digests.items()},
        "marks": _hex(publication.marks),
        "initial": _rule_fields(publication.initial),
        "maintenance": _rule_fields(publication.maintenance),
    }


def _rule_fields(rule: PublishedRule) -> dict[str, object]:
    return {
        "commitments": [[_hex(point) for point in chunks] for chunks in rule.commitments],
        "versioned_hashes": [[_hex(_hash_of(point)) for point in chunks] for chunks in rule.commitments],
    }


def read_archive(folder: Path) -> RuleArchive:
    """Read an archive and check its parts.

    Raises:
        ArchiveError: a part is missing, or is not what the manifest says.
        MalformedInputError: a commitment that is no point of the curve.
    """
    manifest = _read_manifest(folder)
    try:
        archive = _archive_of(folder, manifest)
        named = {name: bytes.fromhex(manifest[name].removeprefix("0x")) for name in PARTS.values()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArchiveError(f"{folder / MANIFEST} lacks or spoils a field ({error}): take a complete archive") from error
    for part, name in PARTS.items():
        if archive.sources.digests()[name] != named[name]:
            raise ArchiveError(
                f"{folder / part}.json is not the file with {name} {_hex(named[name])}: take its original"
            )
    missing = missing_files(archive.blobs, archive.versioned_hashes())
    if missing:
        raise ArchiveError(f"{archive.blobs} lacks {missing[0]} ({len(missing)} missing): take a complete archive")
    return archive


def find_archive(folder: Path, header: EpochHeader) -> RuleArchive:
    """The archive of an epoch: the folder itself, or one of the folders in it.

    Raises:
        ArchiveError: none belongs to the epoch.
    """
    places = [folder] if (folder / MANIFEST).is_file() else sorted(path.parent for path in folder.glob(f"*/{MANIFEST}"))
    for place in places:
        archive = read_archive(place)
        if archive.belongs_to(header):
            return archive
    raise ArchiveError(
        f"{folder} holds no archive of epoch {header.epoch} (snapshot 0x{header.snapshot_hash.hex()}) among "
        f"{len(places)}: ask its publisher for it, or give --market, --rule and --slots"
    )


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArchiveError(f"{path}: {error.strerror}; name the folder of an archive") from error
    except ValueError as error:
        raise ArchiveError(f"{path} is not JSON ({error}): take a complete archive") from error
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        raise ArchiveError(f"{path} is no manifest of schema {SCHEMA!r}: name the folder of an archive")
    return manifest


def _archive_of(folder: Path, manifest: dict[str, Any]) -> RuleArchive:
    if manifest["shape"] not in SHAPES_BY_NAME:
        raise ArchiveError(f"shape {manifest['shape']!r} of {folder} is unknown: use {' or '.join(SHAPES_BY_NAME)}")
    return RuleArchive(
        folder=folder,
        shape=manifest["shape"],
        snapshot_time=int(manifest["snapshot_time"]),
        books=int(manifest["books"]),
        commitments={kind: _points(manifest[kind.name.lower()]["commitments"]) for kind in PUBLISHED_KINDS},
        marks=bytes.fromhex(manifest["marks"].removeprefix("0x")),
        sources=RuleSources(*(_read_part(folder / f"{part}.json") for part in PARTS)),
    )


def _read_part(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArchiveError(f"{path}: {error.strerror}; take a complete archive") from error


def _points(books: list[list[str]]) -> tuple[tuple[bytes, ...], ...]:
    return tuple(tuple(bytes.fromhex(point.removeprefix("0x")) for point in chunks) for chunks in books)


def _hash_of(point: bytes) -> bytes:
    backend = group()
    return versioned_hash(backend.compress(backend.decode(point)))


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
