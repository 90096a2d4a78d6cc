// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";

import { IAccountLedger } from "../../contracts/interfaces/IAccountLedger.sol";
import { IHousePause } from "../../contracts/interfaces/IHousePause.sol";
import { AccountStatus } from "../../contracts/types/AccountState.sol";
import { RuleKind } from "../../contracts/types/MarginRule.sol";
import { OpenLeg, OpenLegSignatures, OpenSide, Settlement, SettlementSide } from "../../contracts/types/Settlement.sol";
import { Lien, Withdrawal } from "../../contracts/types/Vault.sol";
import { TwoAccounts } from "./TwoAccounts.sol";
import { vm } from "./Vm.sol";

/// @title Who may do what: pause and guardian, operators, nonces
contract HouseRightsTest is TwoAccounts {
    uint32 private constant DAY = 1 days;
    uint256 private constant OPERATOR = 0x09e4a704;

    // --- Pause ----------------------------------------------------------------------------------------------------

    function testAPauseIsAnnouncedAndEndsByItself() external {
        uint256 begin = vm.getBlockTimestamp();
        vm.expectEmit();
        emit IHousePause.Paused(GUARDIAN, begin + DAY);
        _pause(DAY);
        (uint256 from, uint256 to) = house.lastPause();
        _expect("begin", from, begin);
        _expect("end", to, begin + DAY);
        vm.warp(begin + DAY - 1);
        _expectPaused(begin + DAY);
        _withdrawByHand(_alice);
        vm.warp(begin + DAY);
        _publishEpoch(3);
        Ghost memory alice = _alice;
        _withdraw(alice, 2, CASH, 1, RECIPIENT);
        _expectGhost(alice, AccountStatus.ACTIVE);
    }

    /// @dev What takes risk or lets value out against a margin proof waits; all else goes on.
    function testAPauseStopsWhatNeedsAMarginProof() external {
        (Ghost memory alice, Ghost memory bob) = _traded("before", 1);
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("in the pause", 1);
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(alice, bob, "in the pause", 1);
        OpenLeg[] memory open = _openLegs(ghosts, legs);
        OpenLegSignatures[] memory signatures = _openSignatures(open, ghosts, legs);
        OpenSide[] memory openSides = _openSides(open, ghosts, legs, 1);
        Lien memory lien = _lien(alice, 1, CASH, 1, STRANGER);
        uint256 end = vm.getBlockTimestamp() + DAY;
        _pause(DAY);
        _expectPaused(end);
        house.settle(settlement, 1, sides);
        _expectPaused(end);
        house.settleOpen(open, signatures, 1, openSides);
        _expectPaused(end);
        _withdrawByHand(alice);
        _expectPaused(end);
        vm.prank(_owner(alice));
        house.grantLien(lien, new bytes(96), "", "");
    }

    function testAPauseStopsNothingElse() external {
        (Ghost memory alice, Ghost memory bob) = _traded("before", 1);
        _trade(bob, alice, "before", 1, 1); // back
        Ghost memory carol = _ghost(CAROL, 0);
        _pause(DAY);
        _deposit(carol, 9);
        _depositFor(STRANGER, _account(carol), COIN, 4);
        _mergeInbox(carol, COIN);
        _withdrawHoldings(carol, COIN, 3, RECIPIENT);
        _proveMargin(alice, 1, RuleKind.MAINTENANCE);
        _exit(alice);
        _withdrawHoldings(alice, CASH, 5, RECIPIENT);
        _expectGhost(alice, AccountStatus.TRANSPARENT);
        vm.prank(_owner(bob));
        house.setOperator(0, STRANGER, FOREVER);
        vm.prank(STRANGER);
        house.invalidateNonces(_account(bob), 9, 1);
    }

    function testAPauseEndsEarlyByGuardianOrOwner() external {
        _pause(DAY);
        vm.expectEmit();
        emit IHousePause.Unpaused(address(this));
        house.unpause();
        _traded("after", 1);
        vm.warp(vm.getBlockTimestamp() + 2);
        _pause(DAY);
        vm.prank(GUARDIAN);
        house.unpause();
        vm.expectRevert(IHousePause.HousePauseNotActive.selector);
        house.unpause();
        _pauseNowRefused(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IHousePause.HousePauseNotGuardian.selector, STRANGER));
        vm.prank(STRANGER);
        house.unpause();
    }

    /// @dev After a pause the house is open for at least as long as it was shut: to the second.
    function testFuzzThePauseMustBeAsShortAsWhatFollows(uint32 duration, uint32 served) external {
        duration = 1 + duration % uint32(house.MAXIMUM_PAUSE());
        served = served % (duration + 1);
        uint256 begin = vm.getBlockTimestamp();
        _pause(duration);
        vm.warp(begin + served);
        if (served < duration) {
            house.unpause();
        }
        uint256 allowedAt = begin + 2 * uint256(served);
        if (served > 0) {
            vm.warp(allowedAt - 1);
            vm.expectRevert(abi.encodeWithSelector(IHousePause.HousePauseTooSoon.selector, allowedAt));
            _pause(1);
            vm.warp(allowedAt);
        }
        _pause(1);
    }

    function testRefusesPausesByOthersOrTooLong() external {
        _pauseNowRefused(address(this));
        uint256 maximum = house.MAXIMUM_PAUSE();
        _expect("three days", maximum, 3 days);
        vm.expectRevert(abi.encodeWithSelector(IHousePause.HousePauseDurationOutOfRange.selector, maximum + 1, maximum));
        _pause(uint32(maximum + 1));
        vm.expectRevert(abi.encodeWithSelector(IHousePause.HousePauseDurationOutOfRange.selector, 0, maximum));
        _pause(0);
        _pause(uint32(maximum));
    }

    function testAPauseCannotBeMadeLonger() external {
        uint256 end = vm.getBlockTimestamp() + DAY;
        _pause(DAY);
        vm.warp(end - 1);
        vm.expectRevert(abi.encodeWithSelector(IHousePause.HousePauseTooSoon.selector, end + DAY));
        _pause(DAY);
    }

    function testTheOwnerAppointsTheGuardian() external {
        vm.expectEmit();
        emit IHousePause.GuardianSet(STRANGER);
        house.setGuardian(STRANGER);
        _pauseNowRefused(GUARDIAN);
        vm.prank(STRANGER);
        house.pause(1);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, GUARDIAN));
        vm.prank(GUARDIAN);
        house.setGuardian(GUARDIAN);
    }

    function testOwnershipMovesInTwoSteps() external {
        house.transferOwnership(STRANGER);
        _expect("still", house.owner(), address(this));
        vm.prank(STRANGER);
        house.acceptOwnership();
        _expect("moved", house.owner(), STRANGER);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, address(this)));
        house.setGuardian(STRANGER);
    }

    // --- Operators ------------------------------------------------------------------------------------------------

    function testOperatorsSignAndMerge() external {
        Ghost memory alice = _alice;
        address operator = vm.addr(OPERATOR);
        vm.expectEmit();
        emit IAccountLedger.OperatorSet(_account(alice), operator, FOREVER);
        _appoint(FOREVER);
        _expect("until", house.operatorUntil(_account(alice), operator), FOREVER);
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("operator", 1);
        _signAs(settlement, sides[0], OPERATOR);
        house.settle(settlement, 1, sides);
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(alice, _bob, "operator", 1);
        _carryOut(ghosts, legs);
        _depositFor(STRANGER, _account(alice), COIN, 2);
        bytes memory commitment = _commitment(alice, 0);
        vm.prank(operator);
        house.mergeInbox(_account(alice), COIN, commitment);
        _expect("version", house.accountState(_account(alice)).stateVersion, 3);
    }

    function testOperatorsSignOpenLegs() external {
        _appoint(FOREVER);
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(_bob, _alice, "open", 1);
        OpenLeg[] memory open = _openLegs(ghosts, legs);
        OpenLegSignatures[] memory signatures = _openSignatures(open, ghosts, legs);
        (, bytes32 digest) = house.openLegHashes(open[0]);
        signatures[0].giverSigner = vm.addr(OPERATOR);
        signatures[0].giverSignature = _signatureOf(digest, OPERATOR);
        house.settleOpen(open, signatures, 1, _openSides(open, ghosts, legs, 1));
        _expect("version", house.accountState(_account(_alice)).stateVersion, 2);
    }

    /// @dev To the second; the right is of one account of the owner's, and of one operator.
    function testOperatorsRightsEnd() external {
        uint64 until = uint64(vm.getBlockTimestamp()) + 60;
        _appoint(until);
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("operator", 1);
        _signAs(settlement, sides[0], OPERATOR);
        vm.warp(until + 1);
        _expectNotAuthorised(_alice, vm.addr(OPERATOR));
        house.settle(settlement, 1, sides);
        vm.warp(until);
        house.settle(settlement, 1, sides);
        _appoint(0);
        _expectNotAuthorised(_alice, vm.addr(OPERATOR));
        vm.prank(vm.addr(OPERATOR));
        house.invalidateNonces(_account(_alice), 0, 1);
    }

    /// @dev Nobody signs as nobody, though it was made an operator: what recovers no signer recovers no address zero.
    function testTheZeroAddressSignsNothing() external {
        vm.prank(_owner(_alice));
        house.setOperator(_alice.subaccount, address(0), FOREVER);
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("nobody", 1);
        (, bytes32 digest) = house.settlementHashes(settlement);
        sides[0].signer = address(0);
        bytes[3] memory signatures = [bytes(""), new bytes(64), new bytes(65)];
        for (uint256 index = 0; index < signatures.length; ++index) {
            sides[0].signature = signatures[index];
            vm.expectRevert(
                abi.encodeWithSelector(
                    IAccountLedger.AccountLedgerSignatureInvalid.selector, _account(_alice), address(0), digest
                )
            );
            house.settle(settlement, 1, sides);
        }
    }

    function testOperatorsAreOfOneAccount() external {
        Ghost memory twin = _ghost(ALICE, 8);
        _deposit(twin, 1);
        _appoint(FOREVER);
        _expectNotAuthorised(twin, vm.addr(OPERATOR));
        vm.prank(vm.addr(OPERATOR));
        house.invalidateNonces(_account(twin), 0, 1);
        _expectNotAuthorised(_bob, vm.addr(OPERATOR));
        vm.prank(vm.addr(OPERATOR));
        house.invalidateNonces(_account(_bob), 0, 1);
    }

    /// @dev Nothing that lets value out.
    function testOperatorsDoNothingElse() external {
        (Ghost memory alice,) = _traded("before", 1);
        _appoint(FOREVER);
        address operator = vm.addr(OPERATOR);
        Withdrawal memory withdrawal = _withdrawal(alice, 1, CASH, 1, operator);
        Lien memory lien = _lien(alice, 1, CASH, 1, operator);
        _expectNotOwner(alice, operator);
        vm.prank(operator);
        house.withdraw(withdrawal, "", "", "");
        _expectNotOwner(alice, operator);
        vm.prank(operator);
        house.grantLien(lien, "", "", "");
        _expectNotOwner(alice, operator);
        vm.prank(operator);
        house.withdrawHoldings(lien.account, 2, CASH, 1, operator, "");
        _expectNotOwner(alice, operator);
        vm.prank(operator);
        house.exit(lien.account, 2, new uint64[](2), "", "", 0);
    }

    // --- Nonces ---------------------------------------------------------------------------------------------------

    function testNoncesAreUsedUp() external {
        Ghost memory alice = _alice;
        Ghost memory bob = _bob;
        alice.nonce = 515;
        _trade(alice, bob, "nonces", 1, 1);
        _expect("alice", house.nonces(_account(alice), 2), 1 << 3);
        _expect("bob", house.nonces(_account(bob), 0), 1);
        alice.nonce = 515;
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(alice, bob, "again", 1);
        Settlement memory settlement = _settlement(ghosts, legs);
        SettlementSide[] memory sides = _sides(settlement, ghosts, legs, 1);
        _expectNonceUsed(alice, 515);
        house.settle(settlement, 1, sides);
    }

    function testOwnersInvalidateNonces() external {
        vm.expectEmit();
        emit IAccountLedger.NoncesInvalidated(_account(_alice), 0, 5);
        vm.prank(_owner(_alice));
        house.invalidateNonces(_account(_alice), 0, 5);
        vm.prank(_owner(_alice));
        house.invalidateNonces(_account(_alice), 0, 6);
        _expect("both", house.nonces(_account(_alice), 0), 7);
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("void", 1);
        _expectNonceUsed(_alice, 0);
        house.settle(settlement, 1, sides);
        _expectNotAuthorised(_alice, STRANGER);
        vm.prank(STRANGER);
        house.invalidateNonces(_account(_alice), 0, 8);
    }

    // --- Helpers --------------------------------------------------------------------------------------------------

    function _pause(uint32 duration) private {
        vm.prank(GUARDIAN);
        house.pause(duration);
    }

    function _pauseNowRefused(address caller) private {
        vm.expectRevert(abi.encodeWithSelector(IHousePause.HousePauseNotGuardian.selector, caller));
        vm.prank(caller);
        house.pause(1);
    }

    function _expectPaused(uint256 end) private {
        vm.expectRevert(abi.encodeWithSelector(IHousePause.HousePauseActive.selector, end));
    }

    /// @dev A withdrawal without a proof: the pause is noticed before.
    function _withdrawByHand(Ghost memory ghost) private {
        Withdrawal memory withdrawal = _withdrawal(ghost, 1, CASH, 1, RECIPIENT);
        vm.prank(_owner(ghost));
        house.withdraw(withdrawal, new bytes(96), "", "");
    }

    function _appoint(uint64 validUntil) private {
        vm.prank(_owner(_alice));
        house.setOperator(7, vm.addr(OPERATOR), validUntil);
    }

    function _signAs(Settlement memory settlement, SettlementSide memory side, uint256 key) private view {
        (, bytes32 digest) = house.settlementHashes(settlement);
        side.signer = vm.addr(key);
        side.signature = _signatureOf(digest, key);
    }

    function _expectNonceUsed(Ghost memory ghost, uint256 nonce) private {
        vm.expectRevert(abi.encodeWithSelector(IAccountLedger.AccountLedgerNonceUsed.selector, _account(ghost), nonce));
    }
}
