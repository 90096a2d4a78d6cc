"""Files of cases: inputs, parameters and the numbers that a methodology is expected to give.

A file is a JSON object ``{"cases": [...]}``; a case has ``id``, ``methodology`` (or ``model``), ``expected``, its
inputs and tolerances (see :mod:`prover.methodologies.case_comparison`). Data paths inside cases, such as
``data/prices.csv``, are relative to the folder above the file's own. A case that cannot be computed is a miss with its
reason and does not stop the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from pydantic_core import from_json

from prover.errors import CaseFileError, ProverError
from prover.methodologies.case_comparison import Difference, differences
from prover.methodologies.registry import evaluate, methodology_of

if TYPE_CHECKING:
    from pathlib import Path

    from prover.methodologies.inputs import Quantities

_ARITHMETIC_FAULTS: Final = (ArithmeticError, ValueError, TypeError, RecursionError)
"""What a formula raises outside its domain, where no check of the inputs foresaw the value."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one case went.

    Attributes:
        identifier: its id.
        methodology: the name it goes by.
        differences: what was not met.
        reason: why nothing could be computed; empty where it was.
    """

    identifier: str
    methodology: str
    differences: tuple[Difference, ...]
    reason: str = ""

    @property
    def is_met(self) -> bool:
        """Whether every expected number was met."""
        return not self.differences and not self.reason


@dataclass(frozen=True, slots=True)
class CaseFileReport:
    """How the cases of one file went, in their order."""

    path: Path
    results: tuple[CaseResult, ...]

    @property
    def met(self) -> int:
        """How many cases were met."""
        return sum(result.is_met for result in self.results)

    @property
    def misses(self) -> tuple[CaseResult, ...]:
        """The cases that were not."""
        return tuple(result for result in self.results if not result.is_met)


def read_cases(path: Path) -> list[object]:
    """The cases of a file, unread.

    Raises:
        CaseFileError: the file cannot be read, is no JSON object, or lacks the list ``cases``.
    """
    try:
        content = from_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CaseFileError(f"{path}: cannot be read as JSON ({error}); check path and contents") from error
    cases = content.get("cases") if isinstance(content, dict) else None
    if not isinstance(cases, list):
        raise CaseFileError(f'{path}: it has no list "cases"; write {{"cases": [...]}}')
    return cases


def run_case_file(path: Path) -> CaseFileReport:
    """Compute every case of a file and compare.

    Raises:
        CaseFileError: the file cannot be read, is no JSON object, or lacks the list ``cases``.
    """
    folder = path.resolve().parent.parent
    results = (run_case(case, folder, number) for number, case in enumerate(read_cases(path), start=1))
    return CaseFileReport(path, tuple(results))


def run_case(case: object, folder: Path, number: int = 1) -> CaseResult:
    """Compute one case and compare; whatever is wrong with it is told in the result.

    Args:
        case: as the file writes it.
        folder: that data paths are relative to.
        number: its place in the file, for a case without an id.
    """
    if not isinstance(case, Mapping):
        return CaseResult(f"case {number}", "", (), f"case {number} is no JSON object; write one")
    identifier, methodology = str(case.get("id", f"case {number}")), methodology_of(case)
    expected = case.get("expected")
    if not isinstance(expected, Mapping) or not expected:
        return CaseResult(identifier, methodology, (), "expected is missing or empty; state what the case expects")
    try:
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            quantities: Quantities = evaluate(case, folder)
        found = tuple(differences(case, quantities))
    except ProverError as error:
        return CaseResult(identifier, methodology, _nothing_computed(expected), str(error))
    except _ARITHMETIC_FAULTS as error:
        reason = f"the formulas have no value for these inputs ({type(error).__name__}: {error}); check their ranges"
        return CaseResult(identifier, methodology, _nothing_computed(expected), reason)
    return CaseResult(identifier, methodology, found)


def _nothing_computed(expected: Mapping[str, object]) -> tuple[Difference, ...]:
    return tuple(Difference(str(name), value, None) for name, value in expected.items())
