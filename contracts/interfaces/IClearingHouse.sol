// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ICollateralVault } from "./ICollateralVault.sol";
import { IMarginVerifier } from "./IMarginVerifier.sol";
import { IRuleRegistry } from "./IRuleRegistry.sol";
import { AccountId } from "../types/AccountId.sol";
import { AccountState } from "../types/AccountState.sol";
import { RuleKind } from "../types/MarginRule.sol";
import { MarginCheck, Settlement, SettlementSide } from "../types/Settlement.sol";
import { Withdrawal } from "../types/Vault.sol";

/// @title Accounts whose positions are hidden in commitments
/// @author The zkmargin contributors
/// @notice Per book, the commitments of all accounts add up to what was publicly deposited: deposits are credited by
/// the contract itself and withdrawals debited by it, and a trade adds to one account what it takes from the other.
/// Whether an account is covered is shown by margin proofs. Twin: verifier/chain/house_client.py.
/// @dev Of a commitment only keccak256 of its 96 bytes is stored; callers pass the points. A book that an account never
/// touched has no hash and holds the point at infinity, 96 zero bytes.
///
/// A proof is bound to `context = keccak256(abi.encode(chain id, this contract, account, state version, epoch, kind,
/// action))`, with `action` the EIP-712 struct hash of the settlement or the withdrawal, or 0 for `proveMargin`.
///
/// An account that has never traded is transparent: it holds its net deposits, and its owner takes them back without a
/// proof, also while the registry is stale. All else leaves by a proof of initial margin of what stays.
///
/// Trust: the verifier and the registry given to the constructor, and the table of basis points whose hash it binds;
/// the deployment check recomputes that table from the setup. There is no administrator and no upgrade.
interface IClearingHouse is ICollateralVault {
    /// @notice An owner deposited collateral.
    /// @param account Account credited.
    /// @param ticks Ticks credited.
    /// @param deposited Ticks deposited so far, less those withdrawn.
    /// @param stateVersion State version after the deposit.
    event Deposited(AccountId indexed account, uint256 ticks, int256 deposited, uint256 stateVersion);

    /// @notice An owner withdrew collateral: it left the account, and was paid or queued.
    /// @param account Account debited.
    /// @param recipient Who is paid.
    /// @param ticks Ticks debited.
    /// @param deposited Ticks deposited so far, less those withdrawn.
    /// @param stateVersion State version after the withdrawal.
    /// @param claim Number of the claim that was queued; 0 when the tokens were paid at once.
    event Withdrawn(
        AccountId indexed account,
        address indexed recipient,
        uint256 ticks,
        int256 deposited,
        uint256 stateVersion,
        uint256 indexed claim
    );

    /// @notice Two accounts traded; both raised their state version by one and proved initial margin.
    /// @param first Account whose commitments grew by the differences.
    /// @param second Account whose commitments shrank by them.
    /// @param epoch Epoch at which both proved initial margin.
    /// @param settlement EIP-712 struct hash of the settlement.
    /// @param differences Hiding commitments to the differences, 96 bytes a book.
    event Settled(
        AccountId indexed first, AccountId indexed second, uint32 indexed epoch, bytes32 settlement, bytes differences
    );

    /// @notice An account proved that it is covered, in the state that its events so far left it in.
    /// @param account Account that was proven.
    /// @param epoch Epoch at whose prices it was proven.
    /// @param kind Rule that it fulfils.
    event MarginProven(AccountId indexed account, uint32 indexed epoch, RuleKind kind);

    /// @notice Verifier and registry were deployed for different shapes or setups.
    /// @param verifierKey Verifying key of the verifier.
    /// @param registryKey Verifying key of the registry.
    error ClearingHouseVerifyingKeyMismatch(bytes32 verifierKey, bytes32 registryKey);

    /// @notice The table of basis points is not the one whose hash was given.
    /// @param actual Hash of the table's points.
    /// @param expected Hash given to the constructor.
    error ClearingHouseBasisMismatch(bytes32 actual, bytes32 expected);

