// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAccountLedger } from "../../contracts/interfaces/IAccountLedger.sol";
import { IClearingHouse } from "../../contracts/interfaces/IClearingHouse.sol";
import { IMarginVerifier } from "../../contracts/interfaces/IMarginVerifier.sol";
import { IRuleRegistry } from "../../contracts/interfaces/IRuleRegistry.sol";
import { RuleMatrix } from "../../contracts/libraries/RuleMatrix.sol";
import { TradeLegs } from "../../contracts/libraries/TradeLegs.sol";
import { MarginClaim } from "../../contracts/types/MarginClaim.sol";
import { RuleKind } from "../../contracts/types/MarginRule.sol";
import { Leg, Participant, Settlement, SettlementSide } from "../../contracts/types/Settlement.sol";
import { TwoAccounts } from "./TwoAccounts.sol";
import { vm } from "./Vm.sol";

/// @title Settlements that are refused though everybody signed them
contract SettlementRefusalsTest is TwoAccounts {
    // --- Terms ----------------------------------------------------------------------------------------------------

    function testRefusesSettlementsAfterTheirDeadline() external {
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("late", 1);
        uint256 deadline = vm.getBlockTimestamp() + 60;
        settlement.deadline = uint64(deadline);
        sides = _resigned(settlement, sides);
        vm.warp(deadline + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IClearingHouse.ClearingHouseDeadlineExpired.selector, deadline, deadline + 1)
        );
        house.settle(settlement, 1, sides);
        vm.warp(deadline);
        // In time: now nothing but the proofs, made before the deadline was set, is wrong.
        vm.expectPartialRevert(IMarginVerifier.MarginVerifierInverseHintMismatch.selector);
        house.settle(settlement, 1, sides);
    }

    function testRefusesEpochsBeyondWhatWasAgreed() external {
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(_alice, _bob, "epochs", 1);
        Settlement memory settlement = _settlement(ghosts, legs);
        settlement.maxEpoch = 1;
        SettlementSide[] memory sides = _sides(settlement, ghosts, legs, 1);
        vm.warp(START + 120);
        _publishEpoch(3);
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseEpochTooLate.selector, 2, 1));
        house.settle(settlement, 2, sides);
        vm.expectRevert(
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochNotUsable.selector, 1, 2, RuleKind.INITIAL)
        );
        house.settle(settlement, 1, sides);
        settlement.maxEpoch = 2;
        house.settle(settlement, 2, _sides(settlement, ghosts, legs, 2));
    }

    function testRefusesAStaleRegistry() external {
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("stale", 1);
        vm.warp(START + MAXIMUM_AGE + 1);
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryStaleEpoch.selector, 1, START, MAXIMUM_AGE));
        house.settle(settlement, 1, sides);
    }

    // --- Accounts and legs ----------------------------------------------------------------------------------------

    function testRefusesSidesThatDoNotFit() external {
        (Settlement memory settlement,) = _agreed("sides", 1);
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseCountWrong.selector, 1, 2));
        house.settle(settlement, 1, new SettlementSide[](1));
    }

    function testRefusesSettlementsWithoutLegsOrOfTooMany() external {
        (Settlement memory settlement,) = _agreed("size", 1);
        settlement.legs = new Leg[](0);
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseSizeOutOfRange.selector, 2, 0));
        house.settle(settlement, 1, new SettlementSide[](2));
        (settlement,) = _agreed("size", 1);
        settlement.participants = new Participant[](257);
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseSizeOutOfRange.selector, 257, 1));
        house.settle(settlement, 1, new SettlementSide[](257));
    }

    function testRefusesAccountsThatAreThereTwice() external {
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("twice", 1);
        Participant memory alice = settlement.participants[0];
        settlement.participants[1] =
            Participant({ account: alice.account, stateVersion: alice.stateVersion + 1, nonce: alice.nonce + 1 });
        sides[1] = sides[0];
        sides = _resigned(settlement, sides);
        vm.expectRevert(abi.encodeWithSelector(TradeLegs.TradeLegsAccountTwice.selector, _account(_alice)));
        house.settle(settlement, 1, sides);
    }

    function testRefusesAccountsWithoutALeg() external {
        Ghost memory carol = _ghost(CAROL, 0);
        _deposit(carol, 1);
        (Ghost[] memory pair, GhostLeg[] memory legs) = _pair(_alice, _bob, "idle", 1);
        Ghost[] memory ghosts = new Ghost[](3);
        (ghosts[0], ghosts[1], ghosts[2]) = (pair[0], pair[1], carol);
        Settlement memory settlement = _settlement(ghosts, legs);
        SettlementSide[] memory sides = _sides(settlement, ghosts, legs, 1);
        vm.expectRevert(abi.encodeWithSelector(TradeLegs.TradeLegsAccountIdle.selector, 2));
        house.settle(settlement, 1, sides);
    }

    function testRefusesLegsBetweenNobody() external {
        _expectLegRefused(0, 0);
        _expectLegRefused(0, 2);
        _expectLegRefused(2, 1);
        _expectLegRefused(255, 1);
    }

    function testRefusesDifferencesForOtherBooks() external {
        _expectDifferencesRefused(0, 0);
        _expectDifferencesRefused(1, 0);
        _expectDifferencesRefused(1, 95);
        _expectDifferencesRefused(1, 192);
        _expectDifferencesRefused(6, 96);
        _expectDifferencesRefused(type(uint32).max, 288);
    }

    function testRefusesBooksThatTheRuleDoesNotCover() external {
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(_alice, _bob, "beyond", 1);
        Settlement memory settlement = _settlement(ghosts, legs);
        settlement.legs[0].books = 8;
        SettlementSide[] memory sides = _sides(settlement, ghosts, legs, 1);
        for (uint256 index = 0; index < 2; ++index) {
            sides[index].portfolio = bytes.concat(sides[index].portfolio, new bytes(96));
        }
        vm.expectRevert(abi.encodeWithSelector(RuleMatrix.RuleMatrixBookNotCovered.selector, 9, 3));
        house.settle(settlement, 1, sides);
    }

    // --- States and commitments -----------------------------------------------------------------------------------

    function testRefusesUnopenedAccounts() external {
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(_alice, _ghost(CAROL, 0), "unopened", 1);
        Settlement memory settlement = _settlement(ghosts, legs);
        SettlementSide[] memory sides = _sides(settlement, ghosts, legs, 1);
        vm.expectRevert(
            abi.encodeWithSelector(IAccountLedger.AccountLedgerAccountNotOpen.selector, _account(ghosts[1]))
        );
        house.settle(settlement, 1, sides);
    }

    /// @dev Whatever the owner did in between makes the settlement void.
    function testRefusesOtherStates() external {
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("overtaken", 1);
        Ghost memory bob = _bob;
        _deposit(bob, 1);
        _expectVersionRefused(bob, 1);
        house.settle(settlement, 1, sides);
    }

    /// @dev A third party's deposit does not.
    function testOthersCannotOvertake() external {
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("undisturbed", 1);
        _depositFor(STRANGER, _account(_bob), CASH, 1);
        token.mint(address(house), 1);
        token.mint(address(vault), 1);
        house.settle(settlement, 1, sides);
    }

    /// @dev A book that the account touched may not be left out, whichever books the legs touch.
    function testRefusesOmittedBooks() external {
        _traded("second book", 3);
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("first book", 1);
        sides[0].portfolio = _commitments(_alice, 1);
        _expectLengthRefused(96, 192);
        house.settle(settlement, 1, sides);
        bytes memory hollow = bytes.concat(_commitments(_alice, 1), new bytes(96));
        sides[0].portfolio = hollow;
        _expectMismatch(_alice, 1, new bytes(96));
        house.settle(settlement, 1, sides);
    }

    /// @dev A book that the account touches for the first time held nothing.
    function testRefusesACommitmentInABookThatWasNeverTouched() external {
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("fresh", 3);
        bytes memory richer = _commitment(_alice, 0);
        sides[0].portfolio = bytes.concat(_commitment(_alice, 0), richer);
        _expectMismatch(_alice, 1, richer);
        house.settle(settlement, 1, sides);
    }

    /// @dev One side proves for what it would rather have: the batch refuses both.
    function testRefusesABadProofOfEitherSide() external {
        for (uint256 index = 0; index < 2; ++index) {
            (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("proofs", 1);
            (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(_alice, _bob, "proofs", 1);
            (bytes32 action,) = house.settlementHashes(settlement);
            _carryOut(ghosts, legs);
            --ghosts[index].version;
            bytes memory true_ = _commitments(ghosts[index], 1);
            ++ghosts[index].positions[0][CASH];
            MarginClaim memory other = _simulated(_check(ghosts[index], 1, RuleKind.INITIAL), action, ghosts[index]);
            MarginClaim memory forged = _forged(_check(ghosts[index], 1, RuleKind.INITIAL), action, 1, true_, other);
            (sides[index].proof, sides[index].hint) = (forged.proof, forged.hint);
            vm.expectRevert(IMarginVerifier.MarginVerifierRejected.selector);
            house.settle(settlement, 1, sides);
        }
    }

    /// @dev Proofs of another settlement with the same outcome are no proofs of this one.
    function testRefusesProofsOfAnotherSettlement() external {
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("bound", 1);
        --settlement.deadline;
        sides = _resigned(settlement, sides);
        vm.expectPartialRevert(IMarginVerifier.MarginVerifierInverseHintMismatch.selector);
        house.settle(settlement, 1, sides);
    }

    // --- Helpers --------------------------------------------------------------------------------------------------

    /// @dev The sides with signatures of whoever takes part now; proofs stay.
    function _resigned(Settlement memory settlement, SettlementSide[] memory sides)
        private
        view
        returns (SettlementSide[] memory)
    {
        (, bytes32 digest) = house.settlementHashes(settlement);
        for (uint256 index = 0; index < sides.length; ++index) {
            uint256 key = sides[index].signer == _owner(_alice) ? ALICE : BOB;
            sides[index].signature = _signatureOf(digest, key);
        }
        return sides;
    }

    function _expectLegRefused(uint8 receiver, uint8 giver) private {
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("nobody", 1);
        (settlement.legs[0].receiver, settlement.legs[0].giver) = (receiver, giver);
        sides = _resigned(settlement, sides);
        vm.expectRevert(abi.encodeWithSelector(TradeLegs.TradeLegsLegInvalid.selector, 0, receiver, giver));
        house.settle(settlement, 1, sides);
    }

    function _expectDifferencesRefused(uint32 books, uint256 length) private {
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("differences", 1);
        (settlement.legs[0].books, settlement.legs[0].differences) = (books, new bytes(length));
        sides = _resigned(settlement, sides);
        vm.expectRevert(abi.encodeWithSelector(TradeLegs.TradeLegsDifferencesInvalid.selector, 0, books, length));
        house.settle(settlement, 1, sides);
    }
}
