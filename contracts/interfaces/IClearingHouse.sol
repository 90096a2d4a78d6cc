// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAccountLedger } from "./IAccountLedger.sol";
import { ICollateralVault } from "./ICollateralVault.sol";
import { IExitVerifier } from "./IExitVerifier.sol";
import { IHousePause } from "./IHousePause.sol";
import { IInstrumentRegistry } from "./IInstrumentRegistry.sol";
import { AccountId } from "../types/AccountId.sol";
import { InstrumentKind, SlotStatus } from "../types/Instrument.sol";
import { Leg, OpenLeg, OpenLegSignatures, OpenSide, Settlement, SettlementSide } from "../types/Settlement.sol";
import { Lien, Withdrawal } from "../types/Vault.sol";

/// @title Accounts whose positions are hidden in commitments
/// @author The zkmargin contributors
/// @notice Per book, the commitments of all accounts add up to what was publicly deposited: deposits are credited by
/// the contract itself, withdrawals and liens debited by it, and a trade adds to one account what it takes from another.
/// Whether an account is covered is shown by margin proofs. Twin: verifier/chain/house_client.py.
/// @dev A third party changes neither a commitment nor a state version: deposits for somebody else go to the vault's inbox,
/// so that a proof once made stays valid until its owner acts or the epoch ends.
///
/// A transparent account holds its `holdings`, and its owner takes them back without a proof of margin, also while the
/// registry is stale or the house is paused. A trade, a withdrawal or a lien with a proof of margin makes the account active;
/// all that an active account takes out leaves by a proof of initial margin of what stays, or after an exit.
///
/// Collateral enters accounts only by slots that are listed as cash, a token or a coin: `deposit` and `mergeInbox` refuse
/// every other. What a slot is never changes, so that accounts never hold anything of a token whose slot is, or later becomes,
/// a derivative's; nor does the vault pay any, and no position can be taken out as if it were that token.
///
/// Points that enter a commitment: basis points of the bound table, and the differences of trades, which only become part
/// of commitments whose proof the verifier accepts, and it checks the subgroup of every one.
///
/// Trust: verifier, registry and exit verifier given to the constructor, and the table of basis points whose hash it binds;
/// the deployment check recomputes that table from the setup. The owner appoints the guardian and may end a pause, nothing
/// else; there is no upgrade.
interface IClearingHouse is IAccountLedger, IHousePause {
    /// @notice An owner deposited collateral.
    /// @param account Account credited.
    /// @param token Number of the token in the vault.
    /// @param ticks Ticks credited.
    /// @param stateVersion State version after the deposit.
    event Deposited(AccountId indexed account, uint8 indexed token, uint64 ticks, uint64 stateVersion);

    /// @notice What others had deposited for an account became part of it.
    /// @param account Account credited.
    /// @param token Number of the token in the vault.
    /// @param ticks Ticks credited.
    /// @param stateVersion State version after the merge.
    event InboxMerged(AccountId indexed account, uint8 indexed token, uint64 ticks, uint64 stateVersion);

    /// @notice An owner withdrew collateral: it left the account, and was paid or queued.
    /// @param account Account debited.
    /// @param token Number of the token in the vault.
    /// @param recipient Who is paid.
    /// @param ticks Ticks debited.
    /// @param stateVersion State version after the withdrawal.
    /// @param claim Number of the claim that was queued; 0 when the tokens were paid at once.
    event Withdrawn(
        AccountId indexed account,
        uint8 indexed token,
        address indexed recipient,
        uint64 ticks,
        uint64 stateVersion,
        uint256 claim
    );

    /// @notice An owner granted a lien, or made one larger.
    /// @param account Account debited.
    /// @param token Number of the token in the vault.
    /// @param lender Who may claim it or release it.
    /// @param ticks Ticks debited.
    /// @param stateVersion State version after that.
    event LienGranted(
        AccountId indexed account, uint8 indexed token, address indexed lender, uint64 ticks, uint64 stateVersion
    );

    /// @notice An owner showed what an account holds: it is transparent again.
    /// @param account Account.
    /// @param holdings Ticks of every token of the vault, in its order.
    /// @param stateVersion State version after the exit.
    event Exited(AccountId indexed account, uint64[] holdings, uint64 stateVersion);

    /// @notice Accounts traded; each raised its state version by one and proved initial margin.
    /// @param action EIP-712 struct hash of the settlement, or hash of the netting of open legs.
    /// @param epoch Epoch at which they proved initial margin.
    /// @param accounts The accounts.
    /// @param legs The trades between them; receivers and givers are indices into `accounts`.
    event Settled(bytes32 indexed action, uint32 indexed epoch, AccountId[] accounts, Leg[] legs);

