"""``zkmargin vector check``: judge files in the format of the conformance vectors."""

from __future__ import annotations

import contextlib
import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from prover.errors import ProverError
from verifier.curve import BACKENDS, group
from verifier.errors import VerifierError
from verifier.vector_file import Judgement, Verdict, check_off_chain, judge_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from verifier.vector_file import ConformanceVector

EXIT_CODES: Final = {Verdict.ACCEPTED: 0, Verdict.REJECTED: 1, Verdict.UNREADABLE: 2}


class NotJudgedError(click.ClickException):
    """Something that the judge needs is missing; nothing is said about the file."""

    exit_code = 3


@click.group()
def command() -> None:
    """Check files of conformance vectors."""


@command.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--backend", type=click.Choice(BACKENDS), default=BACKENDS[0], show_default=True, help="Group backend.")
@click.option("--on-chain", is_flag=True, help="Have the contract judge, on a chain started for it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def check(ctx: click.Context, path: Path, *, backend: str, on_chain: bool, as_json: bool) -> None:
    """Judge the vector PATH, or every *.json file in the folder PATH.

    Exit code: 0 when it is accepted; 1 when it is rejected; 2 when it cannot be read or lacks a field; 3 when it
    could not be judged, for instance because Anvil is missing. Of a folder: 1 when any is rejected, else 2 when any
    cannot be read or there is none, else 0.
    """
    is_folder = path.is_dir()
    files = sorted(file for file in path.rglob("*.json") if file.is_file()) if is_folder else [path]
    try:
        with _judge(backend, on_chain=on_chain) as judge:
            judgements = []
            for file in files:
                judgements.append(judge_file(file, judge))
                if not as_json:
                    click.echo(_line(file, judgements[-1]))
    except (ProverError, VerifierError) as error:
        raise NotJudgedError(str(error)) from error
    _summarise(files, judgements, is_folder=is_folder, as_json=as_json)
    ctx.exit(_exit_code(judgements))


@contextlib.contextmanager
def _judge(backend: str, *, on_chain: bool) -> Iterator[Callable[[ConformanceVector], Judgement]]:
    if not on_chain:
        yield functools.partial(check_off_chain, backend=group(backend))
        return
    from prover.vector_on_chain import contract_judge  # noqa: PLC0415 - brings the chain client

    with contract_judge() as judge:
        yield judge


def _line(file: Path, judgement: Judgement) -> str:
    reason = f": {judgement.reason}" if judgement.reason else ""
    return f"{judgement.verdict:<10}  {click.format_filename(file)}{reason}"


def _summarise(files: list[Path], judgements: list[Judgement], *, is_folder: bool, as_json: bool) -> None:
    counts = {verdict.value: sum(one.verdict is verdict for one in judgements) for verdict in Verdict}
    entries = [
        {"file": click.format_filename(file), "verdict": one.verdict.value, "reason": one.reason}
        for file, one in zip(files, judgements, strict=True)
    ]
    if as_json:
        click.echo(json.dumps({"files": entries, **counts} if is_folder else entries[0]))
    elif is_folder:
        shown = ", ".join(f"{count} {name}" for name, count in counts.items())
        click.echo(f"{len(files)} files: {shown}")


def _exit_code(judgements: list[Judgement]) -> int:
    verdicts = {one.verdict for one in judgements}
    for verdict in (Verdict.REJECTED, Verdict.UNREADABLE):
        if verdict in verdicts:
            return EXIT_CODES[verdict]
    return EXIT_CODES[Verdict.ACCEPTED] if verdicts else EXIT_CODES[Verdict.UNREADABLE]
