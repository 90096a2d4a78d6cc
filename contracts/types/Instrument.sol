// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a holding of a slot is.
/// @dev CASH: the quote currency, or another currency's balance; TOKEN: a collateral token; SPOT: a coin held outright; the
/// inverse kinds are settled in the coin. FUTURE, INVERSE_FUTURE, CALL and PUT expire, the others do not.
enum InstrumentKind {
    CASH,
    TOKEN,
    SPOT,
    PERPETUAL,
    INVERSE_PERPETUAL,
    FUTURE,
    INVERSE_FUTURE,
    CALL,
    PUT
}

/// @notice Whether a slot may hold positions: only while it is LISTED. A retired book's slots are DELISTED.
enum SlotStatus {
    UNLISTED,
    LISTED,
    DELISTED
}

/// @notice What is listed in a slot; with the slot's status it fills one storage slot.
/// @param underlying Number of the underlying, from 1; 0 is the quote currency and stands for CASH alone.
/// @param kind What a holding is.
/// @param expiry Unix time in seconds; 0 when the instrument does not expire.
/// @param strike In 1e-8 of the quote currency; 0 when the instrument is no option.
/// @param contractSize In 1e-8 units of the underlying a lot; 0 only where there is none to speak of (cash, tokens, coins).
struct SlotTerms {
    uint16 underlying;
    InstrumentKind kind;
    uint40 expiry;
    uint96 strike;
    uint80 contractSize;
}
