// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import { Bucket } from "../types/Vault.sol";

/// @title A leaky bucket with a queue above it
/// @author The zkmargin contributors
/// @notice Room grows by the second. It goes to the backlog first; what is left stays in the bucket, up to its capacity.
/// Bringing a state up to date in one step or in several gives the same state, so that nobody has to call in between.
library LeakyBucket {
    /// @notice The state at a later time.
    /// @param bucket State at `bucket.updatedAt`; not changed.
    /// @param time Unix time in seconds, not before that of the state.
    /// @return later State at `time`.
    function advancedTo(Bucket memory bucket, uint256 time) internal pure returns (Bucket memory later) {
        uint256 available = bucket.room + (time - bucket.updatedAt) * bucket.refillPerSecond;
        uint256 released = available < bucket.backlog ? available : bucket.backlog;
        uint256 room = available - released;
        // None of the casts cuts: each value is at most one of as many bits, or a time before 2106.
        later.held = bucket.held;
        later.room = uint48(room < bucket.capacity ? room : bucket.capacity);
        later.backlog = uint48(bucket.backlog - released);
        later.capacity = bucket.capacity;
        later.refillPerSecond = bucket.refillPerSecond;
        later.updatedAt = uint32(time);
    }

    /// @notice Takes ticks out of the bucket, or puts them into the queue when there is no room; nobody overtakes, since
    /// there is none while anything waits.
    /// @param bucket State at the time of the payment; changed.
    /// @param ticks How much is to leave.
    /// @return paid True when there was room.
    function drain(Bucket memory bucket, uint64 ticks) internal pure returns (bool paid) {
        paid = ticks <= bucket.room;
        if (paid) {
            // Not above 48 bits.
            bucket.room -= uint48(ticks);
        } else {
            uint256 backlog = bucket.backlog + uint256(ticks) - bucket.room;
            bucket.backlog = SafeCast.toUint48(backlog);
            bucket.room = 0;
        }
    }
}
