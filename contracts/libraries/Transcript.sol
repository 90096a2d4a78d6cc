// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Scalar, ScalarField } from "./ScalarField.sol";

/// @title The chain of digests s0 … s6 of the margin argument (specification, section 3)
/// @dev Twin: verifier/transcript.py. Messages are hashed from where calldata is copied once, at the free memory pointer,
///      which stays where it is.
library Transcript {
    /// @dev Domain separators; their lengths in bytes follow.
    bytes32 private constant ARGUMENT_LABEL = "margin-argument-v1";
    bytes32 private constant BATCH_LABEL = "margin-batch-v1";

    /// @notice s0 = keccak256("margin-argument-v1" ‖ vk ‖ context ‖ u256(B) ‖ u256(G) ‖ portfolio ‖ matrix).
    function begin(
        bytes32 verifyingKey,
        bytes32 context,
        uint256 books,
        uint256 chunks,
        bytes calldata portfolio,
        bytes calldata matrix
    ) internal pure returns (bytes32 state) {
        bytes32 label = ARGUMENT_LABEL;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, label)
            mstore(add(free, 18), verifyingKey)
            mstore(add(free, 50), context)
            mstore(add(free, 82), books)
            mstore(add(free, 114), chunks)
            let points := add(free, 146)
            calldatacopy(points, portfolio.offset, portfolio.length)
            calldatacopy(add(points, portfolio.length), matrix.offset, matrix.length)
            state := keccak256(free, add(146, add(portfolio.length, matrix.length)))
        }
    }

    /// @notice The next state, keccak256(state ‖ message); the message lies in calldata.
    function absorb(bytes32 state, uint256 messageAt, uint256 length) internal pure returns (bytes32 next) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, state)
            calldatacopy(add(free, 0x20), messageAt, length)
            next := keccak256(free, add(0x20, length))
        }
    }

    /// @notice The challenge H(state, index) = keccak256(state ‖ byte index) mod r.
    function challenge(bytes32 state, uint256 index) internal pure returns (Scalar) {
        uint256 digest;
        assembly ("memory-safe") {
            mstore(0x00, state)
            mstore8(0x20, index)
            digest := keccak256(0x00, 0x21)
        }
        return ScalarField.reduce(digest);
    }

    /// @notice S = keccak256("margin-batch-v1" ‖ u256(count) ‖ s6_1 ‖ s6_2 ‖ …).
    function batch(bytes32[] memory finalStates) internal pure returns (bytes32 seed) {
        bytes32 label = BATCH_LABEL;
        assembly ("memory-safe") {
            let count := mload(finalStates)
            let free := mload(0x40)
            mstore(free, label)
            // The array in memory is u256(count) ‖ s6_1 ‖ … already.
            mcopy(add(free, 15), finalStates, mul(add(count, 1), 0x20))
            seed := keccak256(free, add(15, mul(add(count, 1), 0x20)))
        }
    }

    /// @notice Weight of the claim at `position`, counted from one: ρ_1 = 1, ρ_j = keccak256(S ‖ u256(j)) mod r.
    function weight(bytes32 seed, uint256 position) internal pure returns (Scalar) {
        if (position == 1) return Scalar.wrap(1);
        uint256 digest;
        assembly ("memory-safe") {
            mstore(0x00, seed)
            mstore(0x20, position)
            digest := keccak256(0x00, 0x40)
        }
        return ScalarField.reduce(digest);
    }
}
