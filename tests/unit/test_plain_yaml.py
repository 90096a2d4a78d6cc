"""Rule files say what they look like: YAML's traps are refused, and numbers out of range by field, value and remedy."""

from __future__ import annotations

import pytest
import yaml

from prover.errors import RuleFileError
from prover.rules.plain_yaml import LARGEST_FILE, read_plain_yaml
from prover.rules.rule_file import SHIPPED_FOLDER, decode_rule, shipped_rules

RULE = """\
schema: zkmargin-rule-1
name: test
tick: 0.01
lot_sizes: {BTC: 0.01}
loss_factor: {initial: 1, maintenance: 0.8}
components:
  - component: scenario-grid
    scenarios: [{price_move: 0.1, volatility: up, weight: 1}]
    shock: {up: 0.5, down: 0.2, minimum_volatility: 0.45, floor_days: 1, short_power: 0.3, long_power: 0.13}
"""


def refusal(content: str | bytes) -> str:
    """What is said of a rule file."""
    with pytest.raises(RuleFileError) as caught:
        decode_rule(content.encode() if isinstance(content, str) else content, "rule.yaml")
    assert "Traceback" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", shipped_rules())
def test_shipped_files_read_as_by_any_yaml_reader(name: str) -> None:
    content = (SHIPPED_FOLDER / f"{name}.yaml").read_bytes()
    assert read_plain_yaml(content) == yaml.safe_load(content)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("010", 10),
        ("1e-3", 0.001),
        ("-2.5e+1", -25),
        (".5", 0.5),
        ("1:30", "1:30"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("~", None),
        ("", None),
        ("2023-02-30", "2023-02-30"),
        (".nan", ".nan"),
        ("9" * 5000, float("inf")),
    ],
)
def test_values_are_what_they_look_like(text: str, value: object) -> None:
    found = read_plain_yaml(f"key: {text}".encode())
    assert found == {"key": value}
    assert type(found["key"]) is type(value) or isinstance(found["key"], float)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (RULE + "tick: 1\n", "line 10, column 1: tick is given twice: keep one"),
        (RULE.replace("{BTC: 0.01}", "{BTC: 0.01, BTC: 100}"), "line 4, column 24: BTC is given twice"),
        (RULE.replace("0.01\n", "&tick 0.01\n").replace("BTC: 0.01", "BTC: *tick"), "an alias stands for something"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "an alias stands for something"),
        (RULE.replace("{BTC: 0.01}", "{<<: {BTC: 0.01}}"), "lot_sizes.<<"),
        ("!!python/object/apply:os.getcwd []", "could not determine a constructor for the tag"),
        ("tick: !!timestamp 2023-02-30", "day is out of range for month"),
        ("{[1]: 2}", "unhashable key"),
        ("[" * 10_000, "more than 32 levels"),
        (b"\xff\xfe\x00", "not plain YAML"),
        ("name: a\x00b", "special characters are not allowed"),
        ("- 1\n- 2", "holds no fields; begin it with"),
        ("", "holds no fields; begin it with"),
        ("#" * (LARGEST_FILE + 1), "262,145 bytes are more than the 262,144 that a rule may take"),
    ],
)
def test_what_could_be_misread_is_refused(content: str | bytes, words: str) -> None:
    assert words in refusal(content)


@pytest.mark.parametrize("value", ["true", ".nan", ".inf", "1e400", "-1e400", "1:30", "2023-01-01", "null", "[1]", "x"])
@pytest.mark.parametrize(
    "field",
    [
        "tick: 0.01",
        "BTC: 0.01",
        "initial: 1",
        "price_move: 0.1",
        "weight: 1",
        "up: 0.5",
        "minimum_volatility: 0.45",
        "floor_days: 1",
        "short_power: 0.3",
    ],
)
def test_what_is_no_number_is_refused_by_its_field(field: str, value: str) -> None:
    name = field.split(":", maxsplit=1)[0]
    said = refusal(RULE.replace(field, f"{name}: {value}", 1))
    assert name in said
    assert "correct it" in said or "; use " in said


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("tick: 0.01", "tick: 1e-30", "tick = 1e-30: 1E-30 is below 0.000000000000000001: use a larger number"),
        ("tick: 0.01", "tick: 1e-400", "tick = 0.0: "),
        ("BTC: 0.01", "BTC: '1e-400'", "lot_sizes.BTC = '1e-400': 1E-400 is below"),
        ("BTC: 0.01", "BTC: 1e12", "lot_sizes.BTC = 1000000000000.0"),
        ("initial: 1", "initial: 1e-30", "loss_factor.initial = 1e-30"),
        ("price_move: 0.1", "price_move: 1e30", "price_move = 1e+30: prices must stay positive; use a move above -1"),
        ("up: 0.5", "up: -1", "shock.up = -1: Input should be greater than or equal to 0"),
        ("floor_days: 1", "floor_days: 0", "shock.floor_days = 0: Input should be greater than 0"),
        ("long_power: 0.13", "long_power: 99", "shock.long_power = 99: Input should be less than or equal to 2"),
    ],
)
def test_what_is_out_of_range_is_refused_by_its_field(before: str, after: str, words: str) -> None:
    assert words in refusal(RULE.replace(before, after, 1))
