"""Rows of exchange files, one an instrument, and the snapshot that they make together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prover.errors import MarketDataError
from prover.market.completion import complete_market
from prover.market.instruments import Future, Option, Perpetual
from prover.market.market_data import SCHEMA, MarketDraft, MarketSnapshot, make_record
from prover.market.quotes import FutureQuote, OptionDraft, PerpetualQuote, UnderlyingPrice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prover.market.quotes import Record

QUOTE_CURRENCY: Final = "USD"


@dataclass(frozen=True, slots=True)
class ExchangeRow:
    """One instrument; prices in quote currency, open interest in units of the underlying.

    Attributes:
        place: where the row stands, for errors.
        instrument: what it is about.
        forward: of an option's expiry; the mark of a future or perpetual.
        mark: fair price; ``None`` where the file has none.
        bid: best bid, if any.
        ask: best offer, if any.
        volatility: of an option's mark, as a fraction; ``None`` where the file has none.
        open_interest: units of the underlying.
        index: spot price; ``None`` where the file has none.
        moment: earliest and latest Unix time at which it can have been taken.
    """

    place: str
    instrument: Perpetual | Future | Option
    forward: float
    mark: float | None
    bid: float | None
    ask: float | None
    volatility: float | None
    open_interest: float
    index: float | None
    moment: tuple[float, float]


def assemble_snapshot(source: str, rows: Sequence[ExchangeRow]) -> MarketSnapshot:
    """One snapshot of all rows, whatever their underlyings.

    Where no row gives an index, the forward of the nearest expiry stands in; where no perpetual is listed, one is
    marked at the index, without quotes of its own.

    Raises:
        MarketDataError: nothing listed, rows of different moments, or data that a snapshot refuses.
    """
    if not rows:
        raise MarketDataError(f"{source}: it lists no option, future or perpetual; give a file with at least one")
    snapshot_time = _common_moment(source, rows)
    for row in rows:
        if not isinstance(row.instrument, Perpetual) and row.instrument.expiry_time <= snapshot_time:
            raise MarketDataError(f"{row.place}: {row.instrument.name} had expired when the file was taken; remove it")
    coins = sorted({row.instrument.coin for row in rows})
    indices = {coin: _index_price([row for row in rows if row.instrument.coin == coin]) for coin in coins}
    options = [(row, row.instrument) for row in rows if isinstance(row.instrument, Option)]
    fields: dict[str, object] = {
        "schema": SCHEMA,
        "quote_currency": QUOTE_CURRENCY,
        "snapshot_time": snapshot_time,
        "underlyings": {
            coin: make_record(UnderlyingPrice, source, {"index_price": price}) for coin, price in indices.items()
        },
        "perpetuals": _perpetuals(source, rows, indices),
        "futures": tuple(_linear(FutureQuote, row) for row in rows if isinstance(row.instrument, Future)),
        "options": tuple(_option(row) for row, _ in options),
    }
    draft = make_record(MarketDraft, source, fields)
    return complete_market(draft, [row.place for row, _ in options], source)


def _common_moment(source: str, rows: Sequence[ExchangeRow]) -> int:
    latest_start = max(rows, key=lambda row: row.moment[0])
    earliest_end = min(rows, key=lambda row: row.moment[1])
    start, end = latest_start.moment[0], earliest_end.moment[1]
    if start > end:
        raise MarketDataError(
            f"{source}: the times of {latest_start.instrument.name} and {earliest_end.instrument.name} are "
            f"{start - end:.0f} s apart; give files taken at one moment"
        )
    return int((start + end) / 2)


def _index_price(rows: Sequence[ExchangeRow]) -> float:
    """Of one coin: a perpetual's index, else that of the nearest expiry, else the nearest forward."""
    nearest = min(rows, key=_expiry_time)
    return nearest.forward if nearest.index is None else nearest.index


def _expiry_time(row: ExchangeRow) -> int:
    return 0 if isinstance(row.instrument, Perpetual) else row.instrument.expiry_time


def _perpetuals(source: str, rows: Sequence[ExchangeRow], indices: dict[str, float]) -> tuple[Record, ...]:
    listed = [row for row in rows if isinstance(row.instrument, Perpetual)]
    missing = sorted(set(indices) - {row.instrument.coin for row in listed})
    stand_ins = (
        ExchangeRow(
            place=source,
            instrument=Perpetual(coin),
            forward=indices[coin],
            mark=indices[coin],
            bid=None,
            ask=None,
            volatility=None,
            open_interest=0.0,
            index=indices[coin],
            moment=rows[0].moment,
        )
        for coin in missing
    )
    return tuple(_linear(PerpetualQuote, row) for row in (*listed, *stand_ins))


def _linear(record: type[PerpetualQuote | FutureQuote], row: ExchangeRow) -> Record:
    return make_record(record, row.place, _sides(row))


def _option(row: ExchangeRow) -> OptionDraft:
    fields = {**_sides(row), "forward": row.forward, "mark_volatility": row.volatility}
    return make_record(OptionDraft, row.place, fields)


def _sides(row: ExchangeRow) -> dict[str, object]:
    return {
        "instrument": row.instrument.name,
        "mark_price": row.mark,
        "bid_price": row.bid,
        "ask_price": row.ask,
        "open_interest": row.open_interest,
    }
