"""What files leave out of options: volatilities solved from marks, marks from volatilities, both from the surface.

In this order, for each option without a volatility:

1. the volatility that explains its mark;
2. that of the other right of its strike (put-call parity makes them equal), where a deep option's rounded mark has no
   time value left;
3. the volatility of its expiry's surface at its strike (:mod:`prover.market.volatility_surface`).

An option without a mark is priced by Black-76 at its volatility. Volatilities found here are rounded to 10⁻⁸ when
solved, to 10⁻⁴ when interpolated, so that the last bits of a platform's arithmetic don't reach a digest.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.errors import MarketDataError
from prover.market.market_data import MarketDraft, MarketSnapshot, make_record
from prover.market.pricing import OptionTerms, black76
from prover.market.quotes import HIGHEST_VOLATILITY, LOWEST_VOLATILITY, OptionQuote

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from prover.market.instruments import Option
    from prover.market.quotes import OptionDraft
    from prover.market.volatility_surface import Smile

SOLVED_DECIMALS: Final = 8
INTERPOLATED_DECIMALS: Final = 4

_Expiry = tuple[str, int]
_Strike = tuple[str, int, float]


def complete_market(draft: MarketDraft, places: Sequence[str], source: str) -> MarketSnapshot:
    """Fill in what options lack.

    Args:
        draft: the market as read.
        places: where each option stands, for errors.
        source: where the market stands, for errors.

    Raises:
        MarketDataError: an option whose volatility nothing tells, or marks that contradict the volatilities.
    """
    volatilities = _volatilities(draft, places)
    marks = _marks(draft, volatilities)
    options = tuple(
        option
        if isinstance(option, OptionQuote)
        else make_record(OptionQuote, place, {**_fields(option), "mark_volatility": volatility, "mark_price": mark})
        for option, place, volatility, mark in zip(draft.options, places, volatilities, marks, strict=True)
    )
    return make_record(MarketSnapshot, source, {**_fields(draft), "options": options})


def quote_options(snapshot: MarketSnapshot, options: Iterable[Option]) -> MarketSnapshot:
    """Add options that nobody quotes, marked at the volatility of their expiry's surface, without bid and ask.

    This is a choice of whoever publishes: a list of slots outlives its market, and by default a slot whose option is
    not quoted any more is masked. Quoted here, positions in it keep counting. Options that have expired, or of an
    expiry that the snapshot does not quote at all, stay out.
    """
    known = {quote.option for quote in snapshot.options}
    wanted = [option for option in dict.fromkeys(options) if option not in known]
    smiles = _Smiles(snapshot, [quote.mark_volatility for quote in snapshot.options])
    forwards = {_expiry(quote.option): quote.forward for quote in snapshot.options}
    added = []
    for option in wanted:
        if _expiry(option) in forwards and option.expiry_time > snapshot.snapshot_time:
            forward, volatility = forwards[_expiry(option)], smiles.volatility(option)
            mark = _model_price(option, forward, volatility, snapshot.snapshot_time)
            added.append(_unquoted(option, forward, volatility, mark))
    fields = {**_fields(snapshot), "options": (*snapshot.options, *added)}
    return make_record(MarketSnapshot, "market with unquoted options", fields)


def _unquoted(option: Option, forward: float, volatility: float, mark: float) -> OptionQuote:
    return OptionQuote(
        instrument=option.name,
        bid_price=None,
        ask_price=None,
        open_interest=0.0,
        forward=forward,
        mark_price=mark,
        mark_volatility=volatility,
    )


class _Smiles:
    """Surfaces of the expiries, each fitted when it is first asked for."""

    def __init__(self, draft: MarketDraft, volatilities: Sequence[float | None]) -> None:
        self._snapshot_time = draft.snapshot_time
        self._points: defaultdict[_Expiry, list[tuple[OptionDraft, float]]] = defaultdict(list)
        for quote, volatility in zip(draft.options, volatilities, strict=True):
            if volatility is not None:
                self._points[_expiry(quote.option)].append((quote, volatility))
        self._fitted: dict[_Expiry, Smile] = {}

    def knows(self, option: Option) -> bool:
        """Whether any volatility of the option's expiry is known."""
        return bool(self._points[_expiry(option)])

    def volatility(self, option: Option) -> float:
        """The surface's volatility at the option's strike."""
        from prover.market.volatility_surface import smile_of_options  # noqa: PLC0415 - half a second, which few files need

        key = _expiry(option)
        if key not in self._fitted:
            quotes, volatilities = zip(*self._points[key], strict=True)
            years = option.years_to_expiry(self._snapshot_time)
            self._fitted[key] = smile_of_options(quotes, volatilities, years)
        volatility = float(self._fitted[key].volatility(float(option.strike)))
        return round(min(max(volatility, LOWEST_VOLATILITY), HIGHEST_VOLATILITY), INTERPOLATED_DECIMALS)


