// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { G1Point, G2Point } from "../types/CurvePoints.sol";
import { Bls12381 } from "./Bls12381.sol";
import { CurveConstants } from "./CurveConstants.sol";
import { PointCompression } from "./PointCompression.sol";
import { PointEvaluation } from "./PointEvaluation.sol";
import { PointTerms } from "./PointTerms.sol";
import { ONE, Scalar } from "./ScalarField.sol";

/// @title Known-answer tests of the precompiles, for constructors
/// @dev A chain that lacks a precompile answers calls to it with success and no data. Each test asks once for a known
///      result and once for a known failure, so that neither an absent nor a lenient precompile passes.
library PrecompileTests {
    using PointTerms for PointTerms.Terms;

    /// @notice The precompile at this address gave a wrong answer to a known question: this chain cannot be used.
    error PrecompileTestFailed(uint256 precompile);

    Scalar private constant TWO = Scalar.wrap(2);
    Scalar private constant PLACE = Scalar.wrap(5);

    /// @notice G1ADD and G1MSM: G + G = 2·G, and a point outside the subgroup is refused by the latter.
    function requireGroup() internal view {
        G1Point memory generator = CurveConstants.generator();
        bytes32 doubled = _digest(CurveConstants.doubledGenerator());
        if (_digest(Bls12381.add(generator, generator)) != doubled) revert PrecompileTestFailed(Bls12381.G1_ADD);
        bool doubles = _digest(Bls12381.multiply(_term(generator, TWO))) == doubled;
        if (!doubles || Bls12381.isInGroup(_term(CurveConstants.pointOfOrderThree(), ONE))) {
            revert PrecompileTestFailed(Bls12381.G1_MULTIPLY);
        }
    }

    /// @notice The point evaluation knows the ceremony's τ, and `setupPoint` is [τ]_2 of the same τ.
    /// @dev X opens at z to z with proof [1]_1 exactly when its commitment is [τ]_1; then e([τ]_1, −[1]_2)·e([1]_1, [τ]_2) = 1.
    function requireCeremony(G2Point memory setupPoint) internal view {
        G1Point memory power = CurveConstants.ceremonyPoint();
        (uint256 high, uint256 low) = PointCompression.compressToWords(CurveConstants.generator());
        bool opens = PointEvaluation.opens(power, PLACE, PLACE, high, low);
        if (!opens || PointEvaluation.opens(power, PLACE, TWO, high, low)) {
            revert PrecompileTestFailed(PointEvaluation.POINT_EVALUATION);
        }
        if (!_isSetup(power, setupPoint)) revert PrecompileTestFailed(Bls12381.PAIRING);
    }

    /// @notice Whether the point is of G2 and not infinity, after a known answer of the pairing.
    function isSetupPoint(G2Point memory setupPoint) internal view returns (bool) {
        G1Point memory generator = CurveConstants.generator();
        G2Point memory negated = CurveConstants.negatedGenerator2();
        G1Point memory infinity;
        // The pairing refuses what is not in the group; e([1]_1, infinity) alone is one.
        if (Bls12381.pairingIsOne(generator, negated, infinity, negated)) {
            revert PrecompileTestFailed(Bls12381.PAIRING);
        }
        return !Bls12381.pairingIsOne(generator, setupPoint, infinity, negated);
    }

    /// @notice Whether the point is of G1.
    function isCommitment(G1Point memory point) internal view returns (bool) {
        return Bls12381.isInGroup(_term(point, ONE));
    }

    function _isSetup(G1Point memory power, G2Point memory setupPoint) private view returns (bool) {
        return Bls12381.pairingIsOne(power, CurveConstants.negatedGenerator2(), CurveConstants.generator(), setupPoint);
    }

    function _term(G1Point memory point, Scalar scalar) private pure returns (PointTerms.Terms memory terms) {
        terms = PointTerms.allocate(1);
        terms.append(point, scalar);
    }

    function _digest(G1Point memory point) private pure returns (bytes32) {
        return keccak256(abi.encode(point));
    }
}
