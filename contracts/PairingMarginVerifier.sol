// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MarginVerifier } from "./MarginVerifier.sol";
import { IMarginVerifier } from "./interfaces/IMarginVerifier.sol";
import { Bls12381 } from "./libraries/Bls12381.sol";
import { CurveConstants } from "./libraries/CurveConstants.sol";
import { PointTerms } from "./libraries/PointTerms.sol";
import { PrecompileTests } from "./libraries/PrecompileTests.sol";
import { Scalar } from "./libraries/ScalarField.sol";
import { G1Point, G2Point } from "./types/CurvePoints.sol";
import { MarginClaim } from "./types/MarginClaim.sol";
import { Shape } from "./types/Shape.sol";

/// @title The margin argument's verifier under any setup
/// @notice Its last equation is a pairing check by EIP-2537. For the ceremony's larger sets, and for test setups.
/// @dev Twin: verifier/verification.py. Whoever knows τ forges proofs: who deploys answers for the setup.
contract PairingMarginVerifier is MarginVerifier {
    using PointTerms for PointTerms.Terms;

    uint256 private immutable SETUP_X0_HIGH;
    uint256 private immutable SETUP_X0_LOW;
    uint256 private immutable SETUP_X1_HIGH;
    uint256 private immutable SETUP_X1_LOW;
    uint256 private immutable SETUP_Y0_HIGH;
    uint256 private immutable SETUP_Y0_LOW;
    uint256 private immutable SETUP_Y1_HIGH;
    uint256 private immutable SETUP_Y1_LOW;

    /// @param shape_ Shape whose D is the number of powers of τ that exist in public, not fewer.
    /// @param setupPoint [τ]_2 as x.c0 ‖ x.c1 ‖ y.c0 ‖ y.c1, 192 bytes.
    /// @param table [T], 96 bytes.
    constructor(Shape memory shape_, bytes memory setupPoint, bytes memory table)
        MarginVerifier(shape_, setupPoint, table)
    {
        G2Point memory point = Bls12381.decodeG2(setupPoint);
        if (!PrecompileTests.isSetupPoint(point)) revert MarginVerifierInvalidSetup(setupPoint);
        (SETUP_X0_HIGH, SETUP_X0_LOW) = (point.x0High, point.x0Low);
        (SETUP_X1_HIGH, SETUP_X1_LOW) = (point.x1High, point.x1Low);
        (SETUP_Y0_HIGH, SETUP_Y0_LOW) = (point.y0High, point.y0Low);
        (SETUP_Y1_HIGH, SETUP_Y1_LOW) = (point.y1High, point.y1Low);
    }

    /// @inheritdoc IMarginVerifier
    /// @dev e([W'], [τ]_2) = e([L] + u[W'], [1]_2): a batch of one, whose weight is one whatever its seed.
    function verify(MarginClaim calldata claim) external view {
        Round[] memory rounds = new Round[](1);
        rounds[0] = _read(claim, LONG_HINT);
        _requireBatch(rounds, 0);
    }

    /// @inheritdoc MarginVerifier
    /// @dev e(P, [τ]_2)·e(Q, −[1]_2) = 1.
    function _requireEquation(PointTerms.Terms memory sum, Scalar generator, PointTerms.Terms memory openings)
        internal
        view
        override
    {
        sum.append(CurveConstants.generator(), generator);
        G1Point memory combined = Bls12381.multiply(sum);
        G1Point memory opening = Bls12381.addToFirst(openings);
        if (!Bls12381.pairingIsOne(opening, _setupPoint(), combined, CurveConstants.negatedGenerator2())) {
            revert MarginVerifierRejected();
        }
    }

    function _setupPoint() private view returns (G2Point memory) {
        return G2Point({
            x0High: SETUP_X0_HIGH,
            x0Low: SETUP_X0_LOW,
            x1High: SETUP_X1_HIGH,
            x1Low: SETUP_X1_LOW,
            y0High: SETUP_Y0_HIGH,
            y0Low: SETUP_Y0_LOW,
            y1High: SETUP_Y1_HIGH,
            y1Low: SETUP_Y1_LOW
        });
    }
}
