"""Branch coverage of the contracts by the forge tests, as ``forge coverage`` counts it; fails below the limit.

Branches inside assembly are not counted there: docs/assembly-branches.md names the tests that take each, and is held
against the sources here.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Final

PROJECT_ROOT: Final = Path(__file__).resolve().parent.parent
FORGE: Final = PROJECT_ROOT / "node_modules" / ".bin" / "forge"
REPORT: Final = PROJECT_ROOT / "build" / "coverage.info"
LIMIT_PERCENT: Final = 95
BRANCH_LIST: Final = PROJECT_ROOT / "docs" / "assembly-branches.md"
ASSEMBLY: Final = re.compile(r"^(\s*)assembly [^\n]*\{\n(.*?)^\1\}", re.MULTILINE | re.DOTALL)
BRANCHING: Final = re.compile(r"\b(?:if|switch|case|default|for)\b|\b(?:iszero|eq|s?[lg]t)\(")


def measure() -> None:
    """Run the tests with coverage, for which forge switches the optimiser off; with few runs, see foundry.toml."""
    options = ["--report", "lcov", "--report-file", str(REPORT), "--no-match-coverage", "^(tests|node_modules)/"]
    REPORT.parent.mkdir(exist_ok=True)
    run = subprocess.run(  # noqa: S603 - the pinned forge, with fixed arguments
        [FORGE, "coverage", *options],
        cwd=PROJECT_ROOT,
        env=os.environ | {"FOUNDRY_PROFILE": "coverage"},
        check=False,
        capture_output=True,
        text=True,
    )
    if run.returncode:
        sys.exit(f"forge coverage failed:\n{run.stdout[-4000:]}{run.stderr[-4000:]}")


def branches(report: str) -> dict[str, tuple[int, int]]:
    """Branches taken and found of every contract, from an LCOV report (fields SF and BRDA)."""
    taken: Counter[str] = Counter()
    found: Counter[str] = Counter()
    source = ""
    for line in report.splitlines():
        field, _, value = line.partition(":")
        if field == "SF":
            source = value
        elif field == "BRDA":
            found[source] += 1
            taken[source] += value.rsplit(",", 1)[1] not in {"-", "0"}
    return {source: (taken[source], found[source]) for source in sorted(found)}


def assembly_branches(root: Path) -> set[tuple[str, str]]:
    """Contract and code of every line of assembly that branches or compares."""
    return {
        (path.stem, code)
        for path in sorted((root / "contracts").rglob("*.sol"))
        for block in ASSEMBLY.finditer(path.read_text(encoding="utf-8"))
        for line in block[2].splitlines()
        if BRANCHING.search(code := line.split("//")[0].strip())
    }


def listed_branches(text: str) -> tuple[set[tuple[str, str]], set[str]]:
    """What the list says: contract and code of every row, and the names of all tests."""
    rows = [row.strip("| ").split(" | ") for row in text.splitlines() if row.startswith("|")][2:]
    return {(row[0], row[1].split("`")[1]) for row in rows}, set(re.findall(r"\btest\w+", "".join(map(str, rows))))


def faults_of_the_list(root: Path = PROJECT_ROOT) -> list[str]:
    """Each difference between the list of branches in assembly and the sources, as one line."""
    listed, tests = listed_branches(BRANCH_LIST.read_text(encoding="utf-8"))
    found = assembly_branches(root)
    sources = "".join(path.read_text(encoding="utf-8") for path in (root / "tests" / "contracts").glob("*.sol"))
    return [
        *(f"not listed: {contract}: {code}" for contract, code in sorted(found - listed)),
        *(f"there is no such line: {contract}: {code}" for contract, code in sorted(listed - found)),
        *(f"there is no such test: {name}" for name in sorted(tests) if f"function {name}(" not in sources),
    ]


def main() -> int:
    """Return the exit code: 1 when too few branches are taken, or when the list of those in assembly is wrong."""
    faults = faults_of_the_list()
    for fault in faults:
        print(f"{BRANCH_LIST.relative_to(PROJECT_ROOT)}: {fault}", file=sys.stderr)
    measure()
    counted = branches(REPORT.read_text(encoding="utf-8"))
    for source, (taken, found) in counted.items():
        if taken < found:
            print(f"{source}: {taken} of {found} branches")
    taken, found = (sum(pair[index] for pair in counted.values()) for index in (0, 1))
    share = 100 * taken / found
    print(
        f"{taken} of {found} branches of the contracts are taken by tests: {share:.1f} % (at least {LIMIT_PERCENT} %)"
    )
    return 0 if share >= LIMIT_PERCENT and not faults else 1


if __name__ == "__main__":
    sys.exit(main())
