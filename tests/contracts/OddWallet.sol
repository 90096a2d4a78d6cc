// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title An owner that is a contract and answers whatever it is asked with the same bytes, or refuses with them
contract OddWallet {
    bytes private _answer;
    bool private immutable _REFUSES;

    constructor(bytes memory answer, bool refuses) {
        _answer = answer;
        _REFUSES = refuses;
    }

    fallback(bytes calldata) external returns (bytes memory answer) {
        answer = _answer;
        if (_REFUSES) {
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
    }
}
