// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { VaultState, WithdrawalLimit } from "../types/Vault.sol";

/// @title A leaky bucket with a queue above it
/// @author The zkmargin contributors
/// @notice Room grows by the second. It goes to the backlog first; what is left stays in the bucket, up to its capacity.
/// Bringing a state up to date in one step or in several gives the same state, so that nobody has to call in between.
library LeakyBucket {
    /// @notice The state at a later time.
    /// @param vault State at `vault.updatedAt`; not changed.
    /// @param limit Capacity and refill.
    /// @param time Unix time in seconds, not before that of the state.
    /// @return later State at `time`.
    function advancedTo(VaultState memory vault, WithdrawalLimit memory limit, uint256 time)
        internal
        pure
        returns (VaultState memory later)
    {
        uint256 available = vault.room + (time - vault.updatedAt) * limit.refillPerSecond;
        uint256 released = available < vault.backlog ? available : vault.backlog;
        uint256 room = available - released;
        // None of the casts cuts: each value is at most one of 64 bits, or a time.
        later.netDeposits = vault.netDeposits;
        later.room = uint64(room < limit.capacity ? room : limit.capacity);
        later.backlog = uint64(vault.backlog - released);
        later.updatedAt = uint64(time);
    }
}
