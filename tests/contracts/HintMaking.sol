// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MarginVerifier } from "../../contracts/MarginVerifier.sol";
import { MarginProof } from "../../contracts/libraries/MarginProof.sol";
import { ONE, Scalar, ScalarField } from "../../contracts/libraries/ScalarField.sol";
import { MarginClaim } from "../../contracts/types/MarginClaim.sol";
import { KnownSetup } from "./KnownSetup.sol";

/// @title A verifier that says which inverse it wants as a hint
/// @dev The denominators are computed here as section 5 of the specification writes them, not as the verifier does, which
///      checks the latter.
abstract contract HintMaking is MarginVerifier {
    /// @notice β and ζ of a claim, whatever its hint of 80 bytes.
    function challenges(MarginClaim calldata claim) external view returns (Scalar beta, Scalar zeta) {
        Round memory round = _read(claim, LONG_HINT);
        return (round.beta, round.zeta);
    }

    /// @notice The product of the eight denominators of section 5.
    function denominatorProduct(Scalar beta, Scalar zeta) public view returns (Scalar product) {
        uint256 slots = COLUMNS / 4;
        Scalar digits = Scalar.wrap(DIGITS);
        Scalar four = Scalar.wrap(4);
        Scalar nu = ScalarField.rootOfUnity(COLUMNS);
        Scalar inverseNu = KnownSetup.invert(nu);
        Scalar zetaColumns = zeta.power(COLUMNS);
        product = digits * (zetaColumns - ONE) * digits * (OMEGA.power(COLUMNS) * zetaColumns - ONE);
        product = product * four * (zeta.power(slots) - ONE);
        product = product * four * (zeta.power(slots) * inverseNu.power(slots) - ONE);
        product = product * (beta - zeta) * (beta - zeta * inverseNu) * (zetaColumns - beta);
        product = product * Scalar.wrap(COLUMNS) * (zeta - nu * nu);
    }

    /// @notice What the verifier does with any β and ζ, also those that no hash will ever give.
    /// @param hint Starts with the claimed inverse of the product.
    function requireHint(Scalar beta, Scalar zeta, bytes calldata hint) external view {
        Round memory round;
        (round.beta, round.zeta) = (beta, zeta);
        round.hint = MarginProof.location(hint);
        _publicValues(round);
    }
}