    /// @notice The table of basis points does not have one point of 96 bytes for every slot.
    /// @param actual Size of the table in bytes, without the leading byte.
    /// @param expected 96 times the number of slots.
    error ClearingHouseBasisSizeWrong(uint256 actual, uint256 expected);

    /// @notice The collateral's slot does not exist in this shape.
    /// @param slot Slot given.
    /// @param slots Number of slots.
    error ClearingHouseSlotOutOfRange(uint256 slot, uint256 slots);

    /// @notice A deposit of nothing.
    error ClearingHouseNothingDeposited();

    /// @notice The deposit would leave the range in which an account can prove margin.
    /// @param account Account.
    /// @param deposited Net ticks that would have been deposited.
    /// @param limit Largest number of ticks.
    error ClearingHouseDepositOutOfRange(AccountId account, int256 deposited, uint256 limit);

    /// @notice Only the owner withdraws.
    /// @param account Account.
    /// @param caller Who called.
    error ClearingHouseNotOwner(AccountId account, address caller);

    /// @notice The account has traded: nobody but its owner knows what it holds, so it withdraws by a margin proof.
    /// @param account Account.
    error ClearingHouseAccountHidden(AccountId account);

    /// @notice The account has never traded, and has not deposited so much.
    /// @param account Account.
    /// @param ticks Ticks to be withdrawn.
    /// @param deposited Ticks deposited so far, less those withdrawn.
    error ClearingHouseDepositExceeded(AccountId account, uint256 ticks, int256 deposited);

    /// @notice The account has never had a deposit.
    /// @param account Account.
    error ClearingHouseAccountNotOpen(AccountId account);

    /// @notice The account's commitments have changed since: a replay, or a trade overtaken by another action.
    /// @param account Account.
    /// @param given State version of the proof or the settlement.
    /// @param current Present state version.
    error ClearingHouseStateVersionMismatch(AccountId account, uint256 given, uint256 current);

    /// @notice The commitments do not have 96 bytes for every book of the epoch.
    /// @param length Bytes given.
    /// @param expected 96 times the number of books.
    error ClearingHouseCommitmentLengthWrong(uint256 length, uint256 expected);

    /// @notice The commitment given is not the account's.
    /// @param account Account.
    /// @param book Book.
    /// @param given Hash of the commitment given.
    /// @param stored Hash of the account's commitment.
    error ClearingHouseCommitmentMismatch(AccountId account, uint256 book, bytes32 given, bytes32 stored);

    /// @notice The rule does not cover all books that the account has touched: use a later epoch.
    /// @param account Account.
    /// @param touched Books that the account has touched.
    /// @param covered Books of the epoch.
    error ClearingHouseBooksNotCovered(AccountId account, uint256 touched, uint256 covered);

    /// @notice The account has already proven this rule at this or a later epoch; nothing would be recorded.
    /// @param account Account.
    /// @param kind Rule.
    /// @param epoch Epoch given.
    /// @param provenEpoch Last epoch at which the account proved the rule.
    error ClearingHouseAlreadyProven(AccountId account, RuleKind kind, uint256 epoch, uint256 provenEpoch);

    /// @notice An account cannot trade with itself.
    /// @param account Account.
    error ClearingHouseSameAccount(AccountId account);

    /// @notice The settlement came too late.
    /// @param deadline Last time at which it was valid.
    /// @param blockTime Time of the block.
    error ClearingHouseDeadlineExpired(uint256 deadline, uint256 blockTime);

    /// @notice The signature is not the account owner's over this settlement.
    /// @param account Account.
    /// @param digest EIP-712 digest that the owner must sign.
    error ClearingHouseSignatureInvalid(AccountId account, bytes32 digest);

    /// @notice Deposits collateral to one of the caller's accounts; the first deposit opens it.
    /// @dev The caller has allowed this contract `ticks · unitsPerTick` of the collateral token.
    /// @param subaccount Number of the account among the caller's.
    /// @param ticks Ticks to credit.
    /// @param commitment The account's present commitment of book 0, 96 bytes.
    function deposit(uint96 subaccount, uint64 ticks, bytes calldata commitment) external;

