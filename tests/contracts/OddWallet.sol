// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title An owner that is a contract and answers with the bytes that it was made with, or refuses with them
/// @dev The signature of ERC-1271 without its return type, since what is returned need not be one.
contract OddWallet {
    bytes private _answer;
    bool private immutable _REFUSES;

    constructor(bytes memory answer, bool refuses) {
        _answer = answer;
        _REFUSES = refuses;
    }

    function isValidSignature(bytes32, bytes calldata) external view {
        bytes memory answer = _answer;
        bool refuses = _REFUSES;
        assembly ("memory-safe") {
            if refuses { revert(add(answer, 32), mload(answer)) }
            return(add(answer, 32), mload(answer))
        }
    }
}
