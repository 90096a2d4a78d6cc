"""A list of slots as the registry of instruments keeps it: terms in whole numbers, listing of what is missing there.

Instruments are what they are in an account kept in the quote currency: perpetuals and futures count in units of the
underlying and pay in quote currency, however an exchange settles the contracts of the same name
(:mod:`prover.market.inverse_contracts`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prover.errors import ListingError
from prover.market.instruments import Cash, Future, Instrument, Option, Perpetual
from prover.rules.slots import CASH_SLOT
from verifier.chain.instrument_client import TERMS_SCALE, InstrumentKind, SlotTerms

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from eth_account.signers.local import LocalAccount

    from prover.rules.slots import Slot, SlotTable
    from verifier.chain.chain_client import Receipt
    from verifier.chain.instrument_client import InstrumentClient

QUOTE_CURRENCY: Final = 0
"""Number that stands for the quote currency among the underlyings."""


def slot_terms(slot: Slot, underlyings: Mapping[str, int]) -> SlotTerms:
    """What the registry is told of a slot.

    Args:
        slot: of a list.
        underlyings: number of every coin and token that the registry knows.

    Raises:
        ListingError: an underlying without a number, or a strike or lot size finer than 1e-8.
    """
    instrument = slot.instrument
    return SlotTerms(
        underlying=_underlying(slot, underlyings),
        kind=_kind(slot),
        expiry=instrument.expiry_time if isinstance(instrument, Future | Option) else 0,
        strike=_whole(instrument, "strike", instrument.strike) if isinstance(instrument, Option) else 0,
        contract_size=_whole(instrument, "lot size", slot.lot_size),
    )


def underlyings_of(table: SlotTable) -> tuple[str, ...]:
    """Coins and tokens that a list of slots names, each once, in the order of the slots."""
    return tuple(dict.fromkeys(slot.instrument.coin for slot in table.listed if not _is_quote(slot)))


def first_book_terms(table: SlotTable) -> dict[int, SlotTerms]:
    """What the registry has, or will have, in book 0 under a list of slots, by position; underlyings have no numbers.

    Raises:
        ListingError: a strike or lot size finer than 1e-8.
    """
    numbers = dict.fromkeys(underlyings_of(table), QUOTE_CURRENCY + 1)
    return {slot.position: slot_terms(slot, numbers) for slot in table.listed if slot.book == 0}


def missing_slots(instruments: InstrumentClient, lister: str, table: SlotTable) -> dict[int, list[Slot]]:
    """What the registry does not have yet of a list of slots, by book; what it has must be the same.

    Args:
        instruments: the registry.
        lister: address of whoever is to list the rest.
        table: the list.

    Raises:
        ListingError: the registry has something else in a slot, slots of the list cannot be listed there, or somebody
            else lists.
    """
    missing = {book: slots for book in range(table.books) if (slots := _missing(instruments, table, book))}
    # Sizes and strikes that the registry cannot hold are found before anything is sent.
    numbers = dict.fromkeys(underlyings_of(table), QUOTE_CURRENCY + 1)
    for slot in (slot for slots in missing.values() for slot in slots):
        slot_terms(slot, numbers)
    if missing and instruments.lister() != lister:
        count = sum(map(len, missing.values()))
        raise ListingError(f"{count} instruments are not listed on chain yet: let {instruments.lister()} publish first")
    return missing


def list_missing(instruments: InstrumentClient, lister: LocalAccount, table: SlotTable) -> tuple[Receipt, ...]:
    """List what the registry does not have yet of a list of slots.

    Args:
        instruments: the registry.
        lister: signs; needed only when something is missing.
        table: the list.

    Returns:
        Receipts of all transactions; none when nothing was missing.

    Raises:
        ListingError: as :func:`missing_slots`.
        ContractRevertedError: the registry refused, by a named error.
    """
    missing = missing_slots(instruments, lister.address, table)
    if not missing:
        return ()
    known = instruments.underlyings()
    symbols = [symbol for symbol in underlyings_of(table) if symbol not in known]
    receipts = [instruments.add_underlying(lister, symbol) for symbol in symbols]
    known = instruments.underlyings()
    for book, slots in missing.items():
        terms = [slot_terms(slot, known) for slot in slots]
        receipts.append(instruments.list(lister, book, terms, [slot.instrument.name for slot in slots]))
    return tuple(receipts)


def _missing(instruments: InstrumentClient, table: SlotTable, book: int) -> list[Slot]:
    """Slots of a book that are not listed yet, by position; the others are compared."""
    own = sorted((slot for slot in table.listed if slot.book == book), key=lambda slot: slot.position)
    listed, known = instruments.listed(book), instruments.underlyings()
    for slot in own:
        if slot.position < listed:
            found = instruments.slot(table.flat_index(slot)).terms
            if found != slot_terms(slot, known):
                raise ListingError(
                    f"slot {slot.position} of book {book} is {found} on chain, not {slot.instrument.name} in lots of "
                    f"{slot.lot_size:f}: use the list of slots that belongs to this deployment (--slots)"
                )
    missing = [slot for slot in own if slot.position >= listed]
    for expected, slot in enumerate(missing, start=listed):
        if slot.position != expected:
            raise ListingError(
                f"{slot.instrument.name} has slot {slot.position} of book {book}, but slot {expected} comes next on "
                "chain: list instruments without gaps"
            )
    return missing


def _kind(slot: Slot) -> InstrumentKind:
    instrument = slot.instrument
    if isinstance(instrument, Option):
        return InstrumentKind.CALL if instrument.is_call else InstrumentKind.PUT
    if isinstance(instrument, Future):
        return InstrumentKind.FUTURE
    if isinstance(instrument, Perpetual):
        return InstrumentKind.PERPETUAL
    if isinstance(instrument, Cash):
        return InstrumentKind.CASH if _is_quote(slot) else InstrumentKind.TOKEN
    return InstrumentKind.SPOT


def _is_quote(slot: Slot) -> bool:
    return (slot.book, slot.position) == (0, CASH_SLOT)


def _underlying(slot: Slot, underlyings: Mapping[str, int]) -> int:
    if _is_quote(slot):
        return QUOTE_CURRENCY
    coin = slot.instrument.coin
    if coin not in underlyings:
        raise ListingError(f"{slot.instrument.name} follows {coin}, which the registry does not know: add it first")
    return underlyings[coin]


def _whole(instrument: Instrument, what: str, amount: Decimal) -> int:
    scaled = amount * TERMS_SCALE
    if scaled != int(scaled):
        raise ListingError(f"{what} {amount:f} of {instrument.name} is finer than 1e-8: use a multiple of that")
    return int(scaled)
