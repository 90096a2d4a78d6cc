// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ArgumentDomain } from "./ArgumentDomain.sol";
import { IMarginVerifier } from "./interfaces/IMarginVerifier.sol";
import { MarginProof } from "./libraries/MarginProof.sol";
import { Transcript } from "./libraries/Transcript.sol";
import { MarginClaim } from "./types/MarginClaim.sol";
import { Shape } from "./types/Shape.sol";

/// @title From claims to challenges
/// @dev Twins: verifier/statement.py and verifier/transcript.py. Specification, section 3.
abstract contract ArgumentRounds is ArgumentDomain {
    using MarginProof for bytes;
    using Transcript for bytes32;

    /// @dev A claim whose lengths are right, and its challenges. Fields that end in At are offsets in calldata.
    /// @param matrixDigest Digest of the matrix, for batches.
    /// @param matrixOwner Position of the first claim of the batch with the same matrix.
    /// @param matrixTerm Where the terms of the matrix begin in memory; zero until they are written.
    struct Round {
        uint256 books;
        uint256 chunks;
        uint256 portfolioAt;
        uint256 matrixAt;
        uint256 proofAt;
        uint256 scalarsAt;
        uint256 hintAt;
        Challenges challenges;
        bytes32 matrixDigest;
        uint256 matrixOwner;
        uint256 matrixTerm;
    }

    /// @dev Lengths of hints: the inverse alone, or followed by the y coordinate of W'.
    uint256 internal constant SHORT_HINT = 32;
    uint256 internal constant LONG_HINT = 80;

    /// @dev Far more than a block can pay for; keeps products of sizes from overflowing.
    uint256 private constant MAXIMUM_BOOKS = 256;

    bytes32 private immutable VERIFYING_KEY;

    /// @param setupPoint [τ]_2 as x.c0 ‖ x.c1 ‖ y.c0 ‖ y.c1, 192 bytes.
    /// @param table [T], 96 bytes.
    constructor(Shape memory shape_, bytes memory setupPoint, bytes memory table) ArgumentDomain(shape_) {
        if (setupPoint.length != 192) revert MarginVerifierInvalidSetup(setupPoint);
        if (table.length != MarginProof.POINT_BYTES) revert MarginVerifierInvalidSetup(table);
        VERIFYING_KEY = keccak256(
            abi.encodePacked(
                shape_.powers, shape_.columns, shape_.digits, shape_.digitBits, setupPoint, table
            )
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
        bytes calldata proof = claim.proof;
        if (proof.length != MarginProof.length(books)) {
            revert MarginVerifierProofLength(proof.length, MarginProof.length(books));
        }
        bytes calldata hint = claim.hint;
        if (hint.length != hintLength) revert MarginVerifierHintLength(hint.length, hintLength);
        round.books = books;
        round.proofAt = proof.location();
        round.scalarsAt = proof.location() + proof.length - MarginProof.scalarsLength(books);
        round.hintAt = hint.location();
        _setChallenges(round, _begin(round, claim));
    }

    /// @dev s0, after the lengths of what it absorbs.
    function _begin(Round memory round, MarginClaim calldata claim) private view returns (bytes32) {
        uint256 books = round.books;
        bytes calldata portfolio = claim.portfolio;
        uint256 bookBytes = books * MarginProof.POINT_BYTES;
        if (portfolio.length != bookBytes) revert MarginVerifierPortfolioLength(portfolio.length, bookBytes);
        bytes calldata matrix = claim.matrix;
        uint256 chunks = matrix.length / bookBytes;
        if (chunks == 0 || chunks * bookBytes != matrix.length) revert MarginVerifierMatrixLength(matrix.length, books);
        round.chunks = chunks;
        round.portfolioAt = portfolio.location();
        round.matrixAt = matrix.location();
        return Transcript.begin(VERIFYING_KEY, claim.context, books, chunks, portfolio, matrix);
    }

    /// @dev From s0 to s5, in the order in which the prover sends.
    function _setChallenges(Round memory round, bytes32 state) private pure {
        Challenges memory challenges = round.challenges;
        uint256 books = round.books;
        uint256 row = MarginProof.rowLength(books);
        uint256 pointAt = round.proofAt;

        state = state.absorb(pointAt, row); // [r_0].. [m]
        challenges.theta = state.squeeze(0);
        challenges.beta = state.squeeze(1);
        pointAt += row;
        state = state.absorb(pointAt, 2 * row - MarginProof.POINT_BYTES); // [A_0].. [acc] [t_0]..
        challenges.alpha = state.squeeze(0);
        pointAt += 2 * row;
        state = state.absorb(pointAt - MarginProof.POINT_BYTES, MarginProof.POINT_BYTES); // [h]
        challenges.zeta = state.squeeze(0);
        state = state.absorb(round.scalarsAt, MarginProof.scalarsLength(books));
        challenges.eta = state.squeeze(0);
        state = state.absorb(pointAt, MarginProof.POINT_BYTES); // [W]
        challenges.u = state.squeeze(0);
        challenges.state = state;
    }
}
