"""The disk cache: checked when read, atomic when written, never in the way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from verifier.disk_cache import CACHE_VARIABLE, cache_folder, cached_bytes

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    chosen = tmp_path / "cache"
    monkeypatch.setenv(CACHE_VARIABLE, str(chosen))
    return chosen


def counted(content: bytes, calls: list[int]) -> Callable[[], bytes]:
    def compute() -> bytes:
        calls.append(1)
        return content

    return compute


def test_an_entry_is_computed_once(folder: Path) -> None:
    calls: list[int] = []
    assert [cached_bytes("entry", counted(b"content", calls)) for _ in range(3)] == [b"content"] * 3
    assert len(calls) == 1
    assert [path.name for path in folder.iterdir()] == ["entry.bin"]


@pytest.mark.parametrize("damage", [b"", b"short", None])
def test_a_damaged_entry_is_computed_again(folder: Path, damage: bytes | None) -> None:
    calls: list[int] = []
    cached_bytes("entry", counted(b"content", calls))
    path = folder / "entry.bin"
    stored = path.read_bytes()
    path.write_bytes(stored[:3] + b"X" + stored[4:] if damage is None else damage)
    assert cached_bytes("entry", counted(b"content", calls)) == b"content"
    assert len(calls) == 2
    assert path.read_bytes() == stored


def test_a_write_that_is_cut_short_leaves_no_entry(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path, target: Path) -> Path:
        raise OSError(f"no space left for {target}")

    monkeypatch.setattr(Path, "replace", refuse)
    calls: list[int] = []
    assert cached_bytes("entry", counted(b"content", calls)) == b"content"
    assert not (folder / "entry.bin").exists()


def test_a_folder_that_cannot_be_written_costs_time_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    occupied = tmp_path / "file"
    occupied.write_bytes(b"")
    monkeypatch.setenv(CACHE_VARIABLE, str(occupied))
    calls: list[int] = []
    assert [cached_bytes("entry", counted(b"content", calls)) for _ in range(2)] == [b"content"] * 2
    assert len(calls) == 2


def test_the_users_cache_folder_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    assert cache_folder().name == "zkmargin"
