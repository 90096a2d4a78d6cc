// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Bls12381 } from "./Bls12381.sol";
import { Memory } from "./Memory.sol";

/// @title The rule between maintenance and initial margin: RM = (3·MM + IM)/4
/// @author The zkmargin contributors
/// @notice Checked on commitments, chunk by chunk. Twin: verifier/rules/reduced_rule.py.
library ReducedRule {
    uint256 private constant POINT_BYTES = 96;

    /// @notice The first chunk for which 4·[RM] = 3·[MM] + [IM] does not hold.
    /// @dev Checks that all points are canonical and on the curve. The curve's order is odd, so that only one [RM] passes;
    /// it lies in the subgroup when [IM] and [MM] do.
    /// @param initial Points of the initial rule, 96 bytes each.
    /// @param maintenance As many of the maintenance rule.
    /// @param reduced As many of the reduced rule.
    /// @return chunk Position of the chunk; the number of chunks when all are right.
    function firstWrong(bytes memory initial, bytes memory maintenance, bytes memory reduced)
        internal
        view
        returns (uint256 chunk)
    {
        uint256 chunks = initial.length / POINT_BYTES;
        while (chunk < chunks && _holds(_at(initial, chunk), _at(maintenance, chunk), _at(reduced, chunk))) {
            ++chunk;
        }
    }

    /// @dev Whether the equation holds for the points whose 96 bytes lie at these places.
    function _holds(uint256 initial, uint256 maintenance, uint256 reduced) private view returns (bool equal) {
        uint256 left = Memory.mark();
        uint256 right;
        uint256 operand;
        unchecked {
            // Places in memory. The right side uses the room of the left one's second operand.
            right = left + Bls12381.G1_BYTES;
            operand = right + Bls12381.G1_BYTES;
        }
        Bls12381.layOut(reduced, left);
        _double(left);
        _double(left);
        Bls12381.layOut(maintenance, right);
        _double(right); // leaves MM itself behind the sum, where the next operand lies
        Bls12381.addAt(right);
        Bls12381.layOut(initial, operand);
        Bls12381.addAt(right);
        assembly ("memory-safe") {
            equal := eq(keccak256(left, 128), keccak256(right, 128))
        }
    }

    /// @dev Doubles the point at `place`; the 128 bytes behind it hold the point itself afterwards.
    function _double(uint256 place) private view {
        assembly ("memory-safe") {
            mcopy(add(place, 128), place, 128)
        }
        Bls12381.addAt(place);
    }

    /// @dev Where a point of a list lies.
    function _at(bytes memory points, uint256 index) private pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := add(add(points, 32), mul(index, 96))
        }
    }
}