    /// @notice Withdraws collateral from one of the caller's accounts; it proves initial margin of what stays.
    /// @dev The proof is made for the commitments after the withdrawal, and bound to amount and recipient. What leaves is
    /// paid at once when there is room, else queued: see ICollateralVault.
    /// @param withdrawal The withdrawal.
    /// @param portfolio The account's present commitments, 96 bytes for every book of the epoch.
    /// @param proof Margin proof.
    /// @param hint Hint that goes with it.
    function withdraw(
        Withdrawal calldata withdrawal,
        bytes calldata portfolio,
        bytes calldata proof,
        bytes calldata hint
    ) external;

    /// @notice Withdraws from an account of the caller's that has never traded; needs neither proof nor registry.
    /// @dev The state version keeps a transaction that is sent twice from paying twice.
    /// @param account Account debited.
    /// @param stateVersion Its state version.
    /// @param ticks Ticks to withdraw, at most what was deposited.
    /// @param recipient Who gets them.
    function withdrawDeposit(AccountId account, uint64 stateVersion, uint64 ticks, address recipient) external;

    /// @notice Carries out a trade that both owners signed; both accounts prove initial margin after it.
    /// @dev Anyone may submit. Both proofs are made for the state version in the settlement and the commitments after it.
    /// @param settlement The trade.
    /// @param first What the first side brings.
    /// @param second What the second side brings.
    function settle(Settlement calldata settlement, SettlementSide calldata first, SettlementSide calldata second)
        external;

    /// @notice Records that an account fulfils a rule.
    /// @dev Anyone may submit a valid proof.
    /// @param check Account, state version, epoch and rule.
    /// @param portfolio The account's present commitments, 96 bytes for every book of the epoch.
    /// @param proof Margin proof.
    /// @param hint Hints that go with it.
    function proveMargin(
        MarginCheck calldata check,
        bytes calldata portfolio,
        bytes calldata proof,
        bytes calldata hint
    ) external;

    /// @notice What is public about an account.
    /// @param account Account.
    /// @return State; all zero before the first deposit.
    function accountState(AccountId account) external view returns (AccountState memory);

    /// @notice Hash of an account's commitment.
    /// @param account Account.
    /// @param book Book.
    /// @return keccak256 of the 96 bytes; 0 for a book that was never touched.
    function commitmentHash(AccountId account, uint256 book) external view returns (bytes32);

    /// @notice The 32 bytes that a margin proof must be bound to.
    /// @param check Account, state version, epoch and rule.
    /// @param action EIP-712 struct hash of the settlement or the withdrawal, or 0 for `proveMargin`.
    /// @return Context of the proof.
    function proofContext(MarginCheck calldata check, bytes32 action) external view returns (bytes32);

    /// @notice Struct hash and digest of a settlement.
    /// @param settlement The trade.
    /// @return action EIP-712 struct hash, which proofs are bound to.
    /// @return digest EIP-712 digest, which owners sign.
    function settlementHashes(Settlement calldata settlement) external view returns (bytes32 action, bytes32 digest);

    /// @notice Struct hash of a withdrawal.
    /// @param withdrawal The withdrawal.
    /// @return action EIP-712 struct hash, which the proof is bound to.
    function withdrawalHash(Withdrawal calldata withdrawal) external view returns (bytes32 action);

    /// @notice Checks the proofs.
    function verifier() external view returns (IMarginVerifier);

    /// @notice Holds the rules.
    function registry() external view returns (IRuleRegistry);

    /// @notice Slot of the collateral in book 0.
    function collateralSlot() external view returns (uint256);

    /// @notice Largest number of ticks that one account can have deposited: 2^(dk−1) − 1.
    function depositLimit() external view returns (uint256);

    /// @notice Contract whose code, after a leading byte, holds the points L_0 ‖ L_1 ‖ … by which deposits are credited.
    function basisTable() external view returns (address);

    /// @notice keccak256 of these points.
    function basisHash() external view returns (bytes32);
}
