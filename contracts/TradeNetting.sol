// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import { AccountLedger } from "./AccountLedger.sol";
import { HousePause } from "./HousePause.sol";
import { IClearingHouse } from "./interfaces/IClearingHouse.sol";
import { BookSet } from "./libraries/BookSet.sol";
import { ClaimEncoding } from "./libraries/ClaimEncoding.sol";
import { Commitments } from "./libraries/Commitments.sol";
import { SettlementHash } from "./libraries/SettlementHash.sol";
import { TradeLegs } from "./libraries/TradeLegs.sol";
import { AccountId } from "./types/AccountId.sol";
import { AccountState } from "./types/AccountState.sol";
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

/// @title TradeNetting
/// @author The zkmargin contributors
/// @notice The part of the clearing house by which accounts trade with one another; see IClearingHouse.
abstract contract TradeNetting is IClearingHouse, AccountLedger, HousePause, ReentrancyGuardTransient {
    using SettlementHash for *;
    using TradeLegs for *;

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
    function settlementHashes(Settlement calldata settlement)
        public
        view
        override
        returns (bytes32 action, bytes32 digest)
    {
        action = settlement.hash();
        digest = _hashTypedDataV4(action);
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
        netting.legs.carryOut(index, state.books, portfolio);
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

    /// @dev Reverts unless there are as many as there should be.
    function _checkCount(uint256 given, uint256 expected) private pure {
        if (given != expected) {
            revert ClearingHouseCountWrong(given, expected);
        }
    }
}
