// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IExitVerifier } from "../interfaces/IExitVerifier.sol";
import { IMarginVerifier } from "../interfaces/IMarginVerifier.sol";
import { IRuleRegistry } from "../interfaces/IRuleRegistry.sol";

/// @notice What a clearing house is made of.
/// @param verifier Checks margin proofs.
/// @param registry Holds the rules; made for the verifier's key.
/// @param exitVerifier Checks exit proofs; made for the same basis.
/// @param basisTable Data contract with the basis points L_0 ‖ L_1 ‖ ….
/// @param basisHash keccak256 of these points.
struct HouseParts {
    IMarginVerifier verifier;
    IRuleRegistry registry;
    IExitVerifier exitVerifier;
    address basisTable;
    bytes32 basisHash;
}
