"""The matrix of a built rule: its rows, its mask, its headrooms, and what it refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from prover.errors import EntryRangeError, RuleBuildError, RuleFileError
from prover.market.market_files import load_market
from prover.rules.rule_assembly import UNSHOCKED
from prover.rules.rule_builder import build_rules
from prover.rules.rule_file import decode_rule, encode_rule, shipped_rule
from prover.rules.rule_rows import RowKind
from prover.rules.slots import list_slots
from tests.support.market_files import MARKET_FILES
from tests.support.risk_rules import example_market, example_rules
from verifier.rules.rule_audit import audit_matrix, headroom_columns
from verifier.rules.rule_kind import RuleKind
from verifier.shape import SMALL, STANDARD, Shape

if TYPE_CHECKING:
    from pathlib import Path

    from prover.rules.built_rule import BuiltRule
    from prover.rules.rule_definition import RuleDefinition

SHAPES = [(STANDARD, 1, 32, 4), (STANDARD, 4, 32, 4), (SMALL, 1, 16, 1)]


@pytest.mark.parametrize("path", MARKET_FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize(("shape", "books", "rows", "chunks"), SHAPES, ids=["standard", "four books", "small"])
def test_sizes_and_soundness_on_real_chains(path: Path, shape: Shape, books: int, rows: int, chunks: int) -> None:
    for rule in build_rules(load_market(path), shape=shape, books=books):
        assert rule.matrix.entries.shape == (rows, books, shape.columns)
        assert rule.matrix.chunks_per_book == chunks
        assert rule.universe.live.all()
        assert audit_matrix(rule.matrix) == []
        assert len(set(rule.row_names)) == rows


@pytest.mark.parametrize(("shape", "books"), [(STANDARD, 1), (STANDARD, 4), (SMALL, 1)])
def test_the_audit_finds_the_headrooms_that_the_builder_chose(shape: Shape, books: int) -> None:
    for rule in example_rules(shape, books):
        found = [None if headroom is None else headroom.unit for headroom in headroom_columns(rule.matrix)]
        chosen = [None if row.headroom is None else row.headroom.unit for row in rule.rows]
        assert found == chosen
        assert [row.headroom is None for row in rule.rows] == [row.kind is RowKind.MASK for row in rule.rows]


def test_rows_come_as_scenarios_limits_and_mask() -> None:
    rule = example_rules()[0]
    assert [row.kind for row in rule.rows] == [RowKind.SCENARIO] * 29 + [RowKind.LIMIT] * 2 + [RowKind.MASK]
    assert rule.row_names[:2] == (UNSHOCKED, "spot +18 %, volatility up")
    assert rule.row_names[29:] == (
        "net BTC delta at most +100,000,000",
        "net BTC delta at least −100,000,000",
        "unlisted slots are empty",
    )
    assert rule.labels.names == rule.row_names
    assert (rule.labels.units[0], rule.labels.currency) == (0.0025, "USD")


def leg_entries(rule: BuiltRule, row: int, name: str) -> tuple[int, int]:
    """Long and short entry of an instrument."""
    slot = rule.slots.find(name)
    long, short = rule.matrix.entries[row, slot.book, 4 * slot.position : 4 * slot.position + 2]
    return int(long), int(short)


def test_cash_counts_one_for_one_in_every_scenario() -> None:
    """Rows of money count in quarters of a tick."""
    for rule in example_rules():
        assert {leg_entries(rule, row, "USD") for row in range(29)} == {(4, -4)}
        assert {leg_entries(rule, row, "USD") for row in range(29, 32)} == {(0, 0)}


def test_entries_of_a_perpetual_by_hand() -> None:
    """Bid 94012, ask 94013, mark 94012.5, index 94000, lot 0.01, spot −18 %."""
    initial, maintenance = example_rules()
    row = initial.row_names.index("spot −18 %, volatility up")
    # 94012 − 0.8·0.18·94012.5 − 0.015·94000 = 79064.2; 94013 − 0.8·0.18·94012.5 + 0.015·94000 = 81885.2.
    assert leg_entries(maintenance, row, "BTC-PERPETUAL") == (316256, -327541)
    # 94012 − 0.18·94012.5 − 0.02·94000 = 75209.75, a lot 752.0975 or 300839 quarters of a tick, less 2 of reserve,
    # less 1 so that the difference of 15420 to maintenance margin is a multiple of 4.
    # 94013 − 0.18·94012.5 + 0.02·94000 = 78970.75, a lot 789.7075 or 315883 quarters, and 2; 11656 less.
    assert leg_entries(initial, row, "BTC-PERPETUAL") == (300836, -315885)
    # Delta one at the index: 940 USD a lot against a limit of 100 million.
    assert leg_entries(initial, 29, "BTC-PERPETUAL") == (-94000, 94000)
    assert leg_entries(initial, 30, "BTC-PERPETUAL") == (94000, -94000)
    assert initial.matrix.entries[29:31, 0, 2].tolist() == [10_000_000_000] * 2
    assert maintenance.matrix.entries[29:31, 0, 2].tolist() == [12_500_000_000] * 2
    assert not initial.matrix.entries[:29, 0, 2].any()


def test_entries_of_an_option_in_the_unshocked_row() -> None:
    """Worth the bid held long; costs the ask and 0.5 % (0.3 %) of the index held short."""
    quote = next(item for item in example_market().options if item.instrument == "BTC-27DEC24-100000-C")
    assert quote.bid_price is not None
    assert quote.ask_price is not None
    initial, maintenance = example_rules()
    row = initial.row_names.index(UNSHOCKED)
    long, short = leg_entries(initial, row, quote.instrument)
    assert long == pytest.approx(4 * quote.bid_price - 4, abs=2)
    assert short == pytest.approx(-4 * (quote.ask_price + 0.005 * 94000) - 4, abs=2)
    long, short = leg_entries(maintenance, row, quote.instrument)
    assert long == pytest.approx(4 * quote.bid_price, abs=1)
    assert short == pytest.approx(-4 * (quote.ask_price + 0.003 * 94000), abs=1)


def test_missing_quotes_fall_back_on_the_assumed_spread() -> None:
    market = example_market()
    quote = next(item for item in market.options if item.instrument == "BTC-27DEC24-100000-C")
    silent = quote.model_copy(update={"bid_price": None, "ask_price": None})
    thinner = market.model_copy(update={"options": (silent,)})
    rule = build_rules(thinner, shape=SMALL)[1]
    index = rule.slots.flat_index(rule.slots.find(quote.instrument))
    half = max(0.05 * quote.mark_price, 0.0005 * quote.forward)
    assert rule.universe.sell_price[index] == pytest.approx(quote.mark_price - half)
    assert rule.universe.buy_price[index] == pytest.approx(quote.mark_price + half)


def test_the_mask_covers_exactly_the_slots_without_a_price() -> None:
    market = example_market()
    table = list_slots(market, STANDARD, shipped_rule("scenarios"), books=4)
    gone = {slot.instrument.name for slot in table.listed[5:300:7]}
    later = market.model_copy(
        update={"options": tuple(quote for quote in market.options if quote.instrument not in gone)}
    )
    for rule in build_rules(later, slots=table):
        mask = rule.matrix.entries[-1]
        dead = {
            slot.instrument.name
            for slot in table.listed
            if mask[slot.book, 4 * slot.position : 4 * slot.position + 2].tolist() == [1, 1]
        }
        assert dead == gone
        assert np.count_nonzero(mask) == 2 * len(gone)
        for slot in table.listed:
            if slot.instrument.name in gone:
                assert not rule.matrix.entries[:-1, slot.book, 4 * slot.position : 4 * slot.position + 2].any()


def test_slots_beyond_the_market_are_masked() -> None:
    market = example_market()
    few = market.model_copy(update={"options": market.options[:10]})
    mask = build_rules(few)[0].matrix.entries[-1, 0]
    assert np.flatnonzero(mask).tolist() == [column for column in range(4 * 12, 512) if column % 4 < 2]


def test_marks_are_eight_bytes_a_slot() -> None:
    rule = example_rules(SMALL)[0]
    assert len(rule.marks) == 8 * 64
    assert [int.from_bytes(rule.marks[8 * slot : 8 * slot + 8], "big") for slot in range(2)] == [1, 94012]


def test_digests_name_market_constants_and_slots() -> None:
    initial, maintenance = example_rules()
    assert initial.snapshot_digest == maintenance.snapshot_digest == example_market().digest
    standard, small = shipped_rule("scenarios"), shipped_rule("scenarios-small")
    assert initial.definition.digest == standard.digest
    assert len({initial.snapshot_digest, standard.digest, small.digest, initial.slots.digest}) == 4
    assert (initial.kind, maintenance.kind) == (RuleKind.INITIAL, RuleKind.MAINTENANCE)


def test_building_twice_gives_the_same_matrix() -> None:
    again = build_rules(example_market())
    for first, second in zip(example_rules(), again, strict=True):
        assert np.array_equal(first.matrix.entries, second.matrix.entries)


def altered(before: str, after: str) -> RuleDefinition:
    """The shipped rule with other constants."""
    content = encode_rule(shipped_rule("scenarios")).decode()
    assert before in content
    return decode_rule(content.replace(before, after).encode(), "altered rule")


def test_entries_beyond_the_bound_are_refused() -> None:
    with pytest.raises(EntryRangeError, match=r"not below 2\^62 ticks of 0.01; use larger ticks or smaller lots"):
        build_rules(example_market(), altered('"BTC":"0.01"', '"BTC":"999999999999"'))


def test_rules_that_do_not_fit_are_refused() -> None:
    with pytest.raises(RuleBuildError, match="the list has 64 slots a book, the shape 128"):
        build_rules(example_market(), slots=example_rules(SMALL)[0].slots)
    euros = example_market().model_copy(update={"quote_currency": "EUR"})
    with pytest.raises(RuleBuildError, match="slot 0 of book 0 is not EUR, the market's quote currency; use"):
        build_rules(euros, slots=example_rules()[0].slots)
    with pytest.raises(RuleBuildError, match="no rule file belongs to a shape of 8 columns"):
        build_rules(example_market(), shape=Shape(columns=8, digits=4, digit_bits=2, powers=64))
    tiny = Shape(columns=16, digits=4, digit_bits=2, powers=128)
    with pytest.raises(RuleBuildError, match="finds no free column among 1 × 16; use fewer rows"):
        build_rules(example_market(), shape=tiny, definition=shipped_rule("scenarios-small"))


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('"maintenance":"0.8"', '"maintenance":"1.1"', "loss_factor.maintenance = 1.1 is above"),
        ('"maintenance":"0.015"', '"maintenance":"0.03"', "perpetual.maintenance = 0.03 is above perpetual.initial"),
        ('"maintenance":"0.003"', '"maintenance":"0.1"', "short_option.maintenance = 0.1 is above"),
        ('"maintenance":"125000000"', '"maintenance":"10"', "limit.maintenance = 10 is below limit.initial"),
    ],
)
def test_constants_of_dear_maintenance_are_refused(before: str, after: str, words: str) -> None:
    with pytest.raises(RuleFileError, match=words):
        altered(before, after)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (
            '"component":"leg-charges"',
            '"component":"leg-charges","colour":1',
            "leg-charges.colour = 1: there is no such",
        ),
        ('"component":"leg-charges"', '"kind":"leg-charges"', "components.1: 'component' is missing, which says what"),
        ('"name":"scenarios",', "", "name: it is missing; add it"),
    ],
)
def test_one_fault_is_one_finding(before: str, after: str, words: str) -> None:
    """A list whose entry is refused is not called too short on top."""
    with pytest.raises(RuleFileError, match=words) as raised:
        altered(before, after)
    assert "more)" not in str(raised.value)


def test_a_rule_of_nothing_is_refused() -> None:
    fields = json.loads(encode_rule(shipped_rule("scenarios")))
    with pytest.raises(RuleFileError, match="components: 0 are listed; list at least 1"):
        decode_rule(json.dumps(fields | {"components": []}).encode(), "empty rule")
