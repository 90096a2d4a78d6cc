// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMarginVerifier } from "../../contracts/interfaces/IMarginVerifier.sol";
import { RowEvaluation } from "../../contracts/libraries/RowEvaluation.sol";
import { Scalar, ScalarField } from "../../contracts/libraries/ScalarField.sol";
import { Shape } from "../../contracts/types/Shape.sol";

/// @title The evaluation of posted rows, laid open
/// @notice For tests alone: tests/differential compares it with verifier/rules/row_posting.py.
contract RowEvaluationHarness {
    /// @notice z.
    function challenge(bytes32 versionedHash, bytes calldata rows) external pure returns (uint256) {
        return Scalar.unwrap(RowEvaluation.challenge(versionedHash, rows));
    }

    /// @notice M̂(z).
    function evaluate(Shape calldata shape, bytes calldata rows, uint256 z) external view returns (uint256) {
        return Scalar.unwrap(RowEvaluation.evaluate(shape, rows, ScalarField.fromCanonical(z)));
    }

    /// @notice Returns when the commitment is that of the rows.
    function requireRows(
        IMarginVerifier verifier,
        bytes32 versionedHash,
        bytes calldata commitment,
        bytes calldata rows,
        bytes calldata opening
    ) external view {
        RowEvaluation.requireRows(verifier, verifier.shape(), versionedHash, commitment, rows, opening);
    }
}
