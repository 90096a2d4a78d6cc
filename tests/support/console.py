"""Runs the real console command in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

COMMAND: Final = Path(sys.executable).parent / "zkmargin"


def run_command(
    *arguments: str | Path, variables: dict[str, str] | None = None, typed: str | None = None, timeout: float = 120
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
