// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A public statement and the proof that is said to hold for it (specification, sections 1 and 3)
/// @dev Twins: verifier/statement.py, verifier/proof_format.py and verifier/calldata.py.
///      G1 points are 96 bytes x ‖ y, big-endian; infinity is 96 zero bytes.
///      `books` and `matrix` must come from the published rule, never from whoever proves: a claim with fewer rows
///      is a weaker claim.
/// @param context Binds the proof to one use: chain, contract, account, state version, epoch, rule and action.
/// @param books B: number of books, 1 ≤ B.
/// @param portfolio C_0 ‖ … ‖ C_{B−1}: 96·B bytes.
/// @param matrix M̂_{0,0} ‖ … ‖ M̂_{0,G−1} ‖ M̂_{1,0} ‖ …: 96·B·G bytes; their number determines G ≥ 1, chunks per book.
/// @param proof The proof: 384·B + 496 bytes.
/// @param hint Inverse of the product of the denominators (32 bytes, a scalar); where the claim is checked in a batch
///        or by pairing, followed by the y coordinate of W' (48 bytes). Public, recomputed from the proof by anybody.
struct MarginClaim {
    bytes32 context;
    uint256 books;
    bytes portfolio;
    bytes matrix;
    bytes proof;
    bytes hint;
}
