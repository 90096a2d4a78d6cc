"""Events of contracts as read so far, with the blocks by whose hashes one sees whether they still hold (SQLite)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eth_utils.address import to_checksum_address

from verifier.chain.contract_interface import EventLog
from verifier.chain.state_folder import all_or_nothing, open_database

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS checkpoints (number INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS logs (
    block_number INTEGER NOT NULL,
    log_index INTEGER NOT NULL,
    block_hash BLOB NOT NULL,
    transaction_hash BLOB NOT NULL,
    address BLOB NOT NULL,
    topic_0 BLOB, topic_1 BLOB, topic_2 BLOB, topic_3 BLOB,
    data BLOB NOT NULL,
    PRIMARY KEY (block_number, log_index)
) STRICT;
CREATE INDEX IF NOT EXISTS logs_by_event ON logs (address, topic_0, topic_1);
"""
_TOPICS: Final = 4
_COLUMNS: Final = (
    "block_number, log_index, block_hash, transaction_hash, address, topic_0, topic_1, topic_2, topic_3, data"
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A block up to which everything has been read. Its hash stands for all blocks before it too.

    Attributes:
        number: of the block.
        digest: its hash, 32 bytes.
    """

    number: int
    digest: bytes


class EventStore:
    """Logs in the order of the chain.

    Args:
        path: of the file; ``None`` keeps it in memory.

    Raises:
        StateFileError: the file cannot be used.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._database = open_database(path, _SCHEMA)

    def newest(self) -> Checkpoint | None:
        """The block up to which everything has been read; ``None`` before the first."""
        row = self._database.execute("SELECT number, hash FROM checkpoints ORDER BY number DESC LIMIT 1").fetchone()
        return None if row is None else Checkpoint(*row)

    def extend(self, before: Checkpoint | None, logs: Sequence[EventLog], upto: Checkpoint) -> bool:
        """Add what was read after a checkpoint, up to another.

        Blocks with events become checkpoints as well: a reorganisation goes back no further than it must.

        Args:
            before: where reading began.
            logs: of the blocks between.
            upto: where it ended.

        Returns:
            False when another process has written since; nothing was added then.
        """
        blocks = {log.block_number: log.block_hash for log in logs} | {upto.number: upto.digest}
        with all_or_nothing(self._database):
            if self.newest() != before:
                return False
            self._database.executemany("INSERT INTO checkpoints VALUES (?, ?)", sorted(blocks.items()))
            self._database.executemany("INSERT INTO logs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", map(_row, logs))
        return True

    def drop(self, checkpoint: Checkpoint) -> None:
        """The newest checkpoint is no longer on the chain: forget everything after the one before it."""
        with all_or_nothing(self._database):
            if self.newest() != checkpoint:
                return
            self._database.execute("DELETE FROM checkpoints WHERE number = ?", (checkpoint.number,))
            kept = self.newest()
            self._database.execute("DELETE FROM logs WHERE block_number > ?", (-1 if kept is None else kept.number,))

    def logs(self, address: str, topics: Sequence[bytes | None] = (), *, from_block: int = 0) -> tuple[EventLog, ...]:
        """Events of a contract, oldest first.

        Args:
            address: of the contract.
            topics: to match, place by place; ``None`` matches any.
            from_block: first block to look at.
        """
        wanted = {f"topic_{place}": topic for place, topic in enumerate(topics) if topic is not None}
        conditions = "".join(f" AND {column} = ?" for column in wanted)
        rows = self._database.execute(
            f"SELECT {_COLUMNS} FROM logs WHERE address = ? AND block_number >= ?{conditions} "  # noqa: S608 - fixed names
            "ORDER BY block_number, log_index",
            (bytes.fromhex(address.removeprefix("0x")), from_block, *wanted.values()),
        )
        return tuple(_log(row) for row in rows)

    def logs_naming(self, address: str, subject: bytes) -> tuple[EventLog, ...]:
        """Events of a contract in whose topics or values some bytes stand, oldest first.

        Bytes are found wherever they stand, across values too: what an event names, its decoded values say.

        Args:
            address: of the contract.
            subject: what is named, 32 bytes.
        """
        rows = self._database.execute(
            f"SELECT {_COLUMNS} FROM logs WHERE address = ? AND "  # noqa: S608 - fixed names
            "(? IN (topic_1, topic_2, topic_3) OR instr(data, ?) > 0) ORDER BY block_number, log_index",
            (bytes.fromhex(address.removeprefix("0x")), subject, subject),
        )
        return tuple(_log(row) for row in rows)

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _row(log: EventLog) -> tuple[object, ...]:
    topics = (*log.topics, *(None,) * (_TOPICS - len(log.topics)))
    place = (log.block_number, log.log_index, log.block_hash, log.transaction_hash)
    return (*place, bytes.fromhex(log.address.removeprefix("0x")), *topics, log.data)


def _log(
    row: tuple[int, int, bytes, bytes, bytes, bytes | None, bytes | None, bytes | None, bytes | None, bytes],
) -> EventLog:
    block_number, log_index, block_hash, transaction_hash, address, *topics, data = row
    return EventLog(
        address=to_checksum_address(address),
        topics=tuple(topic for topic in topics if isinstance(topic, bytes)),
        data=bytes(data or b""),
        block_number=block_number,
        transaction_hash=transaction_hash,
        block_hash=block_hash,
        log_index=log_index,
    )
