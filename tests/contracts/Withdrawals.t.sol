// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import { IAccountLedger } from "../../contracts/interfaces/IAccountLedger.sol";
import { IClearingHouse } from "../../contracts/interfaces/IClearingHouse.sol";
import { ICollateralVault } from "../../contracts/interfaces/ICollateralVault.sol";
import { IMarginVerifier } from "../../contracts/interfaces/IMarginVerifier.sol";
import { IRuleRegistry } from "../../contracts/interfaces/IRuleRegistry.sol";
import { Commitments } from "../../contracts/libraries/Commitments.sol";
import { AccountId } from "../../contracts/types/AccountId.sol";
import { AccountState, AccountStatus } from "../../contracts/types/AccountState.sol";
import { MarginClaim } from "../../contracts/types/MarginClaim.sol";
import { RuleKind } from "../../contracts/types/MarginRule.sol";
import { Withdrawal, WithdrawalClaim } from "../../contracts/types/Vault.sol";
import { TradingFixture } from "./TradingFixture.sol";
import { vm } from "./Vm.sol";

/// @title Withdrawals through the house: with and without proof, by token, what the proof is bound to, and the queue
contract WithdrawalsTest is TradingFixture {
    uint64 private constant AMOUNT = 100;
    uint256 private constant NOW = START + ACTIVATION_DELAY;
    address private constant FRIEND = address(0xf71e4d);

    /// @dev Alice and Bob have traded in two books, Carol has not.
    Ghost private _alice;
    Ghost private _carol;

    function setUp() external {
        _deploy();
        _publishEpoch(uint8(BOOKS));
        Ghost memory alice = _ghost(0xa11ce, 7);
        Ghost memory bob = _ghost(0xb0b, 0);
        Ghost memory carol = _ghost(0xca401, 1);
        _deposit(alice, AMOUNT);
        _deposit(alice, COIN, AMOUNT);
        _deposit(bob, AMOUNT);
        _deposit(carol, AMOUNT);
        _deposit(carol, COIN, AMOUNT);
        _trade(alice, bob, "trade", 3, 1);
        _alice = alice;
        _carol = carol;
    }

    // --- What happens ---------------------------------------------------------------------------------------------

    function testWithdrawsEveryTokenWithAProof() external {
        Ghost memory alice = _alice;
        AccountId account = _account(alice);
        Withdrawal memory withdrawal = _withdrawal(alice, 1, CASH, 10, FRIEND);
        MarginClaim memory claim = _proofWithout(alice, 1, CASH, 10, house.withdrawalHash(withdrawal));
        bytes memory portfolio = _commitments(alice, alice.books);
        vm.expectEmit();
        emit IClearingHouse.Withdrawn(account, CASH, FRIEND, 10, alice.version + 1, 0);
        vm.prank(_owner(alice));
        house.withdraw(withdrawal, portfolio, claim.proof, claim.hint);
        alice.positions[0][CASH] -= 10;
        ++alice.version;
        _withdraw(alice, 1, COIN, 20, FRIEND);
        AccountState memory state = house.accountState(account);
        _expect("version", state.stateVersion, alice.version);
        _expect("status", uint256(state.status), uint256(AccountStatus.ACTIVE));
        _expect("epoch", state.initialEpoch, 1);
        _expect("book 0", house.commitmentHash(account, 0), keccak256(_commitment(alice, 0)));
        _expect("book 1", house.commitmentHash(account, 1), keccak256(_commitment(alice, 1)));
        _expect("tokens", token.balanceOf(FRIEND), 10 * uint256(UNITS_PER_TICK));
        _expect("coins", coin.balanceOf(FRIEND), 20 * uint256(COIN_UNITS));
        _expect("vault", vault.vaultState(CASH).netDeposits, 3 * AMOUNT - 10);
        _expect("coin vault", vault.vaultState(COIN).netDeposits, 2 * AMOUNT - 20);
    }

    /// @dev What an account gained by trading leaves too, as long as there is collateral.
    function testGainsCanBeWithdrawn() external {
        Ghost memory alice = _alice;
        _withdraw(alice, 1, CASH, AMOUNT + 20, FRIEND);
        vm.warp(NOW + 60);
        vault.payQueued(CASH, 1);
        _expect("tokens", token.balanceOf(FRIEND), (AMOUNT + 20) * uint256(UNITS_PER_TICK));
        _deposit(alice, AMOUNT);
        _expect("goes on", house.commitmentHash(_account(alice), 0), keccak256(_commitment(alice, 0)));
    }

    function testTransparentAccountsNeedNoProof() external {
        Ghost memory carol = _carol;
        AccountId account = _account(carol);
        vm.expectEmit();
        emit IClearingHouse.Withdrawn(account, CASH, FRIEND, 60, carol.version + 1, 0);
        _withdrawHoldings(carol, CASH, 60, FRIEND);
        _expect("hash", house.commitmentHash(account, 0), keccak256(_commitment(carol, 0)));
        _expect("holdings", house.holdings(account, CASH), AMOUNT - 60);
        _expect("tokens", token.balanceOf(FRIEND), 60 * uint256(UNITS_PER_TICK));
        // All of both tokens leaves, and the account can be used again.
        _withdrawHoldings(carol, CASH, AMOUNT - 60, FRIEND);
        _withdrawHoldings(carol, COIN, AMOUNT, FRIEND);
        _expect("empty", house.commitmentHash(account, 0), Commitments.INFINITY_HASH);
        _deposit(carol, 5);
        _expect("again", house.commitmentHash(account, 0), keccak256(_commitment(carol, 0)));
        _expect("holdings again", house.holdings(account, CASH), 5);
    }

    function testAStaleRegistryHoldsUpNoTransparentAccount() external {
        Ghost memory alice = _alice;
        vm.warp(START + MAXIMUM_AGE + 1);
        Withdrawal memory withdrawal = _withdrawal(alice, 1, CASH, 1, FRIEND);
        bytes memory portfolio = _commitments(alice, alice.books);
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryStaleEpoch.selector, 1, START, MAXIMUM_AGE));
        vm.prank(_owner(alice));
        house.withdraw(withdrawal, portfolio, "", "");
        Ghost memory carol = _carol;
        _withdrawHoldings(carol, CASH, AMOUNT, FRIEND);
        vm.warp(START + 2 * uint256(MAXIMUM_AGE));
        vault.payQueued(CASH, 1);
        _expect("tokens", token.balanceOf(FRIEND), AMOUNT * uint256(UNITS_PER_TICK));
    }

    /// @dev Whatever others do between proof and transaction, the proof stays good.
    function testOthersDoNotSpoilAProof() external {
        Ghost memory alice = _alice;
        Withdrawal memory withdrawal = _withdrawal(alice, 1, CASH, 10, FRIEND);
        MarginClaim memory claim = _proofWithout(alice, 1, CASH, 10, house.withdrawalHash(withdrawal));
        bytes memory portfolio = _commitments(alice, alice.books);
        _depositFor(FRIEND, _account(alice), CASH, 3);
        token.mint(address(vault), 77);
        token.mint(address(house), 77);
        Ghost memory carol = _carol;
        _withdrawHoldings(carol, CASH, 1, FRIEND);
        vm.prank(_owner(alice));
        house.withdraw(withdrawal, portfolio, claim.proof, claim.hint);
        _expect("tokens", token.balanceOf(FRIEND), 11 * uint256(UNITS_PER_TICK));
    }

    // --- The queue ------------------------------------------------------------------------------------------------

    function testWhatDoesNotFitIsQueued() external {
        Ghost memory carol = _carol;
        vm.expectEmit();
        emit IClearingHouse.Withdrawn(_account(carol), CASH, FRIEND, 70, carol.version + 1, 1);
        _withdrawHoldings(carol, CASH, 70, FRIEND);
        _expect("nothing yet", token.balanceOf(FRIEND), 0);
        _expect("debited", house.holdings(_account(carol), CASH), AMOUNT - 70);
        _expect("backlog", vault.vaultState(CASH).backlog, 70 - CAPACITY);
        Ghost memory alice = _alice;
        _withdraw(alice, 1, CASH, 4, address(0xbeef));
        WithdrawalClaim memory second = vault.withdrawalClaim(CASH, 2);
        _expect("recipient", second.recipient, address(0xbeef));
        _expect("end", second.end, 74);
        // The other token has a bucket of its own.
        _withdraw(alice, 1, COIN, CAPACITY, FRIEND);
        _expect("coins", coin.balanceOf(FRIEND), CAPACITY * uint256(COIN_UNITS));
        vm.warp(NOW + 7);
        vault.payQueued(CASH, 2);
        vault.payQueued(CASH, 1);
        _expect("paid", token.balanceOf(FRIEND), 70 * uint256(UNITS_PER_TICK));
    }

    function testFuzzWithdrawalsDebitExactly(uint64 ticks, uint8 number, uint64 wait) external {
        Ghost memory carol = _carol;
        (ticks, number) = (1 + ticks % AMOUNT, number % 2);
        vm.warp(NOW + wait % (2 * MAXIMUM_AGE));
        _withdrawHoldings(carol, number, ticks, FRIEND);
        AccountId account = _account(carol);
        _expect("hash", house.commitmentHash(account, 0), keccak256(_commitment(carol, 0)));
        _expect("holdings", house.holdings(account, number), AMOUNT - ticks);
        _expect("other", house.holdings(account, 1 - number), AMOUNT);
        uint256 units = number == CASH ? UNITS_PER_TICK : COIN_UNITS;
        uint256 paid = ticks <= CAPACITY ? ticks * units : 0;
        _expect("paid", (number == CASH ? token : coin).balanceOf(FRIEND), paid);
    }

    // --- Refusals -------------------------------------------------------------------------------------------------

    /// @dev Margin may well allow it: there is no more than that in all accounts together.
    function testRefusesMoreThanAllAccountsHold() external {
        Ghost memory alice = _alice;
        _depositFor(FRIEND, _account(alice), CASH, 50);
        uint64 ticks = 3 * AMOUNT + 1;
        Withdrawal memory withdrawal = _withdrawal(alice, 1, CASH, ticks, FRIEND);
        MarginClaim memory claim = _proofWithout(alice, 1, CASH, ticks, house.withdrawalHash(withdrawal));
        bytes memory portfolio = _commitments(alice, alice.books);
        token.mint(address(vault), AMOUNT * uint256(UNITS_PER_TICK));
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultExhausted.selector, ticks, 3 * AMOUNT));
        vm.prank(_owner(alice));
        house.withdraw(withdrawal, portfolio, claim.proof, claim.hint);
    }

    function testRefusesNothingAndNobody() external {
        Ghost memory carol = _carol;
        AccountId account = _account(carol);
        bytes memory commitment = _commitment(carol, 0);
        vm.startPrank(_owner(carol));
        vm.expectRevert(ICollateralVault.CollateralVaultNothingWithdrawn.selector);
        house.withdrawHoldings(account, carol.version, CASH, 0, FRIEND, commitment);
        address[3] memory nobody = [address(0), address(vault), address(house)];
        for (uint256 index = 0; index < nobody.length; ++index) {
            vm.expectRevert(
                abi.encodeWithSelector(ICollateralVault.CollateralVaultRecipientInvalid.selector, nobody[index])
            );
            house.withdrawHoldings(account, carol.version, CASH, 1, nobody[index], commitment);
        }
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultNoSuchToken.selector, 2));
        house.withdrawHoldings(account, carol.version, 2, 0, FRIEND, commitment);
        vm.stopPrank();
    }

    /// @dev With a proof that is accepted; a token that misbehaves is named, and the withdrawal may be tried again.
    function testNamesATokenThatMisbehaves() external {
        Withdrawal memory wanted = _withdrawal(_alice, 1, CASH, 5, FRIEND);
        uint256 units = 5 * uint256(UNITS_PER_TICK);
        bytes memory balanceOf = abi.encodeCall(IERC20.balanceOf, (address(vault)));
        bytes memory transfer = abi.encodeCall(IERC20.transfer, (FRIEND, units));
        vm.mockCall(address(token), transfer, abi.encode(false));
        _expectNamed(wanted, abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token)));
        vm.mockCall(address(token), balanceOf, abi.encode(units - 1));
        _expectNamed(
            wanted, abi.encodeWithSelector(ICollateralVault.CollateralVaultBalanceMissing.selector, units - 1, units)
        );
        bytes[] memory balances = new bytes[](2);
        (balances[0], balances[1]) = (abi.encode(units + 3), abi.encode(2));
        vm.mockCall(address(token), transfer, abi.encode(true));
        vm.mockCalls(address(token), balanceOf, balances);
        _expectNamed(
            wanted, abi.encodeWithSelector(ICollateralVault.CollateralVaultAmountWrong.selector, units + 1, units)
        );
        vm.clearMockedCalls();
        _withdraw(_alice, 1, CASH, 5, FRIEND);
    }

    function testRefusesReplays() external {
        Ghost memory alice = _alice;
        Withdrawal memory withdrawal = _withdrawal(alice, 1, CASH, 1, FRIEND);
        MarginClaim memory claim = _proofWithout(alice, 1, CASH, 1, house.withdrawalHash(withdrawal));
        bytes memory portfolio = _commitments(alice, alice.books);
        vm.startPrank(_owner(alice));
        house.withdraw(withdrawal, portfolio, claim.proof, claim.hint);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccountLedger.AccountLedgerStateVersionMismatch.selector,
                withdrawal.account,
                alice.version,
                alice.version + 1
            )
        );
        house.withdraw(withdrawal, portfolio, claim.proof, claim.hint);
        vm.stopPrank();
    }

    /// @dev With the right hint for what is claimed, so that the equation itself refuses: another amount, token,
    /// recipient or action, the commitments before instead of after, and maintenance instead of initial margin.
    function testRefusesProofsOfAnythingElse() external {
        Ghost memory alice = _alice;
        Withdrawal memory wanted = _withdrawal(alice, 1, CASH, 5, FRIEND);
        bytes32 action = house.withdrawalHash(wanted);
        _expectRejected(wanted, _proofOf(_withdrawal(alice, 1, CASH, 4, FRIEND)));
        _expectRejected(wanted, _proofOf(_withdrawal(alice, 1, COIN, 5, FRIEND)));
        _expectRejected(wanted, _proofOf(_withdrawal(alice, 1, CASH, 5, address(0xbeef))));
        _expectRejected(wanted, _proofWithout(alice, 1, CASH, 5, 0));
        _expectRejected(wanted, _proofWithout(alice, 1, CASH, 0, action));
        Ghost memory left = _copy(alice);
        left.positions[0][CASH] -= 5;
        _expectRejected(wanted, _simulated(_check(left, 1, RuleKind.MAINTENANCE), action, left));
        ++left.version;
        _expectRejected(wanted, _simulated(_check(left, 1, RuleKind.INITIAL), action, left));
        _withdraw(alice, 1, CASH, 5, FRIEND);
    }

    function testRefusesASupersededEpoch() external {
        Ghost memory alice = _alice;
        Withdrawal memory withdrawal = _withdrawal(alice, 1, CASH, 1, FRIEND);
        bytes memory portfolio = _commitments(alice, alice.books);
        vm.warp(NOW + SPACING);
        _publishEpoch(uint8(BOOKS));
        vm.expectRevert(
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochNotUsable.selector, 1, 2, RuleKind.INITIAL)
        );
        vm.prank(_owner(alice));
        house.withdraw(withdrawal, portfolio, "", "");
    }

    // --- Helpers --------------------------------------------------------------------------------------------------

    function _proofOf(Withdrawal memory withdrawal) private view returns (MarginClaim memory) {
        bytes32 action = house.withdrawalHash(withdrawal);
        return _proofWithout(_alice, withdrawal.epoch, withdrawal.token, withdrawal.ticks, action);
    }

    function _expectNamed(Withdrawal memory wanted, bytes memory refusal) private {
        MarginClaim memory claim = _proofOf(wanted);
        bytes memory portfolio = _commitments(_alice, _alice.books);
        vm.expectRevert(refusal);
        vm.prank(_owner(_alice));
        house.withdraw(wanted, portfolio, claim.proof, claim.hint);
    }

    /// @dev The proof of something else with the hint's inverse for what is wanted: nothing but the equation refuses.
    function _expectRejected(Withdrawal memory wanted, MarginClaim memory other) private {
        Ghost memory alice = _alice;
        MarginClaim memory honest = _proofOf(wanted);
        uint256 place = 96 * (3 * 2 + 4);
        for (uint256 i = 0; i < 48; ++i) {
            honest.proof[place + i] = other.proof[place + i];
            honest.hint[32 + i] = other.hint[32 + i];
        }
        bytes memory portfolio = _commitments(alice, alice.books);
        vm.expectRevert(IMarginVerifier.MarginVerifierRejected.selector);
        vm.prank(_owner(alice));
        house.withdraw(wanted, portfolio, honest.proof, honest.hint);
    }
}
