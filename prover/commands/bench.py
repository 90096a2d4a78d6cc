"""``zkmargin bench``: the project's figures beside their limits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prover.comparison.conservatism import Excess

LIMITS: Final = {
    "prove_ms": ("prove: standard shape, 128 slots, 32 rows, one book", 350),
    "prove_4books_ms": ("prove: four books (512 slots), 32 rows", 900),
    "verify_ms": ("verify off chain", 6),
    "verify_batch32_ms": ("verify off chain in a batch of 32, each", 2),
    "proof_bytes": ("proof, one book", 880),
    "proof_4books_bytes": ("proof, four books", 2032),
    "gas_prove": ("check and record: one book, 32 rows and mask", 265_000),
    "gas_prove_batch10": ("the same of ten accounts in one batch, each", 130_000),
    "gas_check_small": ("check and record: small shape, 16 rows and mask", 236_000),
    "gas_check_4books": ("check and record: four books, 32 rows and masks", 490_000),
    "gas_batch_extra": ("each further proof of a batch in the verifier alone", 115_000),
    "gas_publish_two_rules": ("publish both rules of 32 rows (8 blobs), two of three sign; beside the blobs", 500_000),
    "gas_publish_calldata": ("the same by calldata", None),
    "gas_publish_calldata_row": ("the same, each row", None),
    "gas_settle": ("settle a trade, the second of both: two signatures, two proofs", 450_000),
    "gas_deposit": ("deposit to an own account", 100_000),
    "gas_withdraw": ("withdraw with a proof: one book, 32 rows and mask", 310_000),
    "contract_max_bytes": ("code of the largest contract", 23_000),
    "prover_peak_mb": ("peak memory of a proving process", 300),
    "startup_ms": ("zkmargin --help", 500),
    "price_ms": ("price 1,000 options under 64 scenarios", 15),
    "build_ms": ("build both rules: 128 slots, 64 rows", 60),
    "commit_ms": ("commit 8 chunks and form their blobs", 1200),
    "shortfall_witness_ms": ("solve and build a witness: expected shortfall over 64 days", 100),
}
"""Per figure: what it is, and what it must not exceed (``None``: for information)."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one flat JSON object.")
@click.option("--no-gas", is_flag=True, help="Leave out the figures that need a chain.")
def command(*, as_json: bool, no_gas: bool) -> None:
    """Measure proving, verifying, the risk engine and gas: medians, on a market that comes with the package."""
    from prover.benchmarks.benchmark import measure_proofs, peak_megabytes, startup_milliseconds  # noqa: PLC0415 - heavy
    from prover.benchmarks.benchmark_gas import measure_gas  # noqa: PLC0415 - heavy
    from prover.benchmarks.benchmark_risk import excess_figures, measure_excess, measure_risk  # noqa: PLC0415 - heavy

    figures = measure_proofs() | {"prover_peak_mb": peak_megabytes(), "startup_ms": startup_milliseconds()}
    figures |= measure_risk()
    excesses = measure_excess()
    if not no_gas:
        figures |= measure_gas()
    if as_json:
        figures |= excess_figures(excesses)
        click.echo(json.dumps({name: round(value, 3) for name, value in figures.items()}))
    else:
        _print_table(figures)
        _print_excesses(excesses)


def _print_table(figures: dict[str, float]) -> None:
    click.echo(f"{'figure':<20}{'measured':>12}{'at most':>12}  what")
    for name, (what, limit) in LIMITS.items():
        if name in figures:
            shown = "" if limit is None else f"{limit:,}"
            mark = " over" if limit is not None and figures[name] > limit else ""
            click.echo(f"{name:<20}{figures[name]:>12,.1f}{shown:>12}  {what}{mark}")


def _print_excesses(excesses: Sequence[Excess]) -> None:
    click.echo(f"\n{'requirement by rule beyond its method':<42}{'margins':>8}{'median':>10}{'worst':>10}")
    for excess in excesses:
        click.echo(f"{excess.methodology:<42}{excess.portfolios:>8}{excess.median:>10.3%}{excess.worst:>10.3%}")
