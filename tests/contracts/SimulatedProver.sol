// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { PairingMarginVerifier } from "../../contracts/PairingMarginVerifier.sol";
import { Bls12381 } from "../../contracts/libraries/Bls12381.sol";
import { CurveConstants } from "../../contracts/libraries/CurveConstants.sol";
import { MarginProof } from "../../contracts/libraries/MarginProof.sol";
import { PointCompression } from "../../contracts/libraries/PointCompression.sol";
import { PointTerms } from "../../contracts/libraries/PointTerms.sol";
import { ONE, Scalar, ScalarField } from "../../contracts/libraries/ScalarField.sol";
import { G1Point } from "../../contracts/types/CurvePoints.sol";
import { MarginClaim } from "../../contracts/types/MarginClaim.sol";
import { HintMaking } from "./HintMaking.sol";
import { KnownSetup } from "./KnownSetup.sol";

/// @title Accepted proofs of anything under the insecure setup, for tests that are about something else
/// @notice With τ known, W' = [L]/(τ − u) satisfies the last equation whatever the statement. Tests that simulate keep
///         account themselves of whether what they claim is true.
/// @dev All points of a proof but W' are infinity, all evaluations come from a seed.
contract SimulatedProver is HintMaking, PairingMarginVerifier {
    using PointTerms for PointTerms.Terms;

    constructor() PairingMarginVerifier(KnownSetup.shape(), KnownSetup.setupPoint(), KnownSetup.table()) { }

    /// @notice The claim with a simulated proof and its hint of 80 bytes, for batches and the pairing variant.
    function simulate(bytes32 context, uint256 books, bytes calldata portfolio, bytes calldata matrix)
        external
        view
        returns (MarginClaim memory claim)
    {
        claim = MarginClaim(context, books, portfolio, matrix, _unfinished(books), new bytes(LONG_HINT));
        (Scalar beta, Scalar zeta) = this.challenges(claim);
        claim.hint = abi.encodePacked(KnownSetup.invert(denominatorProduct(beta, zeta)), new bytes(48));
        (G1Point memory sum, Scalar u) = this.combination(claim);
        G1Point memory opening = KnownSetup.multiply(sum, KnownSetup.invert(KnownSetup.INSECURE_TAU - u));
        (uint256 high, uint256 low) = PointCompression.compressToWords(opening);
        _overwrite(claim.proof, MarginProof.POINT_BYTES * (3 * books + 4), abi.encodePacked(uint128(high), low));
        _overwrite(claim.hint, 32, abi.encodePacked(uint128(opening.yHigh), opening.yLow));
    }

    /// @notice [L] and u of a claim with the right inverse in its hint.
    function combination(MarginClaim calldata claim) external view returns (G1Point memory sum, Scalar u) {
        Round memory round = _read(claim, LONG_HINT);
        PointTerms.Terms memory terms = PointTerms.allocate(_capacity(round) + 1);
        Totals memory totals;
        _addClaim(terms, totals, round, round, ONE);
        _addTable(terms, totals);
        terms.append(CurveConstants.generator(), totals.generator);
        return (Bls12381.multiply(terms), round.u);
    }

    /// @dev A proof of infinities, with evaluations that differ from one another.
    function _unfinished(uint256 books) private pure returns (bytes memory proof) {
        proof = new bytes(MarginProof.length(books));
        uint256 first = proof.length - MarginProof.evaluationsLength(books);
        for (uint256 place = first; place < proof.length; place += 32) {
            Scalar value = ScalarField.reduce(uint256(keccak256(abi.encode("simulated evaluation", place))));
            _overwrite(proof, place, abi.encode(value));
        }
    }

    function _overwrite(bytes memory target, uint256 place, bytes memory source) private pure {
        for (uint256 i = 0; i < source.length; ++i) {
            target[place + i] = source[i];
        }
    }
}
