// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMarginVerifier } from "./IMarginVerifier.sol";
import { IRuleRegistry } from "./IRuleRegistry.sol";
import { AccountId } from "../types/AccountId.sol";
import { AccountState } from "../types/AccountState.sol";
import { RuleKind } from "../types/MarginRule.sol";
import { MarginCheck, MarginEvidence } from "../types/Settlement.sol";

/// @title Accounts, their commitments, and what is proven about them
/// @author The zkmargin contributors
/// @notice Of a commitment only keccak256 of its 96 bytes is stored; callers pass the points. A book that an account never
/// touched has no hash and holds the point at infinity, 96 zero bytes. Which books a proof must cover is the account's
/// bitmap, never the prover's choice. Twin: verifier/chain/house_client.py.
/// @dev A proof is bound to `context = keccak256(abi.encode(chain id, this contract, account, state version, epoch, kind,
/// action))`, with `action` the EIP-712 struct hash of the settlement, withdrawal or lien, the hash of a netting of open
/// legs, or 0 for `proveMargin`. Nonces of signatures are unordered: word = nonce >> 8, bit = nonce & 255. A signature
/// counts when it was made by the signer's key, or when the signer is a contract that accepts it (ERC-1271).
interface IAccountLedger {
    /// @notice An account proved that it is covered, in the state that its events so far left it in.
    /// @param account Account that was proven.
    /// @param epoch Epoch at whose prices it was proven.
    /// @param kind Rule that it fulfils.
    event MarginProven(AccountId indexed account, uint32 indexed epoch, RuleKind kind);

    /// @notice An owner appointed or dismissed an operator.
    /// @param account Account that the operator signs for.
    /// @param operator The operator.
    /// @param validUntil Unix time in seconds of the last moment of its right; 0 for none.
    event OperatorSet(AccountId indexed account, address indexed operator, uint64 validUntil);

    /// @notice Nonces were used up without a settlement, so that what was signed with them is void.
    /// @param account Account.
    /// @param word Word of the bitmap.
    /// @param bits Nonces of the word that are used up.
    event NoncesInvalidated(AccountId indexed account, uint256 indexed word, uint256 bits);

    /// @notice Verifier and registry were deployed for different shapes or setups.
    /// @param verifierKey Verifying key of the verifier.
    /// @param registryKey Verifying key of the registry.
    error AccountLedgerVerifyingKeyMismatch(bytes32 verifierKey, bytes32 registryKey);

    /// @notice Only the owner may do that.
    /// @param account Account.
    /// @param caller Who called.
    error AccountLedgerNotOwner(AccountId account, address caller);

    /// @notice Neither the owner nor an operator whose right holds.
    /// @param account Account.
    /// @param signer Who called or is said to have signed.
    error AccountLedgerNotAuthorised(AccountId account, address signer);

    /// @notice The account has never had a deposit.
    /// @param account Account.
    error AccountLedgerAccountNotOpen(AccountId account);

    /// @notice The account's commitments have changed since: a replay, or an action overtaken by another.
    /// @param account Account.
    /// @param given State version of the proof or the settlement.
    /// @param current Present state version.
    error AccountLedgerStateVersionMismatch(AccountId account, uint256 given, uint256 current);

    /// @notice The points do not have 96 bytes for every book that they must cover.
    /// @param length Bytes given.
    /// @param expected 96 times the number of books.
    error AccountLedgerPointsLengthWrong(uint256 length, uint256 expected);

    /// @notice The commitment given is not the account's.
    /// @param account Account.
    /// @param book Book.
    /// @param given Hash of the commitment given.
    /// @param stored Hash of the account's commitment.
    error AccountLedgerCommitmentMismatch(AccountId account, uint256 book, bytes32 given, bytes32 stored);

    /// @notice The account has already proven this rule at this or a later epoch; nothing would be recorded.
    /// @param account Account.
    /// @param kind Rule.
    /// @param epoch Epoch given.
    /// @param provenEpoch Last epoch at which the account proved the rule.
    error AccountLedgerAlreadyProven(AccountId account, RuleKind kind, uint256 epoch, uint256 provenEpoch);

