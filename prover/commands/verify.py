"""``zkmargin verify``: a claim, or an account on chain, checked by anybody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from prover.commands.options import json_option, place_options, print_result
from verifier.rules.rule_kind import PUBLISHED_KINDS, RuleKind

if TYPE_CHECKING:
    from prover.commands.options import Place

_KINDS = [kind.name.lower() for kind in PUBLISHED_KINDS]


@click.command()
@click.argument("claim", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--account", help="Account on chain instead of a claim: 0x and 64 hexadecimal digits.")
@click.option(
    "--kind", type=click.Choice(_KINDS), default="maintenance", show_default=True, help="Rule, for --account."
)
@click.option("--offline", is_flag=True, help="Check the proof alone, without a node.")
@place_options
@json_option
def command(
    place: Place,
    *,
    claim: Path | None,
    account: str | None,
    kind: str,
    offline: bool,
    as_json: bool,
) -> None:
    """Check the file CLAIM of `zkmargin prove --out`, or whether an account has proven a rule at the active epoch.

    Exit code 0 when it holds, 1 when it does not. No secret is needed.
    """
    if (claim is None) == (account is None):
        raise click.UsageError("give either a claim or --account")
    if claim is not None:
        result = _claim_result(claim, None if offline else place)
    else:
        result = _account_result(str(account), place, RuleKind[kind.upper()])
    print_result(result, as_json=as_json)
    click.get_current_context().exit(0 if result["verdict"] == "accepted" else 1)


def _claim_result(path: Path, place: Place | None) -> dict[str, object]:
    from verifier.claim_file import check_claim, compare_with_chain, read_claim  # noqa: PLC0415 - brings eth-abi

    claim = read_claim(path)
    findings = check_claim(claim)
    if place is not None:
        venue = place.connect()
        findings += compare_with_chain(claim, venue.house, venue.registry)
    return {
        "verdict": "rejected" if findings else "accepted",
        "account": "0x" + claim.check.account.hex(),
        "rule": claim.check.kind.name.lower(),
        "epoch": claim.check.epoch,
        "state_version": claim.check.state_version,
        "compared_with_chain": place is not None,
        "findings": findings,
    }


def _account_result(account: str, place: Place, kind: RuleKind) -> dict[str, object]:
    from verifier.claim_file import parse_account  # noqa: PLC0415 - brings eth-abi

    identity = parse_account(account)
    venue = place.connect()
    header = venue.registry.active_epoch()
    state = venue.house.account_state(identity)
    proven = state.proven_epoch(kind)
    findings = []
    if proven != header.epoch:
        known = f"last proven at epoch {proven}" if proven else "never proven"
        findings.append(f"{kind.name.lower()} margin is not proven at the active epoch {header.epoch}: {known}")
    return {
        "verdict": "rejected" if findings else "accepted",
        "account": account,
        "rule": kind.name.lower(),
        "epoch": header.epoch,
        "state_version": state.state_version,
        "status": state.status.name.lower(),
        "findings": findings,
    }
