"""``zkmargin cases run``: compute files of methodology cases and compare with what they expect."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from prover.errors import CaseFileError
from prover.methodologies.case_files import CaseFileReport, run_case_file

if TYPE_CHECKING:
    from prover.methodologies.case_files import CaseResult

ALL_MET: Final = 0
SOME_MISSED: Final = 1
UNREADABLE: Final = 2


@click.group()
def command() -> None:
    """Compute margin methodologies in clear and compare them with published cases."""


@command.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per file, a line each.")
@click.pass_context
def run(ctx: click.Context, files: tuple[Path, ...], *, as_json: bool) -> None:
    """Compute the cases of FILES and say which numbers are not as expected.

    Exit code: 0 when every case is met; 1 when any is missed; 2 when a file cannot be read or has no list of cases,
    whatever the others say.
    """
    codes = {_run_file(path, as_json=as_json) for path in files}
    ctx.exit(max(codes))


def _run_file(path: Path, *, as_json: bool) -> int:
    try:
        report = run_case_file(path)
    except CaseFileError as error:
        if as_json:
            unread = {"file": str(path), "cases": 0, "met": 0, "misses": [], "error": str(error)}
            click.echo(json.dumps(unread))
        else:
            click.echo(f"unreadable  {error}", err=True)
        return UNREADABLE
    click.echo(json.dumps(_as_json(report), allow_nan=False) if as_json else _as_text(report))
    return ALL_MET if report.met == len(report.results) else SOME_MISSED


def _as_json(report: CaseFileReport) -> dict[str, object]:
    misses = [entry for result in report.misses for entry in _missed(result)]
    return {"file": str(report.path), "cases": len(report.results), "met": report.met, "misses": misses}


def _missed(result: CaseResult) -> list[dict[str, object]]:
    entries: list[dict[str, object]] = [
        {
            "id": result.identifier,
            "quantity": difference.quantity,
            "expected": _plain(difference.expected),
            "got": _plain(difference.got),
        }
        for difference in result.differences
    ] or [{"id": result.identifier, "quantity": None, "expected": None, "got": None}]
    return [entry | {"reason": result.reason} for entry in entries] if result.reason else entries


def _plain(value: object) -> object:
    """A value that JSON can hold: numbers without one, as infinity, become text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(entry) for name, entry in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(entry) for entry in value]
    return value


def _as_text(report: CaseFileReport) -> str:
    lines = [f"{report.met} of {len(report.results)} met  {report.path}"]
    for result in report.misses:
        if result.reason:
            lines.append(f"  {result.identifier}: {result.reason}")
        else:
            lines += [
                f"  {result.identifier}: {one.quantity} expected {one.expected!r}, got {one.got!r}"
                for one in result.differences
            ]
    return "\n".join(lines)
