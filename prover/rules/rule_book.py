"""Both margin rules of an epoch, rebuilt from its market: what a publisher sends and a trader compares."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from prover.errors import PublishedRuleError, RuleBuildError
from prover.market.market_data import canonical_json
from prover.market.market_files import load_market
from prover.rules.built_rule import reduced_rule
from prover.rules.funding_indices import funding_indices
from prover.rules.prepared_rule import ChunkCache, PreparedChunk, PreparedRule, masked_rule, prepare_masks, prepare_rule
from prover.rules.rule_builder import build_rules
from prover.rules.rule_cost import rule_cost
from prover.rules.rule_file import encode_rule
from prover.rules.slots import SlotTable, decode_slots
from verifier.books import book_bitmap
from verifier.chain.rule_publication import Publication, PublishedRule
from verifier.rules.margin_rule import chunk_blob
from verifier.rules.rule_archive import RuleSources
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from prover.account.venue import Venue
    from prover.argument.witness import BookOpening, Witness
    from prover.market.market_data import MarketSnapshot
    from prover.rules.built_rule import BuiltRule
    from prover.rules.rule_definition import RuleDefinition
    from verifier.ceremony import TrustedSetup
    from verifier.chain.epochs import EpochHeader
    from verifier.shape import Shape


class RuleBook:
    """Initial and maintenance rule of one market; prepared for proving when first asked for.

    Args:
        rules: initial and maintenance margin, as built.
        setup: powers of τ.
        snapshot: the market that they were built from.
    """

    def __init__(self, rules: tuple[BuiltRule, BuiltRule], setup: TrustedSetup, snapshot: MarketSnapshot) -> None:
        self._rules = rules
        self._reduced = functools.cache(lambda: reduced_rule(*rules))
        self.snapshot = snapshot
        self.setup = setup
        self._chunks: ChunkCache = {}
        self._blobs: dict[bytes, bytes] = {}
        self.prepared = functools.cache(self._prepare)

    def built(self, kind: RuleKind) -> BuiltRule:
        """The rule and the meaning of its rows."""
        return self._reduced() if kind is RuleKind.REDUCED else self._rules[kind]

    @property
    def slots(self) -> SlotTable:
        """What is listed where."""
        return self._rules[0].slots

    def _prepare(self, kind: RuleKind) -> PreparedRule:
        return prepare_rule(self.built(kind).matrix, self.setup, known=self._chunks)

    def digests(self) -> dict[str, bytes]:
        """Digests of what the rules were built from; the registry keeps them."""
        built = self._rules[0]
        return {
            "market snapshot": built.snapshot_digest,
            "rule file": built.definition.digest,
            "list of slots": built.slots.digest,
        }

    @property
    def sources(self) -> RuleSources:
        """What the rules were built from, as archives keep it."""
        built = self._rules[0]
        return RuleSources(
            market=canonical_json(self.snapshot.model_dump(mode="json")),
            rule=encode_rule(built.definition),
            slots=built.slots.encode(),
        )

    def publication(self) -> Publication:
        """What the registry is given.

        Raises:
            RuleBuildError: the registry or a transaction could not hold it, or deposits would be credited wrongly.
        """
        rule_cost(*self._rules)
        if self.slots.deposit_problem is not None:
            raise RuleBuildError(self.slots.deposit_problem)
        built = self._rules[0]
        return Publication(
            snapshot_time=built.snapshot_time,
            snapshot_hash=built.snapshot_digest,
            rule_digest=built.definition.digest,
            slots_digest=built.slots.digest,
            marks=built.marks,
            initial=self._published(RuleKind.INITIAL),
            maintenance=self._published(RuleKind.MAINTENANCE),
            indices=funding_indices(built.slots),
        )

    def _published(self, kind: RuleKind) -> PublishedRule:
        commitments = self.prepared(kind).commitments
        blobs = tuple(
            tuple(self._blob(kind, book, chunk, point) for chunk, point in enumerate(points))
            for book, points in enumerate(commitments)
        )
        return PublishedRule(commitments, blobs)

    def _blob(self, kind: RuleKind, book: int, chunk: int, commitment: bytes) -> bytes:
        """The blob of a chunk; equal chunks have one."""
        if commitment not in self._blobs:
            self._blobs[commitment] = chunk_blob(self._rules[kind].matrix, book, chunk)
        return self._blobs[commitment]


def load_slots(path: Path) -> SlotTable:
    """Read the list of slots that goes with a registry.

    Raises:
        RuleBuildError: unreadable, or not such a list.
    """
    try:
        return decode_slots(path.read_bytes())
    except OSError as error:
        raise RuleBuildError(f"list of slots {path}: {error.strerror}; give the publisher's file by --slots") from error


def write_slots(path: Path, slots: SlotTable) -> None:
    """Write a new list of slots, for later epochs and for whoever trades; a file is never written over.

    Raises:
        RuleBuildError: the file exists or cannot be written.
    """
    try:
        with path.open("xb") as file:
            file.write(slots.encode())
    except OSError as error:
        raise RuleBuildError(f"list of slots {path} cannot be written ({error.strerror}): choose another") from error


def load_rule_book(
    market: Path,
    *,
    shape: Shape,
    setup: TrustedSetup,
    books: int,
    slots: Path | None,
    rule: RuleDefinition | None = None,
) -> RuleBook:
    """Build both rules from a market file.

    Args:
        market: snapshot or option-chain file.
        shape: of the argument.
        setup: powers of τ.
        books: B, when there is no list of slots yet.
        slots: the list of an earlier epoch; ``None`` lists the market afresh.
        rule: the rule file; by default the shipped one of the shape.
    """
    table = None if slots is None else load_slots(slots)
    snapshot = load_market(market)
    return RuleBook(build_rules(snapshot, rule, shape=shape, books=books, slots=table), setup, snapshot)


class EpochRules:
    """The active epoch of a registry, its rules rebuilt from the market file and compared with what is on chain.

    Args:
        venue: where it was published.
        header: of the epoch.
        book: rules rebuilt.
    """

    def __init__(self, venue: Venue, header: EpochHeader, book: RuleBook) -> None:
        self._venue = venue
        self.header = header
        self.book = book
        self.listing = venue.listing(header)
        self.prepared = functools.cache(self._compared)

    def built(self, kind: RuleKind) -> BuiltRule:
        """The rule and the meaning of its rows."""
        return self.book.built(kind)

    @property
    def slots(self) -> SlotTable:
        """What is listed where."""
        return self.book.slots

    def witness(self, kind: RuleKind, openings: Sequence[BookOpening], books: Sequence[int]) -> Witness:
        """All columns of an account that has opened these books; errors as of :meth:`BuiltRule.witness`."""
        return self.built(kind).witness(openings, books=books, live=self.listing.live)

    @functools.cached_property
    def _masks(self) -> tuple[PreparedChunk, ...]:
        return prepare_masks(self._venue.shape, self.listing.live, self._venue.setup)

    def _compared(self, kind: RuleKind, books: tuple[int, ...]) -> PreparedRule:
        """The rule ready for proving, over the books that an account has opened, with their masks.

        Raises:
            PublishedRuleError: the registry holds other commitments.
            MatrixError: the rule lacks a book.
        """
        prepared = masked_rule(self.book.prepared(kind), self._masks, books)
        held = self._venue.registry.statement_matrix(self.header.epoch, kind, book_bitmap(books))
        if tuple(chunks[:-1] for chunks in held) != tuple(chunks[:-1] for chunks in prepared.commitments):
            raise PublishedRuleError(
                f"the {kind.name.lower()} rule of epoch {self.header.epoch} is not the one that this market gives: do "
                "not prove under it, and ask its publisher"
            )
        if held != prepared.commitments:
            raise PublishedRuleError(
                f"the masks of epoch {self.header.epoch} are not those of the instruments that were listed when it was "
                "announced: ask another node, this one may leave events out"
            )
        return prepared


def active_rules(venue: Venue, market: Path, slots: Path | None, rule: RuleDefinition | None = None) -> EpochRules:
    """Rebuild the rules of the active epoch.

    Raises:
        ContractRevertedError: no epoch, or its snapshot is too old.
        PublishedRuleError: the epoch was built from another market, rule file or list of slots, or credits deposits
            wrongly.
        MarketDataError: the market file cannot be used.
    """
    header = venue.registry.active_epoch()
    book = load_rule_book(market, shape=venue.shape, setup=venue.setup, books=header.books, slots=slots, rule=rule)
    own = book.digests()
    published = {
        "market snapshot": header.snapshot_hash,
        "rule file": header.rule_digest,
        "list of slots": header.slots_digest,
    }
    for what, digest in published.items():
        if own[what] != digest:
            raise PublishedRuleError(
                f"epoch {header.epoch} was built from a {what} with digest 0x{digest.hex()}, {market} gives "
                f"0x{own[what].hex()}: use the publisher's files (--market, --rule, --slots)"
            )
    if book.slots.deposit_problem is not None:
        raise PublishedRuleError(f"epoch {header.epoch} must not be used: {book.slots.deposit_problem}")
    rules = EpochRules(venue, header, book)
    _require_same_instruments(rules)
    return rules


def _require_same_instruments(rules: EpochRules) -> None:
    for slot in rules.slots.listed:
        name = rules.listing.names.get((slot.book, slot.position), slot.instrument.name)
        if name != slot.instrument.name:
            raise PublishedRuleError(
                f"epoch {rules.header.epoch} must not be used: slot {slot.position} of book {slot.book} is {name} in "
                f"the registry of instruments, and {slot.instrument.name} in the publisher's list"
            )
