// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Scalar, ScalarField } from "./ScalarField.sol";

/// @title Where the parts of a proof lie in calldata (specification, section 3)
/// @dev Twin: verifier/proof_format.py. Three rows of B + 1 points, `[r_0].. [m]`, `[A_0].. [acc]`, `[t_0].. [h]`, then
///      [W], the 48 bytes of W', and the scalars `Ā_0.. r̄_0.. acc̄ t̄_0.. T̄`.
library MarginProof {
    uint256 internal constant POINT_BYTES = 96;
    uint256 internal constant COMPRESSED_BYTES = 48;
    uint256 internal constant SCALAR_BYTES = 32;

    /// @notice Bytes of a proof: 3B + 4 points, one compressed point, 3B + 2 scalars.
    function length(uint256 books) internal pure returns (uint256) {
        return (3 * books + 4) * POINT_BYTES + COMPRESSED_BYTES + scalarsLength(books);
    }

    /// @notice Bytes of a row of points; also the distance between a row and the next.
    function rowLength(uint256 books) internal pure returns (uint256) {
        return (books + 1) * POINT_BYTES;
    }

    /// @notice Bytes of the evaluations.
    function scalarsLength(uint256 books) internal pure returns (uint256) {
        return (3 * books + 2) * SCALAR_BYTES;
    }

    /// @notice Where `data` begins.
    function location(bytes calldata data) internal pure returns (uint256 offset) {
        assembly ("memory-safe") {
            offset := data.offset
        }
    }

    /// @notice The scalar at an offset of calldata.
    function scalarAt(uint256 offset) internal pure returns (Scalar) {
        uint256 value;
        assembly ("memory-safe") {
            value := calldataload(offset)
        }
        return ScalarField.fromCanonical(value);
    }
}
