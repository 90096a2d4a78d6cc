"""Runs the console command: in a process of its own, or, where there are many runs, in this one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from click.testing import CliRunner

from prover.cli import main

COMMAND: Final = Path(sys.executable).parent / "zkmargin"


def run_command(
    *arguments: str | Path, variables: dict[str, str] | None = None, typed: str | None = None, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run ``zkmargin`` with these arguments; environment variables are added to the present ones."""
    return subprocess.run(
        [str(COMMAND), *map(str, arguments)],
        env=os.environ | (variables or {}),
        input=typed,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def run_in_process(
    *arguments: str | Path, variables: dict[str, str] | None = None, typed: str | None = None
) -> subprocess.CompletedProcess[str]:
    """The same entry point without a process of its own: imports and setups are paid once."""
    texts = [str(argument) for argument in arguments]
    result = CliRunner(env=variables).invoke(main, texts, input=typed, prog_name="zkmargin")
    return subprocess.CompletedProcess(texts, result.exit_code, result.stdout, result.stderr)