def _volatilities(draft: MarketDraft, places: Sequence[str]) -> list[float]:
    own = [quote.mark_volatility for quote in draft.options]
    if None not in own:
        return [volatility for volatility in own if volatility is not None]
    own = _with_solved(draft, own)
    by_strike = {
        _strike(quote.option): volatility
        for quote, volatility in zip(draft.options, own, strict=True)
        if volatility is not None
    }
    own = [
        by_strike.get(_strike(quote.option)) if volatility is None else volatility
        for quote, volatility in zip(draft.options, own, strict=True)
    ]
    smiles = _Smiles(draft, own)
    for quote, place, volatility in zip(draft.options, places, own, strict=True):
        if volatility is None and not smiles.knows(quote.option):
            raise MarketDataError(
                f"{place}: no volatility explains mark_price = {quote.mark_price} of {quote.instrument} at forward = "
                f"{quote.forward}, and none of its expiry is known; correct the mark or remove the option"
            )
    return [
        smiles.volatility(quote.option) if volatility is None else volatility
        for quote, volatility in zip(draft.options, own, strict=True)
    ]


def _with_solved(draft: MarketDraft, own: Sequence[float | None]) -> list[float | None]:
    """Volatilities that explain marks, where they exist and are neither zero nor absurd."""
    from prover.market.implied_volatility import implied_volatility  # noqa: PLC0415 - the same half second

    solved = list(own)
    open_places = [
        place
        for place, quote in enumerate(draft.options)
        if quote.mark_volatility is None and quote.mark_price is not None
    ]
    if open_places:
        quotes = [draft.options[place] for place in open_places]
        found = implied_volatility(
            _terms(draft, quotes), [quote.forward for quote in quotes], [quote.mark_price or 0.0 for quote in quotes]
        )
        for place, volatility in zip(open_places, found, strict=True):
            if math.isfinite(volatility) and LOWEST_VOLATILITY <= volatility <= HIGHEST_VOLATILITY:
                solved[place] = round(float(volatility), SOLVED_DECIMALS)
    return solved


def _marks(draft: MarketDraft, volatilities: Sequence[float]) -> list[float]:
    return [
        _model_price(quote.option, quote.forward, volatility, draft.snapshot_time)
        if quote.mark_price is None
        else quote.mark_price
        for quote, volatility in zip(draft.options, volatilities, strict=True)
    ]


def _model_price(option: Option, forward: float, volatility: float, snapshot_time: int) -> float:
    terms = OptionTerms(float(option.strike), option.years_to_expiry(snapshot_time), option.is_call)
    return round(float(black76(terms, forward, volatility)), SOLVED_DECIMALS)


def _terms(draft: MarketDraft, quotes: Sequence[OptionDraft]) -> OptionTerms:
    options = [quote.option for quote in quotes]
    return OptionTerms(
        strike=np.array([float(option.strike) for option in options]),
        years=np.array([option.years_to_expiry(draft.snapshot_time) for option in options]),
        is_call=np.array([option.is_call for option in options]),
    )


def _expiry(option: Option) -> _Expiry:
    return option.underlying, option.expiry_time


def _strike(option: Option) -> _Strike:
    return option.underlying, option.expiry_time, float(option.strike)


def _fields(record: MarketDraft | OptionDraft) -> dict[str, object]:
    """The fields of a record by the names that files use, their values as they are."""
    fields = type(record).model_fields
    return {field.alias or name: getattr(record, name) for name, field in fields.items()}