    /// @notice Exit verifier and house were given different basis points.
    /// @param exitHash Hash of the exit verifier's points.
    /// @param basisHash Hash of the house's.
    error ClearingHouseExitBasisMismatch(bytes32 exitHash, bytes32 basisHash);

    /// @notice Nobody but its owner knows what the account holds: withdraw by a proof of margin, or exit first.
    /// @param account Account.
    error ClearingHouseAccountActive(AccountId account);

    /// @notice Everybody knows what the account holds already.
    /// @param account Account.
    error ClearingHouseAccountTransparent(AccountId account);

    /// @notice The transparent account does not hold so much.
    /// @param account Account.
    /// @param token Number of the token in the vault.
    /// @param ticks Ticks to be withdrawn.
    /// @param held Ticks held.
    error ClearingHouseHoldingsExceeded(AccountId account, uint8 token, uint64 ticks, uint64 held);

    /// @notice An exit names an amount of every token of the vault.
    /// @param given Number of amounts given.
    /// @param tokens Number of tokens.
    error ClearingHouseHoldingsCountWrong(uint256 given, uint256 tokens);

    /// @notice Tokens are credited only in a slot that is listed as cash, a token or a coin: list the slot as that first. A token
    /// in a slot of another kind stays out for good.
    /// @param token Number of the token in the vault.
    /// @param slot The token's slot.
    /// @param kind What is listed there; CASH when nothing was.
    /// @param status Whether it is listed.
    error ClearingHouseSlotNotCollateral(uint8 token, uint256 slot, InstrumentKind kind, SlotStatus status);

    /// @notice There must be one side for every participant, and one pair of signatures for every open leg.
    /// @param given Number given.
    /// @param expected Number expected.
    error ClearingHouseCountWrong(uint256 given, uint256 expected);

    /// @notice A settlement without legs, or with more than 256 accounts.
    /// @param accounts Number of accounts.
    /// @param legs Number of legs.
    error ClearingHouseSizeOutOfRange(uint256 accounts, uint256 legs);

    /// @notice The settlement or the open leg came too late.
    /// @param deadline Last time at which it was valid.
    /// @param blockTime Time of the block.
    error ClearingHouseDeadlineExpired(uint256 deadline, uint256 blockTime);

    /// @notice Who signed did not agree to prove margin at so late an epoch.
    /// @param epoch Epoch given.
    /// @param maxEpoch Last epoch agreed to.
    error ClearingHouseEpochTooLate(uint32 epoch, uint32 maxEpoch);

    /// @notice Deposits collateral to one of the caller's accounts; the first deposit opens it.
    /// @dev The caller has allowed the vault `ticks · unitsPerTick` of the token.
    /// @param subaccount Number of the account among the caller's.
    /// @param token Number of the token in the vault.
    /// @param ticks Ticks to credit.
    /// @param commitment The account's present commitment of book 0, 96 bytes.
    function deposit(uint96 subaccount, uint8 token, uint64 ticks, bytes calldata commitment) external;

    /// @notice Credits to an account all that others deposited for it; owner or operator. Opens the account if need be.
    /// @param account Account.
    /// @param token Number of the token in the vault.
    /// @param commitment The account's present commitment of book 0, 96 bytes.
    function mergeInbox(AccountId account, uint8 token, bytes calldata commitment) external;

    /// @notice Withdraws collateral from one of the caller's accounts; it proves initial margin of what stays.
    /// @dev The proof is made for the commitments after the withdrawal, and bound to token, amount and recipient. What leaves
    /// is paid at once when there is room, else queued: see ICollateralVault.
    /// @param withdrawal The withdrawal.
    /// @param portfolio The account's present commitments: 96 bytes for each book of its bitmap, ascending.
    /// @param proof Margin proof.
    /// @param hint Hint that goes with it.
    function withdraw(
        Withdrawal calldata withdrawal,
        bytes calldata portfolio,
        bytes calldata proof,
        bytes calldata hint
    ) external;

    /// @notice Withdraws from a transparent account of the caller's; needs neither proof nor registry, and no pause stops it.
    /// @dev The state version keeps a transaction that is sent twice from paying twice.
    /// @param account Account debited.
    /// @param stateVersion Its state version.
    /// @param token Number of the token in the vault.
    /// @param ticks Ticks to withdraw, at most what the account holds.
    /// @param recipient Who gets them.
    /// @param commitment The account's present commitment of book 0, 96 bytes.
    function withdrawHoldings(
        AccountId account,
        uint64 stateVersion,
        uint8 token,
        uint64 ticks,
        address recipient,
        bytes calldata commitment
    ) external;

