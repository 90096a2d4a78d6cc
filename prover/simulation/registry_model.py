"""Epochs and the active clock: the model's side of contracts/RuleRegistry.sol."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from prover.simulation.actions import Publish, Tampering
from prover.simulation.ghosts import Portfolio, exposed
from prover.simulation.refusals import Refusal, RefusedError
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from prover.simulation.instrument_model import InstrumentModel
    from verifier.chain.epochs import EpochTiming

GRACE_SECONDS: Final = 180
"""For so long after an activation the epoch before it serves maintenance proofs."""

TAMPERED_PROOFS: Final = {
    Tampering.FORGED_PROOF: Refusal.PROOF_REJECTED,
    Tampering.WRONG_COMMITMENT: Refusal.COMMITMENT_MISMATCH,
    Tampering.OMITTED_BOOK: Refusal.POINTS_LENGTH,
    Tampering.POINT_OF_ORDER_THREE: Refusal.INVALID_POINT,
}

Covers = Callable[[RuleKind, Portfolio], bool]
"""Whether a portfolio satisfies a rule of an epoch."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """One published epoch.

    Attributes:
        number: from 1 on.
        snapshot_time: from which its age counts.
        announced_at: time of its publication.
        active_from: time of its activation.
        books: that its rules cover.
        live: book and position of all slots that were listed at its publication: the rest is masked.
        rule: what its rows say.
    """

    number: int
    snapshot_time: int
    announced_at: int
    active_from: int
    books: int
    live: frozenset[tuple[int, int]] = field(repr=False)
    rule: Covers = field(repr=False)

    def require(self, kind: RuleKind, portfolio: Portfolio, tampering: Tampering | None = None) -> None:
        """Check what a proof says.

        Args:
            kind: rule.
            portfolio: books that the proof must cover.
            tampering: what an attacker changed of the proof, if anybody did.

        Raises:
            RefusedError: it is not so, or the proof was tampered with.
        """
        if tampering in TAMPERED_PROOFS:
            raise RefusedError(TAMPERED_PROOFS[tampering])
        if not exposed(portfolio) <= self.live:
            raise RefusedError(Refusal.DEAD_SLOT)
        if not self.rule(kind, portfolio):
            raise RefusedError(Refusal.NOT_COVERED)


@dataclass(frozen=True, slots=True)
class RegistryModel:
    """All epochs ever published.

    Attributes:
        timing: fixed at deployment.
        threshold: publishers that must sign.
        epochs: oldest first.
    """

    timing: EpochTiming
    threshold: int = 1
    epochs: tuple[Epoch, ...] = ()

    def published(self, action: Publish, instruments: InstrumentModel, now: int) -> RegistryModel:
        """After a new epoch was announced.

        Raises:
            RefusedError: too early, an older or a stale snapshot, one from the future, or another list of slots.
        """
        if action.snapshot_time > now:
            raise RefusedError(Refusal.SNAPSHOT_IN_FUTURE)
        if now > action.snapshot_time + self.timing.maximum_age:
            raise RefusedError(Refusal.STALE_EPOCH)
        if self.epochs and now < self.epochs[-1].announced_at + self.timing.spacing:
            raise RefusedError(Refusal.EPOCH_TOO_SOON)
        if self.epochs and action.snapshot_time <= self.epochs[-1].snapshot_time:
            raise RefusedError(Refusal.SNAPSHOT_NOT_NEWER)
        if action.signers < self.threshold:
            raise RefusedError(Refusal.TOO_FEW_SIGNATURES)
        if not action.with_blobs:
            raise RefusedError(Refusal.CHUNKS_MISSING)
        if action.list_version != instruments.version:
            raise RefusedError(Refusal.LIST_VERSION_WRONG)
        epoch = Epoch(
            number=len(self.epochs) + 1,
            snapshot_time=action.snapshot_time,
            announced_at=now,
            active_from=now + self.timing.activation_delay,
            books=len(instruments.books),
            live=instruments.live,
            rule=action.rule,
        )
        return replace(self, epochs=(*self.epochs, epoch))

    def is_stale(self, epoch: Epoch, now: int) -> bool:
        """Whether a snapshot is too old."""
        return now > epoch.snapshot_time + self.timing.maximum_age

    def newest_active(self, now: int) -> Epoch | None:
        """The epoch that is active, fresh or stale."""
        return next((epoch for epoch in reversed(self.epochs) if epoch.active_from <= now), None)

    def active(self, now: int) -> Epoch:
        """The epoch that is active and fresh.

        Raises:
            RefusedError: there is none.
        """
        epoch = self.newest_active(now)
        if epoch is None:
            raise RefusedError(Refusal.NO_EPOCH)
        if self.is_stale(epoch, now):
            raise RefusedError(Refusal.STALE_EPOCH)
        return epoch

    def usable(self, number: int, kind: RuleKind, now: int) -> Epoch:
        """The epoch of that number, if it serves a proof of that kind now.

        Raises:
            RefusedError: superseded, unknown, not active yet, or stale.
        """
        active = self.newest_active(now)
        if active is None:
            raise RefusedError(Refusal.NO_EPOCH)
        graced = kind is RuleKind.MAINTENANCE and now <= active.active_from + GRACE_SECONDS
        if 0 < active.number < number <= len(self.epochs):
            raise RefusedError(Refusal.EPOCH_WAITING)
        if number != active.number and not (graced and 0 < number == active.number - 1):
            raise RefusedError(Refusal.EPOCH_NOT_USABLE)
        epoch = self.epochs[number - 1]
        if self.is_stale(epoch, now):
            raise RefusedError(Refusal.STALE_EPOCH)
        return epoch

    def active_clock(self, now: int) -> int:
        """Seconds during which there was an active, fresh epoch, ever."""
        starts = [epoch.active_from for epoch in self.epochs]
        ends = [*starts, now][1:]
        return sum(
            max(0, min(end, epoch.snapshot_time + self.timing.maximum_age, now) - start)
            for epoch, start, end in zip(self.epochs, starts, ends, strict=True)
        )
