// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Scalar, ScalarField } from "./ScalarField.sol";

/// @title Where the parts of a proof lie in calldata (specification, section 3)
/// @dev Twin: verifier/proof_format.py. Three rows of B + 1 points, `[r_0].. [m]`, `[A_0].. [acc]`, `[t_0].. [h]`, then
///      [W], the 48 bytes of W', and the scalars `Ā_0.. r̄_0.. acc̄ t̄_0.. T̄`. Arithmetic on places is unchecked: the
///      caller bounds the number of books, and calldata is far shorter than 2^64 bytes.
library MarginProof {
    uint256 internal constant POINT_BYTES = 96;
    uint256 internal constant COMPRESSED_BYTES = 48;
    uint256 internal constant SCALAR_BYTES = 32;

    /// @notice Bytes of a proof: 3B + 4 points, one compressed point, 3B + 2 scalars.
    function length(uint256 books) internal pure returns (uint256) {
        unchecked {
            return (3 * books + 4) * POINT_BYTES + COMPRESSED_BYTES + evaluationsLength(books);
        }
    }

    /// @notice Bytes of a row of points; also the distance between a row and the next.
    function rowLength(uint256 books) internal pure returns (uint256) {
        unchecked {
            return (books + 1) * POINT_BYTES;
        }
    }

    /// @notice Bytes of the evaluations.
    function evaluationsLength(uint256 books) internal pure returns (uint256) {
        unchecked {
            return (3 * books + 2) * SCALAR_BYTES;
        }
    }

    /// @notice Where `data` begins.
    function location(bytes calldata data) internal pure returns (uint256 offset) {
        assembly ("memory-safe") {
            offset := data.offset
        }
    }

    /// @notice The scalar at `index` from a place in calldata on.
    function scalarAt(uint256 place, uint256 index) internal pure returns (Scalar) {
        uint256 value;
        assembly ("memory-safe") {
            value := calldataload(add(place, shl(5, index)))
        }
        return ScalarField.fromCanonical(value);
    }

    /// @notice The place of the point at `index` from a place in calldata on.
    function pointAt(uint256 place, uint256 index) internal pure returns (uint256) {
        unchecked {
            return place + index * POINT_BYTES;
        }
    }
}
