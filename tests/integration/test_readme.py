"""What the README says runs: its shell block on a real node, its make targets, its table of files."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

PROJECT_ROOT: Final = Path(__file__).resolve().parent.parent.parent
README: Final = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
SHELL_BLOCK: Final = re.compile(r"```sh\n(.*?)```", re.DOTALL)
SECONDS: Final = 240


def shell_blocks() -> list[str]:
    return SHELL_BLOCK.findall(README)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_make_targets_exist() -> None:
    makefile = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^make (\w+)", "\n".join(shell_blocks()), re.MULTILINE)
    assert targets == ["demo", "test"]
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_place_in_the_tables_exists() -> None:
    places = re.findall(r"(?<=[| ])`([\w/]+/)`", README) + re.findall(r"\]\(([\w/.-]+)\)", README)
    assert len(places) > 6
    for place in places:
        assert (PROJECT_ROOT / place).exists(), place


def run_block(words: str, folder: Path) -> str:
    """Run the shell block that holds these words, as written but on a free port; what it prints."""
    (block,) = (text for text in shell_blocks() if words in text)
    script = "set -euo pipefail\n" + block.replace("8545", str(free_port()))
    if "anvil" in block:
        waiting = script.replace("--silent &", "--silent & sleep 2\n")
        script = waiting.replace("set -euo pipefail\n", "set -euo pipefail\ntrap 'kill $(jobs -p)' EXIT\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZKMARGIN_")}
    environment |= {name: os.environ[name] for name in ("ZKMARGIN_CACHE",) if name in os.environ}
    environment["ZKMARGIN_HOME"] = str(PROJECT_ROOT)
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    run = subprocess.run(
        ["bash", "-c", script],  # noqa: S607 - the shell that the README names
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_own_use_runs_as_written(tmp_path: Path) -> None:
    told = run_block("zkmargin publish", tmp_path)
    assert re.search(r"maintenance margin proven at epoch\s+1", told), told


def test_rules_and_margin_run_as_written(tmp_path: Path) -> None:
    told = run_block("zkmargin rule build", tmp_path)
    assert "headroom" in told
    assert (tmp_path / "report.html").stat().st_size > 0
    assert len(list((tmp_path / "pictures").glob("*.png"))) > 3
    assert list((tmp_path / "archive").iterdir())
