// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMarginVerifier } from "./interfaces/IMarginVerifier.sol";
import { MarginProof } from "./libraries/MarginProof.sol";
import { Scalar } from "./libraries/ScalarField.sol";
import { Transcript } from "./libraries/Transcript.sol";
import { MarginClaim } from "./types/MarginClaim.sol";
import { Shape } from "./types/Shape.sol";

/// @title From claims to challenges
/// @dev Twins: verifier/statement.py and verifier/transcript.py. Specification, section 3.
abstract contract ArgumentRounds is IMarginVerifier {
    using MarginProof for bytes;
    using Transcript for bytes32;

    /// @dev A claim whose lengths are right, and its challenges.
    /// @param books B.
    /// @param chunks G.
    /// @param portfolio Where C_0 … lie in calldata.
    /// @param matrix Where the chunks lie in calldata.
    /// @param proof Where the proof begins in calldata.
    /// @param evaluations Where its scalars begin in calldata.
    /// @param hint Where the hint begins in calldata.
    /// @param state s5, the last state before the opening.
    /// @param matrixDigest Digest of the matrix; set in batches.
    /// @param matrixTerm Where the terms of the matrix begin in memory; zero until they are written.
    struct Round {
        uint256 books;
        uint256 chunks;
        uint256 portfolio;
        uint256 matrix;
        uint256 proof;
        uint256 evaluations;
        uint256 hint;
        Scalar theta;
        Scalar beta;
        Scalar alpha;
        Scalar zeta;
        Scalar eta;
        Scalar u;
        bytes32 state;
        bytes32 matrixDigest;
        uint256 matrixTerm;
    }

    /// @dev Lengths of hints: the inverse alone, or followed by the y coordinate of W'.
    uint256 internal constant SHORT_HINT = 32;
    uint256 internal constant LONG_HINT = 80;

    /// @dev Far more than a block can pay for; keeps products of sizes from overflowing.
    uint256 internal constant MAXIMUM_BOOKS = 256;

    uint256 private constant SETUP_POINT_BYTES = 192;

    bytes32 private immutable VERIFYING_KEY;

    /// @param shape_ D, R, k and d.
    /// @param setupPoint [τ]_2 as x.c0 ‖ x.c1 ‖ y.c0 ‖ y.c1, 192 bytes.
    /// @param table [T], 96 bytes.
    constructor(Shape memory shape_, bytes memory setupPoint, bytes memory table) {
        if (setupPoint.length != SETUP_POINT_BYTES) revert MarginVerifierInvalidSetup(setupPoint);
        if (table.length != MarginProof.POINT_BYTES) revert MarginVerifierInvalidSetup(table);
        VERIFYING_KEY = keccak256(
            abi.encodePacked(shape_.powers, shape_.columns, shape_.digits, shape_.digitBits, setupPoint, table)
        );
    }

    /// @inheritdoc IMarginVerifier
    function verifyingKey() external view returns (bytes32) {
        return VERIFYING_KEY;
    }

    /// @dev Checks every length of a claim and recomputes its challenges.
    function _read(MarginClaim calldata claim, uint256 hintLength) internal view returns (Round memory round) {
        uint256 books = claim.books;
        if (books == 0 || books > MAXIMUM_BOOKS) revert MarginVerifierBooksOutOfRange(books, MAXIMUM_BOOKS);
        round.books = books;
        bytes32 state = _begin(round, claim, books);
        bytes calldata hint = claim.hint;
        if (hint.length != hintLength) revert MarginVerifierHintLength(hint.length, hintLength);
        round.hint = hint.location();
        bytes calldata proof = claim.proof;
        uint256 proofBytes = MarginProof.length(books);
        if (proof.length != proofBytes) revert MarginVerifierProofLength(proof.length, proofBytes);
        _squeeze(round, state, proof.location(), books);
    }

    /// @dev s0, from a portfolio and a matrix of the right lengths.
    function _begin(Round memory round, MarginClaim calldata claim, uint256 books) private view returns (bytes32) {
        bytes calldata portfolio = claim.portfolio;
        bytes calldata matrix = claim.matrix;
        uint256 chunks;
        unchecked {
            // books lies in [1, 256], so that no product overflows and no divisor is zero.
            uint256 length = books * MarginProof.POINT_BYTES;
            if (portfolio.length != length) revert MarginVerifierPortfolioLength(portfolio.length, length);
            chunks = matrix.length / length;
            if (chunks == 0 || chunks * length != matrix.length) {
                revert MarginVerifierMatrixLength(matrix.length, books);
            }
        }
        round.chunks = chunks;
        round.portfolio = portfolio.location();
        round.matrix = matrix.location();
        return Transcript.begin(VERIFYING_KEY, claim.context, books, chunks, portfolio, matrix);
    }

    /// @dev From s0 to s5, in the order in which the prover sends.
    function _squeeze(Round memory round, bytes32 state, uint256 proof, uint256 books) private pure {
        round.proof = proof;
        uint256 row = MarginProof.rowLength(books);
        unchecked {
            // Places within the proof, whose length has been checked.
            state = state.absorb(proof, row); // [r_0].. [m]
            round.theta = state.challenge(0);
            round.beta = state.challenge(1);
            state = state.absorb(proof + row, 2 * row - MarginProof.POINT_BYTES); // [A_0].. [acc] [t_0]..
            round.alpha = state.challenge(0);
            uint256 rest = proof + 3 * row;
            state = state.absorb(rest - MarginProof.POINT_BYTES, MarginProof.POINT_BYTES); // [h]
            round.zeta = state.challenge(0);
            uint256 evaluations = rest + MarginProof.POINT_BYTES + MarginProof.COMPRESSED_BYTES;
            round.evaluations = evaluations;
            state = state.absorb(evaluations, MarginProof.evaluationsLength(books));
            round.eta = state.challenge(0);
            state = state.absorb(rest, MarginProof.POINT_BYTES); // [W]
            round.u = state.challenge(0);
            round.state = state;
        }
    }
}
