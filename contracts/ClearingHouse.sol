// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import { AccountLedger } from "./AccountLedger.sol";
import { CollateralVault } from "./CollateralVault.sol";
import { HousePause } from "./HousePause.sol";
import { IClearingHouse } from "./interfaces/IClearingHouse.sol";
import { ICollateralVault } from "./interfaces/ICollateralVault.sol";
import { IExitVerifier } from "./interfaces/IExitVerifier.sol";
import { BookSet } from "./libraries/BookSet.sol";
import { ClaimEncoding } from "./libraries/ClaimEncoding.sol";
import { Commitments } from "./libraries/Commitments.sol";
import { DataContract } from "./libraries/DataContract.sol";
import { SettlementHash } from "./libraries/SettlementHash.sol";
import { TradeLegs } from "./libraries/TradeLegs.sol";
import { AccountId, accountIdOf } from "./types/AccountId.sol";
import { AccountState, AccountStatus } from "./types/AccountState.sol";
import { HouseParts } from "./types/HouseParts.sol";
import { RuleKind } from "./types/MarginRule.sol";
import {
    Leg,
    OpenLeg,
    OpenLegSignatures,
    OpenSide,
    Participant,
    Settlement,
    SettlementSide
} from "./types/Settlement.sol";
import { Shape } from "./types/Shape.sol";
import { Lien, TokenTerms, Withdrawal } from "./types/Vault.sol";