    /// @notice There must be one piece of evidence for every check, and at least one check.
    /// @param checks Number of checks.
    /// @param evidence Number of pieces of evidence.
    error AccountLedgerEvidenceCountWrong(uint256 checks, uint256 evidence);

    /// @notice The nonce has been used or invalidated.
    /// @param account Account.
    /// @param nonce Nonce.
    error AccountLedgerNonceUsed(AccountId account, uint256 nonce);

    /// @notice The signature is not the signer's over this content.
    /// @param account Account signed for.
    /// @param signer Who is said to have signed.
    /// @param digest EIP-712 digest to be signed.
    error AccountLedgerSignatureInvalid(AccountId account, address signer, bytes32 digest);

    /// @notice Records that an account fulfils a rule.
    /// @dev Anyone may submit a valid proof, also while the house is paused.
    /// @param check Account, state version, epoch and rule.
    /// @param portfolio The account's present commitments: 96 bytes for each book of its bitmap, ascending.
    /// @param proof Margin proof.
    /// @param hint Hint that goes with it.
    function proveMargin(
        MarginCheck calldata check,
        bytes calldata portfolio,
        bytes calldata proof,
        bytes calldata hint
    ) external;

    /// @notice Records several checks, all or none, for less each: they are verified together.
    /// @param checks The checks, of any accounts, epochs and rules.
    /// @param evidence What goes with each.
    function proveMargins(MarginCheck[] calldata checks, MarginEvidence[] calldata evidence) external;

    /// @notice Appoints an operator of one of the caller's accounts: it signs settlements, merges the inbox and uses up
    /// nonces. It can trade the account's collateral away, but not withdraw it: appoint whom you would let trade.
    /// @param subaccount Number of the account among the caller's.
    /// @param operator The operator.
    /// @param validUntil Unix time in seconds of the last moment of its right; 0 to dismiss it.
    function setOperator(uint96 subaccount, address operator, uint64 validUntil) external;

    /// @notice Uses up nonces, so that whatever was signed with them is void; owner or operator.
    /// @param account Account.
    /// @param word Word of the bitmap.
    /// @param bits Nonces of the word to use up.
    function invalidateNonces(AccountId account, uint256 word, uint256 bits) external;

    /// @notice What is public about an account.
    /// @param account Account.
    /// @return State; all zero before the first deposit.
    function accountState(AccountId account) external view returns (AccountState memory);

    /// @notice Hash of an account's commitment.
    /// @param account Account.
    /// @param book Book.
    /// @return keccak256 of the 96 bytes; 0 for a book that was never touched.
    function commitmentHash(AccountId account, uint256 book) external view returns (bytes32);

    /// @notice What a transparent account holds; says nothing about an active one.
    /// @param account Account.
    /// @param token Number of the token in the vault.
    /// @return Ticks.
    function holdings(AccountId account, uint8 token) external view returns (uint64);

    /// @notice Until when an operator's right holds.
    /// @param account Account.
    /// @param operator Operator.
    /// @return Unix time in seconds of its last moment; 0 for none.
    function operatorUntil(AccountId account, address operator) external view returns (uint64);

    /// @notice Nonces of an account that are used up.
    /// @param account Account.
    /// @param word Word of the bitmap.
    /// @return bits Bit n for nonce 256·word + n.
    function nonces(AccountId account, uint256 word) external view returns (uint256 bits);

    /// @notice The 32 bytes that a margin proof must be bound to.
    /// @param check Account, state version, epoch and rule.
    /// @param action What the proof is for, or 0 for `proveMargin`.
    /// @return Context of the proof.
    function proofContext(MarginCheck calldata check, bytes32 action) external view returns (bytes32);

    /// @notice Checks the proofs.
    function verifier() external view returns (IMarginVerifier);

    /// @notice Holds the rules.
    function registry() external view returns (IRuleRegistry);
}
