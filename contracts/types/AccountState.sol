// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What is known about what an account holds.
/// @dev TRANSPARENT: exactly its `holdings`, which everybody sees; so it is until it first trades, and after an exit.
/// ACTIVE: what its commitments hide.
enum AccountStatus {
    TRANSPARENT,
    ACTIVE
}

/// @notice What the clearing house keeps of an account beside the hashes of its commitments: exactly one storage slot,
/// which is non-zero from the first deposit on.
/// @param stateVersion Number of changes of the account's commitments, and of its exits; 0 before the first deposit.
/// @param initialEpoch Last epoch at which the account proved initial margin; 0 for never.
/// @param maintenanceEpoch Last epoch at which the account proved maintenance margin; 0 for never.
/// @param books Books that a proof must cover, bit b for book b: all that the account has touched since it was opened,
/// or since its last exit.
/// @param status What is known about its holdings.
struct AccountState {
    uint64 stateVersion;
    uint32 initialEpoch;
    uint32 maintenanceEpoch;
    uint32 books;
    AccountStatus status;
}
