// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { G1Point } from "../types/CurvePoints.sol";
import { Scalar } from "./ScalarField.sol";

/// @title Sums Σ scalar·point, laid out in memory as the multi-scalar multiplication of EIP-2537 takes them
/// @dev A term has 160 bytes: x and y in 64 bytes each, then the scalar. In calldata a point has 96 bytes x ‖ y, so that
///      16 zero bytes go before each coordinate. What the bytes mean is left to the precompile.
library PointTerms {
    /// @param start Where the first term lies in memory.
    /// @param end Where the next term goes.
    struct Terms {
        uint256 start;
        uint256 end;
    }

    uint256 internal constant TERM_BYTES = 160;
    uint256 internal constant POINT_BYTES = 96;

    /// @notice Room for `capacity` terms; appending more than that is the caller's mistake. All zero, since what
    ///         `append` copies leaves the upper 16 bytes of each coordinate as they are.
    function allocate(uint256 capacity) internal pure returns (Terms memory terms) {
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(terms, start)
            mstore(add(terms, 0x20), start)
            let size := mul(capacity, 160)
            calldatacopy(start, calldatasize(), size) // zeros, past the end of calldata
            mstore(0x40, add(start, size))
        }
    }

    /// @notice How many terms there are.
    function count(Terms memory terms) internal pure returns (uint256) {
        unchecked {
            // Terms only grow.
            return (terms.end - terms.start) / TERM_BYTES;
        }
    }

    /// @notice Adds scalar·(the point whose 96 bytes lie at `place` in calldata).
    function append(Terms memory terms, uint256 place, Scalar scalar) internal pure {
        assembly ("memory-safe") {
            let term := mload(add(terms, 0x20))
            calldatacopy(add(term, 16), place, 48) // x
            calldatacopy(add(term, 80), add(place, 48), 48) // y
            mstore(add(term, 0x80), scalar)
            mstore(add(terms, 0x20), add(term, 160))
        }
    }

    /// @notice Adds scalar·point for the coordinates of a point.
    function append(Terms memory terms, uint256 xHigh, uint256 xLow, uint256 yHigh, uint256 yLow, Scalar scalar)
        internal
        pure
    {
        assembly ("memory-safe") {
            let term := mload(add(terms, 0x20))
            mstore(term, xHigh)
            mstore(add(term, 0x20), xLow)
            mstore(add(term, 0x40), yHigh)
            mstore(add(term, 0x60), yLow)
            mstore(add(term, 0x80), scalar)
            mstore(add(terms, 0x20), add(term, 160))
        }
    }

    /// @notice Adds scalar·point for a point in memory.
    function append(Terms memory terms, G1Point memory point, Scalar scalar) internal pure {
        assembly ("memory-safe") {
            let term := mload(add(terms, 0x20))
            mcopy(term, point, 0x80)
            mstore(add(term, 0x80), scalar)
            mstore(add(terms, 0x20), add(term, 160))
        }
    }

    /// @notice Adds to the scalar of the term at `term` in memory.
    function increase(uint256 term, Scalar scalar) internal pure {
        Scalar present;
        assembly ("memory-safe") {
            present := mload(add(term, 0x80))
        }
        present = present + scalar;
        assembly ("memory-safe") {
            mstore(add(term, 0x80), present)
        }
    }

    /// @notice The 96 bytes x ‖ y of the point of the term at `term` in memory.
    function pointAt(uint256 term) internal pure returns (bytes memory point) {
        point = new bytes(POINT_BYTES);
        assembly ("memory-safe") {
            mcopy(add(point, 0x20), add(term, 16), 48)
            mcopy(add(point, 0x50), add(term, 80), 48)
        }
    }
}
