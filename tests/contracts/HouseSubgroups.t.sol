// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Bls12381 } from "../../contracts/libraries/Bls12381.sol";
import { Commitments } from "../../contracts/libraries/Commitments.sol";
import { MarginClaim } from "../../contracts/types/MarginClaim.sol";
import { RuleKind } from "../../contracts/types/MarginRule.sol";
import {
    MarginCheck,
    OpenLeg,
    OpenLegSignatures,
    OpenSide,
    Settlement,
    SettlementSide
} from "../../contracts/types/Settlement.sol";
import { TwoAccounts } from "./TwoAccounts.sol";
import { vm } from "./Vm.sol";

/// @title Points of the curve that are outside the subgroup are refused on every path
/// @dev Honest points plus (0, 2), which has order 3: addition on the curve takes it without complaint.
contract HouseSubgroupsTest is TwoAccounts {
    /// @notice The point is in the subgroup, or not on the curve.
    error WrongTestPoint();

    function testTheTestPointIsOnTheCurveAndOutsideTheSubgroup() external view {
        bytes memory twice = Commitments.add(_three(), _three());
        _expect("order", keccak256(Commitments.add(twice, _three())), Commitments.INFINITY_HASH);
        (bool inGroup,) = address(this).staticcall(abi.encodeCall(this.requireInGroup, (_three())));
        if (inGroup) revert WrongTestPoint();
    }

    /// @notice Reverts unless the point is in the subgroup.
    function requireInGroup(bytes calldata point) external view {
        Commitments.addMultiple(new bytes(96), point, 2);
    }

    /// @dev Where no proof is asked for, commitments are those that are stored, to the byte.
    function testRefusesThemWithoutAProof() external {
        Ghost memory alice = _alice;
        bytes memory bent = _bent(_commitment(alice, 0));
        _fund(_owner(alice), CASH, 1);
        _depositFor(STRANGER, _account(alice), COIN, 1);
        vm.startPrank(_owner(alice));
        _expectMismatch(alice, 0, bent);
        house.deposit(7, CASH, 1, bent);
        _expectMismatch(alice, 0, bent);
        house.mergeInbox(_account(alice), COIN, bent);
        _expectMismatch(alice, 0, bent);
        house.withdrawHoldings(_account(alice), 1, CASH, 1, RECIPIENT, bent);
        // A new account holds infinity, not a point of order 3.
        _expectMismatch(_ghost(ALICE, 9), 0, _three());
        house.deposit(9, CASH, 1, _three());
        vm.stopPrank();
    }

    function testRefusesThemWithAProof() external {
        (Ghost memory alice,) = _traded("before", 1);
        bytes memory bent = _bent(_commitment(alice, 0));
        _expectMismatch(alice, 0, bent);
        house.proveMargin(_check(alice, 1, RuleKind.MAINTENANCE), bent, "", "");
        vm.startPrank(_owner(alice));
        _expectMismatch(alice, 0, bent);
        house.withdraw(_withdrawal(alice, 1, CASH, 1, RECIPIENT), bent, "", "");
        _expectMismatch(alice, 0, bent);
        house.grantLien(_lien(alice, 1, CASH, 1, RECIPIENT), bent, "", "");
        _expectMismatch(alice, 0, bent);
        house.exit(_account(alice), alice.version, _amounts(alice), bent, "", 0);
        vm.stopPrank();
    }

    /// @dev The point of an exit proof itself.
    function testRefusesThemInExitProofs() external {
        (Ghost memory alice, Ghost memory bob) = _traded("away", 1);
        _trade(bob, alice, "away", 1, 1); // back
        uint64[] memory amounts = _amounts(alice);
        bytes memory portfolio = _commitment(alice, 0);
        (bytes memory nonce, uint256 response) = _exitProof(alice, amounts, portfolio, "exit");
        bytes memory bent = _bent(nonce);
        vm.expectRevert(abi.encodeWithSelector(Bls12381.Bls12381InvalidPoint.selector, bent));
        vm.prank(_owner(alice));
        house.exit(_account(alice), alice.version, amounts, portfolio, bent, response);
    }

    /// @dev Commitments are checked as they were; their differences, which come from outside, by what they make of them.
    function testRefusesThemInSettlements() external {
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("bent", 1);
        sides[0].portfolio = _bent(_commitment(_alice, 0));
        _expectMismatch(_alice, 0, sides[0].portfolio);
        house.settle(settlement, 1, sides);
        (settlement, sides) = _agreed("bent", 1);
        settlement.legs[0].differences = _bent(settlement.legs[0].differences);
        (bytes32 action, bytes32 digest) = house.settlementHashes(settlement);
        for (uint256 index = 0; index < 2; ++index) {
            sides[index].signature = _signatureOf(digest, index == 0 ? ALICE : BOB);
            (sides[index].proof, sides[index].hint) = _bentProof(index, action);
        }
        vm.expectPartialRevert(Bls12381.Bls12381InvalidPoint.selector);
        house.settle(settlement, 1, sides);
    }

    function testRefusesThemInOpenLegs() external {
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(_alice, _bob, "bent", 1);
        OpenLeg[] memory open = _openLegs(ghosts, legs);
        open[0].differences = _bent(open[0].differences);
        OpenSide[] memory sides = _openSides(open, ghosts, legs, 1);
        OpenLegSignatures[] memory signatures = _openSignatures(open, ghosts, legs);
        for (uint256 index = 0; index < 2; ++index) {
            (sides[index].proof, sides[index].hint) = _bentProof(index, _openAction(open));
        }
        vm.expectPartialRevert(Bls12381.Bls12381InvalidPoint.selector);
        house.settleOpen(open, signatures, 1, sides);
    }

    /// @dev A proof for what would be there without the point of order 3, with the hint that fits what is there with it:
    /// nothing but the check of the subgroup is left to refuse it.
    function _bentProof(uint256 index, bytes32 action) private view returns (bytes memory, bytes memory) {
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(_copy(_alice), _copy(_bob), "bent", 1);
        MarginCheck memory check = _check(ghosts[index], 1, RuleKind.INITIAL);
        _carryOut(ghosts, legs);
        bytes memory honest = _commitment(ghosts[index], 0);
        bytes memory bent = index == 0 ? _bent(honest) : Commitments.subtract(honest, _three());
        MarginClaim memory forged = _forged(check, action, 1, bent, _simulated(check, action, 1, honest));
        return (forged.proof, forged.hint);
    }

    function _three() private pure returns (bytes memory point) {
        point = new bytes(96);
        point[95] = 0x02;
    }

    function _bent(bytes memory point) private view returns (bytes memory) {
        return Commitments.add(point, _three());
    }
}
