// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { G1Point } from "../types/CurvePoints.sol";
import { Bls12381 } from "./Bls12381.sol";
import { PointCompression } from "./PointCompression.sol";
import { Scalar } from "./ScalarField.sol";

/// @title Openings under the setup of the Ethereum KZG ceremony, by the point evaluation precompile of EIP-4844
library PointEvaluation {
    uint256 internal constant SHA256 = 0x02;
    uint256 internal constant POINT_EVALUATION = 0x0a;

    /// @dev 60 + 12 for each of two words.
    uint256 private constant SHA256_GAS = 84;
    uint256 private constant POINT_EVALUATION_GAS = 50_000;
    uint256 private constant INPUT_BYTES = 192;
    uint256 private constant OUTPUT_BYTES = 64;

    /// @notice Whether e(C − [y]_1, [1]_2) = e(proof, [τ − z]_2), and both points are of the subgroup: C opens at z to y.
    /// @dev Input of EIP-4844: versioned hash ‖ z ‖ y ‖ C (48) ‖ proof (48), with versioned hash = 0x01 ‖ sha256(C)[1:].
    function opens(G1Point memory commitment, Scalar z, Scalar y, uint256 proofHigh, uint256 proofLow)
        internal
        view
        returns (bool)
    {
        (uint256 high, uint256 low) = PointCompression.compressToWords(commitment);
        uint256 input;
        assembly ("memory-safe") {
            input := mload(0x40)
            // In this order: the first 16 of 48 bytes go to where the other 32 begin, with zeros after them.
            mstore(add(input, 96), shl(128, high))
            mstore(add(input, 112), low)
            mstore(add(input, 144), shl(128, proofHigh))
            mstore(add(input, 160), proofLow)
        }
        _hash(input);
        assembly ("memory-safe") {
            mstore8(input, 0x01)
            mstore(add(input, 32), z)
            mstore(add(input, 64), y)
        }
        (bool success, uint256 returned) =
            Bls12381.invoke(POINT_EVALUATION, POINT_EVALUATION_GAS, input, INPUT_BYTES, 0, OUTPUT_BYTES);
        if (success && returned != OUTPUT_BYTES) revert Bls12381.Bls12381PrecompileFailed(POINT_EVALUATION, returned);
        return success;
    }

    /// @notice 0x01 ‖ sha256(C)[1:] of a compressed commitment, by which blob transactions name its blob.
    function versionedHash(uint256 commitmentHigh, uint256 commitmentLow) internal view returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0x00, shl(128, commitmentHigh))
            mstore(0x10, commitmentLow)
        }
        (bool success, uint256 returned) = Bls12381.invoke(SHA256, SHA256_GAS, 0x00, 48, 0x00, 32);
        if (!success || returned != 32) revert Bls12381.Bls12381PrecompileFailed(SHA256, returned);
        assembly ("memory-safe") {
            mstore8(0x00, 0x01)
            hash := mload(0x00)
        }
    }

    /// @dev sha256 of the 48 bytes of the commitment, to the start of the input.
    function _hash(uint256 input) private view {
        unchecked {
            // A place in memory.
            (bool success, uint256 returned) = Bls12381.invoke(SHA256, SHA256_GAS, input + 96, 48, input, 32);
            if (!success || returned != 32) revert Bls12381.Bls12381PrecompileFailed(SHA256, returned);
        }
    }
}
