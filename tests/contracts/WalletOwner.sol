// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC1271 } from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @title An owner that is a contract: it accepts one signature
contract WalletOwner is IERC1271 {
    bytes32 private immutable _ACCEPTED;

    constructor(bytes memory signature) {
        _ACCEPTED = keccak256(signature);
    }

    function isValidSignature(bytes32, bytes calldata signature) external view returns (bytes4) {
        return keccak256(signature) == _ACCEPTED ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}
