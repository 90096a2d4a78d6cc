// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMarginVerifier } from "../../contracts/interfaces/IMarginVerifier.sol";
import { IRuleRegistry } from "../../contracts/interfaces/IRuleRegistry.sol";
import { ZERO } from "../../contracts/libraries/ScalarField.sol";
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
import { Lien, Withdrawal } from "../../contracts/types/Vault.sol";
import { KnownSetup } from "./KnownSetup.sol";
import { TwoAccounts } from "./TwoAccounts.sol";
import { vm } from "./Vm.sol";

/// @title Attacks on what a trade is proven against: dead slots, other matrices, other epochs
/// @dev The attacker knows τ and so proves whatever he likes; what he cannot do is choose the statement.
contract SlotAttacksTest is TwoAccounts {
    uint32 private constant LAST_BOOK = 4;
    uint256 private constant UNLISTED = 3;

    // --- The mask -------------------------------------------------------------------------------------------------

    function testTheMaskIsTheSumOfTheDeadSlots() external {
        _expect("all alive", _part(1, 3, 1), KnownSetup.point(ZERO));
        _expect("one unlisted", _part(1, 5, 1), KnownSetup.point(_maskScalar(UNLISTED)));
        instruments.delist(9);
        _expect("kept by its epoch", _part(1, 5, 1), KnownSetup.point(_maskScalar(UNLISTED)));
        uint32 epoch = _next();
        _expect("delisted too", _part(epoch, 5, 1), KnownSetup.point(_maskScalar(UNLISTED) + _maskScalar(1)));
    }

    function testRefusesTradesOfAnUnlistedSlotWithoutTheMask() external {
        _expectRefused(LAST_BOOK, bytes.concat(_part(1, 0, 1), _part(1, 4, 1)));
    }

    /// @dev As if every slot of the book were alive.
    function testRefusesTradesOfAnUnlistedSlotWithAnEmptyMask() external {
        _expectRefused(LAST_BOOK, bytes.concat(_part(1, 0, 2), _part(1, 4, 1), new bytes(96)));
    }

    function testRefusesTradesOfAnUnlistedSlotWithTheMaskOfAnotherBook() external {
        _expectRefused(LAST_BOOK, bytes.concat(_part(1, 0, 2), _part(1, 4, 1), _part(1, 3, 1)));
    }

    /// @dev Another slot dead in its place.
    function testRefusesTradesOfAnUnlistedSlotWithTheMaskOfAnotherSlot() external {
        bytes memory other = KnownSetup.point(_maskScalar(UNLISTED - 1));
        _expectRefused(LAST_BOOK, bytes.concat(_part(1, 0, 2), _part(1, 4, 1), other));
    }

    function testRefusesTradesOfADelistedSlotWithTheMaskFromBefore() external {
        instruments.delist(SLOTS + 2);
        bytes memory before = _part(1, 3, 1);
        uint32 epoch = _next();
        _expectRefused(2, bytes.concat(_part(epoch, 0, 2), _part(epoch, 2, 1), before));
    }

    // --- The rule -------------------------------------------------------------------------------------------------

    function testRefusesAMatrixOfWhichOneChunkDiffers() external {
        bytes memory matrix = registry.matrix(1, RuleKind.INITIAL, 3);
        _expectRefused(2, bytes.concat(_slice(matrix, 0, 192), _points(1000, 1), _slice(matrix, 288, 96)));
        _expectRefused(2, bytes.concat(_points(1000, 1), _slice(matrix, 96, 288)));
    }

    function testRefusesChunksInAnotherOrder() external {
        bytes memory matrix = registry.matrix(1, RuleKind.INITIAL, 3);
        _expectRefused(2, bytes.concat(_slice(matrix, 192, 192), _slice(matrix, 0, 192)));
    }

    function testRefusesTheMaintenanceRuleInPlaceOfTheInitialOne() external {
        _expectRefused(2, registry.matrix(1, RuleKind.MAINTENANCE, 3));
    }

    function testRefusesTheRuleOfAnotherEpoch() external {
        bytes memory matrix = registry.matrix(1, RuleKind.INITIAL, 3);
        _next();
        _expectRefused(2, matrix);
    }

    // --- Epochs ---------------------------------------------------------------------------------------------------

    function testNothingThatNeedsInitialMarginRunsOnAWaitingEpoch() external {
        vm.warp(START + 2 * SPACING);
        _publish(registry, _proposal(registry, 3, 1), _points(2, 6));
        _expectNoAction(
            2,
            abi.encodeWithSelector(
                IRuleRegistry.RuleRegistryEpochWaiting.selector, 2, START + 2 * SPACING + ACTIVATION_DELAY
            )
        );
        vm.warp(START + 2 * SPACING + ACTIVATION_DELAY);
        _settleAt(2, "");
    }

    function testNothingThatNeedsInitialMarginRunsOnASupersededEpoch() external {
        _next();
        _expectNoAction(
            1, abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochNotUsable.selector, 1, 2, RuleKind.INITIAL)
        );
    }

    function testNothingThatNeedsInitialMarginRunsOnAStaleEpoch() external {
        vm.warp(START + MAXIMUM_AGE + 1);
        _expectNoAction(1, abi.encodeWithSelector(IRuleRegistry.RuleRegistryStaleEpoch.selector, 1, START, MAXIMUM_AGE));
    }

    /// @dev A proof that is ready before its epoch is superseded is worth nothing afterwards.
    function testRefusesASettlementThatComesAfterItsEpoch() external {
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("late", 3);
        _next();
        vm.expectRevert(
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochNotUsable.selector, 1, 2, RuleKind.INITIAL)
        );
        house.settle(settlement, 1, sides);
        sides = _withHints(settlement, sides);
        vm.expectRevert(IMarginVerifier.MarginVerifierRejected.selector);
        house.settle(settlement, 2, sides);
    }

    // --- Helpers --------------------------------------------------------------------------------------------------

    /// @dev Points of the matrix of initial margin over all books: chunk and mask of each book in turn.
    function _part(uint32 epoch, uint256 first, uint256 count) private view returns (bytes memory) {
        return _slice(registry.matrix(epoch, RuleKind.INITIAL, ALL_BOOKS), 96 * first, 96 * count);
    }

    function _next() private returns (uint32) {
        vm.warp(vm.getBlockTimestamp() + SPACING);
        return _publishEpoch(3);
    }

    /// @dev A trade in a book is refused when one side's proof is for another matrix than the contract's.
    function _expectRefused(uint32 book, bytes memory matrix) private {
        uint32 epoch = registry.latestEpoch().epoch;
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("attack", book);
        (bytes32 action,) = house.settlementHashes(settlement);
        MarginCheck memory check = _check(_alice, epoch, RuleKind.INITIAL);
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(_alice, _bob, "attack", book);
        _carryOut(ghosts, legs);
        bytes memory portfolio = _commitments(ghosts[0], ghosts[0].books);
        bytes32 context = house.proofContext(check, action);
        MarginClaim memory claim = prover.simulate(context, portfolio.length / 96, portfolio, matrix);
        verifier.verify(claim);
        bytes memory honest = sides[0].proof;
        claim = _forged(check, action, ghosts[0].books, portfolio, claim);
        (sides[0].proof, sides[0].hint, claim.hint) = (claim.proof, claim.hint, sides[0].hint);
        vm.expectRevert(IMarginVerifier.MarginVerifierRejected.selector);
        house.settle(settlement, epoch, sides);
        // Nothing else was wrong with it.
        (sides[0].proof, sides[0].hint) = (honest, claim.hint);
        house.settle(settlement, epoch, sides);
        (_alice, _bob) = (ghosts[0], ghosts[1]);
    }

    /// @dev Settlements, nettings of open legs, withdrawals and liens at an epoch are refused like this.
    function _expectNoAction(uint32 epoch, bytes memory refusal) private {
        _settleAt(epoch, refusal);
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(_alice, _bob, "open", 3);
        OpenLeg[] memory open = _openLegs(ghosts, legs);
        OpenLegSignatures[] memory signatures = _openSignatures(open, ghosts, legs);
        OpenSide[] memory sides = _openSides(open, ghosts, legs, epoch);
        vm.expectRevert(refusal);
        house.settleOpen(open, signatures, epoch, sides);
        Withdrawal memory withdrawal = _withdrawal(_alice, epoch, CASH, 5, RECIPIENT);
        bytes memory portfolio = _commitment(_alice, 0);
        MarginClaim memory claim = _proofWithout(_alice, epoch, CASH, 5, house.withdrawalHash(withdrawal));
        vm.prank(_owner(_alice));
        vm.expectRevert(refusal);
        house.withdraw(withdrawal, portfolio, claim.proof, claim.hint);
        Lien memory lien = _lien(_alice, epoch, CASH, 5, RECIPIENT);
        claim = _proofWithout(_alice, epoch, CASH, 5, house.lienHash(lien));
        vm.prank(_owner(_alice));
        vm.expectRevert(refusal);
        house.grantLien(lien, portfolio, claim.proof, claim.hint);
    }

    /// @dev A settlement with proofs for that epoch; accepted when no refusal is expected.
    function _settleAt(uint32 epoch, bytes memory refusal) private {
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(_alice, _bob, "bound", 3);
        Settlement memory settlement = _settlement(ghosts, legs);
        SettlementSide[] memory sides = _sides(settlement, ghosts, legs, epoch);
        if (refusal.length != 0) vm.expectRevert(refusal);
        house.settle(settlement, epoch, sides);
    }

    /// @dev The same proofs with the hints that they need at the epoch of now.
    function _withHints(Settlement memory settlement, SettlementSide[] memory sides)
        private
        view
        returns (SettlementSide[] memory)
    {
        uint32 epoch = registry.latestEpoch().epoch;
        (bytes32 action,) = house.settlementHashes(settlement);
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(_alice, _bob, "late", 3);
        _carryOut(ghosts, legs);
        for (uint256 index = 0; index < sides.length; ++index) {
            MarginCheck memory check = _check(index == 0 ? _alice : _bob, epoch, RuleKind.INITIAL);
            MarginClaim memory claim;
            (claim.proof, claim.hint) = (sides[index].proof, sides[index].hint);
            bytes memory portfolio = _commitments(ghosts[index], ghosts[index].books);
            sides[index].hint = _forged(check, action, ghosts[index].books, portfolio, claim).hint;
        }
        return sides;
    }
}
