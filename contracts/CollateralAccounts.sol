// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import { AccountLedger } from "./AccountLedger.sol";
import { CollateralVault } from "./CollateralVault.sol";
import { HousePause } from "./HousePause.sol";
import { IClearingHouse } from "./interfaces/IClearingHouse.sol";
import { ICollateralVault } from "./interfaces/ICollateralVault.sol";
import { IExitVerifier } from "./interfaces/IExitVerifier.sol";
import { IInstrumentRegistry } from "./interfaces/IInstrumentRegistry.sol";
import { BookSet } from "./libraries/BookSet.sol";
import { ClaimEncoding } from "./libraries/ClaimEncoding.sol";
import { Commitments } from "./libraries/Commitments.sol";
import { DataContract } from "./libraries/DataContract.sol";
import { SettlementHash } from "./libraries/SettlementHash.sol";
import { AccountId, accountIdOf } from "./types/AccountId.sol";
import { AccountState, AccountStatus } from "./types/AccountState.sol";
import { HouseParts } from "./types/HouseParts.sol";
import { InstrumentKind, SlotStatus, SlotTerms } from "./types/Instrument.sol";
import { RuleKind } from "./types/MarginRule.sol";
import { Shape } from "./types/Shape.sol";
import { Lien, TokenTerms, Withdrawal } from "./types/Vault.sol";

