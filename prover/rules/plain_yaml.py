"""YAML as rule files use it: what could be misread is refused, and numbers are what they look like.

YAML 1.1 lets a key stand twice and keeps the last, reads ``010`` as 8, ``1:30`` as 90 and ``no`` as false, and lets a
few lines of aliases stand for millions. Here a key stands once, there are no aliases or merges, numbers are decimal,
``true`` and ``false`` are the only truth values, and dates are text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError

if TYPE_CHECKING:
    from collections.abc import Hashable

LARGEST_FILE: Final = 1 << 18
"""Bytes; a rule that fits a matrix is far smaller."""

DEEPEST: Final = 32
"""Levels of lists and mappings."""

_PLAIN_VALUES: Final = {
    "bool": (r"true|false", "tf"),
    "null": (r"~|null|", ["~", "n", ""]),
    "int": (r"[-+]?(?:0|[1-9][0-9]{0,30})", "-+0123456789"),
    "float": (r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
}
"""What reads as something else than text, by the tag of what it is, and its first characters."""


class _PlainLoader(yaml.SafeLoader):
    """A safe loader without the surprises of YAML 1.1."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise ComposerError(None, None, "an alias stands for something else: write it out", self.get_mark())
        if self._depth == DEEPEST:
            raise ComposerError(None, None, f"more than {DEEPEST} levels: nothing is nested so deeply", self.get_mark())
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:  # noqa: FBT001, FBT002 - as PyYAML calls it
        mapping: dict[Hashable, object] = super().construct_mapping(node, deep=deep)
        if len(mapping) < len(node.value):
            seen: set[object] = set()
            for key_node, _ in node.value:
                key = self.construct_object(key_node, deep=True)
                if key in seen:
                    raise ConstructorError(None, None, f"{key} is given twice: keep one", key_node.start_mark)
                seen.add(key)
        return mapping


_PlainLoader.yaml_implicit_resolvers = {}
for _tag, (_pattern, _first) in _PLAIN_VALUES.items():
    _PlainLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first))


def read_plain_yaml(content: bytes) -> object:
    """The value that a file holds.

    Raises:
        ValueError: it is too large, not YAML, or says something in a way that could be misread; names the line.
    """
    if len(content) > LARGEST_FILE:
        message = f"{len(content):,} bytes are more than the {LARGEST_FILE:,} that a rule may take"
        raise ValueError(message)
    try:
        return yaml.load(content, _PlainLoader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise ValueError(_place_and_problem(error)) from error


def _place_and_problem(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or type(error).__name__
    return problem if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: {problem}"
