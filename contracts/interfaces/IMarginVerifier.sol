// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MarginClaim } from "../types/MarginClaim.sol";
import { Shape } from "../types/Shape.sol";

/// @title Checks margin proofs: whether hidden portfolios satisfy a public margin rule
/// @notice Stateless. A call that returns accepts; everything else reverts with a named error.
/// @dev Specification: the margin argument, sections 3 and 5. Twin: verifier/verification.py.
///
///      Entry points: `verify` for one claim, `verifyBatch` for any number under the same verifying key. The ceremony
///      variant's `verify` wants hints of 32 bytes; every `verifyBatch`, and the pairing variant's `verify`, of 80.
///
///      Errors of the libraries that calls end with, beside those below: `ScalarFieldNotCanonical`, `Bls12381InvalidPoint`
///      (not a point of the group), `PointCompressionMismatch` (W' and its y coordinate), `Bls12381PrecompileFailed` (the
///      chain lacks a precompile, or the gas ran out) and, at deployment, `PrecompileTestFailed`.
///
///      Trust assumptions: one honest participant of the setup behind [τ]_2, and that the deployer passed the true
///      commitment [T] of the range table; both are pinned by `verifyingKey`, which anybody can recompute.
///      A verifier says nothing about who chose the rule: the caller supplies `books` and `matrix` from its own storage.
interface IMarginVerifier {
    /// @notice The shape breaks section 2: powers of two, R ≥ 4, n = kR ≥ 2^d, D ≥ 2n.
    error MarginVerifierUnsupportedShape(Shape shape);

    /// @notice A curve point of the constructor has a wrong length or must not be infinity.
    error MarginVerifierInvalidSetup(bytes point);

    /// @notice A batch must hold at least one claim.
    error MarginVerifierNoClaims();

    /// @notice The number of books lies outside [1, maximum].
    error MarginVerifierBooksOutOfRange(uint256 books, uint256 maximum);

    /// @notice The portfolio must hold one point of 96 bytes for each book.
    error MarginVerifierPortfolioLength(uint256 length, uint256 expected);

    /// @notice The matrix must hold the same number, at least one, of chunk points of 96 bytes for each book.
    error MarginVerifierMatrixLength(uint256 length, uint256 books);

    /// @notice The proof has a wrong length for its number of books.
    error MarginVerifierProofLength(uint256 length, uint256 expected);

    /// @notice The hint has a wrong length for this entry point.
    error MarginVerifierHintLength(uint256 length, uint256 expected);

    /// @notice A challenge made one of the denominators of section 5 zero; never happens by chance.
    error MarginVerifierZeroDenominator();

    /// @notice The first word of the hint is not the inverse of the product of the denominators.
    error MarginVerifierInverseHintMismatch(uint256 hint, uint256 product);

    /// @notice Everything is well-formed, but the final equation does not hold.
    error MarginVerifierRejected();

    /// @notice The commitment of an opening must be one point of 96 bytes.
    error MarginVerifierCommitmentLength(uint256 length);

    /// @notice A bare opening must be one point of 96 bytes.
    error MarginVerifierOpeningLength(uint256 length, uint256 expected);

    /// @notice Accepts one claim or reverts.
    /// @param claim Statement, proof and hint.
    function verify(MarginClaim calldata claim) external view;

    /// @notice Accepts all claims or reverts; generator, table and equal rules are shared among them.
    /// @dev Claims may differ in books, chunks and rule.
    /// @param claims At least one statement with its proof and its hint of 80 bytes.
    function verifyBatch(MarginClaim[] calldata claims) external view;

    /// @notice Accepts when the polynomial behind a commitment has the value y at z, or reverts.
    /// @dev e(opening, [τ − z]_2) = e(commitment − y·[1]_1, [1]_2).
    /// @param commitment [f(τ)]_1, 96 bytes x ‖ y.
    /// @param z The place; a canonical scalar.
    /// @param y The value; a canonical scalar.
    /// @param opening [(f(τ) − y)/(τ − z)]_1, 96 bytes x ‖ y.
    function requireOpening(bytes calldata commitment, uint256 z, uint256 y, bytes calldata opening) external view;

    /// @notice vk of section 3: the digest of shape, [τ]_2 and [T] that every proof is bound to.
    function verifyingKey() external view returns (bytes32);

    /// @notice The shape that this verifier was deployed for.
    function shape() external view returns (Shape memory);
}
