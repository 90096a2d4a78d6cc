// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMarginVerifier } from "../interfaces/IMarginVerifier.sol";

/// @title Calls of a verifier, laid out in memory without copies in between
/// @author The zkmargin contributors
/// @notice The heads of all claims come first; their byte strings lie wherever they were allocated after that, once for
/// claims that share one. Twin: verifier/calldata.py.
/// @dev A claim's head has six words: context, books, and offsets of four byte strings (portfolio, matrix, proof, hint),
/// counted from the head. Callers know a claim by the place of its head. The calldata of the verifier reaches up to the
/// end of allocated memory: what else lies there is not looked at.
library ClaimEncoding {
    uint256 private constant HEAD_BYTES = 192;
    uint256 private constant POINT_BYTES = 96;

    /// @notice Where there is no contract, a call would succeed and say nothing.
    /// @param verifier Address without code.
    error ClaimEncodingNoVerifier(address verifier);

    /// @notice Room for the call `verify(claim)`.
    /// @return claim The claim.
    function single() internal pure returns (uint256 claim) {
        bytes4 selector = IMarginVerifier.verify.selector;
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, selector)
            mstore(add(start, 4), 32) // offset of the claim
            claim := add(start, 36)
            mstore(0x40, add(claim, 192))
        }
    }

    /// @notice Room for the call `verifyBatch(claims)`.
    /// @param count Number of claims.
    /// @return first The first claim; `claimAt` gives the others.
    function batch(uint256 count) internal pure returns (uint256 first) {
        bytes4 selector = IMarginVerifier.verifyBatch.selector;
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, selector)
            mstore(add(start, 4), 32) // offset of the array
            mstore(add(start, 36), count)
            let table := add(start, 68) // offsets of the claims, counted from here
            let offset := mul(count, 32)
            first := add(table, offset)
            for { let entry := table } lt(entry, first) { entry := add(entry, 32) } {
                mstore(entry, offset)
                offset := add(offset, 192)
            }
            mstore(0x40, add(table, offset))
        }
    }

    /// @notice A claim of a batch.
    /// @param first The batch's first claim.
    /// @param index Which.
    /// @return claim The claim.
    function claimAt(uint256 first, uint256 index) internal pure returns (uint256 claim) {
        return first + index * HEAD_BYTES;
    }

    /// @notice Sets what is claimed.
    /// @param claim The claim.
    /// @param context What the proof is bound to.
    /// @param portfolio Commitments, 96 bytes a book; allocated after the claim, and so is the matrix.
    /// @param matrix Matrix over these books.
    function setStatement(uint256 claim, bytes32 context, bytes memory portfolio, bytes memory matrix) internal pure {
        uint256 books = portfolio.length / POINT_BYTES;
        assembly ("memory-safe") {
            mstore(claim, context)
            mstore(add(claim, 32), books)
            mstore(add(claim, 64), sub(portfolio, claim))
            mstore(add(claim, 96), sub(matrix, claim))
        }
    }

    /// @notice Sets what proves it.
    /// @param claim The claim.
    /// @param proof Proof; allocated after the claim, and so is the hint.
    /// @param hint Hint.
    function setProof(uint256 claim, bytes memory proof, bytes memory hint) internal pure {
        assembly ("memory-safe") {
            mstore(add(claim, 128), sub(proof, claim))
            mstore(add(claim, 160), sub(hint, claim))
        }
    }

    /// @notice Returns when the verifier accepts, reverts with its named error when it does not.
    /// @param verifier The verifier.
    /// @param claim What `single` returned, its fields set.
    function requireAccepted(IMarginVerifier verifier, uint256 claim) internal view {
        _call(verifier, claim - 36);
    }

    /// @notice The same for all claims of a batch.
    /// @param verifier The verifier.
    /// @param first What `batch` returned, the fields of all claims set.
    /// @param count Number of claims.
    function requireAllAccepted(IMarginVerifier verifier, uint256 first, uint256 count) internal view {
        _call(verifier, first - 32 * count - 68);
    }

    /// @dev Calls; hands a revert through.
    function _call(IMarginVerifier verifier, uint256 start) private view {
        assembly ("memory-safe") {
            let end := mload(0x40)
            if iszero(staticcall(gas(), verifier, start, sub(end, start), 0, 0)) {
                returndatacopy(end, 0, returndatasize())
                revert(end, returndatasize())
            }
        }
        if (address(verifier).code.length == 0) {
            revert ClaimEncodingNoVerifier(address(verifier));
        }
    }
}
