// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MarginVerifier } from "./MarginVerifier.sol";
import { IMarginVerifier } from "./interfaces/IMarginVerifier.sol";
import { Bls12381 } from "./libraries/Bls12381.sol";
import { PointCompression } from "./libraries/PointCompression.sol";
import { PointEvaluation } from "./libraries/PointEvaluation.sol";
import { PointTerms } from "./libraries/PointTerms.sol";
import { PrecompileTests } from "./libraries/PrecompileTests.sol";
import { ONE, Scalar, ZERO } from "./libraries/ScalarField.sol";
import { G1Point } from "./types/CurvePoints.sol";
import { MarginClaim } from "./types/MarginClaim.sol";
import { Shape } from "./types/Shape.sol";

/// @title The margin argument's verifier under the setup of the Ethereum KZG ceremony
/// @notice Its last equation is one call of the point evaluation precompile, for one claim as for a batch.
/// @dev Twin: verifier/verification.py. The setup is no parameter: the constructor ties the constant [τ]_2 below to the
///      precompile's own, so that no key can be made for another.
contract CeremonyMarginVerifier is MarginVerifier {
    using PointTerms for PointTerms.Terms;

    /// @dev Powers of τ that the ceremony made public; the argument's degree bound rests on their number.
    uint256 private constant CEREMONY_POWERS = 4096;

    /// @dev [τ]_2 as x.c0 ‖ x.c1 ‖ y.c0 ‖ y.c1.
    bytes private constant CEREMONY_POINT = hex"185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2"
        hex"15bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72"
        hex"014353bdb96b626dd7d5ee8599d1fca2131569490e28de18e82451a496a9c9794ce26d105941f383ee689bfbbb832a99"
        hex"1666c54b0a32529503432fcae0181b4bef79de09fc63671fda5ed1ba9bfa07899495346f3d7ac9cd23048ef30d0a154f";

    /// @param shape_ Shape with D = 4096.
    /// @param table [T], 96 bytes.
    constructor(Shape memory shape_, bytes memory table) MarginVerifier(shape_, CEREMONY_POINT, table) {
        if (shape_.powers != CEREMONY_POWERS) revert MarginVerifierUnsupportedShape(shape_);
        PrecompileTests.requireCeremony(Bls12381.decodeG2(CEREMONY_POINT));
    }

    /// @inheritdoc IMarginVerifier
    /// @dev [L] opens at u to 0, that is [L'] opens at u to −c, with proof W'.
    function verify(MarginClaim calldata claim) external view {
        Round memory round = _read(claim, SHORT_HINT);
        PointTerms.Terms memory sum = PointTerms.allocate(_capacity(round));
        Totals memory totals;
        _addClaim(sum, totals, round, round, ONE);
        _addTable(sum, totals);
        (uint256 high, uint256 low) = PointCompression.read(_opening(round));
        if (!PointEvaluation.opens(Bls12381.multiply(sum), round.u, -totals.generator, high, low)) {
            revert MarginVerifierRejected();
        }
    }

    /// @inheritdoc MarginVerifier
    /// @dev e(P, [τ]_2) = e(Q, [1]_2) says that Q opens at 0 to 0 with proof P.
    function _requireEquation(PointTerms.Terms memory sum, Scalar generator, PointTerms.Terms memory openings)
        internal
        view
        override
    {
        G1Point memory combined = Bls12381.multiply(sum);
        (uint256 high, uint256 low) = PointCompression.compressToWords(Bls12381.addToFirst(openings));
        if (!PointEvaluation.opens(combined, ZERO, -generator, high, low)) revert MarginVerifierRejected();
    }
}
