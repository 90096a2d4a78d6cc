// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMarginVerifier } from "../interfaces/IMarginVerifier.sol";
import { RuleLocation } from "../types/MarginRule.sol";
import { MarginCheck } from "../types/Settlement.sol";

/// @title The call of a verifier with one claim, laid out in memory without copies in between
/// @author The zkmargin contributors
/// @notice What came in calldata is copied from there, the matrix straight from the code of its data contract. Twin:
/// verifier/calldata.py.
library ClaimEncoding {
    /// @dev The ABI of `verify(MarginClaim)`: selector, offset of the claim; then the claim's head of six words
    /// (context, books, offsets of four byte strings), then the byte strings.
    uint256 private constant SELECTOR_BYTES = 4;
    uint256 private constant CLAIM_OFFSET = 32;
    uint256 private constant PORTFOLIO_FIELD = 64;
    uint256 private constant MATRIX_FIELD = 96;
    uint256 private constant PROOF_FIELD = 128;
    uint256 private constant HINT_FIELD = 160;
    uint256 private constant CLAIM_HEAD = 192;

    /// @notice Where there is no contract, a call would succeed and say nothing.
    /// @param verifier Address without code.
    error ClaimEncodingNoVerifier(address verifier);

    /// @notice Returns when the verifier accepts, reverts with its named error when it does not.
    /// @param verifier The verifier.
    /// @param context What the proof is bound to.
    /// @param rule Where the matrix is, as the registry says; the contract there has all its bytes.
    /// @param portfolio Commitments.
    /// @param proof Proof.
    /// @param hint Hint.
    function requireAccepted(
        IMarginVerifier verifier,
        bytes32 context,
        RuleLocation memory rule,
        bytes calldata portfolio,
        bytes calldata proof,
        bytes calldata hint
    ) internal view {
        uint256 claim = _begin(context, rule.books);
        uint256 end = _append(claim, PORTFOLIO_FIELD, claim + CLAIM_HEAD, portfolio);
        end = _appendMatrix(claim, end, rule);
        end = _append(claim, PROOF_FIELD, end, proof);
        end = _append(claim, HINT_FIELD, end, hint);
        _call(verifier, claim - CLAIM_OFFSET - SELECTOR_BYTES, end);
    }

    /// @notice What the proof of a check is bound to: `keccak256(abi.encode(chain id, this contract, check, action))`.
    /// @param check The check; a struct without byte strings is encoded in calldata as it is by `abi.encode`.
    /// @param action EIP-712 struct hash of a settlement, or 0.
    /// @return context The 32 bytes.
    function contextOf(MarginCheck calldata check, bytes32 action) internal view returns (bytes32 context) {
        assembly ("memory-safe") {
            let words := mload(0x40)
            mstore(words, chainid())
            mstore(add(words, 32), address())
            calldatacopy(add(words, 64), check, 128)
            mstore(add(words, 192), action)
            context := keccak256(words, 224)
        }
    }

    /// @dev Writes selector, offset, context and books; gives the place of the claim.
    function _begin(bytes32 context, uint256 books) private pure returns (uint256 claim) {
        bytes4 selector = IMarginVerifier.verify.selector;
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, selector)
            mstore(add(start, SELECTOR_BYTES), CLAIM_OFFSET)
            claim := add(start, 36)
            mstore(claim, context)
            mstore(add(claim, 32), books)
            mstore(0x40, add(claim, CLAIM_HEAD))
        }
    }

    /// @dev Writes a byte string at `place`, its offset into the claim's head; gives the place after it.
    function _append(uint256 claim, uint256 field, uint256 place, bytes calldata content)
        private
        pure
        returns (uint256 end)
    {
        assembly ("memory-safe") {
            mstore(add(claim, field), sub(place, claim))
            mstore(place, content.length)
            let data := add(place, 32)
            calldatacopy(data, content.offset, content.length)
            mstore(add(data, content.length), 0) // padding
            end := add(data, and(add(content.length, 31), not(31)))
            mstore(0x40, add(end, 32))
        }
    }

    /// @dev The same for the matrix.
    function _appendMatrix(uint256 claim, uint256 place, RuleLocation memory rule) private view returns (uint256 end) {
        (address data, uint256 offset, uint256 length) = (rule.data, rule.offset, rule.length);
        assembly ("memory-safe") {
            mstore(add(claim, MATRIX_FIELD), sub(place, claim))
            mstore(place, length)
            extcodecopy(data, add(place, 32), offset, length) // a multiple of 96 bytes: no padding
            end := add(add(place, 32), length)
            mstore(0x40, end)
        }
    }

    /// @dev Calls; hands a revert through.
    function _call(IMarginVerifier verifier, uint256 start, uint256 end) private view {
        bool accepted;
        assembly ("memory-safe") {
            accepted := staticcall(gas(), verifier, start, sub(end, start), 0, 0)
            if iszero(accepted) {
                let reason := mload(0x40)
                returndatacopy(reason, 0, returndatasize())
                revert(reason, returndatasize())
            }
        }
        if (address(verifier).code.length == 0) {
            revert ClaimEncodingNoVerifier(address(verifier));
        }
    }
}
