"""Every published case is met within its tolerance; so are the cases of our own, whose numbers come from closed forms.

How many of how many were met stands at the end of pytest's output, methodology by methodology.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from prover.methodologies.case_files import run_case_file

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
OWN_CASES = ROOT / "tests" / "data" / "cases_own.json"
PUBLISHED_CASES = sorted((ROOT.parent / "shared" / "cases").glob("*.json"))


@pytest.mark.parametrize("path", [OWN_CASES, *PUBLISHED_CASES], ids=lambda path: path.stem)
def test_every_case_is_met(path: Path, record_property: Callable[[str, object], None]) -> None:
    report = run_case_file(path)

    counts = Counter(result.methodology for result in report.results)
    met = Counter(result.methodology for result in report.results if result.is_met)
    for methodology, count in counts.items():
        record_property("cases met", f"{path.name}: {methodology}: {met[methodology]} of {count}")
    assert report.results
    assert [(miss.identifier, miss.reason, miss.differences) for miss in report.misses] == []
