"""The project's figures off chain: proving, verifying, sizes, memory, start-up. Medians; milliseconds and bytes.

Gas figures are in :mod:`prover.benchmarks.benchmark_gas`. The rule is the shipped one (29 scenarios, net-delta limit,
mask: 32 rows, 4 chunks) on the bundled market.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prover.argument.argument import MarginProof, build_proof
from prover.argument.witness import BookOpening, Witness
from prover.market.market_data import EXAMPLE_MARKET
from prover.market.market_files import load_market
from prover.rules.prepared_rule import PreparedRule, prepare_rule
from prover.rules.rule_builder import build_rules
from verifier.ceremony import ceremony_setup
from verifier.proof_format import proof_length
from verifier.shape import STANDARD
from verifier.statement import verifying_key
from verifier.verification import verify, verify_batch

if TYPE_CHECKING:
    from collections.abc import Callable

    from prover.rules.built_rule import BuiltRule
    from verifier.shape import Shape

CASH_TICKS: Final = 10_000_000_000_000
"""Collateral of the measured portfolio: ample, so that any positions pass."""

CONTEXT: Final = bytes(32)
BATCH: Final = 32
RUNS: Final = 9
START_RUNS: Final = 7


@dataclass(frozen=True, slots=True)
class Workload:
    """A rule and a witness that passes it, as they are measured."""

    built: BuiltRule
    rule: PreparedRule
    witness: Witness


def full_portfolio(built: BuiltRule) -> tuple[BookOpening, ...]:
    """A position in every listed slot, and ample cash."""
    lots = [[0] * built.slots.slots_per_book for _ in range(built.slots.books)]
    for slot in built.slots.listed:
        lots[slot.book][slot.position] = (37 * slot.position) % 19 - 9
    lots[0][0] = CASH_TICKS
    return tuple(BookOpening(tuple(book), 1 + index) for index, book in enumerate(lots))


def workload(*, shape: Shape = STANDARD, books: int = 1) -> Workload:
    """The initial-margin rule of the bundled market, prepared, with a full portfolio."""
    built, _ = build_rules(load_market(EXAMPLE_MARKET), shape=shape, books=books)
    rule = prepare_rule(built.matrix, ceremony_setup())
    return Workload(built, rule, built.witness(full_portfolio(built)))


def prove_once(work: Workload) -> MarginProof:
    """One proof, from the positions on: the witness is built anew, the rule is prepared."""
    witness = work.built.witness(work.witness.openings)
    return build_proof(setup=ceremony_setup(), rule=work.rule, witness=witness, context=CONTEXT)


def median_milliseconds(action: Callable[[], object], runs: int = RUNS) -> float:
    """Median wall time of ``action`` after one run that is not counted."""
    action()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        action()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def measure_proofs() -> dict[str, float]:
    """Proving and verifying, and the sizes of proofs."""
    setup = ceremony_setup()
    single, quadruple = workload(), workload(books=4)
    key = verifying_key(STANDARD, setup)
    made = prove_once(single)
    claims = [(proof.statement, proof.proof) for proof in (prove_once(single) for _ in range(BATCH))]
    return {
        "prove_ms": median_milliseconds(lambda: prove_once(single)),
        "prove_4books_ms": median_milliseconds(lambda: prove_once(quadruple)),
        "verify_ms": median_milliseconds(lambda: verify(key, made.statement, made.proof)),
        "verify_batch32_ms": median_milliseconds(lambda: verify_batch(key, claims)) / BATCH,
        "proof_bytes": len(made.proof),
        "proof_4books_bytes": proof_length(4),
    }


def peak_megabytes() -> float:
    """Peak resident memory of a process of its own that loads, builds, prepares and proves."""
    code = (
        "from prover.benchmarks.benchmark import prove_once, workload, own_peak_megabytes\n"
        "prove_once(workload())\n"
        "print(own_peak_megabytes())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - own code
    return float(run.stdout)


def own_peak_megabytes() -> float:
    """Peak resident memory of this process; Linux counts it per process image, unlike getrusage after a fork."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    kilobytes = next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]
    return int(kilobytes) / 1024


def startup_milliseconds() -> float:
    """Median wall time of ``zkmargin --help`` as a process."""
    command = [str(Path(sys.executable).parent / "zkmargin"), "--help"]
    return median_milliseconds(
        lambda: subprocess.run(command, capture_output=True, check=True),  # noqa: S603 - own code
        START_RUNS,
    )
