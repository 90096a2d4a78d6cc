// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { PairingMarginVerifier } from "../../contracts/PairingMarginVerifier.sol";
import { MarginProof } from "../../contracts/libraries/MarginProof.sol";
import { Scalar } from "../../contracts/libraries/ScalarField.sol";
import { Transcript } from "../../contracts/libraries/Transcript.sol";
import { MarginClaim } from "../../contracts/types/MarginClaim.sol";
import { Shape } from "../../contracts/types/Shape.sol";

/// @title The pairing verifier with its transcript laid open
/// @notice For tests alone: tests/differential compares what it squeezes with verifier/transcript.py.
contract ChallengeHarness is PairingMarginVerifier {
    using Transcript for bytes32;

    constructor(Shape memory shape_, bytes memory setupPoint, bytes memory table)
        PairingMarginVerifier(shape_, setupPoint, table)
    { }

    /// @notice θ, β, α, ζ, η, u and the states s5 and s6 of a claim.
    function challenges(MarginClaim calldata claim)
        external
        view
        returns (uint256[6] memory values, bytes32[2] memory states)
    {
        Round memory round = _read(claim, LONG_HINT);
        values[0] = Scalar.unwrap(round.theta);
        values[1] = Scalar.unwrap(round.beta);
        values[2] = Scalar.unwrap(round.alpha);
        values[3] = Scalar.unwrap(round.zeta);
        values[4] = Scalar.unwrap(round.eta);
        values[5] = Scalar.unwrap(round.u);
        states[0] = round.state;
        states[1] = round.state.absorb(_opening(round), MarginProof.COMPRESSED_BYTES);
    }

    /// @notice The weights ρ_1 … ρ_n of a batch whose claims end in these states.
    function batchWeights(bytes32[] calldata finalStates) external pure returns (uint256[] memory weights) {
        bytes32 seed = Transcript.batch(finalStates);
        weights = new uint256[](finalStates.length);
        for (uint256 i = 0; i < weights.length; ++i) {
            weights[i] = Scalar.unwrap(Transcript.weight(seed, i + 1));
        }
    }
}
