// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { InstrumentKind, SlotStatus, SlotTerms } from "../types/Instrument.sol";

/// @title Listed instruments: books, slots, their terms, and the mask
/// @author The zkmargin contributors
/// @notice A slot is a place in an account's commitment; what it stands for is fixed once, when it is listed. Slots are
/// appended and never used twice. Twin: verifier/chain/instrument_client.py.
/// @dev The mask of a book is the commitment to one matrix row that is 1 at both legs of every dead slot (never listed,
/// delisted or retired) and 0 elsewhere: Σ over dead positions j of (Λ_4j + Λ_(4j+1)), with Λ_c = [λ^V_c(τ)]_1. The house
/// appends it to every statement, so that no account can hold a dead slot, whatever a publisher publishes. It starts with
/// all slots dead; listing subtracts, delisting adds.
///
/// Trust: the lister decides what is listed and may retire books whose instruments have all expired; the owner, a contract
/// with a delay, may delist a slot while accounts still hold it. Neither can change the terms of a slot, or bring one back.
interface IInstrumentRegistry {
    /// @notice An underlying got its number.
    /// @param underlying Its number; the first is 1.
    /// @param symbol Its name.
    event UnderlyingAdded(uint16 indexed underlying, bytes32 symbol);

    /// @notice An instrument was listed.
    /// @param slot Its slot: book·N + position.
    /// @param terms What it is.
    /// @param name What it is called.
    event SlotListed(uint256 indexed slot, SlotTerms terms, string name);

    /// @notice A slot died; it never comes back.
    /// @param slot Its number.
    event SlotDelisted(uint256 indexed slot);

    /// @notice A whole book died.
    /// @param book Its number.
    event BookRetired(uint8 indexed book);

    /// @notice Another account lists instruments from now on.
    /// @param lister The account.
    event ListerSet(address indexed lister);

    /// @notice A book needs slots.
    error InstrumentRegistryNoSlots();

    /// @notice Only the lister may do this.
    /// @param caller Who tried.
    error InstrumentRegistryNotLister(address caller);

    /// @notice An underlying needs a name.
    error InstrumentRegistryNoSymbol();

    /// @notice The underlying has a number already: use it.
    /// @param symbol Its name.
    /// @param underlying Its number.
    error InstrumentRegistryUnderlyingKnown(bytes32 symbol, uint16 underlying);

    /// @notice There is no underlying with this number: add it first.
    /// @param underlying The number; 0, the quote currency, is for cash alone.
    /// @param underlyings How many there are; the first is 1.
    error InstrumentRegistryUnderlyingUnknown(uint16 underlying, uint256 underlyings);

    /// @notice Listing needs at least one instrument, and one name for each.
    /// @param terms Number of instruments.
    /// @param names Number of names.
    error InstrumentRegistryNamesWrong(uint256 terms, uint256 names);

    /// @notice An instrument needs a name.
    /// @param index Its place in the list.
    error InstrumentRegistryNoName(uint256 index);

    /// @notice The expiry does not suit the kind: those that expire do so in the future, the others have 0.
    /// @param kind What was to be listed.
    /// @param expiry Its expiry.
    /// @param blockTime Time of the block.
    error InstrumentRegistryExpiryWrong(InstrumentKind kind, uint40 expiry, uint256 blockTime);

    /// @notice The strike does not suit the kind: options have one, the others have 0.
    /// @param kind What was to be listed.
    /// @param strike Its strike.
    error InstrumentRegistryStrikeWrong(InstrumentKind kind, uint96 strike);

    /// @notice A derivative needs a contract size.
    /// @param kind What was to be listed.
    error InstrumentRegistryNoContractSize(InstrumentKind kind);

    /// @notice There is no such book: books are opened in order, by listing in the next one.
    /// @param book The book.
    /// @param available Books that can be meant here are those below this number.
    error InstrumentRegistryNoSuchBook(uint256 book, uint256 available);

    /// @notice The book has not as many free slots as are to be listed.
    /// @param book The book.
    /// @param free Slots that are left.
    /// @param needed Slots that are needed.
    error InstrumentRegistryBookFull(uint8 book, uint256 free, uint256 needed);

