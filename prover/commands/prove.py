"""``zkmargin prove``: show that your account is covered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from prover.commands.options import (
    json_option,
    party_options,
    print_result,
    receipt_fields,
)
from prover.errors import ReportError
from prover.terminal import Stopwatch, progress
from verifier.rules.rule_kind import PUBLISHED_KINDS, RuleKind

if TYPE_CHECKING:
    from prover.commands.options import Party

_KINDS = [kind.name.lower() for kind in PUBLISHED_KINDS]


@click.command()
@click.option("--kind", type=click.Choice(_KINDS), default="maintenance", show_default=True, help="Which rule.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the claim for `zkmargin verify`.")
@click.option("--send/--no-send", default=True, show_default=True, help="Have the clearing house record it.")
@party_options
@json_option
def command(
    *,
    party: Party,
    kind: str,
    out: Path | None,
    send: bool,
    as_json: bool,
) -> None:
    """Prove that your account fulfils a margin rule of the active epoch. The proof says nothing else."""
    from prover.account.proving import claim_of, prepare_check, submit_check  # noqa: PLC0415 - brings numpy

    with party.session() as (session, rules):
        watch = Stopwatch()
        with progress("proving"):
            prepared = prepare_check(session, rules, RuleKind[kind.upper()])
        result: dict[str, object] = {
            "account": "0x" + session.account.hex(),
            "rule": kind,
            "epoch": prepared.check.epoch,
            "proof_bytes": len(prepared.made.proof),
            "proving_ms": round(1000 * watch.seconds),
        }
        if out is not None:
            _write(out, claim_of(session.venue, prepared))
            result["claim"] = str(out)
        if send:
            with progress("checking on chain"):
                result |= receipt_fields(submit_check(session, prepared))
    print_result(result, as_json=as_json)


def _write(path: Path, claim: dict[str, object]) -> None:
    try:
        path.write_text(json.dumps(claim) + "\n", encoding="utf-8")
    except OSError as error:
        raise ReportError(f"claim {path} cannot be written ({error.strerror}): give another path") from error
