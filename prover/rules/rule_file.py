"""Rule files: YAML or JSON that names components and constants (:mod:`prover.rules.rule_definition` shows one).

They are read by :mod:`prover.rules.plain_yaml`, which refuses what could be misread.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from prover.components.return_scenarios import FOLDER
from prover.errors import RuleBuildError, RuleFileError
from prover.market.market_data import canonical_json, describe_finding
from prover.rules.plain_yaml import read_plain_yaml
from prover.rules.rule_definition import RuleDefinition

SHIPPED_FOLDER: Final = Path(__file__).parent / "files"


def shipped_rules() -> tuple[str, ...]:
    """Names of the rule files that come with this package."""
    return tuple(sorted(path.stem for path in SHIPPED_FOLDER.glob("*.yaml")))


@cache
def shipped_rule(name: str) -> RuleDefinition:
    """A rule file that comes with this package.

    Raises:
        RuleFileError: there is none of that name.
    """
    if name not in shipped_rules():
        raise RuleFileError(f"no shipped rule is called {name!r}; choose {', '.join(shipped_rules())}, or give a file")
    return read_rule_file(SHIPPED_FOLDER / f"{name}.yaml")


def load_rule(name_or_path: str) -> RuleDefinition:
    """A shipped rule by its name, or a rule file by its path (a name with a slash or a dot in it).

    Raises:
        RuleFileError: no such rule, or as :func:`read_rule_file`.
    """
    if "/" in name_or_path or "." in name_or_path:
        return read_rule_file(Path(name_or_path))
    return shipped_rule(name_or_path)


def read_rule_file(path: Path) -> RuleDefinition:
    """Read a rule file; JSON is YAML too.

    Raises:
        RuleFileError: unreadable, not YAML, or a field that is missing, unknown or out of range; names field, value
            and remedy.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RuleFileError(f"rule file {path}: {error.strerror}; give a readable file") from error
    return decode_rule(content, str(path), path.parent)


def decode_rule(content: bytes, source: str, folder: Path | None = None) -> RuleDefinition:
    """Read the content of a rule file; errors as :func:`read_rule_file`.

    Args:
        content: YAML or JSON.
        source: names it in errors.
        folder: that price files in it are relative to; without one it may name none.
    """
    try:
        fields = read_plain_yaml(content)
    except ValueError as error:
        raise RuleFileError(f"{source} is not plain YAML ({error}); correct it there") from error
    if not isinstance(fields, dict):
        raise RuleFileError(f"{source} holds no fields; begin it with 'schema: zkmargin-rule-1'")
    try:
        return RuleDefinition.model_validate(fields, context={FOLDER: folder} if folder else None)
    except ValidationError as error:
        raise RuleFileError(f"{source}: {describe_finding(error)}") from error
    except RuleBuildError as error:
        raise RuleFileError(f"{source}: {error}") from error


def encode_rule(definition: RuleDefinition) -> bytes:
    """The rule file as canonical JSON; equal rules give equal bytes."""
    return canonical_json(definition.model_dump(mode="json", by_alias=True))
