// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What tests expect of values
abstract contract Expectations {
    /// @notice Two numbers that should be equal are not.
    error NumbersDiffer(string what, uint256 actual, uint256 expected);

    /// @notice Two words that should be equal are not.
    error WordsDiffer(string what, bytes32 actual, bytes32 expected);

    function _expect(string memory what, uint256 actual, uint256 expected) internal pure {
        if (actual != expected) revert NumbersDiffer(what, actual, expected);
    }

    function _expect(string memory what, bytes32 actual, bytes32 expected) internal pure {
        if (actual != expected) revert WordsDiffer(what, actual, expected);
    }

    function _expect(string memory what, address actual, address expected) internal pure {
        _expect(what, bytes32(bytes20(actual)), bytes32(bytes20(expected)));
    }

    function _expect(string memory what, bytes memory actual, bytes memory expected) internal pure {
        _expect(what, keccak256(actual), keccak256(expected));
    }
}
