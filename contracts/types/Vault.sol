// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccountId } from "./AccountId.sol";

/// @notice How much may leave the clearing house: a leaky bucket, fixed at deployment.
/// @param capacity Ticks that may leave at once; positive.
/// @param refillPerSecond Ticks that may leave in every second beyond that; positive.
struct WithdrawalLimit {
    uint64 capacity;
    uint64 refillPerSecond;
}

/// @notice What the house owes and what may leave now: exactly one storage slot.
/// @param netDeposits Ticks deposited less ticks withdrawn, of all accounts.
/// @param room Ticks that may leave at once; 0 while anything waits.
/// @param backlog Ticks of claims for which there has been no room yet.
/// @param updatedAt Unix time in seconds to which room and backlog belong.
struct VaultState {
    uint64 netDeposits;
    uint64 room;
    uint64 backlog;
    uint64 updatedAt;
}

/// @notice A withdrawal that waits for room; public, and no longer part of any account.
/// @param recipient Who is paid.
/// @param ticks How much; 0 once it is paid.
/// @param end Ticks queued from the beginning up to and including this claim: it is paid once as many have been released.
struct WithdrawalClaim {
    address recipient;
    uint64 ticks;
    uint256 end;
}

/// @notice A withdrawal with a margin proof, as the proof is bound to it.
/// @param account Account that pays.
/// @param stateVersion State version that the proof was made for.
/// @param epoch Epoch at which the account proves initial margin after the withdrawal.
/// @param ticks How much leaves the account.
/// @param recipient Who gets it.
struct Withdrawal {
    AccountId account;
    uint64 stateVersion;
    uint32 epoch;
    uint64 ticks;
    address recipient;
}