    /// @notice Sets collateral aside for a lender; the account proves initial margin of what stays.
    /// @dev The ticks leave the commitment, so that every later proof runs on what is left. See ICollateralVault.
    /// @param lien The lien.
    /// @param portfolio The account's present commitments: 96 bytes for each book of its bitmap, ascending.
    /// @param proof Margin proof.
    /// @param hint Hint that goes with it.
    function grantLien(Lien calldata lien, bytes calldata portfolio, bytes calldata proof, bytes calldata hint) external;

    /// @notice Shows that one of the caller's accounts holds public amounts of collateral and nothing else; it becomes
    /// transparent. Needs no registry, and no pause stops it.
    /// @dev The commitments stay: that of book 0 keeps its blind, those of other books are blinds alone. See IExitVerifier.
    /// @param account Account, active.
    /// @param stateVersion Its state version.
    /// @param amounts Ticks of every token of the vault, in its order.
    /// @param portfolio The account's present commitments: 96 bytes for each book of its bitmap, ascending.
    /// @param nonce First half of the exit proof.
    /// @param response Second half.
    function exit(
        AccountId account,
        uint64 stateVersion,
        uint64[] calldata amounts,
        bytes calldata portfolio,
        bytes calldata nonce,
        uint256 response
    ) external;

    /// @notice Carries out trades that all participants signed as a whole; each proves initial margin after all of them.
    /// @dev Anyone may submit.
    /// @param settlement The trades.
    /// @param epoch Epoch at which the participants prove initial margin.
    /// @param sides What each participant brings, in their order.
    function settle(Settlement calldata settlement, uint32 epoch, SettlementSide[] calldata sides) external;

    /// @notice Carries out legs that were signed one by one; each account proves initial margin after all of them.
    /// @dev Anyone may submit. When a leg is left out, the signatures of the others stay valid; proofs are bound to all legs
    /// that are submitted together, so that all accounts prove anew.
    /// @param legs The legs.
    /// @param signatures The two signatures of each leg.
    /// @param epoch Epoch at which the accounts prove initial margin.
    /// @param sides What each account brings.
    function settleOpen(
        OpenLeg[] calldata legs,
        OpenLegSignatures[] calldata signatures,
        uint32 epoch,
        OpenSide[] calldata sides
    ) external;

    /// @notice Struct hash and digest of a settlement.
    /// @param settlement The trades.
    /// @return action EIP-712 struct hash, which proofs are bound to.
    /// @return digest EIP-712 digest, which participants sign.
    function settlementHashes(Settlement calldata settlement) external view returns (bytes32 action, bytes32 digest);

    /// @notice Struct hash and digest of an open leg.
    /// @param leg The leg.
    /// @return hash EIP-712 struct hash. Proofs of a netting are bound to keccak256 of the hashes of all its legs, in order.
    /// @return digest EIP-712 digest, which both accounts sign.
    function openLegHashes(OpenLeg calldata leg) external view returns (bytes32 hash, bytes32 digest);

    /// @notice Struct hash of a withdrawal.
    /// @param withdrawal The withdrawal.
    /// @return action EIP-712 struct hash, which the proof is bound to.
    function withdrawalHash(Withdrawal calldata withdrawal) external view returns (bytes32 action);

    /// @notice Struct hash of a lien.
    /// @param lien The lien.
    /// @return action EIP-712 struct hash, which the proof is bound to.
    function lienHash(Lien calldata lien) external view returns (bytes32 action);

    /// @notice The 32 bytes that an exit proof must be bound to: `keccak256(abi.encode(EXIT_LABEL, chain id, this contract,
    /// account, state version))`, with EXIT_LABEL = keccak256("zkmargin exit").
    /// @param account Account.
    /// @param stateVersion Its state version.
    /// @return Context of the proof.
    function exitContext(AccountId account, uint64 stateVersion) external view returns (bytes32);

    /// @notice List of instruments that says what the tokens' slots are: the registry's.
    function instruments() external view returns (IInstrumentRegistry);

    /// @notice Keeps the collateral; created by this contract.
    function vault() external view returns (ICollateralVault);

    /// @notice Checks exit proofs.
    function exitVerifier() external view returns (IExitVerifier);

    /// @notice Largest number of ticks of a token that all accounts together can have deposited: 2^(dk−1) − 1, so that any
    /// account can prove margin.
    function depositLimit() external view returns (uint256);

    /// @notice Contract whose code, after a leading byte, holds the points L_0 ‖ L_1 ‖ … by which deposits are credited.
    function basisTable() external view returns (address);

    /// @notice keccak256 of these points.
    function basisHash() external view returns (bytes32);
}
