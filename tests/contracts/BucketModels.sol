// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { VaultState } from "../../contracts/types/Vault.sol";
import { TradingFixture } from "./TradingFixture.sol";
import { vm } from "./Vm.sol";

/// @title What leaves the vault, second by second, beside what the vault says
/// @dev Tokens have the same limit. Recipients are known by their index.
abstract contract BucketModels is TradingFixture {
    uint256 internal constant TOKENS = 2;
    uint256 internal constant RECIPIENTS = 5;

    /// @dev What had left by some time: paid, or set aside for claims that wait to be collected.
    struct Left {
        uint256 time;
        uint256 ticks;
    }

    /// @dev One token.
    /// @param room Ticks that may leave at once.
    /// @param backlog Ticks of claims that wait for room.
    /// @param unpaid Ticks of all claims that have not been paid.
    /// @param paid Ticks paid to each recipient.
    /// @param donated Units that belong to nobody.
    /// @param left History.
    struct Bucket {
        uint256 room;
        uint256 backlog;
        uint256 unpaid;
        uint256[RECIPIENTS] paid;
        uint256 donated;
        Left[] left;
    }

    Bucket[TOKENS] internal buckets;

    function _fillBuckets() internal {
        for (uint256 number = 0; number < TOKENS; ++number) {
            buckets[number].room = CAPACITY;
            _note(buckets[number]);
        }
    }

    /// @dev Time passes: the queue is served first, then the bucket fills.
    function _pass(uint256 time) internal {
        vm.warp(vm.getBlockTimestamp() + time);
        _catchUp();
    }

    /// @dev Brings the models to the time of the block.
    function _catchUp() internal {
        for (uint256 number = 0; number < TOKENS; ++number) {
            Bucket storage bucket = buckets[number];
            uint256 time = bucket.left[bucket.left.length - 1].time;
            for (; time < vm.getBlockTimestamp(); ++time) {
                // Both full and empty buckets stay what they are: no need to count the seconds.
                if (bucket.backlog == 0 && bucket.room == CAPACITY) break;
                uint256 released = bucket.backlog < REFILL ? bucket.backlog : REFILL;
                bucket.backlog -= released;
                bucket.room += REFILL - released;
                if (bucket.room > CAPACITY) bucket.room = CAPACITY;
            }
            _note(bucket);
        }
    }

    /// @dev Ticks leave for a recipient, at once or by a claim.
    function _leave(uint8 number, uint256 recipient, uint64 ticks) internal {
        Bucket storage bucket = buckets[number];
        if (ticks <= bucket.room) {
            bucket.room -= ticks;
            bucket.paid[recipient] += ticks;
        } else {
            bucket.backlog += ticks - bucket.room;
            bucket.room = 0;
            bucket.unpaid += ticks;
        }
        _note(bucket);
    }

    /// @dev A claim is paid.
    function _collect(uint8 number, uint256 recipient, uint64 ticks) internal {
        buckets[number].unpaid -= ticks;
        buckets[number].paid[recipient] += ticks;
    }

    function _recipient(uint256 index) internal pure returns (address) {
        return address(uint160(0xace0 + index));
    }

    function _indexOf(address recipient) internal pure returns (uint256) {
        return uint160(recipient) - 0xace0;
    }

    /// @dev The bucket is the model's; since no earlier time did more leave than it allows; everybody got what left for them.
    function _requireBucketHolds(uint8 number) internal view {
        Bucket storage bucket = buckets[number];
        VaultState memory state = vault.vaultState(number);
        _expect("room", state.room, bucket.room);
        _expect("backlog", state.backlog, bucket.backlog);
        uint256 units = number == CASH ? UNITS_PER_TICK : COIN_UNITS;
        for (uint256 index = 0; index < RECIPIENTS; ++index) {
            uint256 balance = (number == CASH ? token : coin).balanceOf(_recipient(index));
            _expect("paid", balance, bucket.paid[index] * units);
        }
        Left memory now_ = bucket.left[bucket.left.length - 1];
        for (uint256 index = 0; index < bucket.left.length; ++index) {
            Left memory earlier = bucket.left[index];
            uint256 allowed = CAPACITY + REFILL * (now_.time - earlier.time);
            if (now_.ticks - earlier.ticks > allowed) {
                revert NumbersDiffer("window", now_.ticks - earlier.ticks, allowed);
            }
        }
    }

    /// @dev Claims of the queue are the unpaid ones.
    function _requireQueueHolds(uint8 number) internal view {
        uint256 claimed = 0;
        (uint256 claims,,) = vault.queueState(number);
        for (uint256 claim = 1; claim <= claims; ++claim) {
            claimed += vault.withdrawalClaim(number, claim).ticks;
        }
        _expect("claims", claimed, buckets[number].unpaid);
    }

    function _note(Bucket storage bucket) private {
        uint256 ticks = bucket.unpaid - bucket.backlog;
        for (uint256 index = 0; index < RECIPIENTS; ++index) {
            ticks += bucket.paid[index];
        }
        bucket.left.push(Left(vm.getBlockTimestamp(), ticks));
    }
}
