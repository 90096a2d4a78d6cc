"""The index of events against the chain itself: resumed, bounded, and right after every reorganisation."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.restarting_chain import HASTY, RestartingChain, restarting_chain
from verifier.chain.chain_client import ChainClient
from verifier.chain.event_index import EventIndex
from verifier.chain.event_store import EventStore
from verifier.errors import ChainError, NodeUnreachableError, StateFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from verifier.chain.contract_interface import EventLog

EMITTER: Final = "0x" + "e0" * 20
EMITTER_CODE: Final = "0x60003560006000a100"
"""The first word of the calldata becomes the topic of an event without data."""

SILENT: Final = "0x" + "e1" * 20
STEP: Final = 10


class WatchedChain(ChainClient):
    """A connection that notes what is asked, and lets a test step in before the answer."""

    ranges: list[tuple[int, int | None]]
    before_answer: Callable[[int, int | None], object]

    def logs(
        self, address: str, topics: Sequence[bytes | None], *, from_block: int = 0, to_block: int | None = None
    ) -> tuple[EventLog, ...]:
        self.ranges.append((from_block, to_block))
        self.before_answer(from_block, to_block)
        return super().logs(address, topics, from_block=from_block, to_block=to_block)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[RestartingChain]:
    with restarting_chain(tmp_path) as made:
        made.ask("anvil_setCode", EMITTER, EMITTER_CODE)
        yield made


@pytest.fixture
def chain(node: RestartingChain) -> WatchedChain:
    made = WatchedChain.connect(node.running.url, terms=HASTY)
    assert isinstance(made, WatchedChain)
    made.ranges, made.before_answer = [], lambda *_: None
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index" / "events.sqlite"


def index_of(chain: ChainClient, path: Path | None, *, first_block: int = 0, step: int = STEP) -> EventIndex:
    return EventIndex(chain, (EMITTER, SILENT), first_block=first_block, store=EventStore(path), step=step)


def emit(node: RestartingChain, number: int) -> bytes:
    """An event in a block of its own; its topic."""
    topic = number.to_bytes(32, "big")
    node.client().send(node.running.account(0), topic, to=EMITTER)
    return topic


def topics(logs: Sequence[EventLog]) -> list[int]:
    return [int.from_bytes(log.topics[0], "big") for log in logs]


def test_events_are_those_of_the_chain(node: RestartingChain, chain: WatchedChain, path: Path) -> None:
    for number in range(4):
        emit(node, number)
    index = index_of(chain, path)
    assert index.logs(EMITTER) == node.client().logs(EMITTER, [])
    assert topics(index.logs(EMITTER, [(2).to_bytes(32, "big")])) == [2]
    assert index.logs(SILENT) == ()


def test_reading_goes_in_bounded_steps_and_on_where_it_stopped(
    node: RestartingChain, chain: WatchedChain, path: Path
) -> None:
    node.ask("anvil_mine", 24)
    emit(node, 1)
    assert index_of(chain, path, first_block=3).follow() == 25
    assert chain.ranges[::2] == [(3, 12), (13, 22), (23, 25)]
    chain.ranges.clear()
    emit(node, 2)
    assert topics(index_of(chain, path, first_block=3).logs(EMITTER)) == [1, 2]
    assert chain.ranges[::2] == [(26, 26)]


def test_nothing_is_asked_twice(node: RestartingChain, chain: WatchedChain, path: Path) -> None:
    emit(node, 1)
    index = index_of(chain, path)
    index.follow()
    chain.ranges.clear()
    assert topics(index.logs(EMITTER)) == [1]
    assert chain.ranges == []


def test_a_reorganisation_of_three_blocks_is_followed(node: RestartingChain, chain: WatchedChain, path: Path) -> None:
    for number in range(5):
        emit(node, number)
    index = index_of(chain, path)
    assert topics(index.logs(EMITTER)) == [0, 1, 2, 3, 4]
    chain.ranges.clear()
    node.ask("anvil_reorg", 3, [])
    assert topics(index.logs(EMITTER)) == [0, 1]
    assert chain.ranges[::2] == [(3, 5)]
    emit(node, 7)
    assert topics(index.logs(EMITTER)) == [0, 1, 7]
    assert index.logs(EMITTER) == node.client().logs(EMITTER, [])


def test_a_chain_that_became_shorter_is_followed(node: RestartingChain, chain: WatchedChain, path: Path) -> None:
    emit(node, 0)
    mark = node.ask("evm_snapshot")
    for number in (1, 2, 3):
        emit(node, number)
    index = index_of(chain, path)
    assert topics(index.logs(EMITTER)) == [0, 1, 2, 3]
    node.ask("evm_revert", mark)
    assert topics(index.logs(EMITTER)) == [0]
    emit(node, 9)
    assert topics(index.logs(EMITTER)) == [0, 9]


def test_another_chain_under_the_same_file_is_noticed(
    node: RestartingChain, chain: WatchedChain, path: Path, tmp_path: Path
) -> None:
    emit(node, 1)
    assert topics(index_of(chain, path).logs(EMITTER)) == [1]
    other_folder = tmp_path / "other"
    other_folder.mkdir()
    with restarting_chain(other_folder) as other:
        other.ask("anvil_setCode", EMITTER, EMITTER_CODE)
        for number in (5, 6):
            emit(other, number)
        assert topics(index_of(other.client(), path).logs(EMITTER)) == [5, 6]


def test_a_reorganisation_in_the_middle_of_reading(node: RestartingChain, chain: WatchedChain, path: Path) -> None:
    for number in range(6):
        emit(node, number)
    stirred: list[int] = []

    def stir(_first: int, _last: int | None) -> None:
        if len(stirred) < 3:
            stirred.append(len(stirred))
            node.ask("anvil_reorg", 3, [])
            emit(node, 100 + len(stirred))

    chain.before_answer = stir
    index = index_of(chain, path, step=4)
    assert index.logs(EMITTER) == node.client().logs(EMITTER, [])
    assert len(stirred) == 3


def test_a_chain_that_never_rests_is_an_error(node: RestartingChain, chain: WatchedChain, path: Path) -> None:
    emit(node, 1)
    chain.before_answer = lambda *_: node.ask("anvil_reorg", 1, [])
    with pytest.raises(ChainError, match="changed 50 times"):
        index_of(chain, path).follow()


def test_a_node_that_allows_few_blocks_gets_smaller_requests(
    node: RestartingChain, chain: WatchedChain, path: Path
) -> None:
    node.ask("anvil_mine", 20)
    emit(node, 1)

    def limit(first: int, last: int | None) -> None:
        if last is None or last - first > 2:
            raise ChainError("the node allows three blocks")

    chain.before_answer = limit
    assert topics(index_of(chain, path).logs(EMITTER)) == [1]

    def refuse(_first: int, _last: int | None) -> None:
        raise ChainError("the node allows nothing")

    emit(node, 2)
    chain.before_answer = refuse
    with pytest.raises(ChainError, match="allows nothing"):
        index_of(chain, path).follow()


def test_a_node_that_restarts_keeps_the_place(node: RestartingChain, chain: WatchedChain, path: Path) -> None:
    emit(node, 1)
    index = index_of(chain, path)
    index.follow()
    node.stop()
    with pytest.raises(NodeUnreachableError):
        index.follow()
    node.start()
    chain.ranges.clear()
    emit(node, 2)
    assert topics(index.logs(EMITTER)) == [1, 2]
    assert chain.ranges[::2] == [(2, 2)]


def test_readers_side_by_side_agree(node: RestartingChain, chain: WatchedChain, path: Path) -> None:
    emit(node, 0)
    other = index_of(node.client(), path)

    def overtake(_first: int, _last: int | None) -> None:
        other.follow()

    chain.before_answer = overtake
    assert topics(index_of(chain, path).logs(EMITTER)) == [0]
    emit(node, 1)
    assert topics(index_of(chain, path).logs(EMITTER)) == topics(other.logs(EMITTER)) == [0, 1]


@pytest.mark.parametrize("seed", range(3))
def test_any_sequence_of_blocks_and_reorganisations(
    node: RestartingChain, chain: WatchedChain, path: Path, *, seed: int
) -> None:
    generator = random.Random(f"event index {seed}")
    node.ask("anvil_mine", 4)
    for number in range(20):
        action = generator.choice(["emit", "emit", "mine", "reorganise", "read"])
        if action == "emit":
            emit(node, number)
        elif action == "mine":
            node.ask("anvil_mine", generator.randint(1, 4))
        elif action == "reorganise":
            node.ask("anvil_reorg", generator.randint(1, 4), [])
        if action == "read" or generator.random() < 0.5:
            index = index_of(chain, path, step=generator.randint(1, 7))
            assert index.logs(EMITTER) == node.client().logs(EMITTER, [])


def test_a_file_that_is_no_store_is_named(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    path.write_text("this is no database, whatever its name says; it is long enough to be looked at")
    with pytest.raises(StateFileError, match=r"events\.sqlite cannot be used.*ZKMARGIN_STATE"):
        EventStore(path)
