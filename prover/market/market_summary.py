"""What a snapshot holds, expiry by expiry, for people who are about to publish it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prover.market.volatility_surface import smile_of_options

if TYPE_CHECKING:
    from prover.market.market_data import MarketSnapshot
    from prover.market.quotes import OptionQuote


@dataclass(frozen=True, slots=True)
class ExpirySummary:
    """Options of one underlying that expire together.

    Attributes:
        name: as in ``BTC-27DEC24``.
        years: time to expiry.
        options: how many are listed.
        quoted: how many have both a bid and an offer.
        forward: quote currency.
        volatility: at the money, from the surface of the expiry.
        open_interest: units of the underlying.
    """

    name: str
    years: float
    options: int
    quoted: int
    forward: float
    volatility: float
    open_interest: float


def summarise_expiries(snapshot: MarketSnapshot) -> tuple[ExpirySummary, ...]:
    """One entry an expiry, by underlying and time."""
    groups: defaultdict[tuple[str, int], list[OptionQuote]] = defaultdict(list)
    for quote in snapshot.options:
        groups[quote.option.underlying, quote.option.expiry_time].append(quote)
    return tuple(_summarise(groups[key], snapshot.snapshot_time) for key in sorted(groups))


def _summarise(quotes: list[OptionQuote], snapshot_time: int) -> ExpirySummary:
    option = quotes[0].option
    forward, years = quotes[0].forward, option.years_to_expiry(snapshot_time)
    smile = smile_of_options(quotes, [quote.mark_volatility for quote in quotes], years)
    return ExpirySummary(
        name=f"{option.underlying}-{option.expiry_code}",
        years=years,
        options=len(quotes),
        quoted=sum(quote.bid_price is not None and quote.ask_price is not None for quote in quotes),
        forward=forward,
        volatility=float(smile.volatility(forward)),
        open_interest=sum(quote.open_interest for quote in quotes),
    )
