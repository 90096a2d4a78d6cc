"""The invariants of section 9 as a day showed them: what each says, how it was looked at, how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prover.simulation.refusals import Refusal

if TYPE_CHECKING:
    from prover.simulation.simulated_day import SimulatedDay


@dataclass(frozen=True, slots=True)
class Invariant:
    """One invariant.

    Attributes:
        number: in section 9 of the specification.
        statement: what always holds.
        shown_by: how a day looks at it.
        refusals: errors by which attempts to break it were refused.
    """

    number: int
    statement: str
    shown_by: str
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """An invariant and its evidence.

    Attributes:
        invariant: what holds.
        looks: how often it was looked at and held.
        refused: attempts to break it that were refused.
    """

    invariant: Invariant
    looks: int
    refused: int

    @property
    def holds(self) -> bool:
        """Whether it was seen to hold; a day in which it did not ends with an error."""
        return self.looks > 0


INVARIANTS: Final = (
    Invariant(
        1,
        "per book, all commitments add up to the public deposits",
        "positions and blinds of the openings after every action; the points themselves at the end of every epoch",
    ),
    Invariant(
        2, "the vault holds net deposits, unpaid claims and donations, to the unit", "balance after every action"
    ),
    Invariant(
        4,
        "no account holds a slot that is not listed",
        "trades of such slots, before and after their listing",
        (Refusal.DEAD_SLOT,),
    ),
    Invariant(
        8, "what third parties do leaves every proof valid", "a proof made before deposits and a donation, sent after"
    ),
    Invariant(
        9,
        "what was proven stays proven, a replay extends nothing",
        "epochs proven after every action; replays",
        (Refusal.ALREADY_PROVEN, Refusal.NONCE_USED),
    ),
    Invariant(
        10,
        "nothing at a superseded, waiting or stale epoch; no older market, none too soon",
        "attempts in every epoch",
        (
            Refusal.EPOCH_NOT_USABLE,
            Refusal.EPOCH_WAITING,
            Refusal.STALE_EPOCH,
            Refusal.SNAPSHOT_NOT_NEWER,
            Refusal.EPOCH_TOO_SOON,
        ),
    ),
    Invariant(
        11,
        "an epoch needs its data and a quorum",
        "epochs without blobs, and signed by one publisher of two",
        (Refusal.CHUNKS_MISSING, Refusal.TOO_FEW_SIGNATURES),
    ),
    Invariant(
        12, "an outage stops the active clock, no exit and no transparent withdrawal", "an outage of the publishers"
    ),
    Invariant(
        19,
        "points outside the subgroup enter no commitment",
        "a trade with a point of order 3 added",
        (Refusal.INVALID_POINT,),
    ),
    Invariant(20, "a leg can be dropped from a netting, the rest adds up", "nettings of open legs with one dropped"),
    Invariant(
        21,
        "a lien is out of the owner's reach, and the lender's claim is bounded",
        "granted, claimed, released",
        (Refusal.LIEN_EXCEEDED,),
    ),
    Invariant(
        23,
        "nothing leaves faster than the bucket lets it",
        "payments after every action; a claim before its turn",
        (Refusal.CLAIM_WAITS, Refusal.NO_SUCH_CLAIM),
    ),
    Invariant(
        24,
        "a proof covers all of an account's books, and any set of books can prove",
        "batches of accounts; a book left out",
        (Refusal.POINTS_LENGTH,),
    ),
    Invariant(
        25, "an account at the cap of deposits proves both rules", "a deposit up to the cap", (Refusal.CAP_EXCEEDED,)
    ),
    Invariant(
        26,
        "what was signed for a state that a reorganisation undid is refused by name",
        "three blocks undone",
        (Refusal.VERSION_MISMATCH,),
    ),
)


def shown_invariants(day: SimulatedDay) -> tuple[Shown, ...]:
    """Every invariant with its evidence."""
    refused = [event.refused for event in day.events if event.refused]
    return tuple(
        Shown(
            invariant,
            looks=day.evidence.get(invariant.number, 0),
            refused=sum(refused.count(refusal.value) for refusal in invariant.refusals),
        )
        for invariant in INVARIANTS
    )
