// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ArgumentRounds } from "./ArgumentRounds.sol";
import { IMarginVerifier } from "./interfaces/IMarginVerifier.sol";
import { Bls12381 } from "./libraries/Bls12381.sol";
import { MarginProof } from "./libraries/MarginProof.sol";
import { PointCompression } from "./libraries/PointCompression.sol";
import { PointTerms } from "./libraries/PointTerms.sol";
import { PrecompileTests } from "./libraries/PrecompileTests.sol";
import { ONE, Scalar } from "./libraries/ScalarField.sol";
import { Memory } from "./libraries/Memory.sol";
import { Transcript } from "./libraries/Transcript.sol";
import { G1Point } from "./types/CurvePoints.sol";
import { MarginClaim } from "./types/MarginClaim.sol";
import { Shape } from "./types/Shape.sol";

/// @title The margin argument's verifier but for its last equation
/// @notice Assembles the sum [L] of the specification, section 5, from the commitments of one claim or of a batch.
/// @dev Twin: verifier/verification.py. No storage.
///
///      The generator never enters the sum: [L] = [L'] + c·G, and each variant accounts for c. To the point evaluation
///      precompile, "[L] opens to 0" and "[L'] opens to −c" are the same equation, and the second saves a term.
abstract contract MarginVerifier is ArgumentRounds {
    using MarginProof for uint256;
    using PointTerms for PointTerms.Terms;
    using Transcript for bytes32;

    /// @dev What the claims of a batch share.
    /// @param generator c, the coefficient of the generator.
    /// @param table Coefficient of [T].
    struct Totals {
        Scalar generator;
        Scalar table;
    }

    /// @dev Factors of one claim's coefficients. ρ is the claim's weight in its batch.
    /// @param step ρ(u − ωζ)·α^B·(θ + T̄), the weight of acc's step.
    /// @param rows step·σ_V(ζ), the weight of the linear equations.
    /// @param chunk κ·α^(B+1).
    /// @param degree α^(B+1)·(α^B·Z·ζ^(D−R) − κ).
    /// @param etaBooks η^B.
    /// @param betaConstant β^(NB).
    /// @param zeta ρ(u − ωζ), the weight of F_ζ.
    /// @param alphaZeta ρ(u − ωζ)·α^b; this and the next three advance from book to book.
    /// @param etaZeta ρ(u − ωζ)·η^(1+b).
    /// @param etaNext ρ(u − ζ)·η^b.
    /// @param betaLink β^(Nb).
    struct Weights {
        Scalar step;
        Scalar rows;
        Scalar chunk;
        Scalar degree;
        Scalar etaBooks;
        Scalar betaConstant;
        Scalar zeta;
        Scalar alphaZeta;
        Scalar etaZeta;
        Scalar etaNext;
        Scalar betaLink;
    }

    /// @dev Terms of a claim beside its chunks: C, r, A and t for each book; m, acc, h, W, and W' in a batch.
    uint256 private constant TERMS_PER_BOOK = 4;
    uint256 private constant TERMS_PER_CLAIM = 5;
    /// @dev [T], and the generator in one variant.
    uint256 private constant SHARED_TERMS = 2;

    uint256 private immutable TABLE_X_HIGH;
    uint256 private immutable TABLE_X_LOW;
    uint256 private immutable TABLE_Y_HIGH;
    uint256 private immutable TABLE_Y_LOW;

    constructor(Shape memory shape_, bytes memory setupPoint, bytes memory table)
        ArgumentRounds(shape_, setupPoint, table)
    {
        PrecompileTests.requireGroup();
        G1Point memory point = Bls12381.decodeG1(table);
        if (!PrecompileTests.isCommitment(point)) revert MarginVerifierInvalidSetup(table);
        (TABLE_X_HIGH, TABLE_X_LOW) = (point.xHigh, point.xLow);
        (TABLE_Y_HIGH, TABLE_Y_LOW) = (point.yHigh, point.yLow);
    }

    /// @inheritdoc IMarginVerifier
    function verifyBatch(MarginClaim[] calldata claims) external view {
        uint256 count = claims.length;
        if (count == 0) revert MarginVerifierNoClaims();
        Round[] memory rounds = new Round[](count);
        bytes32[] memory finalStates = new bytes32[](count);
        uint256 capacity = 0;
        for (uint256 i = 0; i < count; ++i) {
            Round memory round = _read(claims[i], LONG_HINT);
            rounds[i] = round;
            finalStates[i] = round.challenges.state.absorb(_openingAt(round), MarginProof.COMPRESSED_BYTES);
            round.matrixDigest = keccak256(claims[i].matrix);
            round.matrixOwner = _firstWithMatrix(rounds, i);
            capacity += _capacity(round);
            if (round.matrixOwner != i) capacity -= round.books * round.chunks;
        }
        _requireBatch(rounds, Transcript.batch(finalStates), capacity);
    }

    /// @dev The last equation, e(P, [τ]_2) = e(Q, [1]_2), or a revert with a named error.
    /// @param sum Q without its generator's term; has room for one more.
    /// @param generator The coefficient of the generator in Q.
    /// @param openings P; the first scalar is one.
    function _requireEquation(PointTerms.Terms memory sum, Scalar generator, PointTerms.Terms memory openings)
        internal
        view
        virtual;

    /// @dev Q = Σ ρ_j([L_j] + u_j[W'_j]) and P = Σ ρ_j[W'_j], then the last equation.
    function _requireBatch(Round[] memory rounds, bytes32 seed, uint256 capacity) internal view {
        PointTerms.Terms memory openings = PointTerms.allocate(rounds.length);
        PointTerms.Terms memory sum = PointTerms.allocate(capacity + SHARED_TERMS);
        Totals memory totals;
        for (uint256 i = 0; i < rounds.length; ++i) {
            // Everything that a claim needs in between is forgotten after it.
            uint256 mark = Memory.mark();
            Round memory round = rounds[i];
            Scalar weight = Transcript.weight(seed, i + 1);
            _addClaim(sum, totals, round, rounds[round.matrixOwner], weight);
            _addOpening(sum, openings, round, weight);
            Memory.release(mark);
        }
        _addTable(sum, totals);
        _requireEquation(sum, totals.generator, openings);
    }

    /// @dev The first claim that brings the same matrix as claim `index`, which may be itself.
    function _firstWithMatrix(Round[] memory rounds, uint256 index) private pure returns (uint256 first) {
        bytes32 digest = rounds[index].matrixDigest;
        while (rounds[first].matrixDigest != digest) ++first;
    }

    /// @dev Adds W' of one claim to both sums of a batch.
    function _addOpening(
        PointTerms.Terms memory sum,
        PointTerms.Terms memory openings,
        Round memory round,
        Scalar weight
    ) private pure {
        G1Point memory opening =
            PointCompression.decompress(_openingAt(round), round.hintAt + MarginProof.SCALAR_BYTES);
        openings.append(opening, weight);
        sum.append(opening, weight * round.challenges.u);
    }

    /// @dev Adds ρ·[L] of one claim to the sum, but for generator and table, whose coefficients go to `totals`.
    /// @param owner The first claim of the batch with the same matrix.
    function _addClaim(
        PointTerms.Terms memory sum,
        Totals memory totals,
        Round memory round,
        Round memory owner,
        Scalar weight
    ) internal view {
        PublicValues memory values = _publicValues(round.challenges, round.hintAt.scalarAt());
        Weights memory weights = _weights(round, values, weight);
        _addMatrix(sum, round, owner, weights.chunk, values.betaRows);
        for (uint256 book = 0; book < round.books; ++book) {
            _addEvaluations(totals, round, values, weights, book);
            _addBook(sum, round, values, weights, book);
            weights.alphaZeta = weights.alphaZeta * round.challenges.alpha;
            weights.etaZeta = weights.etaZeta * round.challenges.eta;
            weights.etaNext = weights.etaNext * round.challenges.eta;
            weights.betaLink = weights.betaLink * values.betaSlots;
        }
        _addRest(sum, totals, round, values, weights);
    }

    function _weights(Round memory round, PublicValues memory values, Scalar weight)
        private
        view
        returns (Weights memory weights)
    {
        Challenges memory challenges = round.challenges;
        Scalar alphaBooks = challenges.alpha;
        Scalar etaBooks = challenges.eta;
        Scalar betaConstant = values.betaSlots;
        for (uint256 book = 1; book < round.books; ++book) {
            alphaBooks = alphaBooks * challenges.alpha;
            etaBooks = etaBooks * challenges.eta;
            betaConstant = betaConstant * values.betaSlots;
        }
        weights.etaBooks = etaBooks;
        weights.betaConstant = betaConstant;

        Scalar zeta = weight * (challenges.u - OMEGA * challenges.zeta);
        weights.zeta = zeta;
        weights.alphaZeta = zeta;
        weights.etaZeta = zeta * challenges.eta;
        weights.etaNext = weight * (challenges.u - challenges.zeta);
        weights.betaLink = ONE;

        Scalar step = zeta * alphaBooks * (challenges.theta + _tableEvaluation(round));
        weights.step = step;
        weights.rows = step * values.sum;
        Scalar alphaNext = alphaBooks * challenges.alpha;
        weights.chunk = zeta * values.chunkQuotient * alphaNext;
        weights.degree =
            alphaNext * (alphaBooks * values.vanishing * values.degreeShift - values.chunkQuotient);
    }

    /// @dev ρ(u − ωζ)·κ·α^(B+1+b)·β^(gS') for chunk g of book b.
    function _addMatrix(
        PointTerms.Terms memory sum,
        Round memory round,
        Round memory owner,
        Scalar bookScale,
        Scalar betaRows
    ) private pure {
        bool isFirst = owner.matrixTerm == 0;
        if (isFirst) owner.matrixTerm = sum.end;
        uint256 term = owner.matrixTerm;
        uint256 pointAt = round.matrixAt;
        for (uint256 book = 0; book < round.books; ++book) {
            Scalar scalar = bookScale;
            for (uint256 chunk = 0; chunk < round.chunks; ++chunk) {
                if (isFirst) sum.append(pointAt, scalar);
                else PointTerms.increase(term, scalar);
                scalar = scalar * betaRows;
                pointAt += MarginProof.POINT_BYTES;
                term += PointTerms.TERM_BYTES;
            }
            bookScale = bookScale * round.challenges.alpha;
        }
    }

    /// @dev The terms of r_b, x_b, A_b and t_b; a_b = β^(NB+1)·t̄_b + β^(Nb)·(b(ζ) − b(ζ/ν)) + [b=0]·β^(NB)·λ^V_2(ζ).
    function _addBook(
        PointTerms.Terms memory sum,
        Round memory round,
        PublicValues memory values,
        Weights memory weights,
        uint256 book
    ) private pure {
        Scalar rows = weights.betaConstant * round.challenges.beta * _rowsEvaluation(round, book)
            + weights.betaLink * values.linkStep;
        if (book == 0) rows = rows + weights.betaConstant * values.constantOne;

        uint256 row = MarginProof.rowLength(round.books);
        uint256 pointAt = round.proofAt + book * MarginProof.POINT_BYTES;
        sum.append(
            pointAt, weights.alphaZeta * _lookupEvaluation(round, book) - weights.rows * rows + weights.etaNext
        );
        sum.append(pointAt + row, weights.etaZeta);
        sum.append(pointAt + 2 * row, weights.etaZeta * weights.etaBooks);
        sum.append(
            round.portfolioAt + book * MarginProof.POINT_BYTES, weights.rows * weights.betaLink * values.link
        );
    }

    /// @dev What the evaluations of a book leave on the generator.
    function _addEvaluations(
        Totals memory totals,
        Round memory round,
        PublicValues memory values,
        Weights memory weights,
        uint256 book
    ) private pure {
        Scalar digits = (round.scalarsAt + (round.books + book) * MarginProof.SCALAR_BYTES).scalarAt();
        Scalar lookup = _lookupEvaluation(round, book);
        Scalar rows = _rowsEvaluation(round, book);
        Scalar lookups = lookup * (round.challenges.theta - values.shift * digits) - ONE;
        Scalar generator = weights.alphaZeta * (lookups + weights.degree * rows);
        generator = generator - weights.step * lookup;
        generator = generator - weights.etaZeta * (lookup + weights.etaBooks * rows);
        totals.generator = totals.generator + generator - weights.etaNext * digits;
    }

    /// @dev The terms of m, acc, h and W, and what acc̄, T̄ and the constant column leave on generator and table. The
    ///      weights have advanced past the last book: etaNext is ρ(u − ζ)·η^B, etaZeta is ρ(u − ωζ)·η^(1+B).
    function _addRest(
        PointTerms.Terms memory sum,
        Totals memory totals,
        Round memory round,
        PublicValues memory values,
        Weights memory weights
    ) private view {
        uint256 books = round.books;
        uint256 row = MarginProof.rowLength(books);
        uint256 pointAt = round.proofAt + books * MarginProof.POINT_BYTES;
        sum.append(pointAt, weights.alphaZeta); // m
        sum.append(pointAt + row, weights.etaNext - weights.step); // acc
        sum.append(pointAt + 2 * row, -(weights.zeta * values.vanishing)); // h
        Scalar distance = round.challenges.u - round.challenges.zeta;
        sum.append(pointAt + 2 * row + MarginProof.POINT_BYTES, -(weights.zeta * distance)); // W

        Scalar accumulator = (round.scalarsAt + 2 * books * MarginProof.SCALAR_BYTES).scalarAt();
        Scalar table = weights.etaZeta * weights.etaBooks;
        totals.table = totals.table + table;
        totals.generator = totals.generator + weights.step * accumulator
            + weights.rows * weights.betaConstant * INVERSE_COLUMNS - weights.etaNext * accumulator
            - table * _tableEvaluation(round);
    }

    function _addTable(PointTerms.Terms memory sum, Totals memory totals) internal view {
        sum.append(G1Point(TABLE_X_HIGH, TABLE_X_LOW, TABLE_Y_HIGH, TABLE_Y_LOW), totals.table);
    }

    /// @dev How many terms a claim adds, when it shares its matrix with no other.
    function _capacity(Round memory round) internal pure returns (uint256) {
        return TERMS_PER_CLAIM + (TERMS_PER_BOOK + round.chunks) * round.books;
    }

    /// @dev Where W' lies.
    function _openingAt(Round memory round) internal pure returns (uint256) {
        return round.scalarsAt - MarginProof.COMPRESSED_BYTES;
    }

    /// @dev Ā_b.
    function _lookupEvaluation(Round memory round, uint256 book) private pure returns (Scalar) {
        return (round.scalarsAt + book * MarginProof.SCALAR_BYTES).scalarAt();
    }

    /// @dev t̄_b.
    function _rowsEvaluation(Round memory round, uint256 book) private pure returns (Scalar) {
        return (round.scalarsAt + (2 * round.books + 1 + book) * MarginProof.SCALAR_BYTES).scalarAt();
    }

    /// @dev T̄.
    function _tableEvaluation(Round memory round) private pure returns (Scalar) {
        return (round.scalarsAt + (3 * round.books + 1) * MarginProof.SCALAR_BYTES).scalarAt();
    }
}
