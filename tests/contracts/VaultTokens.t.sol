// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { Address } from "@openzeppelin/contracts/utils/Address.sol";

import { ICollateralVault } from "../../contracts/interfaces/ICollateralVault.sol";
import { AccountId } from "../../contracts/types/AccountId.sol";
import { FeeToken } from "./FeeToken.sol";
import { RebasingToken } from "./RebasingToken.sol";
import { ReentrantToken } from "./ReentrantToken.sol";
import { SilentToken } from "./SilentToken.sol";
import { VaultFixture } from "./VaultFixture.sol";
import { vm } from "./Vm.sol";

/// @title A vault of tokens that misbehave: exact, or refused by name
contract VaultTokensTest is VaultFixture {
    uint256 private constant UNIT = uint256(CASH_UNITS);

    /// @dev Like Tether's: no return value. Taken as it is.
    function testTakesTokensThatSayNothing() external {
        SilentToken token = new SilentToken();
        token.mint(PAYER, 1e18);
        vault = _vaultOf(address(token));
        vault.collect(0, PAYER, 100);
        _payIn(5);
        _expect("paid", vault.payOut(0, FRIEND, 40), 0);
        _expect("queued", vault.payOut(0, FRIEND, 30), 1);
        vm.warp(START + 60);
        vault.payQueued(0, 1);
        _expect("friend", token.balanceOf(FRIEND), 70 * UNIT);
        _expect("vault", token.balanceOf(address(vault)), 35 * UNIT);
    }

    function testRefusesTokensThatKeepAFee() external {
        FeeToken token = new FeeToken();
        token.transfer(PAYER, 1e17);
        vault = _vaultOf(address(token));
        _expectAmountWrong(UNIT - 1, UNIT);
        vault.collect(0, PAYER, 1);
        _expectAmountWrong(3 * UNIT - 1, 3 * UNIT);
        vm.prank(PAYER);
        vault.depositFor(_account(0), 0, 3);
        _expect("nothing", token.balanceOf(address(vault)), 0);
    }

    function testRefusesTokensThatMoveNothingAndSaySo() external {
        ReentrantToken token = _hostile();
        token.refuse(address(vault));
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token)));
        vault.collect(0, PAYER, 1);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token)));
        vm.prank(PAYER);
        vault.depositFor(_account(0), 0, 1);
        token.refuse(FRIEND);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token)));
        vault.payOut(0, FRIEND, 1);
        _expect("deposits", vault.vaultState(0).netDeposits, 100);
    }

    function testRefusesDepositsThatDoNotArrive() external {
        ReentrantToken token = _hostile();
        token.idle(true);
        _expectAmountWrong(0, UNIT);
        vault.collect(0, PAYER, 1);
        _expectAmountWrong(0, UNIT);
        vm.prank(PAYER);
        vault.depositFor(_account(0), 0, 1);
    }

    function testRefusesTokensThatTakeMore() external {
        ReentrantToken token = _hostile();
        vault.payOut(0, FRIEND, CAPACITY + 1);
        vm.warp(START + 60);
        token.takeMore(3);
        _expectAmountWrong(UNIT + 3, UNIT);
        vault.payOut(0, FRIEND, 1);
        _expectAmountWrong((CAPACITY + 1) * UNIT + 3, (CAPACITY + 1) * UNIT);
        vault.payQueued(0, 1);
        token.takeMore(0);
        vault.payQueued(0, 1);
    }

    /// @dev A lender's claim is paid exactly or not at all, and stays a lien until it is.
    function testLiensAreClaimedExactlyOrNotAtAll() external {
        ReentrantToken token = _hostile();
        AccountId account = _account(0);
        vault.addLien(account, 0, LENDER, 20);
        vm.startPrank(LENDER);
        token.takeMore(3);
        _expectAmountWrong(20 * UNIT + 3, 20 * UNIT);
        vault.claimLien(account, 0, 20, LENDER);
        token.takeMore(0);
        token.refuse(LENDER);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token)));
        vault.claimLien(account, 0, 20, LENDER);
        token.refuse(address(0));
        token.take(address(vault), 81 * UNIT);
        _expectMissing(19 * UNIT, 20 * UNIT);
        vault.claimLien(account, 0, 20, LENDER);
        _expect("lien", vault.lien(account, LENDER, 0), 20);
        vault.claimLien(account, 0, 19, LENDER);
        _expect("paid", token.balanceOf(LENDER), 19 * UNIT);
        vm.stopPrank();
    }

    /// @dev A token that takes balances away: what leaves is exact as long as there is any, and whoever finds too little
    /// is refused by name and keeps the claim.
    function testTokensThatShrinkPayExactlyOrNotAtAll() external {
        RebasingToken token = new RebasingToken();
        token.mint(PAYER, 1e18);
        vault = _vaultOf(address(token));
        vault.collect(0, PAYER, 100);
        _expect("queued", vault.payOut(0, FRIEND, CAPACITY + 1), 1);
        token.shrink(address(vault), 75 * UNIT);
        vm.warp(START + 60);
        _expect("at once", vault.payOut(0, LENDER, 10), 0);
        _expect("exact", token.balanceOf(LENDER), 10 * UNIT);
        _expectMissing(15 * UNIT, (CAPACITY + 1) * UNIT);
        vault.payQueued(0, 1);
        _expectMissing(15 * UNIT, 16 * UNIT);
        vault.payOut(0, LENDER, 16);
        _expect("still owed", vault.vaultState(0).netDeposits, 100 - CAPACITY - 1 - 10);
        token.mint(address(vault), 60 * UNIT);
        vault.payQueued(0, 1);
        _expect("in the end", token.balanceOf(FRIEND), (CAPACITY + 1) * UNIT);
    }

    /// @dev A recipient that the token refuses holds up nobody but itself.
    function testARecipientThatCannotBePaidBlocksNobody() external {
        ReentrantToken token = _hostile();
        vault.payOut(0, FRIEND, CAPACITY + 2);
        vault.payOut(0, LENDER, 2);
        vm.warp(START + 2);
        token.refuse(FRIEND);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token)));
        vault.payQueued(0, 1);
        vault.payQueued(0, 2);
        _expect("second", token.balanceOf(LENDER), 2 * UNIT);
        token.refuse(address(0));
        vault.payQueued(0, 1);
        _expect("first", token.balanceOf(FRIEND), (CAPACITY + 2) * UNIT);
    }

    /// @dev While tokens move, no entry that changes anything can be called, by nobody; a donation does no harm.
    function testRefusesToBeCalledBack() external {
        ReentrantToken token = _hostile();
        AccountId account = _account(0);
        _payIn(4);
        vault.addLien(account, 0, LENDER, 20);
        vault.payOut(0, FRIEND, CAPACITY + 1);
        vm.warp(START + 60);
        bytes[8] memory calls = [
            abi.encodeCall(ICollateralVault.depositFor, (account, 0, 1)),
            abi.encodeCall(ICollateralVault.claimLien, (account, 0, 1, FRIEND)),
            abi.encodeCall(ICollateralVault.releaseLien, (account, 0, 1)),
            abi.encodeCall(ICollateralVault.payQueued, (0, 1)),
            abi.encodeCall(ICollateralVault.collect, (0, PAYER, 1)),
            abi.encodeCall(ICollateralVault.takeInbox, (account, 0)),
            abi.encodeCall(ICollateralVault.payOut, (0, FRIEND, 1)),
            abi.encodeCall(ICollateralVault.addLien, (account, 0, LENDER, 1))
        ];
        for (uint256 index = 0; index < calls.length; ++index) {
            // This contract is the house, so that nothing but the guard refuses.
            token.aim(address(this), abi.encodeCall(this.callVault, (calls[index])));
            _expectGuarded();
            vault.payOut(0, FRIEND, 1);
            _expectGuarded();
            vault.payQueued(0, 1);
            _expectGuarded();
            vault.collect(0, PAYER, 1);
            _expectGuarded();
            vm.prank(PAYER);
            vault.depositFor(account, 0, 1);
            _expectGuarded();
            vm.prank(LENDER);
            vault.claimLien(account, 0, 1, FRIEND);
        }
        token.aim(address(token), abi.encodeCall(ReentrantToken.give, (address(vault), 1)));
        vault.payQueued(0, 1);
        _expect("paid", token.balanceOf(FRIEND), (CAPACITY + 1) * UNIT);
    }

    /// @dev A token's hook that reads the vault while tokens move finds what is owed after the movement.
    function testWhatIsReadWhileTokensMoveIsBookedAlready() external {
        ReentrantToken token = _hostile();
        token.aim(address(this), abi.encodeCall(this.expectDeposits, (99)));
        vault.payOut(0, FRIEND, 1);
        token.aim(address(this), abi.encodeCall(this.expectDeposits, (104)));
        vault.collect(0, PAYER, 5);
    }

    // --- Helpers --------------------------------------------------------------------------------------------------

    /// @notice Hands a call of the token on to the vault, whose house this is.
    function callVault(bytes calldata call) external {
        Address.functionCall(address(vault), call);
    }

    /// @notice Reverts unless the vault's net deposits are these.
    function expectDeposits(uint256 expected) external view {
        _expect("deposits", vault.vaultState(0).netDeposits, expected);
    }

    /// @dev A vault of a token that can be told to misbehave, with a deposit of 100 ticks.
    function _hostile() private returns (ReentrantToken token) {
        token = new ReentrantToken();
        token.give(PAYER, 1e18);
        vault = _vaultOf(address(token));
        vault.collect(0, PAYER, 100);
    }

    function _payIn(uint64 ticks) private {
        vm.prank(PAYER);
        vault.depositFor(_account(0), 0, ticks);
    }

    function _expectAmountWrong(uint256 moved, uint256 expected) private {
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultAmountWrong.selector, moved, expected));
    }

    function _expectMissing(uint256 balance, uint256 needed) private {
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVaultBalanceMissing.selector, balance, needed)
        );
    }

    function _expectGuarded() private {
        vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
    }
}
