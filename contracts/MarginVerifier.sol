// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ArgumentDomain } from "./ArgumentDomain.sol";
import { IMarginVerifier } from "./interfaces/IMarginVerifier.sol";
import { Bls12381 } from "./libraries/Bls12381.sol";
import { MarginProof } from "./libraries/MarginProof.sol";
import { PointCompression } from "./libraries/PointCompression.sol";
import { PointTerms } from "./libraries/PointTerms.sol";
import { PrecompileTests } from "./libraries/PrecompileTests.sol";
import { ONE, Scalar, ScalarField } from "./libraries/ScalarField.sol";
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
abstract contract MarginVerifier is ArgumentDomain {
    using MarginProof for bytes;
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
    /// @param degree α^(B+1)·(α^B·Z·ζ^(D−R) − κ).
    /// @param etaBooks η^B.
    /// @param betaConstant β^(NB).
    /// @param alphaZeta ρ(u − ωζ)·α^b; this and the next three advance from book to book.
    /// @param etaZeta ρ(u − ωζ)·η^(1+b).
    /// @param etaNext ρ(u − ζ)·η^b.
    /// @param betaLink β^(Nb).
    struct Weights {
        Scalar step;
        Scalar rows;
        Scalar degree;
        Scalar etaBooks;
        Scalar betaConstant;
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

    /// @dev Terms of a bare opening: commitment and opening, and the generator in one variant.
    uint256 private constant OPENING_TERMS = 3;

    uint256 private immutable TABLE_X_HIGH;
    uint256 private immutable TABLE_X_LOW;
    uint256 private immutable TABLE_Y_HIGH;
    uint256 private immutable TABLE_Y_LOW;

    constructor(Shape memory shape_, bytes memory setupPoint, bytes memory table)
        ArgumentDomain(shape_, setupPoint, table)
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
        for (uint256 i = 0; i < count; ++i) {
            Round memory round = _read(claims[i], LONG_HINT);
            round.matrixDigest = keccak256(claims[i].matrix);
            rounds[i] = round;
            finalStates[i] = round.state.absorb(_opening(round), MarginProof.COMPRESSED_BYTES);
        }
        _requireBatch(rounds, Transcript.batch(finalStates));
    }

    /// @inheritdoc IMarginVerifier
    /// @dev e(P, [τ]_2) = e(C + z·P − y·[1]_1, [1]_2).
    function requireOpening(bytes calldata commitment, uint256 z, uint256 y, bytes calldata opening) external view {
        if (commitment.length != MarginProof.POINT_BYTES) revert MarginVerifierCommitmentLength(commitment.length);
        if (opening.length != MarginProof.POINT_BYTES) {
            revert MarginVerifierOpeningLength(opening.length, MarginProof.POINT_BYTES);
        }
        PointTerms.Terms memory openings = PointTerms.allocate(1);
        PointTerms.Terms memory sum = PointTerms.allocate(OPENING_TERMS);
        openings.append(opening.location(), ONE);
        sum.append(commitment.location(), ONE);
        sum.append(opening.location(), ScalarField.fromCanonical(z));
        _requireEquation(sum, -ScalarField.fromCanonical(y), openings);
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
    function _requireBatch(Round[] memory rounds, bytes32 seed) internal view {
        PointTerms.Terms memory openings = PointTerms.allocate(rounds.length);
        PointTerms.Terms memory sum = PointTerms.allocate(_capacity(rounds));
        Totals memory totals;
        for (uint256 i = 0; i < rounds.length; ++i) {
            // What a claim needs in between is forgotten after it.
            uint256 mark = Memory.mark();
            Round memory round = rounds[i];
            Scalar weight = Transcript.weight(seed, i + 1);
            _addClaim(sum, totals, round, rounds[_firstWithMatrix(rounds, i)], weight);
            G1Point memory opening = PointCompression.decompress(_opening(round), round.hint + MarginProof.SCALAR_BYTES);
            openings.append(opening, weight);
            sum.append(opening, weight * round.u);
            Memory.release(mark);
        }
        _addTable(sum, totals);
        _requireEquation(sum, totals.generator, openings);
    }

    /// @dev Terms of the sum of a batch: matrices are counted once.
    function _capacity(Round[] memory rounds) private pure returns (uint256 capacity) {
        capacity = SHARED_TERMS;
        unchecked {
            // Lengths of calldata, and less is taken away than was added.
            for (uint256 i = 0; i < rounds.length; ++i) {
                capacity += _capacity(rounds[i]);
                if (_firstWithMatrix(rounds, i) != i) capacity -= rounds[i].books * rounds[i].chunks;
            }
        }
    }

    /// @dev Terms of one claim with its matrix.
    function _capacity(Round memory round) internal pure returns (uint256) {
        unchecked {
            // Both factors are below the length of calldata.
            return TERMS_PER_CLAIM + (TERMS_PER_BOOK + round.chunks) * round.books;
        }
    }

    /// @dev The first claim that brings the same matrix as claim `index`, which may be itself.
    function _firstWithMatrix(Round[] memory rounds, uint256 index) private pure returns (uint256 first) {
        bytes32 digest = rounds[index].matrixDigest;
        while (rounds[first].matrixDigest != digest) ++first;
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
        PublicValues memory values = _publicValues(round);
        Weights memory weights;
        _addOpened(sum, round, values, weights, weight);
        Scalar chunkScale = _setWeights(sum, totals, round, values, weights);
        if (owner.matrixTerm == 0) _addMatrix(sum, round, chunkScale, values.betaRows);
        else _increaseMatrix(owner.matrixTerm, round, chunkScale, values.betaRows);
        _addBooks(sum, totals, round, values, weights);
    }

    function _addTable(PointTerms.Terms memory sum, Totals memory totals) internal view {
        sum.append(TABLE_X_HIGH, TABLE_X_LOW, TABLE_Y_HIGH, TABLE_Y_LOW, totals.table);
    }

    /// @dev Where W' lies in calldata.
    function _opening(Round memory round) internal pure returns (uint256) {
        unchecked {
            // It lies before the evaluations.
            return round.evaluations - MarginProof.COMPRESSED_BYTES;
        }
    }

    /// @dev The weights ρ(u − ωζ) of F_ζ and ρ(u − ζ) of F_ωζ, and the terms of h and W: −ρ(u − ωζ)·Z and
    ///      −ρ(u − ωζ)(u − ζ).
    function _addOpened(
        PointTerms.Terms memory sum,
        Round memory round,
        PublicValues memory values,
        Weights memory weights,
        Scalar weight
    ) private view {
        Scalar zeta = weight * (round.u - OMEGA * round.zeta);
        weights.alphaZeta = zeta;
        weights.etaZeta = zeta * round.eta;
        Scalar distance = round.u - round.zeta;
        weights.etaNext = weight * distance;
        zeta = -zeta;
        unchecked {
            // Indices of a proof of at most 256 books.
            uint256 place = round.proof.pointAt(3 * round.books + 2);
            sum.append(place, zeta * values.vanishing);
            sum.append(place.pointAt(1), zeta * distance);
        }
    }

    /// @dev Everything that the books share; also what T̄ and the constant column leave on generator and table.
    /// @return chunkScale ρ(u − ωζ)·κ·α^(B+1).
    function _setWeights(
        PointTerms.Terms memory sum,
        Totals memory totals,
        Round memory round,
        PublicValues memory values,
        Weights memory weights
    ) private view returns (Scalar chunkScale) {
        Scalar alphaBooks = round.alpha; // α^B
        Scalar etaBooks = round.eta;
        Scalar betaConstant = values.betaSlots;
        for (uint256 book = 1; book < round.books; ++book) {
            alphaBooks = alphaBooks * round.alpha;
            etaBooks = etaBooks * round.eta;
            betaConstant = betaConstant * values.betaSlots;
        }
        weights.etaBooks = etaBooks;
        weights.betaConstant = betaConstant;
        weights.betaLink = ONE;

        Scalar rows = _addStep(sum, totals, round, weights, alphaBooks) * values.sum;
        weights.rows = rows;
        totals.generator = totals.generator + rows * betaConstant * INVERSE_COLUMNS;

        Scalar alphaNext = alphaBooks * round.alpha;
        Scalar quotient = values.chunkQuotient;
        weights.degree = alphaNext * (alphaBooks * values.vanishing * values.degreeShift - quotient);
        return weights.alphaZeta * quotient * alphaNext;
    }

    /// @dev The terms of m and acc, the coefficient ρ(u − ωζ)·η^(1+2B) of [T], and what acc̄ and T̄ leave on the generator.
    /// @return step The weight of acc's step.
    function _addStep(
        PointTerms.Terms memory sum,
        Totals memory totals,
        Round memory round,
        Weights memory weights,
        Scalar alphaBooks
    ) private pure returns (Scalar step) {
        unchecked {
            // Indices of a proof of at most 256 books.
            uint256 books = round.books;
            uint256 place = round.proof.pointAt(books);
            step = weights.alphaZeta * alphaBooks;
            sum.append(place, step); // m
            Scalar etaBooks = weights.etaBooks;
            Scalar evaluation = round.evaluations.scalarAt(3 * books + 1); // T̄
            Scalar table = weights.etaZeta * etaBooks * etaBooks;
            totals.table = totals.table + table;
            table = table * evaluation;
            step = step * (round.theta + evaluation);
            weights.step = step;
            Scalar scalar = weights.etaNext * etaBooks - step;
            sum.append(place.pointAt(books + 1), scalar); // acc
            totals.generator = totals.generator - table - scalar * round.evaluations.scalarAt(2 * books);
        }
    }

    /// @dev Terms ρ(u − ωζ)·κ·α^(B+1+b)·β^(gS') for chunk g of book b.
    function _addMatrix(PointTerms.Terms memory sum, Round memory round, Scalar bookScale, Scalar betaRows)
        private
        pure
    {
        round.matrixTerm = sum.end;
        uint256 place = round.matrix;
        for (uint256 book = 0; book < round.books; ++book) {
            Scalar scalar = bookScale;
            for (uint256 chunk = 0; chunk < round.chunks; ++chunk) {
                sum.append(place, scalar);
                place = place.pointAt(1);
                scalar = scalar * betaRows;
            }
            bookScale = bookScale * round.alpha;
        }
    }

    /// @dev The same on terms that another claim has added.
    function _increaseMatrix(uint256 term, Round memory round, Scalar bookScale, Scalar betaRows) private pure {
        for (uint256 book = 0; book < round.books; ++book) {
            Scalar scalar = bookScale;
            for (uint256 chunk = 0; chunk < round.chunks; ++chunk) {
                PointTerms.increase(term, scalar);
                unchecked {
                    // As many terms as the matrix has points.
                    term += PointTerms.TERM_BYTES;
                }
                scalar = scalar * betaRows;
            }
            bookScale = bookScale * round.alpha;
        }
    }

    /// @dev The terms of all books; the weights advance from one to the next.
    function _addBooks(
        PointTerms.Terms memory sum,
        Totals memory totals,
        Round memory round,
        PublicValues memory values,
        Weights memory weights
    ) private pure {
        uint256 book = 0;
        while (true) {
            totals.generator = totals.generator + _addBook(sum, round, values, weights, book);
            unchecked {
                // At most 256 books.
                if (++book == round.books) return;
            }
            weights.alphaZeta = weights.alphaZeta * round.alpha;
            weights.etaZeta = weights.etaZeta * round.eta;
            weights.etaNext = weights.etaNext * round.eta;
            weights.betaLink = weights.betaLink * values.betaSlots;
        }
    }

    /// @dev The terms of r_b, A_b, t_b and C_b.
    /// @return generator What the evaluations of the book leave on the generator.
    function _addBook(
        PointTerms.Terms memory sum,
        Round memory round,
        PublicValues memory values,
        Weights memory weights,
        uint256 book
    ) private pure returns (Scalar generator) {
        unchecked {
            // Indices of a proof of at most 256 books.
            Scalar lookup = round.evaluations.scalarAt(book); // Ā_b
            Scalar digits = round.evaluations.scalarAt(round.books + book); // r̄_b
            Scalar rows = round.evaluations.scalarAt(2 * round.books + 1 + book); // t̄_b

            generator = lookup * (round.theta - values.shift * digits) - ONE + weights.degree * rows;
            generator = weights.alphaZeta * generator - weights.step * lookup;
            generator = generator - weights.etaZeta * (lookup + weights.etaBooks * rows) - weights.etaNext * digits;

            // a_b = β^(NB+1)·t̄_b + β^(Nb)·(b(ζ) − b(ζ/ν)) + [b=0]·β^(NB)·λ^V_2(ζ)
            rows = weights.betaConstant * round.beta * rows + weights.betaLink * values.linkStep;
            if (book == 0) rows = rows + weights.betaConstant * values.constantOne;

            uint256 row = round.books + 1;
            uint256 place = round.proof.pointAt(book);
            sum.append(place, weights.alphaZeta * lookup - weights.rows * rows + weights.etaNext);
            sum.append(place.pointAt(row), weights.etaZeta);
            sum.append(place.pointAt(2 * row), weights.etaZeta * weights.etaBooks);
            sum.append(round.portfolio.pointAt(book), weights.rows * weights.betaLink * values.link);
        }
    }
}
