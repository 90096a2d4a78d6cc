"""Compare what Slither finds in the contracts with the answers in contracts/slither-answers.yaml.

Fails on a finding without an answer, and on an answer that no finding needs any longer. Slither has a virtual
environment of its own, since it needs older libraries than the project (requirements-slither.lock).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, TypeAdapter
from yaml import safe_load

PROJECT_ROOT: Final = Path(__file__).resolve().parent.parent
SLITHER: Final = PROJECT_ROOT / ".venv-slither" / "bin" / "slither"
ANSWERS: Final = PROJECT_ROOT / "contracts" / "slither-answers.yaml"


class Answer(BaseModel):
    """Why findings of a detector stand.

    Attributes:
        detector: name of Slither's detector.
        where: regular expression that the whole of "file: first element" must match.
        answer: the reason.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    detector: str
    where: str
    answer: str


def findings() -> list[tuple[str, str]]:
    """Detector and "file: first element" of everything that Slither reports."""
    path = f"{PROJECT_ROOT / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}"
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = [
            "--json",
            str(report),
            "--foundry-out-directory",
            "build/forge",
            "--filter-paths",
            "node_modules|tests",
        ]
        run = subprocess.run(  # noqa: S603 - the locked Slither, with fixed arguments
            [SLITHER, ".", "--json", str(report), *options],
            cwd=PROJECT_ROOT,
            env=os.environ | {"PATH": path},
            check=False,
            capture_output=True,
            text=True,
        )
        if not report.exists():
            sys.exit(f"Slither gave no report:\n{run.stderr[-4000:]}")
        content = json.loads(report.read_text(encoding="utf-8"))
    if not content["success"]:
        sys.exit(f"Slither failed: {content['error']}")
    return [(found["check"], place(found["elements"])) for found in content["results"].get("detectors", [])]


def place(elements: list[dict[str, object]]) -> str:
    """File and first element of a finding; empty when it names none."""
    if not elements:
        return ""
    source = elements[0]["source_mapping"]
    file = source["filename_relative"] if isinstance(source, dict) else ""
    return f"{file}: {elements[0]['name']}"


def main() -> int:
    """Return the exit code."""
    answers = TypeAdapter(list[Answer]).validate_python(safe_load(ANSWERS.read_text(encoding="utf-8")))
    used: set[Answer] = set()
    open_findings: list[tuple[str, str]] = []
    reported = findings()
    for detector, where in reported:
        fitting = [one for one in answers if one.detector == detector and re.fullmatch(one.where, where)]
        used.update(fitting)
        if not fitting:
            open_findings.append((detector, where))
    for detector, where in sorted(set(open_findings)):
        print(f"not answered: {detector} in {where}", file=sys.stderr)
    idle = [answer for answer in answers if answer not in used]
    for answer in idle:
        print(f"answers nothing any longer: {answer.detector} in {answer.where}", file=sys.stderr)
    print(
        f"{len(reported)} findings of Slither, {len(reported) - len(open_findings)} answered by {len(answers)} reasons"
    )
    return 1 if open_findings or idle else 0


if __name__ == "__main__":
    sys.exit(main())
