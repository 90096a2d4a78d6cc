// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { G1Point, G2Point } from "../types/CurvePoints.sol";
import { PointTerms } from "./PointTerms.sol";

/// @title Calls of the precompiles of EIP-2537
/// @dev Twin: verifier/curve.py. Every call is given a bounded amount of gas, since a failing one eats all that it is
///      given, and is checked for success and for the exact size of what it returns, since on a chain without the
///      precompile a call succeeds and returns nothing.
library Bls12381 {
    /// @notice The precompile at this address failed or returned a wrong number of bytes: 0 returned bytes mean that
    ///         this chain lacks it, or that the call ran out of gas. Use a chain with EIP-2537 and EIP-4844 and more gas.
    error Bls12381PrecompileFailed(uint256 precompile, uint256 returnedBytes);

    /// @notice Not the 96 bytes x ‖ y of a point of G1: not canonical, off the curve or outside the subgroup.
    error Bls12381InvalidPoint(bytes point);

    uint256 internal constant G1_ADD = 0x0b;
    uint256 internal constant G1_MULTIPLY = 0x0c;
    uint256 internal constant PAIRING = 0x0f;

    uint256 internal constant G1_BYTES = 128;
    uint256 internal constant G2_BYTES = 256;

    uint256 private constant G1_ADD_GAS = 375;
    /// @dev Price of one term; more terms cost less each, so this bounds the call from above.
    uint256 private constant G1_MULTIPLY_GAS = 12_000;
    /// @dev 37,700 + 32,600 for each of two pairs.
    uint256 private constant PAIRING_GAS = 102_900;

    /// @notice Point of G1 from the 96 bytes x ‖ y; the length is the caller's to check, the point the precompiles'.
    function decodeG1(bytes memory encoded) internal pure returns (G1Point memory point) {
        assembly ("memory-safe") {
            mcopy(add(point, 0x10), add(encoded, 0x20), 48)
            mcopy(add(point, 0x50), add(encoded, 0x50), 48)
        }
    }

    /// @notice Point of G2 from the 192 bytes x.c0 ‖ x.c1 ‖ y.c0 ‖ y.c1; the same holds.
    function decodeG2(bytes memory encoded) internal pure returns (G2Point memory point) {
        assembly ("memory-safe") {
            for { let i := 0 } lt(i, 4) { i := add(i, 1) } {
                mcopy(add(add(point, 0x10), mul(i, 64)), add(add(encoded, 0x20), mul(i, 48)), 48)
            }
        }
    }

    /// @notice left + right. Checks that both lie on the curve, not that they lie in the subgroup.
    function add(G1Point memory left, G1Point memory right) internal view returns (G1Point memory sum) {
        uint256 input;
        uint256 output;
        assembly ("memory-safe") {
            input := mload(0x40)
            mcopy(input, left, 0x80)
            mcopy(add(input, 0x80), right, 0x80)
            output := sum
        }
        (bool success, uint256 returned) = invoke(G1_ADD, G1_ADD_GAS, input, 2 * G1_BYTES, output, G1_BYTES);
        if (!success || returned != G1_BYTES) revert Bls12381PrecompileFailed(G1_ADD, returned);
    }

    /// @notice Lays out the point whose 96 bytes lie at `source` in memory as the precompiles take it, at `place`.
    function layOut(uint256 source, uint256 place) internal pure {
        assembly ("memory-safe") {
            mstore(place, shr(128, mload(source))) // x: first 16 of 48 bytes
            mstore(add(place, 0x20), mload(add(source, 16)))
            mstore(add(place, 0x40), shr(128, mload(add(source, 48)))) // y
            mstore(add(place, 0x60), mload(add(source, 64)))
        }
    }

    /// @notice Adds the two points that lie one after the other at `place` in memory; the sum goes where the first was.
    function addAt(uint256 place) internal view {
        (bool success, uint256 returned) = invoke(G1_ADD, G1_ADD_GAS, place, 2 * G1_BYTES, place, G1_BYTES);
        if (!success || returned != G1_BYTES) revert Bls12381PrecompileFailed(G1_ADD, returned);
    }

    /// @notice Σ scalar·point over the terms, each point checked for curve and subgroup by the precompile.
    function multiply(PointTerms.Terms memory terms) internal view returns (G1Point memory sum) {
        uint256 output;
        assembly ("memory-safe") {
            output := sum
        }
        (bool success, uint256 returned) = _multiply(terms, output, G1_BYTES);
        if (!success) _nameInvalidPoint(terms);
        if (returned != G1_BYTES) revert Bls12381PrecompileFailed(G1_MULTIPLY, returned);
    }

    /// @notice The same for terms of which the first has scalar one, for the price of one term less.
    /// @dev The first point is checked for the curve only: let another call check its subgroup.
    function addToFirst(PointTerms.Terms memory terms) internal view returns (G1Point memory sum) {
        G1Point memory first;
        uint256 start = terms.start;
        assembly ("memory-safe") {
            mcopy(first, start, 0x80)
        }
        uint256 second = start + PointTerms.TERM_BYTES;
        if (second == terms.end) return first;
        return add(first, multiply(PointTerms.Terms({ start: second, end: terms.end })));
    }

    /// @notice Whether the precompile accepts the points of all terms.
    function isInGroup(PointTerms.Terms memory terms) internal view returns (bool) {
        (bool success, uint256 returned) = _multiply(terms, 0, 0);
        return success && returned == G1_BYTES;
    }

    /// @notice Whether e(left, left2)·e(right, right2) = 1; all four are checked for curve and subgroup.
    function pairingIsOne(G1Point memory left, G2Point memory left2, G1Point memory right, G2Point memory right2)
        internal
        view
        returns (bool isOne)
    {
        uint256 input;
        assembly ("memory-safe") {
            input := mload(0x40)
            mcopy(input, left, 0x80)
            mcopy(add(input, 0x80), left2, 0x100)
            mcopy(add(input, 0x180), right, 0x80)
            mcopy(add(input, 0x200), right2, 0x100)
        }
        (bool success, uint256 returned) = invoke(PAIRING, PAIRING_GAS, input, 2 * (G1_BYTES + G2_BYTES), 0, 32);
        if (!success || returned != 32) revert Bls12381PrecompileFailed(PAIRING, returned);
        assembly ("memory-safe") {
            isOne := eq(mload(0x00), 1)
        }
    }

    /// @notice One call of a precompile; the caller judges what comes back.
    /// @dev `input` and `output` are places in memory. The output lies in memory that the caller owns, or is scratch
    ///      space of at most 64 bytes. `returndatasize` is read in a statement after the call, never in its expression.
    function invoke(
        uint256 precompile,
        uint256 gasLimit,
        uint256 input,
        uint256 inputLength,
        uint256 output,
        uint256 outputLength
    ) internal view returns (bool success, uint256 returnedBytes) {
        assembly ("memory-safe") {
            success := staticcall(gasLimit, precompile, input, inputLength, output, outputLength)
            returnedBytes := returndatasize()
        }
    }

    function _multiply(PointTerms.Terms memory terms, uint256 output, uint256 outputLength)
        private
        view
        returns (bool success, uint256 returned)
    {
        unchecked {
            // Terms lie in memory, so that their number is far too small for either to overflow.
            uint256 length = terms.end - terms.start;
            uint256 gasLimit = length * (G1_MULTIPLY_GAS / PointTerms.TERM_BYTES);
            return invoke(G1_MULTIPLY, gasLimit, terms.start, length, output, outputLength);
        }
    }

    /// @dev After a failed multiplication: tries the points one by one and reverts with the first that fails. Where none
    ///      does, or where too little gas is left to tell, the caller's own revert names the precompile.
    function _nameInvalidPoint(PointTerms.Terms memory terms) private view {
        for (uint256 term = terms.start; term < terms.end; term += PointTerms.TERM_BYTES) {
            // One call must not fail for lack of gas and so blame an honest point: 63/64 of this is more than it needs.
            if (gasleft() < 2 * G1_MULTIPLY_GAS) return;
            (bool success,) = invoke(G1_MULTIPLY, G1_MULTIPLY_GAS, term, PointTerms.TERM_BYTES, 0, 0);
            if (!success) revert Bls12381InvalidPoint(PointTerms.pointAt(term));
        }
    }
}
