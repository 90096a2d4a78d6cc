// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import { CollateralVault } from "./CollateralVault.sol";
import { IClearingHouse } from "./interfaces/IClearingHouse.sol";
import { IMarginVerifier } from "./interfaces/IMarginVerifier.sol";
import { IRuleRegistry } from "./interfaces/IRuleRegistry.sol";
import { ClaimEncoding } from "./libraries/ClaimEncoding.sol";
import { Commitments } from "./libraries/Commitments.sol";
import { DataContract } from "./libraries/DataContract.sol";
import { AccountId, accountIdOf } from "./types/AccountId.sol";
import { AccountState } from "./types/AccountState.sol";
import { MarginClaim } from "./types/MarginClaim.sol";
import { RuleKind, RuleLocation } from "./types/MarginRule.sol";
import { MarginCheck, Settlement, SettlementSide } from "./types/Settlement.sol";
import { Shape } from "./types/Shape.sol";
import { Withdrawal, WithdrawalLimit } from "./types/Vault.sol";

/// @title ClearingHouse
/// @author The zkmargin contributors
/// @notice Accounts whose positions are hidden in commitments; see IClearingHouse. Twin: verifier/chain/house_client.py.
contract ClearingHouse is IClearingHouse, CollateralVault, EIP712 {
    /// @notice EIP-712 type of a settlement.
    bytes32 public constant SETTLEMENT_TYPEHASH = keccak256(
        "Settlement(bytes32 first,bytes32 second,uint64 firstVersion,uint64 secondVersion,"
        "uint32 epoch,uint64 deadline,bytes differences)"
    );

    /// @notice EIP-712 type of a withdrawal, by which its proof is bound to amount and recipient.
    bytes32 public constant WITHDRAWAL_TYPEHASH =
        keccak256("Withdrawal(bytes32 account,uint64 stateVersion,uint32 epoch,uint64 ticks,address recipient)");

    uint256 private constant COLUMNS_PER_SLOT = 4;

    /// @dev What storage keeps of an account.
    struct Account {
        AccountState state;
        mapping(uint256 book => bytes32 hash) commitmentHashes;
    }

    /// @inheritdoc IClearingHouse
    IMarginVerifier public immutable override verifier;
    /// @inheritdoc IClearingHouse
    IRuleRegistry public immutable override registry;
    /// @inheritdoc IClearingHouse
    uint256 public immutable override collateralSlot;
    /// @inheritdoc IClearingHouse
    uint256 public immutable override depositLimit;
    /// @inheritdoc IClearingHouse
    address public immutable override basisTable;
    /// @inheritdoc IClearingHouse
    bytes32 public immutable override basisHash;

    mapping(AccountId id => Account account) private _accounts;

    /// @notice Creates a clearing house without accounts.
    /// @param verifier_ Checks the proofs.
    /// @param registry_ Holds the rules; must be made for the verifier's key.
    /// @param collateral_ Collateral token.
    /// @param collateralSlot_ Slot of the collateral in book 0.
    /// @param unitsPerTick_ Units of the collateral token that one tick is.
    /// @param basisTable_ Data contract with the basis points.
    /// @param basisHash_ keccak256 of these points.
    /// @param limit How much may be withdrawn.
    constructor(
        IMarginVerifier verifier_,
        IRuleRegistry registry_,
        IERC20 collateral_,
        uint256 collateralSlot_,
        uint256 unitsPerTick_,
        address basisTable_,
        bytes32 basisHash_,
        WithdrawalLimit memory limit
    ) CollateralVault(collateral_, unitsPerTick_, limit) EIP712("zkmargin ClearingHouse", "1") {
        verifier = verifier_;
        registry = registry_;
        collateralSlot = collateralSlot_;
        basisTable = basisTable_;
        basisHash = basisHash_;
        if (verifier_.verifyingKey() != registry_.verifyingKey()) {
            revert ClearingHouseVerifyingKeyMismatch(verifier_.verifyingKey(), registry_.verifyingKey());
        }
        Shape memory shape = verifier_.shape();
        uint256 slots = shape.columns / COLUMNS_PER_SLOT;
        if (collateralSlot_ >= slots) {
            revert ClearingHouseSlotOutOfRange(collateralSlot_, slots);
        }
        depositLimit = (uint256(1) << (shape.digits * shape.digitBits - 1)) - 1;
        _checkBasis(basisTable_, basisHash_, slots * Commitments.POINT_BYTES);
    }

    /// @inheritdoc IClearingHouse
    function deposit(uint96 subaccount, uint64 ticks, bytes calldata commitment) external override nonReentrant {
        AccountId id = accountIdOf(msg.sender, subaccount);
        Account storage account = _accounts[id];
        AccountState memory state = account.state;
        if (ticks == 0) {
            revert ClearingHouseNothingDeposited();
        }
        int256 deposited = int256(state.deposited) + int256(uint256(ticks));
        if (deposited > int256(depositLimit)) {
            revert ClearingHouseDepositOutOfRange(id, deposited, depositLimit);
        }
        if (commitment.length != Commitments.POINT_BYTES) {
            revert ClearingHouseCommitmentLengthWrong(commitment.length, Commitments.POINT_BYTES);
        }
        _checkCommitment(id, account, commitment, 0, state.books == 0);

        account.commitmentHashes[0] = keccak256(Commitments.addMultiple(commitment, _collateralPoint(), ticks));
        // The limit fits 64 bits for every shape whose columns do.
        state.deposited = int64(deposited);
        ++state.stateVersion;
        if (state.books == 0) {
            state.books = 1;
        }
        account.state = state;
        emit Deposited(id, ticks, deposited, state.stateVersion);
        _collect(ticks);
    }

    /// @inheritdoc IClearingHouse
    function withdraw(
        Withdrawal calldata withdrawal,
        bytes calldata portfolio,
        bytes calldata proof,
        bytes calldata hint
    ) external override nonReentrant {
        AccountId id = withdrawal.account;
        _checkOwner(id);
        AccountState memory state = _accounts[id].state;
        _checkVersion(id, state.stateVersion, withdrawal.stateVersion);

        MarginClaim memory claim = _claimAfterWithdrawal(withdrawal, state.books, portfolio);
        claim.proof = proof;
        claim.hint = hint;
        verifier.verify(claim);

        state.initialEpoch = withdrawal.epoch;
        _withdraw(id, state, Commitments.hashAt(claim.portfolio, 0), withdrawal.ticks, withdrawal.recipient);
    }

    /// @inheritdoc IClearingHouse
    function withdrawDeposit(AccountId id, uint64 stateVersion, uint64 ticks, address recipient)
        external
        override
        nonReentrant
    {
        _checkOwner(id);
        AccountState memory state = _accounts[id].state;
        _checkVersion(id, state.stateVersion, stateVersion);
        if (state.hidden) {
            revert ClearingHouseAccountHidden(id);
        }
        int256 left = int256(state.deposited) - int256(uint256(ticks));
        if (left < 0) {
            revert ClearingHouseDepositExceeded(id, ticks, state.deposited);
        }
        // Nothing but deposits and withdrawals ever changed this account: it holds what is left of them, without blind.
        bytes memory nothing = new bytes(Commitments.POINT_BYTES);
        bytes memory commitment = Commitments.addMultiple(nothing, _collateralPoint(), uint256(left));
        _withdraw(id, state, keccak256(commitment), ticks, recipient);
    }

    /// @inheritdoc IClearingHouse
    function settle(Settlement calldata settlement, SettlementSide calldata first, SettlementSide calldata second)
        external
        override
        nonReentrant
    {
        _checkTerms(settlement);
        (bytes32 action, bytes32 digest) = _settlementHashes(settlement);
        _checkSignature(settlement.first, digest, first.signature);
        _checkSignature(settlement.second, digest, second.signature);

        RuleLocation memory rule = registry.usableRule(settlement.epoch, RuleKind.INITIAL);
        if (settlement.differences.length != rule.books * Commitments.POINT_BYTES) {
            revert ClearingHouseCommitmentLengthWrong(
                settlement.differences.length, rule.books * Commitments.POINT_BYTES
            );
        }
        MarginClaim[] memory claims = new MarginClaim[](2);
        claims[0] = _claimAfterTrade(settlement, first, rule, action, true);
        claims[1] = _claimAfterTrade(settlement, second, rule, action, false);
        verifier.verifyBatch(claims);

        _recordTrade(settlement.first, settlement.epoch, claims[0].portfolio);
        _recordTrade(settlement.second, settlement.epoch, claims[1].portfolio);
        emit Settled(settlement.first, settlement.second, settlement.epoch, action, settlement.differences);
    }

    /// @inheritdoc IClearingHouse
    function proveMargin(
        MarginCheck calldata check,
        bytes calldata portfolio,
        bytes calldata proof,
        bytes calldata hint
    ) external override {
        Account storage account = _accounts[check.account];
        _checkVersion(check.account, account.state.stateVersion, check.stateVersion);
        _checkProgress(check, account.state);
        uint256 touched = account.state.books;
        RuleLocation memory rule = registry.usableRule(check.epoch, check.kind);
        _checkPortfolio(check.account, account, touched, portfolio, rule.books);
        ClaimEncoding.requireAccepted(verifier, ClaimEncoding.contextOf(check, 0), rule, portfolio, proof, hint);
        if (check.kind == RuleKind.INITIAL) {
            account.state.initialEpoch = check.epoch;
        } else {
            account.state.maintenanceEpoch = check.epoch;
        }
        emit MarginProven(check.account, check.epoch, check.kind);
    }

    /// @inheritdoc IClearingHouse
    function accountState(AccountId account) external view override returns (AccountState memory) {
        return _accounts[account].state;
    }

    /// @inheritdoc IClearingHouse
    function commitmentHash(AccountId account, uint256 book) external view override returns (bytes32) {
        return _accounts[account].commitmentHashes[book];
    }

    /// @inheritdoc IClearingHouse
    function proofContext(MarginCheck calldata check, bytes32 action) external view override returns (bytes32) {
        return ClaimEncoding.contextOf(check, action);
    }

    /// @inheritdoc IClearingHouse
    function settlementHashes(Settlement calldata settlement)
        external
        view
        override
        returns (bytes32 action, bytes32 digest)
    {
        return _settlementHashes(settlement);
    }

    /// @inheritdoc IClearingHouse
    function withdrawalHash(Withdrawal calldata withdrawal) external pure override returns (bytes32 action) {
        return _withdrawalHash(withdrawal);
    }

    /// @dev Writes down the account after a withdrawal, then pays or queues.
    function _withdraw(AccountId id, AccountState memory state, bytes32 commitment, uint64 ticks, address recipient)
        private
    {
        Account storage account = _accounts[id];
        ++state.stateVersion;
        state.deposited = SafeCast.toInt64(int256(state.deposited) - int256(uint256(ticks)));
        account.commitmentHashes[0] = commitment;
        account.state = state;
        uint256 claim = _book(recipient, ticks);
        emit Withdrawn(id, recipient, ticks, state.deposited, state.stateVersion, claim);
        if (claim == 0) {
            _pay(recipient, ticks);
        }
    }

    /// @dev Writes down the commitments after a trade.
    function _recordTrade(AccountId id, uint32 epoch, bytes memory portfolio) private {
        Account storage account = _accounts[id];
        uint256 books = portfolio.length / Commitments.POINT_BYTES;
        for (uint256 book = 0; book < books; ++book) {
            account.commitmentHashes[book] = Commitments.hashAt(portfolio, book);
        }
        AccountState memory state = account.state;
        ++state.stateVersion;
        // The registry counts books in 8 bits.
        state.books = uint32(books);
        state.hidden = true;
        state.initialEpoch = epoch;
        account.state = state;
    }

    /// @dev Checks one side's present commitments and states what it proves: initial margin of those after the trade.
    function _claimAfterTrade(
        Settlement calldata settlement,
        SettlementSide calldata side,
        RuleLocation memory rule,
        bytes32 action,
        bool isFirst
    ) private view returns (MarginClaim memory claim) {
        AccountId id = isFirst ? settlement.first : settlement.second;
        uint64 stateVersion = isFirst ? settlement.firstVersion : settlement.secondVersion;
        Account storage account = _accounts[id];
        _checkVersion(id, account.state.stateVersion, stateVersion);
        _checkPortfolio(id, account, account.state.books, side.portfolio, rule.books);
        claim.context = _context(id, stateVersion, settlement.epoch, RuleKind.INITIAL, action);
        claim.books = rule.books;
        claim.portfolio = isFirst
            ? Commitments.add(side.portfolio, settlement.differences)
            : Commitments.subtract(side.portfolio, settlement.differences);
        claim.matrix = DataContract.read(rule.data, rule.offset, rule.length);
        claim.proof = side.proof;
        claim.hint = side.hint;
    }

    /// @dev Checks the present commitments and states what is proven: initial margin of those after the withdrawal.
    function _claimAfterWithdrawal(Withdrawal calldata withdrawal, uint256 touched, bytes calldata portfolio)
        private
        view
        returns (MarginClaim memory claim)
    {
        AccountId id = withdrawal.account;
        RuleLocation memory rule = registry.usableRule(withdrawal.epoch, RuleKind.INITIAL);
        _checkPortfolio(id, _accounts[id], touched, portfolio, rule.books);
        claim.context =
            _context(id, withdrawal.stateVersion, withdrawal.epoch, RuleKind.INITIAL, _withdrawalHash(withdrawal));
        claim.books = rule.books;
        claim.portfolio = portfolio;
        Commitments.subtractMultiple(claim.portfolio, _collateralPoint(), withdrawal.ticks);
        claim.matrix = DataContract.read(rule.data, rule.offset, rule.length);
    }

    /// @dev Reverts unless the points are the account's commitments, for all books of the epoch.
    function _checkPortfolio(
        AccountId id,
        Account storage account,
        uint256 touched,
        bytes calldata portfolio,
        uint256 books
    ) private view {
        if (touched > books) {
            revert ClearingHouseBooksNotCovered(id, touched, books);
        }
        if (portfolio.length != books * Commitments.POINT_BYTES) {
            revert ClearingHouseCommitmentLengthWrong(portfolio.length, books * Commitments.POINT_BYTES);
        }
        for (uint256 book = 0; book < books; ++book) {
            _checkCommitment(id, account, portfolio, book, book >= touched);
        }
    }

    /// @dev Reverts unless the point of this book is the account's commitment; an untouched book holds nothing.
    function _checkCommitment(
        AccountId id,
        Account storage account,
        bytes calldata points,
        uint256 book,
        bool untouched
    ) private view {
        bytes32 stored = untouched ? Commitments.INFINITY_HASH : account.commitmentHashes[book];
        bytes32 given = Commitments.hashOf(points, book);
        if (given != stored) {
            revert ClearingHouseCommitmentMismatch(id, book, given, stored);
        }
    }

    /// @dev Reverts unless the owner of the account calls.
    function _checkOwner(AccountId id) private view {
        if (msg.sender != id.ownerOf()) {
            revert ClearingHouseNotOwner(id, msg.sender);
        }
    }

    /// @dev Reverts unless the owner of the account signed.
    function _checkSignature(AccountId id, bytes32 digest, bytes calldata signature) private view {
        if (!SignatureChecker.isValidSignatureNowCalldata(id.ownerOf(), digest, signature)) {
            revert ClearingHouseSignatureInvalid(id, digest);
        }
    }

    /// @dev Reverts for terms that no signature can heal.
    function _checkTerms(Settlement calldata settlement) private view {
        if (settlement.first == settlement.second) {
            revert ClearingHouseSameAccount(settlement.first);
        }
        if (block.timestamp > settlement.deadline) {
            revert ClearingHouseDeadlineExpired(settlement.deadline, block.timestamp);
        }
    }

    /// @dev Struct hash and digest (EIP-712) of a settlement.
    function _settlementHashes(Settlement calldata settlement) private view returns (bytes32 action, bytes32 digest) {
        action = keccak256(
            abi.encode(
                SETTLEMENT_TYPEHASH,
                settlement.first,
                settlement.second,
                settlement.firstVersion,
                settlement.secondVersion,
                settlement.epoch,
                settlement.deadline,
                keccak256(settlement.differences)
            )
        );
        digest = _hashTypedDataV4(action);
    }

    /// @dev Binds a proof to one use; the same as ClaimEncoding.contextOf for a check that is not in calldata.
    function _context(AccountId account, uint64 stateVersion, uint32 epoch, RuleKind kind, bytes32 action)
        private
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(block.chainid, address(this), account, stateVersion, epoch, kind, action));
    }

    /// @dev Basis point of the collateral's slot.
    function _collateralPoint() private view returns (bytes memory) {
        return DataContract.read(
            basisTable, DataContract.DATA_OFFSET + collateralSlot * Commitments.POINT_BYTES, Commitments.POINT_BYTES
        );
    }

    /// @dev Reverts unless the table has the size and the hash that it should have.
    function _checkBasis(address table, bytes32 expectedHash, uint256 expectedSize) private view {
        uint256 size = table.code.length;
        if (size != DataContract.DATA_OFFSET + expectedSize) {
            revert ClearingHouseBasisSizeWrong(size == 0 ? 0 : size - DataContract.DATA_OFFSET, expectedSize);
        }
        bytes32 actualHash = keccak256(DataContract.read(table, DataContract.DATA_OFFSET, expectedSize));
        if (actualHash != expectedHash) {
            revert ClearingHouseBasisMismatch(actualHash, expectedHash);
        }
    }

    /// @dev Struct hash (EIP-712) of a withdrawal. Its words are those of the ABI encoding.
    function _withdrawalHash(Withdrawal calldata withdrawal) private pure returns (bytes32) {
        return keccak256(abi.encode(WITHDRAWAL_TYPEHASH, withdrawal));
    }

    /// @dev Reverts unless the account is open and at the given version.
    function _checkVersion(AccountId id, uint256 current, uint256 given) private pure {
        if (current == 0) {
            revert ClearingHouseAccountNotOpen(id);
        }
        if (current != given) {
            revert ClearingHouseStateVersionMismatch(id, given, current);
        }
    }

    /// @dev Reverts when the account has proven the rule at this epoch or later, so that a replay extends nothing.
    function _checkProgress(MarginCheck calldata check, AccountState storage state) private view {
        uint256 provenEpoch = check.kind == RuleKind.INITIAL ? state.initialEpoch : state.maintenanceEpoch;
        if (check.epoch <= provenEpoch) {
            revert ClearingHouseAlreadyProven(check.account, check.kind, check.epoch, provenEpoch);
        }
    }
}
