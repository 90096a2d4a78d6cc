// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import { AccountId } from "./AccountId.sol";

/// @notice What the vault takes of one token and what it lets go. All amounts in ticks.
/// @param token The token; must move exactly what it is asked to.
/// @param unitsPerTick Units of the token that one tick is; positive.
/// @param slot Its slot in book 0; of one token only.
/// @param cap Net deposits of all accounts together that deposits may lead to; at most the vault's limit.
/// @param capacity Ticks that may leave at once; positive, below 2^48.
/// @param refillPerSecond Ticks that may leave in every second beyond that; positive, below 2^32.
struct TokenTerms {
    IERC20 token;
    uint64 unitsPerTick;
    uint16 slot;
    uint64 cap;
    uint64 capacity;
    uint64 refillPerSecond;
}

/// @notice How much of a token may leave the vault: a leaky bucket.
/// @param capacity Ticks that may leave at once; positive, below 2^48.
/// @param refillPerSecond Ticks that may leave in every second beyond that; positive, below 2^32.
struct WithdrawalLimit {
    uint64 capacity;
    uint64 refillPerSecond;
}

/// @notice All that a payment needs to know of a token beside where it is: exactly one storage slot, hence the few bits.
/// @param held Ticks that accounts hold together: net deposits without inboxes and liens.
/// @param room Ticks that may leave at once; 0 while anything waits.
/// @param backlog Ticks of claims for which there has been no room yet.
/// @param capacity Ticks that may leave at once when nothing has left for long.
/// @param refillPerSecond Ticks that may leave in every second beyond that.
/// @param updatedAt Unix time in seconds, before the year 2106, to which room and backlog belong.
struct Bucket {
    uint48 held;
    uint48 room;
    uint48 backlog;
    uint48 capacity;
    uint32 refillPerSecond;
    uint32 updatedAt;
}

/// @notice What the vault owes of a token and what may leave now.
/// @param netDeposits Ticks deposited less ticks withdrawn, of all accounts, inboxes and liens.
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
/// @param token Number of the token in the vault.
/// @param ticks How much leaves the account.
/// @param recipient Who gets it.
struct Withdrawal {
    AccountId account;
    uint64 stateVersion;
    uint32 epoch;
    uint8 token;
    uint64 ticks;
    address recipient;
}

/// @notice A lien with a margin proof, as the proof is bound to it.
/// @param account Account that grants it; every proof from then on runs on what is left.
/// @param stateVersion State version that the proof was made for.
/// @param epoch Epoch at which the account proves initial margin without what the lien takes.
/// @param token Number of the token in the vault.
/// @param ticks How much the lender may claim.
/// @param lender Who may claim it, and who alone may release it.
struct Lien {
    AccountId account;
    uint64 stateVersion;
    uint32 epoch;
    uint8 token;
    uint64 ticks;
    address lender;
}