/// @title ClearingHouse
/// @author The zkmargin contributors
/// @notice Accounts whose positions are hidden in commitments; see IClearingHouse. Twin: verifier/chain/house_client.py.
contract ClearingHouse is IClearingHouse, AccountLedger, HousePause, ReentrancyGuardTransient {
    using SettlementHash for *;
    using TradeLegs for *;

    /// @notice What sets the context of an exit apart from those of margin proofs.
    bytes32 public constant EXIT_LABEL = keccak256("zkmargin exit");

    uint256 private constant COLUMNS_PER_SLOT = 4;

    /// @dev Participants have indices of 8 bits.
    uint256 private constant MAXIMUM_ACCOUNTS = 256;

    /// @dev Trades on their way.
    /// @param action What proofs are bound to.
    /// @param epoch Epoch at which all accounts prove initial margin.
    /// @param claims Place of the first account's claim.
    /// @param rule Rule and matrix in use.
    /// @param accounts The accounts.
    /// @param legs The trades between them.
    struct Netting {
        bytes32 action;
        uint32 epoch;
        uint256 claims;
        RuleInUse rule;
        AccountId[] accounts;
        Leg[] legs;
    }

    /// @inheritdoc IClearingHouse
    ICollateralVault public immutable override vault;
    /// @inheritdoc IClearingHouse
    IExitVerifier public immutable override exitVerifier;
    /// @inheritdoc IClearingHouse
    uint256 public immutable override depositLimit;
    /// @inheritdoc IClearingHouse
    address public immutable override basisTable;
    /// @inheritdoc IClearingHouse
    bytes32 public immutable override basisHash;

    /// @notice Creates a clearing house without accounts, and its vault.
    /// @param parts What it is made of.
    /// @param owner_ Owner of the house and of the vault.
    /// @param guardian_ Who may pause.
    /// @param tokens Terms of the collateral tokens, the quote collateral first.
    constructor(HouseParts memory parts, address owner_, address guardian_, TokenTerms[] memory tokens)
        AccountLedger(parts.verifier, parts.registry)
        HousePause(owner_, guardian_)
        EIP712("zkmargin ClearingHouse", "1")
    {
        Shape memory shape = parts.verifier.shape();
        uint256 slots = shape.columns / COLUMNS_PER_SLOT;
        DataContract.requireContent(parts.basisTable, slots * Commitments.POINT_BYTES, parts.basisHash);
        if (parts.exitVerifier.basisHash() != parts.basisHash) {
            revert ClearingHouseExitBasisMismatch(parts.exitVerifier.basisHash(), parts.basisHash);
        }
        exitVerifier = parts.exitVerifier;
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
    function settle(Settlement calldata settlement, uint32 epoch, SettlementSide[] calldata sides)
        external
        override
        nonReentrant
    {
        _checkTerms(settlement.deadline, settlement.maxEpoch, epoch);
        _checkCount(sides.length, settlement.participants.length);
        (bytes32 action, bytes32 digest) = settlementHashes(settlement);
        Netting memory netting = _begin(epoch, sides.length, settlement.legs.length);
        netting.action = action;
        netting.legs = settlement.legs;
        for (uint256 index = 0; index < sides.length; ++index) {
            Participant calldata participant = settlement.participants[index];
            netting.accounts[index] = participant.account;
            _checkSignature(participant.account, sides[index].signer, digest, sides[index].signature);
            _useNonce(participant.account, participant.nonce);
        }
        netting.legs.check(netting.accounts);
        for (uint256 index = 0; index < sides.length; ++index) {
            SettlementSide calldata side = sides[index];
            _move(netting, index, settlement.participants[index].stateVersion, side.portfolio);
            ClaimEncoding.setProof(ClaimEncoding.claimAt(netting.claims, index), side.proof, side.hint);
        }
        _finish(netting);
    }

    /// @inheritdoc IClearingHouse
    function settleOpen(
        OpenLeg[] calldata legs,
        OpenLegSignatures[] calldata signatures,
        uint32 epoch,
        OpenSide[] calldata sides
    ) external override nonReentrant {
        _checkCount(signatures.length, legs.length);
        Netting memory netting = _begin(epoch, sides.length, legs.length);
        for (uint256 index = 0; index < sides.length; ++index) {
            netting.accounts[index] = sides[index].account;
        }
        bytes32[] memory hashes = new bytes32[](legs.length);
        for (uint256 index = 0; index < legs.length; ++index) {
            hashes[index] = _acceptLeg(netting, index, legs[index], signatures[index]);
        }
        netting.action = hashes.combined();
        netting.legs.check(netting.accounts);
        for (uint256 index = 0; index < sides.length; ++index) {
            OpenSide calldata side = sides[index];
            _move(netting, index, side.stateVersion, side.portfolio);
            ClaimEncoding.setProof(ClaimEncoding.claimAt(netting.claims, index), side.proof, side.hint);
        }
        _finish(netting);
    }

    /// @inheritdoc IClearingHouse
    function openLegHashes(OpenLeg calldata leg) external view override returns (bytes32 hash, bytes32 digest) {
        hash = leg.hash();
        digest = _hashTypedDataV4(hash);
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
    function settlementHashes(Settlement calldata settlement)
        public
        view
        override
        returns (bytes32 action, bytes32 digest)
    {
        action = settlement.hash();
        digest = _hashTypedDataV4(action);
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

    /// @dev Writes down the state of an account that has changed under a proof of initial margin.
    function _recordProven(AccountId id, AccountState memory state, uint32 epoch) private {
        ++state.stateVersion;
        state.status = AccountStatus.ACTIVE;
        state.initialEpoch = epoch;
        _accounts[id].state = state;
    }

    /// @dev Checks an open leg's terms and signatures, uses up its nonces, and adds it to the legs.
    function _acceptLeg(
        Netting memory netting,
        uint256 index,
        OpenLeg calldata leg,
        OpenLegSignatures calldata signatures
    ) private returns (bytes32 hash) {
        _checkTerms(leg.deadline, leg.maxEpoch, netting.epoch);
        hash = leg.hash();
        bytes32 digest = _hashTypedDataV4(hash);
        _checkSignature(leg.receiver, signatures.receiverSigner, digest, signatures.receiverSignature);
        _checkSignature(leg.giver, signatures.giverSigner, digest, signatures.giverSignature);
        _useNonce(leg.receiver, leg.receiverNonce);
        _useNonce(leg.giver, leg.giverNonce);
        netting.legs[index] = Leg({
            receiver: netting.accounts.indexOf(leg.receiver),
            giver: netting.accounts.indexOf(leg.giver),
            books: leg.books,
            differences: leg.differences
        });
    }

    /// @dev Carries out the legs of one account, and states what it proves: initial margin of what comes of them.
    function _move(Netting memory netting, uint256 index, uint64 stateVersion, bytes memory portfolio) private {
        AccountId id = netting.accounts[index];
        AccountState memory state = _stateAt(id, stateVersion);
        uint32 touched = netting.legs.touchedBy(index);
        state.books |= touched;
        _checkPortfolio(id, state.books, portfolio);
        netting.legs.apply_(index, state.books, portfolio);
        ClaimEncoding.setStatement(
            ClaimEncoding.claimAt(netting.claims, index),
            _context(id, stateVersion, netting.epoch, RuleKind.INITIAL, netting.action),
            portfolio,
            _matrix(netting.rule, netting.epoch, RuleKind.INITIAL, state.books)
        );
        _recordHashes(id, state.books, touched, portfolio);
        _recordProven(id, state, netting.epoch);
    }

    /// @dev Writes down the hashes of the commitments that a trade has changed.
    function _recordHashes(AccountId id, uint32 books, uint32 touched, bytes memory portfolio) private {
        mapping(uint256 book => bytes32 hash) storage hashes = _accounts[id].commitmentHashes;
        for (uint256 book = 0; touched >> book != 0; ++book) {
            if (BookSet.has(touched, book)) {
                hashes[book] = Commitments.hashAt(portfolio, BookSet.indexOf(books, book));
            }
        }
    }

    /// @dev Has all claims verified.
    function _finish(Netting memory netting) private {
        ClaimEncoding.requireAllAccepted(verifier, netting.claims, netting.accounts.length);
        emit Settled(netting.action, netting.epoch, netting.accounts, netting.legs);
    }

    /// @dev Room for trades between so many accounts.
    function _begin(uint32 epoch, uint256 accounts, uint256 legs) private view returns (Netting memory netting) {
        _requireNotPaused();
        if (legs == 0 || accounts > MAXIMUM_ACCOUNTS) {
            revert ClearingHouseSizeOutOfRange(accounts, legs);
        }
        netting.epoch = epoch;
        netting.accounts = new AccountId[](accounts);
        netting.legs = new Leg[](legs);
        netting.claims = ClaimEncoding.batch(accounts);
    }

    /// @dev Reverts for terms that no signature can heal.
    function _checkTerms(uint64 deadline, uint32 maxEpoch, uint32 epoch) private view {
        if (block.timestamp > deadline) {
            revert ClearingHouseDeadlineExpired(deadline, block.timestamp);
        }
        if (epoch > maxEpoch) {
            revert ClearingHouseEpochTooLate(epoch, maxEpoch);
        }
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

    /// @dev Basis point of a slot.
    function _basisPoint(uint256 slot) private view returns (bytes memory) {
        return DataContract.read(
            basisTable, DataContract.DATA_OFFSET + slot * Commitments.POINT_BYTES, Commitments.POINT_BYTES
        );
    }

    function _checkCount(uint256 given, uint256 expected) private pure {
        if (given != expected) {
            revert ClearingHouseCountWrong(given, expected);
        }
    }
}
