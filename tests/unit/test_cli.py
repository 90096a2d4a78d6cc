"""The frame around all commands: quick help, one line for every failure, nothing secret in it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import click
import pytest

from prover import terminal
from prover.commands import setup
from prover.errors import PortfolioError
from prover.terminal import progress, side_by_side
from tests.support.console import run_in_process
from verifier.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "a position of 424243 lots"  # noqa: S105 - what must not be shown
HEAVY = ("numpy", "scipy", "web3", "eth_account", "flint", "py_arkworks_bls12381", "cryptography", "pydantic", "rich")


def failing(error: BaseException) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], subprocess.CompletedProcess[str]]:
    """Run ``setup check`` while its work fails with an error."""

    def run(error: BaseException) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(setup, "ceremony_setup", failing(error))
        return run_in_process("setup", "check")

    return run


@pytest.mark.parametrize("error", [SetupError("the file is gone: install it"), PortfolioError("too large: reduce it")])
def test_expected_errors_are_one_line_and_code_one(
    check: Callable[[BaseException], subprocess.CompletedProcess[str]], error: Exception
) -> None:
    run = check(error)
    assert run.returncode == 1
    assert run.stderr == f"Error: {error}\n"


def test_a_full_disk_is_no_fault_of_the_program(
    check: Callable[[BaseException], subprocess.CompletedProcess[str]],
) -> None:
    run = check(OSError(28, "No space left on device", "/reports/day.html"))
    assert run.returncode == 1
    assert "Error: /reports/day.html cannot be used (No space left on device): check room and rights" in run.stderr


def test_an_unforeseen_error_shows_its_kind_and_not_its_message(
    check: Callable[[BaseException], subprocess.CompletedProcess[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = check(RuntimeError(SECRET))
    assert run.returncode == 70
    assert "RuntimeError" in run.stderr
    assert SECRET not in run.stderr
    assert run.stderr.count("\n") == 1
    monkeypatch.setenv("ZKMARGIN_DEBUG", "1")
    assert check(RuntimeError(SECRET)).returncode == 1


def test_an_interruption_is_quiet(check: Callable[[BaseException], subprocess.CompletedProcess[str]]) -> None:
    run = check(KeyboardInterrupt())
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    assert run.stderr.strip() == "Aborted!"


def test_a_reader_that_has_seen_enough_is_no_fault() -> None:
    code = "import sys; from prover.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", code, "rule", "inspect", "portfolio"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout is not None
        run.stdout.close()
        _, told = run.communicate()
    assert told == b""


def test_wrong_usage_is_code_two() -> None:
    assert run_in_process("setup", "check", "--nothing").returncode == 2
    assert run_in_process("nothing").returncode == 2


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, json\n"
        "from prover.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = json.loads(run.stdout.splitlines()[-1])
    assert [name for name in HEAVY if name in loaded] == []


def test_progress_is_said_only_when_it_takes_long(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "QUIET_SECONDS", 0.05)
    with progress("quick"):
        pass
    with progress("slow"):
        time.sleep(0.2)
    assert capsys.readouterr().err == "slow …\n"


def test_two_views_stand_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.print_table(side_by_side({"USD": "1.00"}, {"account": "0x" + "ab" * 48}, title="Alice"))
    shown = capsys.readouterr().out
    line = next(line for line in shown.splitlines() if "USD" in line)
    assert "account" in line
    assert shown.replace("│", "").replace(" ", "").replace("\n", "").count("ab") >= 40


def test_every_command_of_the_table_is_there() -> None:
    from prover.cli import COMMANDS, main  # noqa: PLC0415 - beside its use

    context = click.Context(main)
    for name in COMMANDS:
        assert isinstance(main.get_command(context, name), click.Command), name
