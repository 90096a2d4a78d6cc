// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Checks that hidden commitments hold nothing but public amounts
/// @author The zkmargin contributors
/// @notice Stateless. A call that returns accepts; everything else reverts with a named error. Twin: verifier/exit_proof.py.
/// @dev The statement: in all commitments C_0 … C_{B−1} together there is nothing but `holdings_t` in slot `slots_t` of the
/// first. The proof is one of knowledge (Schnorr): with γ and c drawn from statement and nonce,
///
///     response·H = nonce + c·(Σ_b γ^b·C_b − Σ_t holdings_t·L_{slots_t}).
///
/// Errors of the libraries beside those below: `ScalarFieldNotCanonical` (the response), `Bls12381InvalidPoint` (a point
/// off the curve or outside the subgroup), `Bls12381PrecompileFailed` and, at deployment, those of `DataContract`.
interface IExitVerifier {
    /// @notice H must be a point other than infinity.
    error ExitVerifierInvalidBlindPoint(bytes point);

    /// @notice The portfolio must hold one point of 96 bytes for each book, at least one.
    error ExitVerifierPortfolioLength(uint256 length);

    /// @notice There must be one amount for each slot.
    error ExitVerifierHoldingsLength(uint256 holdings, uint256 slots);

    /// @notice The slot lies outside of a book.
    error ExitVerifierSlotOutOfRange(uint256 slot, uint256 slots);

    /// @notice The nonce must be a point of 96 bytes.
    error ExitVerifierNonceLength(uint256 length);

    /// @notice Everything is well-formed, but the equation does not hold: another portfolio, context or prover.
    error ExitVerifierRejected();

    /// @notice Accepts or reverts.
    /// @param context What the proof is bound to: chain, house, account, state version, action.
    /// @param portfolio Commitments, 96 bytes a book, that of book 0 first.
    /// @param slots Slots of book 0, at most one amount each by the caller's care.
    /// @param holdings Ticks in these slots.
    /// @param nonce The prover's commitment k·H to its randomness, 96 bytes.
    /// @param response k + c·Σ_b γ^b·ρ_b, below the group order.
    function requireExit(
        bytes32 context,
        bytes calldata portfolio,
        uint256[] calldata slots,
        uint64[] calldata holdings,
        bytes calldata nonce,
        uint256 response
    ) external view;

    /// @notice Data contract with the basis points L_i of the slots of a book, 96 bytes each.
    function basisTable() external view returns (address);

    /// @notice keccak256 of these points.
    function basisHash() external view returns (bytes32);

    /// @notice H, 96 bytes.
    function blindPoint() external view returns (bytes memory);

    /// @notice Slots that a book has.
    function slotCount() external view returns (uint256);
}
