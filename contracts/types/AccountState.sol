// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What the clearing house keeps of an account beside the hashes of its commitments: exactly one storage slot,
/// which is non-zero from the first deposit on.
/// @param stateVersion Number of changes of the account's commitments; 0 before the first deposit.
/// @param deposited Ticks deposited so far, less those withdrawn; negative once an account has withdrawn what it gained.
/// @param initialEpoch Last epoch at which the account proved initial margin; 0 for never.
/// @param maintenanceEpoch Last epoch at which the account proved maintenance margin; 0 for never.
/// @param books Number of books that the account has touched; later books hold the commitment to nothing.
/// @param hidden Whether it ever traded; until then it is transparent: it holds `deposited` and nothing else.
struct AccountState {
    uint64 stateVersion;
    int64 deposited;
    uint32 initialEpoch;
    uint32 maintenanceEpoch;
    uint32 books;
    bool hidden;
}
