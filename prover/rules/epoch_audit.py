"""Whether a published rule is what it should be: rebuilt from snapshot and rule file, compared row by row."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.errors import RuleBuildError
from prover.rules.built_rule import reduced_rule
from prover.rules.rule_implication import require_implication
from prover.rules.rule_reading import ColumnNames
from prover.rules.rule_rows import RowKind
from verifier.chain.blob_transactions import versioned_hash
from verifier.curve import group
from verifier.errors import ContractRevertedError, MalformedInputError, MatrixError
from verifier.rules.margin_rule import RuleMatrix
from verifier.rules.reduced_rule import reduced_points
from verifier.rules.rule_audit import audit_matrix, compare_matrices
from verifier.rules.rule_boundedness import audit_boundedness
from verifier.rules.rule_kind import PUBLISHED_KINDS, RuleKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prover.rules.built_rule import BuiltRule
    from prover.rules.rule_book import RuleBook
    from verifier.chain.blob_sources import BlobSource
    from verifier.chain.epochs import EpochEvent
    from verifier.chain.registry_client import RegistryClient
    from verifier.rules.rule_audit import EntryDifference
    from verifier.shape import Shape

NO_ROW: Final = "no row"
"""Name of a row on the chain that the rebuilt rule has not got."""


@dataclass(frozen=True, slots=True)
class NamedDifference:
    """An entry that is not what it should be.

    Attributes:
        column: a leg of an instrument, an auxiliary, the constant, a headroom.
        found: on the chain.
        expected: by snapshot and rule file.
    """

    column: str
    found: int
    expected: int


@dataclass(frozen=True, slots=True)
class RowVerdict:
    """What an audit says of one row.

    Attributes:
        kind: initial or maintenance margin.
        row: its index.
        name: its name in the rebuilt rule.
        differences: none when the row is what it should be.
        stands_for: the row of the rebuilt rule that stands there instead, if it is one.
    """

    kind: RuleKind
    row: int
    name: str
    differences: tuple[NamedDifference, ...]
    stands_for: str | None


@dataclass(frozen=True, slots=True)
class EpochAudit:
    """What an audit found.

    Attributes:
        epoch: its number.
        source: where the blobs came from.
        rows: every row of both kinds.
        findings: about the epoch as a whole; none when it is what it should be.
    """

    epoch: int
    source: str
    rows: tuple[RowVerdict, ...]
    findings: tuple[str, ...]

    @property
    def wrong_rows(self) -> tuple[RowVerdict, ...]:
        """Rows that are not what they should be."""
        return tuple(row for row in self.rows if row.differences)

    @property
    def is_as_it_should_be(self) -> bool:
        """Nothing was found."""
        return not self.findings and not self.wrong_rows


def audit_epoch(registry: RegistryClient, event: EpochEvent, book: RuleBook, source: BlobSource) -> EpochAudit:
    """Fetch an epoch's blobs, which are checked against the hashes on the chain, and compare.

    Args:
        registry: where it was published.
        event: of the epoch.
        book: both rules, rebuilt.
        source: of the blobs.

    Raises:
        ChainError: the blobs can't be had.
    """
    rebuilt = (book.built(RuleKind.INITIAL), book.built(RuleKind.MAINTENANCE))
    findings = [*_digest_findings(event, book), *_marks_findings(event, rebuilt[0])]
    findings += _commitment_findings(registry, event)
    shape: Shape = rebuilt[0].matrix.shape
    rows: list[RowVerdict] = []
    try:
        published = registry.rule_matrices(shape, event.header.epoch, source)
        for rule, matrix in zip(rebuilt, published, strict=True):
            rows += _row_verdicts(rule, matrix)
            findings += _matrix_findings(rule, matrix)
        findings += _implication_findings(rebuilt, published)
    except (MatrixError, MalformedInputError) as error:
        findings.append(str(error))
    return EpochAudit(event.header.epoch, source.description, tuple(rows), tuple(findings))


def _digest_findings(event: EpochEvent, book: RuleBook) -> Iterator[str]:
    published = {
        "market snapshot": event.header.snapshot_hash,
        "rule file": event.header.rule_digest,
        "list of slots": event.header.slots_digest,
    }
    for what, digest in book.digests().items():
        if digest != published[what]:
            yield (
                f"the epoch names a {what} with digest 0x{published[what].hex()}, the one given has 0x{digest.hex()}: "
                "audit with the publisher's files"
            )
    if book.built(RuleKind.INITIAL).snapshot_time != event.header.snapshot_time:
        yield f"the epoch names snapshot time {event.header.snapshot_time}, the snapshot another"
    if book.slots.deposit_problem is not None:
        yield book.slots.deposit_problem


def _marks_findings(event: EpochEvent, rule: BuiltRule) -> Iterator[str]:
    if event.marks != rule.marks:
        yield "the marks of the epoch are not those of the snapshot"


def _commitment_findings(registry: RegistryClient, event: EpochEvent) -> Iterator[str]:
    """Whether the points that proofs are checked against are those of the blobs; kept for the last three epochs."""
    backend = group()
    try:
        kept = [registry.matrix_commitments(event.header.epoch, kind) for kind in PUBLISHED_KINDS]
    except ContractRevertedError:
        return
    initial, maintenance = ([point for chunks in rule for point in chunks] for rule in kept)
    points = (*initial, *maintenance)
    hashes = tuple(versioned_hash(backend.compress(backend.decode(point))) for point in points)
    if hashes != event.versioned_hashes:
        yield "the points that the registry checks proofs against are not the commitments of the epoch's blobs"
    if not registry.is_reduced_rule(event.header.epoch, b"".join(reduced_points(initial, maintenance))):
        yield "the reduced rule that the registry keeps is not a quarter initial, three quarters maintenance margin"


def _row_verdicts(rule: BuiltRule, published: RuleMatrix) -> list[RowVerdict]:
    by_row: defaultdict[int, list[EntryDifference]] = defaultdict(list)
    for difference in compare_matrices(published, rule.matrix):
        by_row[difference.row].append(difference)
    names = ColumnNames(rule)
    return [
        RowVerdict(
            kind=rule.kind,
            row=row,
            name=rule.row_names[row] if row < len(rule.rows) else NO_ROW,
            differences=tuple(
                NamedDifference(names.name(one.book, one.column), one.found, one.expected) for one in by_row[row]
            ),
            stands_for=_other_row(rule, published, row) if by_row[row] else None,
        )
        for row in sorted({*range(len(rule.rows)), *by_row})
    ]


def _other_row(rule: BuiltRule, published: RuleMatrix, row: int) -> str | None:
    """The row of the rebuilt rule that equals a published one, headrooms apart."""
    if row >= published.rows:
        return None
    columns = [place for own in rule.rows if own.headroom is not None for place in own.headroom.columns]
    books, places = zip(*columns, strict=True)
    found, expected = published.entries[row].copy(), rule.matrix.entries.copy()
    found[list(books), list(places)] = 0
    expected[:, list(books), list(places)] = 0
    equal = np.flatnonzero((expected == found).all(axis=(1, 2)))
    return rule.row_names[equal[0]] if len(equal) else None


def _matrix_findings(rule: BuiltRule, published: RuleMatrix) -> list[str]:
    """Breaches of what every rule must keep, whoever built it."""
    limits = [index for index, row in enumerate(rule.rows) if row.kind is RowKind.LIMIT and index < published.rows]
    kind = rule.kind.name.lower()
    found = [*audit_matrix(published), *audit_boundedness(published, limits)]
    return [f"{kind} margin, row {finding.row}: {finding.message}" for finding in found]


def _implication_findings(rebuilt: Sequence[BuiltRule], published: Sequence[RuleMatrix]) -> Iterator[str]:
    """Initial margin must imply the reduced rule, and this maintenance margin, on the chain too."""
    rows = len(rebuilt[0].rows)
    if any(matrix.rows < rows or matrix.entries[rows:].any() for matrix in published):
        yield f"the published rules do not have the {rows} rows of the rebuilt ones: implication is not checked"
        return
    shape = rebuilt[0].matrix.shape
    initial, maintenance = (
        replace(rule, matrix=RuleMatrix(shape, matrix.entries[:rows]))
        for rule, matrix in zip(rebuilt, published, strict=True)
    )
    try:
        reduced = reduced_rule(initial, maintenance)
    except MatrixError as error:
        yield str(error)
        pairs = [(initial, maintenance)]
    else:
        pairs = [(initial, maintenance), (initial, reduced), (reduced, maintenance)]
    for stricter, looser in pairs:
        try:
            require_implication(stricter, looser)
        except RuleBuildError as error:
            yield str(error)
