// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { CompressedPoint, G1Point } from "../types/CurvePoints.sol";

/// @title Between points of G1 and their compressed form of EIP-4844
/// @dev Twin: verifier/curve.py. The three top bits of the 48 bytes are flags, the rest is x. Here the 48 bytes are a
///      pair of numbers, of the first 16 bytes and of the last 32. Nothing checks the curve or the subgroup; the
///      precompiles that take the points do.
library PointCompression {
    /// @notice The 48 bytes `compressed` are not the compressed form of a point whose y coordinate is `y`.
    error PointCompressionMismatch(bytes compressed, bytes y);

    /// @dev Flags within the upper 16 of 48 bytes.
    uint256 private constant COMPRESSED = 0x80 << 120;
    uint256 private constant INFINITY = 0x40 << 120;
    uint256 private constant LARGER_Y = 0x20 << 120;
    uint256 private constant X_MASK = LARGER_Y - 1;

    /// @dev (p − 1)/2: the larger of y and p − y is above it.
    uint256 private constant HALF_HIGH = 0x0d0088f51cbff34d258dd3db21a5d66b;
    uint256 private constant HALF_LOW = 0xb23ba5c279c2895fb39869507b587b120f55ffff58a9ffffdcff7fffffffd555;

    /// @notice The 48 bytes at `location` in calldata.
    function read(uint256 location) internal pure returns (uint256 high, uint256 low) {
        assembly ("memory-safe") {
            high := shr(128, calldataload(location))
            low := calldataload(add(location, 16))
        }
    }

    /// @notice The compressed form of a point.
    function compress(G1Point memory point) internal pure returns (CompressedPoint memory compressed) {
        (compressed.high, compressed.low) = compressToWords(point);
    }

    /// @notice The same without an allocation.
    function compressToWords(G1Point memory point) internal pure returns (uint256 high, uint256 low) {
        high = point.xHigh;
        low = point.xLow;
        (uint256 yHigh, uint256 yLow) = (point.yHigh, point.yLow);
        // Only infinity has y = 0: the curve has no point of order two.
        high |= (yHigh | yLow) == 0 ? COMPRESSED | INFINITY : _flags(yHigh, yLow);
    }

    /// @notice The point whose compressed form lies at `location` in calldata, with the y coordinate that lies at `yLocation`.
    /// @dev Accepts the one encoding that `compress` gives: y = 0 is on no curve point, so (0, 0) only means infinity.
    function decompress(uint256 location, uint256 yLocation) internal pure returns (G1Point memory point) {
        (uint256 high, uint256 low) = read(location);
        (point.yHigh, point.yLow) = read(yLocation);
        bool matches;
        if ((point.yHigh | point.yLow) == 0) {
            matches = high == (COMPRESSED | INFINITY) && low == 0;
        } else {
            matches = (high & ~X_MASK) == _flags(point.yHigh, point.yLow);
            point.xHigh = high & X_MASK;
            point.xLow = low;
        }
        if (!matches) revert PointCompressionMismatch(_copy(location), _copy(yLocation));
    }

    /// @dev The flags of a point other than infinity.
    function _flags(uint256 yHigh, uint256 yLow) private pure returns (uint256) {
        bool larger = yHigh > HALF_HIGH || (yHigh == HALF_HIGH && yLow > HALF_LOW);
        return larger ? COMPRESSED | LARGER_Y : COMPRESSED;
    }

    /// @dev The 48 bytes at `location` in calldata.
    function _copy(uint256 location) private pure returns (bytes memory copied) {
        copied = new bytes(48);
        assembly ("memory-safe") {
            calldatacopy(add(copied, 0x20), location, 48)
        }
    }
}
