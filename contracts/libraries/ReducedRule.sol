// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Commitments } from "./Commitments.sol";

/// @title The rule between maintenance and initial margin: RM = (3·MM + IM)/4
/// @author The zkmargin contributors
/// @notice Checked on commitments, chunk by chunk. Twin: verifier/rules/reduced_rule.py.
library ReducedRule {
    /// @notice The first chunk for which 4·[RM] = 3·[MM] + [IM] does not hold.
    /// @dev Computed as 4·([RM] − [MM]) + [MM] = [IM], which takes four additions. The curve's order is odd, so that only
    /// one point passes; it lies in the subgroup when [IM] and [MM] do. [IM] must be canonical.
    /// @param initial Points of the initial rule, 96 bytes each.
    /// @param maintenance As many of the maintenance rule.
    /// @param reduced As many of the reduced rule.
    /// @return chunk Position of the chunk; the number of chunks when all are right.
    function firstWrong(bytes memory initial, bytes memory maintenance, bytes memory reduced)
        internal
        view
        returns (uint256 chunk)
    {
        bytes memory sum = Commitments.subtract(reduced, maintenance);
        sum = Commitments.add(sum, sum);
        sum = Commitments.add(sum, sum);
        sum = Commitments.add(sum, maintenance);
        uint256 chunks = initial.length / Commitments.POINT_BYTES;
        while (chunk < chunks && Commitments.hashAt(sum, chunk) == Commitments.hashAt(initial, chunk)) {
            ++chunk;
        }
    }
}
