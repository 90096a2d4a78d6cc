"""The direction of the arrows: imports, connections, and where secrets may not appear."""

from __future__ import annotations

import ast
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from prover.argument.argument import build_proof, prove
from prover.argument.witness import Witness, build_witness
from prover.errors import ProverError
from tests.support.cases import Case, row_labels, scenario_case
from tests.support.equivalence import run_argument
from tests.support.falsehoods import FALSEHOODS
from tests.support.setups import TINY, known_setup
from verifier.errors import VerifierError

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY: Final = Path(__file__).resolve().parents[2]
NETWORK: Final = {"requests", "web3", "socket", "http", "urllib", "urllib3", "aiohttp", "websockets", "ssl", "ftplib"}
CONNECTING_MODULES: Final = ["verifier/chain/beacon_client.py", "verifier/chain/node_connection.py"]
SECRET_NUMBERS: Final = 4
"""Numbers of fewer digits say nothing: rows, slots and books have them too."""


def modules(package: str) -> list[Path]:
    return sorted((REPOSITORY / package).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", modules("verifier"), ids=lambda path: path.stem)
def test_verifier_imports_neither_prover_nor_tests(path: Path) -> None:
    assert not {name.split(".")[0] for name in imported(path)} & {"prover", "tests", "scripts"}


@pytest.mark.parametrize("path", modules("prover"), ids=lambda path: path.stem)
def test_prover_imports_no_tests(path: Path) -> None:
    assert not {name.split(".")[0] for name in imported(path)} & {"tests", "scripts"}


def test_two_modules_open_connections() -> None:
    found = [
        path.relative_to(REPOSITORY).as_posix()
        for package in ("verifier", "prover")
        for path in modules(package)
        if {name.split(".")[0] for name in imported(path)} & NETWORK
    ]
    assert found == CONNECTING_MODULES


def test_the_parser_of_imports_sees_imports(tmp_path: Path) -> None:
    """Guards the tests above."""
    source = tmp_path / "module.py"
    source.write_text("import a.b\n\ndef f():\n    from c.d import e\n")
    assert set(imported(source)) == {"a.b", "c.d"}


def secrets_of(witness: Witness) -> set[str]:
    """Every private number, as it would be written."""
    numbers = {opening.blind for opening in witness.openings}
    numbers |= {abs(lots) for opening in witness.openings for lots in opening.positions}
    numbers |= {abs(value) for columns in witness.columns for value in columns}
    return {text for number in numbers if len(str(number)) >= SECRET_NUMBERS for text in (str(number), f"{number:x}")}


def secret_case() -> Case:
    """Positions and headrooms of four digits and more, on a shape that holds them."""
    return scenario_case(shape=TINY, setup=known_setup(), books=2, rows=6, seed="secrets")


def large_side(case: Case) -> Witness:
    """A witness of recognisable numbers; nothing about it is true."""
    openings = tuple(
        type(opening)(tuple(70_000 + 1_000 * book + slot for slot in range(TINY.slots)), opening.blind)
        for book, opening in enumerate(case.witness.openings)
    )
    columns = tuple(tuple(50_000 + 100 * book + c for c in range(TINY.columns)) for book in range(2))
    return Witness(openings, columns)


def test_representations_show_no_secret() -> None:
    case = secret_case()
    argument = run_argument(case, case.blinds)
    shown = [repr(case.witness), repr(case.witness.openings), repr(argument), repr(argument.parts), repr(case.rule)]
    blinds = {str(blind) for blind in case.blinds}
    polynomials = {str(value) for part in argument.parts for value in part.inverse_values}
    for text in shown:
        assert not [secret for secret in secrets_of(case.witness) | blinds | polynomials if secret in text]


def test_errors_show_no_secret() -> None:
    case, texts = secret_case(), []
    false = large_side(case)
    attempts = [Witness(side.openings, side.columns) for side in (falsehood(case) for falsehood in FALSEHOODS)]
    for witness in (false, Witness(false.openings, case.witness.columns), *attempts):
        try:
            build_proof(setup=case.setup, rule=case.rule, witness=witness, context=case.context)
        except (ProverError, VerifierError) as error:
            texts.append(f"{error!r} {error}")
    with pytest.raises((ProverError, VerifierError)) as caught:
        build_witness(case.rule.matrix, false.openings, row_labels(6))
    texts.append(f"{caught.value!r} {caught.value}")
    assert len(texts) >= 6
    secrets = secrets_of(false) | secrets_of(case.witness)
    assert secrets
    for text in texts:
        assert not [secret for secret in secrets if secret in text], text


def test_logs_and_output_show_nothing(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    case = secret_case()
    with caplog.at_level(logging.DEBUG):
        prove(setup=case.setup, rule=case.rule, witness=case.witness, context=case.context)
    assert caplog.text == ""
    assert capfd.readouterr() == ("", "")


def test_no_module_prints_or_logs_in_the_core() -> None:
    core = modules("prover/argument")
    assert len(core) > 5
    for path in core:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        called = {
            node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert "print" not in called, path
        assert "logging" not in set(imported(path)), path
