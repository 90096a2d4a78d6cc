// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Reuse of memory between the rounds of a loop, since its price grows with the square of its size
library Memory {
    /// @notice Where the next allocation goes.
    function mark() internal pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := mload(0x40)
        }
    }

    /// @notice Forgets everything that was allocated since the mark was taken; no reference to it may be used again.
    function release(uint256 place) internal pure {
        assembly ("memory-safe") {
            mstore(0x40, place)
        }
    }
}