/// @title CollateralAccounts
/// @author The zkmargin contributors
/// @notice The part of the clearing house by which collateral gets into accounts and out of them; see IClearingHouse.
abstract contract CollateralAccounts is IClearingHouse, AccountLedger, HousePause, ReentrancyGuardTransient {
    using SettlementHash for *;

    /// @notice What sets the context of an exit apart from those of margin proofs.
    bytes32 public constant EXIT_LABEL = keccak256("zkmargin exit");

    uint256 private constant COLUMNS_PER_SLOT = 4;

    /// @inheritdoc IClearingHouse
    ICollateralVault public immutable override vault;
    /// @inheritdoc IClearingHouse
    IExitVerifier public immutable override exitVerifier;
    /// @inheritdoc IClearingHouse
    IInstrumentRegistry public immutable override instruments;
    /// @inheritdoc IClearingHouse
    uint256 public immutable override depositLimit;
    /// @inheritdoc IClearingHouse
    address public immutable override basisTable;
    /// @inheritdoc IClearingHouse
    bytes32 public immutable override basisHash;

    /// @notice Creates the vault.
    /// @param parts What the house is made of.
    /// @param owner_ Owner of the vault.
    /// @param tokens Terms of the collateral tokens, the quote collateral first.
    constructor(HouseParts memory parts, address owner_, TokenTerms[] memory tokens) {
        Shape memory shape = parts.verifier.shape();
        uint256 slots = shape.columns / COLUMNS_PER_SLOT;
        DataContract.requireContent(parts.basisTable, slots * Commitments.POINT_BYTES, parts.basisHash);
        if (parts.exitVerifier.basisHash() != parts.basisHash) {
            revert ClearingHouseExitBasisMismatch(parts.exitVerifier.basisHash(), parts.basisHash);
        }
        exitVerifier = parts.exitVerifier;
        instruments = parts.registry.instruments();
        basisTable = parts.basisTable;
        basisHash = parts.basisHash;
        depositLimit = (uint256(1) << (shape.digits * shape.digitBits - 1)) - 1;
        vault = new CollateralVault(owner_, depositLimit, slots, tokens);
    }

    /// @inheritdoc IClearingHouse
    function deposit(uint96 subaccount, uint8 token, uint64 ticks, bytes calldata commitment)
        external
        override
        nonReentrant
    {
        AccountId id = accountIdOf(msg.sender, subaccount);
        uint256 slot = vault.collect(token, msg.sender, ticks);
        uint64 stateVersion = _credit(id, token, ticks, slot, commitment);
        emit Deposited(id, token, ticks, stateVersion);
    }

    /// @inheritdoc IClearingHouse
    function mergeInbox(AccountId id, uint8 token, bytes calldata commitment) external override nonReentrant {
        _checkAuthorised(id, msg.sender);
        (uint64 ticks, uint256 slot) = vault.takeInbox(id, token);
        uint64 stateVersion = _credit(id, token, ticks, slot, commitment);
        emit InboxMerged(id, token, ticks, stateVersion);
    }

    /// @inheritdoc IClearingHouse
    function withdraw(
        Withdrawal calldata withdrawal,
        bytes calldata portfolio,
        bytes calldata proof,
        bytes calldata hint
    ) external override nonReentrant {
        uint64 stateVersion = _debit(withdrawal, withdrawal.hash(), portfolio, proof, hint);
        uint256 claim = vault.payOut(withdrawal.token, withdrawal.recipient, withdrawal.ticks);
        emit Withdrawn(
            withdrawal.account, withdrawal.token, withdrawal.recipient, withdrawal.ticks, stateVersion, claim
        );
    }

    /// @inheritdoc IClearingHouse
    function grantLien(Lien calldata lien, bytes calldata portfolio, bytes calldata proof, bytes calldata hint)
        external
        override
        nonReentrant
    {
        Withdrawal memory equal =
            Withdrawal(lien.account, lien.stateVersion, lien.epoch, lien.token, lien.ticks, lien.lender);
        uint64 stateVersion = _debit(equal, lien.hash(), portfolio, proof, hint);
        vault.addLien(lien.account, lien.token, lien.lender, lien.ticks);
        emit LienGranted(lien.account, lien.token, lien.lender, lien.ticks, stateVersion);
    }

    /// @inheritdoc IClearingHouse
    function withdrawHoldings(
        AccountId id,
        uint64 stateVersion,
        uint8 token,
        uint64 ticks,
        address recipient,
        bytes calldata commitment
    ) external override nonReentrant {
        _takeHoldings(id, stateVersion, token, ticks, commitment);
        uint256 claim = vault.payOut(token, recipient, ticks);
        emit Withdrawn(id, token, recipient, ticks, stateVersion + 1, claim);
    }

    /// @inheritdoc IClearingHouse
    function exit(
        AccountId id,
        uint64 stateVersion,
        uint64[] calldata amounts,
        bytes calldata portfolio,
        bytes calldata nonce,
        uint256 response
    ) external override nonReentrant {
        _checkOwner(id);
        AccountState memory state = _stateAt(id, stateVersion);
        if (state.status == AccountStatus.TRANSPARENT) {
            revert ClearingHouseAccountTransparent(id);
        }
        _checkPortfolio(id, state.books, portfolio);
        exitVerifier.requireExit(
            exitContext(id, stateVersion), portfolio, _tokenSlots(amounts.length), amounts, nonce, response
        );
        state.status = AccountStatus.TRANSPARENT;
        state.books = BookSet.FIRST;
        _recordExit(id, state, amounts);
    }

    /// @inheritdoc IClearingHouse
    function withdrawalHash(Withdrawal calldata withdrawal) external pure override returns (bytes32 action) {
        return withdrawal.hash();
    }

    /// @inheritdoc IClearingHouse
    function lienHash(Lien calldata lien) external pure override returns (bytes32 action) {
        return lien.hash();
    }

    /// @inheritdoc IClearingHouse
    function exitContext(AccountId id, uint64 stateVersion) public view override returns (bytes32) {
        return keccak256(abi.encode(EXIT_LABEL, block.chainid, address(this), id, stateVersion));
    }

    /// @dev Adds collateral to an account, which it opens if need be.
    function _credit(AccountId id, uint8 token, uint64 ticks, uint256 slot, bytes memory commitment)
        private
        returns (uint64)
    {
        _requireCollateral(token, slot);
        _checkPortfolio(id, BookSet.FIRST, commitment);
        Account storage account = _accounts[id];
        AccountState memory state = account.state;
        account.commitmentHashes[0] = keccak256(Commitments.addMultiple(commitment, _basisPoint(slot), ticks));
        if (state.status == AccountStatus.TRANSPARENT) {
            account.holdings[token] += ticks;
        }
        state.books |= BookSet.FIRST;
        ++state.stateVersion;
        account.state = state;
        return state.stateVersion;
    }

    /// @dev Takes collateral out of an account of the caller's that proves initial margin of what stays.
    function _debit(
        Withdrawal memory terms,
        bytes32 action,
        bytes calldata portfolio,
        bytes calldata proof,
        bytes calldata hint
    ) private returns (uint64 stateVersion) {
        uint256 claim = ClaimEncoding.single();
        stateVersion = _take(claim, terms, action, portfolio);
        ClaimEncoding.setProof(claim, proof, hint);
        ClaimEncoding.requireAccepted(verifier, claim);
    }

    /// @dev Carries out a debit, and states what is proven of it: initial margin of what stays.
    function _take(uint256 claim, Withdrawal memory terms, bytes32 action, bytes memory portfolio)
        private
        returns (uint64)
    {
        _requireNotPaused();
        AccountId id = terms.account;
        _checkOwner(id);
        AccountState memory state = _stateAt(id, terms.stateVersion);
        _checkPortfolio(id, state.books, portfolio);
        Commitments.subtractMultiple(portfolio, _basisPoint(vault.slotOf(terms.token)), terms.ticks);
        RuleInUse memory rule;
        ClaimEncoding.setStatement(
            claim,
            _context(id, terms.stateVersion, terms.epoch, RuleKind.INITIAL, action),
            portfolio,
            _matrix(rule, terms.epoch, RuleKind.INITIAL, state.books)
        );
        _accounts[id].commitmentHashes[0] = Commitments.hashAt(portfolio, 0);
        _recordProven(id, state, terms.epoch);
        return state.stateVersion;
    }

    /// @dev Takes collateral out of a transparent account of the caller's.
    function _takeHoldings(AccountId id, uint64 stateVersion, uint8 token, uint64 ticks, bytes memory commitment)
        private
    {
        _checkOwner(id);
        AccountState memory state = _stateAt(id, stateVersion);
        if (state.status != AccountStatus.TRANSPARENT) {
            revert ClearingHouseAccountActive(id);
        }
        Account storage account = _accounts[id];
        uint64 held = account.holdings[token];
        if (ticks > held) {
            revert ClearingHouseHoldingsExceeded(id, token, ticks, held);
        }
        _checkPortfolio(id, BookSet.FIRST, commitment);
        Commitments.subtractMultiple(commitment, _basisPoint(vault.slotOf(token)), ticks);
        account.commitmentHashes[0] = keccak256(commitment);
        account.holdings[token] = held - ticks;
        ++state.stateVersion;
        account.state = state;
    }

    /// @dev Writes down what an account that has become transparent holds.
    function _recordExit(AccountId id, AccountState memory state, uint64[] calldata amounts) private {
        Account storage account = _accounts[id];
        for (uint256 token = 0; token < amounts.length; ++token) {
            account.holdings[token] = amounts[token];
        }
        ++state.stateVersion;
        account.state = state;
        emit Exited(id, amounts, state.stateVersion);
    }

    /// @dev Slots of all tokens, of which there must be so many.
    function _tokenSlots(uint256 expected) private view returns (uint256[] memory slots) {
        uint256 tokens = vault.tokenCount();
        if (expected != tokens) {
            revert ClearingHouseHoldingsCountWrong(expected, tokens);
        }
        slots = new uint256[](tokens);
        for (uint256 token = 0; token < tokens; ++token) {
            // The vault counts tokens in 8 bits.
            slots[token] = vault.slotOf(uint8(token));
        }
    }

    /// @dev Reverts unless a token's slot is listed, as cash, a token or a coin.
    function _requireCollateral(uint8 token, uint256 slot) private view {
        (SlotTerms memory terms, SlotStatus status) = instruments.slot(slot);
        if (status != SlotStatus.LISTED || terms.kind > InstrumentKind.SPOT) {
            revert ClearingHouseSlotNotCollateral(token, slot, terms.kind, status);
        }
    }

    /// @dev Basis point of a slot.
    function _basisPoint(uint256 slot) private view returns (bytes memory) {
        return DataContract.read(
            basisTable, DataContract.DATA_OFFSET + slot * Commitments.POINT_BYTES, Commitments.POINT_BYTES
        );
    }
}
