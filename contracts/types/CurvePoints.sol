// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Point of G1 as EIP-2537 lays it out
/// @dev Coordinates of 64 bytes, the upper 16 of them zero; infinity is all zero.
struct G1Point {
    uint256 xHigh;
    uint256 xLow;
    uint256 yHigh;
    uint256 yLow;
}

/// @title Point of G2 as EIP-2537 lays it out
/// @dev x = x0 + x1·i and y = y0 + y1·i.
struct G2Point {
    uint256 x0High;
    uint256 x0Low;
    uint256 x1High;
    uint256 x1Low;
    uint256 y0High;
    uint256 y0Low;
    uint256 y1High;
    uint256 y1Low;
}

/// @title The 48 bytes of a compressed point of G1: its first 16 and its last 32 bytes
struct CompressedPoint {
    uint256 high;
    uint256 low;
}
