"""Market snapshots from files, told apart by what is in them.

- a snapshot in this project's JSON (:mod:`prover.market.market_data`), volatilities or marks possibly missing;
- Deribit's book summaries in JSON (:mod:`prover.market.deribit_json`);
- option chains in CSV (:mod:`prover.market.market_csv`).

Several files of the last two kinds make one snapshot when they were taken at one moment: options and futures of one
coin, or several coins. They may be named one by one, or stand alone in a folder.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from prover.errors import MarketDataError
from prover.market.completion import complete_market
from prover.market.deribit_json import read_book_summary
from prover.market.exchange_rows import assemble_snapshot
from prover.market.market_csv import read_option_chain
from prover.market.market_data import MarketDraft, MarketSnapshot, describe_finding

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from prover.market.exchange_rows import ExchangeRow

_JSON_STARTS: Final = (b"{", b"[")


def load_market(path: Path) -> MarketSnapshot:
    """Read a snapshot from one file of any of the forms, or from all files of a folder together.

    Raises:
        MarketDataError: unreadable, or data that a snapshot refuses; names field, value and remedy.
    """
    try:
        paths = sorted(path.iterdir()) if path.is_dir() else [path]
    except OSError as error:
        raise MarketDataError(f"market folder {path}: {error.strerror}; give a readable folder") from error
    if not paths:
        raise MarketDataError(f"market folder {path}: it is empty; put book summaries or option chains into it")
    return load_markets(paths)


def load_markets(paths: Sequence[Path]) -> MarketSnapshot:
    """Read one snapshot from one or several files.

    Raises:
        MarketDataError: no file, a snapshot among several, files of different moments, or as :func:`load_market`.
    """
    rows: list[ExchangeRow] = []
    for path in paths:
        content = _read(path)
        if not content.lstrip().startswith(_JSON_STARTS):
            rows += read_option_chain(content, str(path))
            continue
        value = _decode(content, path)
        entries = value.get("result") if isinstance(value, dict) else value
        if isinstance(entries, list):
            rows += read_book_summary(entries, str(path))
        elif len(paths) == 1:
            return _read_snapshot(content, str(path))
        else:
            raise MarketDataError(f"{path}: a snapshot is the whole market by itself; give it alone")
    return assemble_snapshot(", ".join(map(str, paths)), rows)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MarketDataError(f"market file {path}: {error.strerror}; give a readable snapshot file") from error


def _decode(content: bytes, path: Path) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise MarketDataError(f"{path}: it is not JSON ({error}); give a snapshot or a book summary") from error


def _read_snapshot(content: bytes, source: str) -> MarketSnapshot:
    try:
        draft = MarketDraft.model_validate_json(content)
    except ValidationError as error:
        raise MarketDataError(f"{source}: {describe_finding(error)}") from error
    places = [f"{source}: options.{number}" for number in range(len(draft.options))]
    return complete_market(draft, places, source)