    /// @notice The book has been retired.
    /// @param book The book.
    error InstrumentRegistryBookIsRetired(uint8 book);

    /// @notice Book 0 holds what does not expire and stays.
    error InstrumentRegistryBookStays();

    /// @notice A slot of the book still lives: it has no expiry, or the grace after its expiry has not passed.
    /// @param slot The slot.
    /// @param expiry Its expiry; 0 when it has none.
    /// @param blockTime Time of the block.
    error InstrumentRegistrySlotNotExpired(uint256 slot, uint40 expiry, uint256 blockTime);

    /// @notice The slot is not listed: it was not yet, or is no more.
    /// @param slot The slot.
    /// @param status What it is.
    error InstrumentRegistrySlotNotListed(uint256 slot, SlotStatus status);

    /// @notice Gives an underlying its number, for ever.
    /// @dev Only the lister.
    /// @param symbol Its name, as ASCII from the left; not zero, not known yet.
    /// @return underlying The number; the first is 1.
    function addUnderlying(bytes32 symbol) external returns (uint16 underlying);

    /// @notice Lists instruments at the next free positions of a book; the book after the last is opened by this.
    /// @dev Only the lister. Raises the version: what is listed counts from the next epoch on that is signed for it.
    /// @param book The book.
    /// @param terms What the instruments are; at least one.
    /// @param names What they are called, in the same order.
    function list(uint8 book, SlotTerms[] calldata terms, string[] calldata names) external;

    /// @notice Kills a slot: from the next epoch on an account that holds it can prove nothing but the trade that closes all of
    /// it, and an exit refuses derivatives: whoever finds nobody to close with is stuck.
    /// @dev Only the owner. Raises the version.
    /// @param slot_ The slot.
    function delist(uint256 slot_) external;

    /// @notice Kills all slots of a book whose listed instruments have all expired at least 7 days ago. Whoever holds a dead
    /// slot proves nothing but the trade that closes all of it; publishers' rules may ask for that from the expiry on.
    /// @dev Only the lister. Raises the version. Nothing can be listed in the book after this.
    /// @param book The book; not 0.
    function retireBook(uint8 book) external;

    /// @notice Makes another account the lister.
    /// @dev Only the owner.
    /// @param lister_ The account; nobody may list when it is 0.
    function setLister(address lister_) external;

    /// @notice Who lists instruments.
    function lister() external view returns (address);

    /// @notice N: slots of a book.
    function slotsPerBook() external view returns (uint256);

    /// @notice Data contract with the points Λ_4j + Λ_(4j+1) of all positions j, 96 bytes each.
    function maskTable() external view returns (address);

    /// @notice Number of lists, delistings and retirements so far.
    function version() external view returns (uint32);

    /// @notice Number of books that have been opened, retired ones included.
    function books() external view returns (uint256);

    /// @notice Number of slots ever listed in a book: positions below it are used up.
    /// @param book The book; 0 for one that has not been opened.
    function listed(uint8 book) external view returns (uint256);

    /// @notice Whether a book has been retired.
    /// @param book The book.
    function isRetired(uint8 book) external view returns (bool);

    /// @notice What a slot is.
    /// @param slot_ book·N + position.
    /// @return terms What was listed there; all zero when nothing was.
    /// @return status Whether it may hold positions.
    function slot(uint256 slot_) external view returns (SlotTerms memory terms, SlotStatus status);

    /// @notice Number of underlyings; they are numbered from 1.
    function underlyings() external view returns (uint256);

    /// @notice Name of an underlying; reverts by name when there is none with this number.
    /// @param number Its number, from 1.
    function underlying(uint16 number) external view returns (bytes32 symbol);

    /// @notice Mask of a book; of one that has not been opened, that of a book whose slots are all dead.
    /// @param book The book.
    /// @return point 96 bytes x ‖ y.
    function mask(uint8 book) external view returns (bytes memory point);

    /// @notice Masks of the first books, and the version that they belong to.
    /// @param count Number of books, from book 0 on.
    /// @return version_ The version.
    /// @return points 96 bytes for each book, ascending.
    function masks(uint8 count) external view returns (uint32 version_, bytes memory points);
}
