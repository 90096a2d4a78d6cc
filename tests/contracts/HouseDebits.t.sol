// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAccountLedger } from "../../contracts/interfaces/IAccountLedger.sol";
import { IClearingHouse } from "../../contracts/interfaces/IClearingHouse.sol";
import { ICollateralVault } from "../../contracts/interfaces/ICollateralVault.sol";
import { IMarginVerifier } from "../../contracts/interfaces/IMarginVerifier.sol";
import { IRuleRegistry } from "../../contracts/interfaces/IRuleRegistry.sol";
import { AccountId } from "../../contracts/types/AccountId.sol";
import { AccountStatus } from "../../contracts/types/AccountState.sol";
import { MarginClaim } from "../../contracts/types/MarginClaim.sol";
import { RuleKind } from "../../contracts/types/MarginRule.sol";
import { Lien, Withdrawal } from "../../contracts/types/Vault.sol";
import { TwoAccounts } from "./TwoAccounts.sol";
import { vm } from "./Vm.sol";

/// @title What takes collateral out of an account: withdrawals, holdings, liens, exits
contract HouseDebitsTest is TwoAccounts {
    // --- Events and states ----------------------------------------------------------------------------------------

    function testAWithdrawalWithAProofMakesTheAccountActive() external {
        Ghost memory alice = _alice;
        Withdrawal memory withdrawal = _withdrawal(alice, 1, CASH, 9, RECIPIENT);
        MarginClaim memory claim = _proofWithout(alice, 1, CASH, 9, house.withdrawalHash(withdrawal));
        bytes memory portfolio = _commitment(alice, 0);
        vm.expectEmit();
        emit IClearingHouse.Withdrawn(_account(alice), CASH, RECIPIENT, 9, 2, 0);
        vm.prank(_owner(alice));
        house.withdraw(withdrawal, portfolio, claim.proof, claim.hint);
        alice.positions[0][CASH] -= 9;
        ++alice.version;
        _expectGhost(alice, AccountStatus.ACTIVE);
        _expect("initial", house.accountState(_account(alice)).initialEpoch, 1);
    }

    function testHoldingsAreAnnouncedAndPaid() external {
        Ghost memory alice = _alice;
        bytes memory commitment = _commitment(alice, 0);
        vm.expectEmit();
        emit IClearingHouse.Withdrawn(_account(alice), CASH, RECIPIENT, 9, 2, 0);
        vm.prank(_owner(alice));
        house.withdrawHoldings(_account(alice), 1, CASH, 9, RECIPIENT, commitment);
        alice.positions[0][CASH] -= 9;
        ++alice.version;
        _expectGhost(alice, AccountStatus.TRANSPARENT);
        _expect("left", house.holdings(_account(alice), CASH), STAKE - 9);
        _expect("paid", token.balanceOf(RECIPIENT), 9 * UNITS_PER_TICK);
    }

    function testALienIsAnnouncedAndKeptApart() external {
        Ghost memory alice = _alice;
        Lien memory lien = _lien(alice, 1, CASH, 30, STRANGER);
        MarginClaim memory claim = _proofWithout(alice, 1, CASH, 30, house.lienHash(lien));
        bytes memory portfolio = _commitment(alice, 0);
        vm.expectEmit();
        emit IClearingHouse.LienGranted(_account(alice), CASH, STRANGER, 30, 2);
        vm.prank(_owner(alice));
        house.grantLien(lien, portfolio, claim.proof, claim.hint);
        alice.positions[0][CASH] -= 30;
        ++alice.version;
        _expectGhost(alice, AccountStatus.ACTIVE);
        _expect("lien", vault.lien(_account(alice), STRANGER, CASH), 30);
        _expect("apart", vault.keptApart(CASH), 30);
    }

    /// @dev What an exit writes down replaces what was written before, for every token.
    function testAnExitShowsWhatThereIs() external {
        Ghost memory alice = _alice;
        _deposit(alice, COIN, 8);
        _alice = alice;
        (alice,) = _traded("away", 5);
        Ghost memory bob = _bob;
        _trade(bob, alice, "away", 5, 1); // back
        _withdraw(alice, 1, COIN, 8, RECIPIENT);
        _expect("as it was", house.holdings(_account(alice), COIN), 8);
        uint64[] memory amounts = _amounts(alice);
        bytes memory portfolio = _commitments(alice, 5);
        (bytes memory nonce, uint256 response) = _exitProof(alice, amounts, portfolio, "announced");
        vm.expectEmit();
        emit IClearingHouse.Exited(_account(alice), amounts, alice.version + 1);
        vm.prank(_owner(alice));
        house.exit(_account(alice), alice.version, amounts, portfolio, nonce, response);
        (alice.version, alice.books) = (alice.version + 1, 1);
        _expectGhost(alice, AccountStatus.TRANSPARENT);
        _expect("cash", house.holdings(_account(alice), CASH), STAKE);
        _expect("coin", house.holdings(_account(alice), COIN), 0);
        _expect("commitment stays", house.commitmentHash(_account(alice), 2), keccak256(_commitment(alice, 2)));
    }

    // --- Withdrawals and liens that are refused -------------------------------------------------------------------

    function testOnlyOwnersTakeOut() external {
        AccountId account = _account(_alice);
        _expectNotOwner(_alice, STRANGER);
        vm.prank(STRANGER);
        house.withdraw(_withdrawal(_alice, 1, CASH, 1, STRANGER), "", "", "");
        _expectNotOwner(_alice, STRANGER);
        vm.prank(STRANGER);
        house.grantLien(_lien(_alice, 1, CASH, 1, STRANGER), "", "", "");
        _expectNotOwner(_alice, STRANGER);
        vm.prank(STRANGER);
        house.withdrawHoldings(account, 1, CASH, 1, STRANGER, "");
        _expectNotOwner(_alice, STRANGER);
        vm.prank(STRANGER);
        house.exit(account, 1, new uint64[](2), "", "", 0);
    }

    function testRefusesUnopenedAccounts() external {
        Ghost memory carol = _ghost(CAROL, 0);
        carol.version = 1;
        bytes memory refusal =
            abi.encodeWithSelector(IAccountLedger.AccountLedgerAccountNotOpen.selector, _account(carol));
        vm.startPrank(_owner(carol));
        vm.expectRevert(refusal);
        house.withdraw(_withdrawal(carol, 1, CASH, 1, RECIPIENT), "", "", "");
        vm.expectRevert(refusal);
        house.grantLien(_lien(carol, 1, CASH, 1, RECIPIENT), "", "", "");
        vm.expectRevert(refusal);
        house.withdrawHoldings(_account(carol), 1, CASH, 1, RECIPIENT, "");
        vm.expectRevert(refusal);
        house.exit(_account(carol), 1, new uint64[](2), "", "", 0);
        vm.stopPrank();
    }

    function testRefusesOtherStates() external {
        Ghost memory alice = _alice;
        alice.version = 2;
        vm.startPrank(_owner(alice));
        _expectVersionRefused(alice, 2);
        house.withdraw(_withdrawal(alice, 1, CASH, 1, RECIPIENT), "", "", "");
        _expectVersionRefused(alice, 2);
        house.grantLien(_lien(alice, 1, CASH, 1, RECIPIENT), "", "", "");
        _expectVersionRefused(alice, 2);
        house.withdrawHoldings(_account(alice), 2, CASH, 1, RECIPIENT, "");
        _expectVersionRefused(alice, 2);
        house.exit(_account(alice), 2, new uint64[](2), "", "", 0);
        vm.stopPrank();
    }

    /// @dev No book that the account touched may be left out, and no commitment replaced.
    function testRefusesOtherCommitments() external {
        (Ghost memory alice, Ghost memory bob) = _traded("two books", 3);
        Withdrawal memory withdrawal = _withdrawal(alice, 1, CASH, 1, RECIPIENT);
        Lien memory lien = _lien(alice, 1, CASH, 1, RECIPIENT);
        bytes memory first = _commitments(alice, 1);
        bytes memory other = bytes.concat(first, _commitments(bob, 2));
        vm.startPrank(_owner(alice));
        _expectLengthRefused(96, 192);
        house.withdraw(withdrawal, first, "", "");
        _expectMismatch(alice, 1, _commitments(bob, 2));
        house.withdraw(withdrawal, other, "", "");
        _expectLengthRefused(96, 192);
        house.grantLien(lien, first, "", "");
        _expectMismatch(alice, 1, _commitments(bob, 2));
        house.grantLien(lien, other, "", "");
        _expectLengthRefused(96, 192);
        house.exit(lien.account, alice.version, new uint64[](2), first, "", 0);
        _expectMismatch(alice, 1, _commitments(bob, 2));
        house.exit(lien.account, alice.version, new uint64[](2), other, "", 0);
        vm.stopPrank();
    }

    function testRefusesUnknownTokens() external {
        Ghost memory alice = _alice;
        bytes memory commitment = _commitment(alice, 0);
        vm.startPrank(_owner(alice));
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultNoSuchToken.selector, 2));
        house.withdraw(_withdrawal(alice, 1, 2, 1, RECIPIENT), commitment, "", "");
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultNoSuchToken.selector, 2));
        house.grantLien(_lien(alice, 1, 2, 1, RECIPIENT), commitment, "", "");
        vm.stopPrank();
    }

    function testRefusesLiensWhileTheRegistryIsStale() external {
        Ghost memory alice = _alice;
        bytes memory commitment = _commitment(alice, 0);
        vm.warp(START + MAXIMUM_AGE + 1);
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryStaleEpoch.selector, 1, START, MAXIMUM_AGE));
        vm.prank(_owner(alice));
        house.grantLien(_lien(alice, 1, CASH, 1, RECIPIENT), commitment, "", "");
    }

    /// @dev Neither a proof of what there was before, nor one of a withdrawal of the same amount, grants a lien.
    function testRefusesProofsOfAnythingElse() external {
        Ghost memory alice = _alice;
        Lien memory lien = _lien(alice, 1, CASH, 5, RECIPIENT);
        bytes32 action = house.lienHash(lien);
        bytes32 withdrawal = house.withdrawalHash(_withdrawal(alice, 1, CASH, 5, RECIPIENT));
        if (action == withdrawal) revert WordsDiffer("actions", action, withdrawal);
        _expectLienRefused(lien, _proofWithout(alice, 1, CASH, 0, action));
        _expectLienRefused(lien, _proofWithout(alice, 1, CASH, 5, withdrawal));
        Lien memory other = _lien(alice, 1, CASH, 5, STRANGER);
        _expectLienRefused(lien, _proofWithout(alice, 1, CASH, 5, house.lienHash(other)));
        other = _lien(alice, 1, COIN, 5, RECIPIENT);
        _expectLienRefused(lien, _proofWithout(alice, 1, CASH, 5, house.lienHash(other)));
    }

    // --- Holdings and exits that are refused ----------------------------------------------------------------------

    function testRefusesMoreThanIsHeld() external {
        Ghost memory alice = _alice;
        bytes memory commitment = _commitment(alice, 0);
        vm.startPrank(_owner(alice));
        vm.expectRevert(
            abi.encodeWithSelector(
                IClearingHouse.ClearingHouseHoldingsExceeded.selector, _account(alice), CASH, STAKE + 1, STAKE
            )
        );
        house.withdrawHoldings(_account(alice), 1, CASH, STAKE + 1, RECIPIENT, commitment);
        vm.expectRevert(
            abi.encodeWithSelector(IClearingHouse.ClearingHouseHoldingsExceeded.selector, _account(alice), COIN, 1, 0)
        );
        house.withdrawHoldings(_account(alice), 1, COIN, 1, RECIPIENT, commitment);
        vm.stopPrank();
    }

    function testRefusesHoldingsOnAnotherCommitment() external {
        Ghost memory alice = _alice;
        vm.startPrank(_owner(alice));
        bytes memory other = _commitment(alice, 1);
        _expectMismatch(alice, 0, other);
        house.withdrawHoldings(_account(alice), 1, CASH, 1, RECIPIENT, other);
        _expectLengthRefused(192, 96);
        house.withdrawHoldings(_account(alice), 1, CASH, 1, RECIPIENT, new bytes(192));
        vm.stopPrank();
    }

    function testRefusesHoldingsOfActiveAccounts() external {
        (Ghost memory alice,) = _traded("hidden", 1);
        bytes memory commitment = _commitment(alice, 0);
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseAccountActive.selector, _account(alice)));
        vm.prank(_owner(alice));
        house.withdrawHoldings(_account(alice), alice.version, CASH, 1, RECIPIENT, commitment);
    }

    function testRefusesExitsOfTransparentAccounts() external {
        Ghost memory alice = _alice;
        bytes memory commitment = _commitment(alice, 0);
        vm.expectRevert(
            abi.encodeWithSelector(IClearingHouse.ClearingHouseAccountTransparent.selector, _account(alice))
        );
        vm.prank(_owner(alice));
        house.exit(_account(alice), 1, _amounts(alice), commitment, "", 0);
    }

    function testRefusesExitsWithoutAnAmountOfEveryToken() external {
        (Ghost memory alice,) = _traded("hidden", 1);
        bytes memory commitment = _commitment(alice, 0);
        vm.startPrank(_owner(alice));
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseHoldingsCountWrong.selector, 1, 2));
        house.exit(_account(alice), alice.version, new uint64[](1), commitment, "", 0);
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseHoldingsCountWrong.selector, 3, 2));
        house.exit(_account(alice), alice.version, new uint64[](3), commitment, "", 0);
        vm.stopPrank();
    }

    // --- Helpers --------------------------------------------------------------------------------------------------

    /// @dev With the right hint, so that nothing but the equation refuses.
    function _expectLienRefused(Lien memory lien, MarginClaim memory other) private {
        Ghost memory rest = _copy(_alice);
        rest.positions[0][CASH] -= 5;
        bytes memory later = _commitment(rest, 0);
        MarginClaim memory forged = _forged(_check(_alice, 1, RuleKind.INITIAL), house.lienHash(lien), 1, later, other);
        bytes memory commitment = _commitment(_alice, 0);
        vm.expectRevert(IMarginVerifier.MarginVerifierRejected.selector);
        vm.prank(_owner(_alice));
        house.grantLien(lien, commitment, forged.proof, forged.hint);
    }
}
