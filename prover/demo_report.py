"""What a demonstration did: steps with time and gas, refusals with their errors, the two views of every account."""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from prover.account.account_view import Value, for_machines
from prover.errors import DemoError, InsufficientMarginError, ProverError
from prover.terminal import Stopwatch
from verifier.errors import ContractRevertedError, VerifierError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verifier.chain.chain_client import Receipt


@dataclass(slots=True)
class Step:
    """One thing done.

    Attributes:
        name: what.
        detail: what came of it.
        seconds: it took.
        gas: of its transactions, without blob gas; ``None`` where nothing was sent.
        transactions: sent.
    """

    name: str
    detail: str = ""
    seconds: float = 0.0
    gas: int | None = None
    transactions: int = 0

    def sent(self, *receipts: Receipt) -> None:
        """Count transactions."""
        self.gas = (self.gas or 0) + sum(receipt.gas_used for receipt in receipts)
        self.transactions += len(receipts)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that must fail, and did.

    Attributes:
        attempt: what was tried.
        refused_by: the prover, or the contract.
        error: name of the error.
        message: as a user reads it.
        rows: rows of the margin rule that fail, each with what is missing in quote currency.
    """

    attempt: str
    refused_by: str
    error: str
    message: str
    rows: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Views:
    """One thing, as who takes part knows it and as the chain sees it."""

    title: str
    trader_knows: dict[str, Value]
    chain_sees: dict[str, Value]

    def as_fields(self) -> dict[str, Any]:
        """For machines."""
        known, seen = for_machines(self.trader_knows), for_machines(self.chain_sees)
        return {"title": self.title, "trader_knows": known, "chain_sees": seen}


class Audience(Protocol):
    """Who is told while the demonstration runs."""

    def during(self, name: str) -> contextlib.AbstractContextManager[None]:
        """A block in which something may take long."""

    def done(self, step: Step) -> None:
        """A step is done."""

    def refused(self, refusal: Refusal) -> None:
        """Something was refused, as it must be."""


@dataclass(slots=True)
class DemoReport:
    """All of a demonstration."""

    audience: Audience
    market: str = ""
    steps: list[Step] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    views: list[Views] = field(default_factory=list)
    watch: Stopwatch = field(default_factory=Stopwatch)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Do something, timed."""
        step, watch = Step(name), Stopwatch()
        with self.audience.during(name):
            yield step
        step.seconds = watch.seconds
        self.steps.append(step)
        self.audience.done(step)

    @contextlib.contextmanager
    def must_fail(self, attempt: str) -> Iterator[None]:
        """Do something that must be refused.

        Raises:
            DemoError: it was not.
        """
        try:
            with self.audience.during(attempt):
                yield
        except (ProverError, VerifierError) as error:
            self.refusals.append(_refusal(attempt, error))
            self.audience.refused(self.refusals[-1])
            return
        raise DemoError(f"{attempt} was not refused; please report this")

    def as_fields(self) -> dict[str, Any]:
        """For machines."""
        return {
            "market": self.market,
            "steps": [asdict(step) for step in self.steps],
            "refusals": [asdict(refusal) for refusal in self.refusals],
            "views": [view.as_fields() for view in self.views],
            "gas": sum(step.gas or 0 for step in self.steps),
            "seconds": round(self.watch.seconds, 3),
        }


def _refusal(attempt: str, error: ProverError | VerifierError) -> Refusal:
    if isinstance(error, ContractRevertedError):
        return Refusal(attempt, "contract", error.name, str(error))
    rows: tuple[dict[str, Any], ...] = ()
    if isinstance(error, InsufficientMarginError):
        rows = tuple({"row": row.name, "shortfall": round(row.shortfall, 2)} for row in error.shortfalls)
    return Refusal(attempt, "prover", type(error).__name__, str(error), rows)
