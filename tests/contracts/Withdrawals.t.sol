// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import { ClearingHouse } from "../../contracts/ClearingHouse.sol";
import { IClearingHouse } from "../../contracts/interfaces/IClearingHouse.sol";
import { ICollateralVault } from "../../contracts/interfaces/ICollateralVault.sol";
import { IMarginVerifier } from "../../contracts/interfaces/IMarginVerifier.sol";
import { IRuleRegistry } from "../../contracts/interfaces/IRuleRegistry.sol";
import { Commitments } from "../../contracts/libraries/Commitments.sol";
import { LeakyBucket } from "../../contracts/libraries/LeakyBucket.sol";
import { AccountId, accountIdOf } from "../../contracts/types/AccountId.sol";
import { AccountState } from "../../contracts/types/AccountState.sol";
import { MarginClaim } from "../../contracts/types/MarginClaim.sol";
import { RuleKind } from "../../contracts/types/MarginRule.sol";
import { Settlement } from "../../contracts/types/Settlement.sol";
import { VaultState, Withdrawal, WithdrawalClaim, WithdrawalLimit } from "../../contracts/types/Vault.sol";
import { ClearingHouseFixture } from "./ClearingHouseFixture.sol";
import { ReentrantToken } from "./ReentrantToken.sol";
import { vm } from "./Vm.sol";

/// @title Withdrawals: with and without proof, the bucket, the queue, and every refusal by its name
contract WithdrawalsTest is ClearingHouseFixture {
    using LeakyBucket for VaultState;

    uint64 private constant CASH = 100;
    address private constant FRIEND = address(0xf71e4d);

    /// @dev Alice and Bob have traded, Carol has not.
    Ghost private _alice;
    Ghost private _carol;

    function setUp() external {
        _deploy();
        _publishEpoch(2);
        Ghost memory alice = _ghost(0xa11ce, 7);
        Ghost memory bob = _ghost(0xb0b, 0);
        Ghost memory carol = _ghost(0xca401, 1);
        _deposit(alice, CASH);
        _deposit(bob, CASH);
        _deposit(carol, CASH);
        Ghost memory change = _change("trade");
        Settlement memory settlement = _settlement(alice, bob, change, 1);
        house.settle(settlement, _side(settlement, alice, change, true), _side(settlement, bob, change, false));
        _alice = _combined(alice, change, true);
        _carol = carol;
    }

    // --- What happens ---------------------------------------------------------------------------------------------

    function testWithdrawsWithAProof() external {
        Ghost memory alice = _alice;
        AccountId account = _account(alice);
        Withdrawal memory withdrawal = _withdrawal(alice, 1, 10, FRIEND);
        MarginClaim memory claim = _withdrawalClaim(withdrawal, alice);
        bytes memory portfolio = _commitments(alice, BOOKS);
        vm.expectEmit();
        emit IClearingHouse.Withdrawn(account, FRIEND, 10, int256(uint256(CASH)) - 10, alice.version + 1, 0);
        vm.prank(_owner(alice));
        house.withdraw(withdrawal, portfolio, claim.proof, claim.hint);
        Ghost memory left = _less(alice, 10);
        AccountState memory state = house.accountState(account);
        _expect("version", state.stateVersion, left.version);
        _expect("deposited", uint256(int256(state.deposited)), CASH - 10);
        _expect("epoch", state.initialEpoch, 1);
        _expect("book 0", house.commitmentHash(account, 0), keccak256(_commitment(left, 0)));
        _expect("book 1", house.commitmentHash(account, 1), keccak256(_commitment(left, 1)));
        _expect("tokens", token.balanceOf(FRIEND), 10 * UNITS_PER_TICK);
        _expect("vault", house.vaultState().netDeposits, 3 * CASH - 10);
    }

    /// @dev What an account gained by trading leaves too, as long as there is collateral: its own net deposits go below 0.
    function testGainsCanBeWithdrawn() external {
        Ghost memory alice = _withdraw(_alice, 1, uint64(CASH + 20), FRIEND);
        if (house.accountState(_account(alice)).deposited != -20) revert NumbersDiffer("deposited", 0, 20);
        // A later deposit counts against them.
        _deposit(alice, uint64(DEPOSIT_LIMIT + 20));
        _expect("deposited", uint256(int256(house.accountState(_account(alice)).deposited)), DEPOSIT_LIMIT);
    }

    function testTransparentAccountsNeedNoProof() external {
        Ghost memory carol = _carol;
        vm.expectEmit();
        emit IClearingHouse.Withdrawn(_account(carol), FRIEND, 60, int256(uint256(CASH)) - 60, 2, 0);
        carol = _withdrawDeposit(carol, 60, FRIEND);
        _expect("hash", house.commitmentHash(_account(carol), 0), keccak256(_commitment(carol, 0)));
        _expect("tokens", token.balanceOf(FRIEND), 60 * UNITS_PER_TICK);
        // The account goes on: all of it leaves, and it can be used again.
        carol = _withdrawDeposit(carol, CASH - 60, FRIEND);
        _expect("empty", house.commitmentHash(_account(carol), 0), Commitments.INFINITY_HASH);
        _deposit(carol, 5);
        _expect("again", house.commitmentHash(_account(carol), 0), keccak256(_commitment(carol, 0)));
    }

    function testAStaleRegistryHoldsUpNoTransparentAccount() external {
        vm.warp(START + MAXIMUM_AGE + 1);
        Withdrawal memory withdrawal = _withdrawal(_alice, 1, 1, FRIEND);
        bytes memory portfolio = _commitments(_alice, BOOKS);
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryStaleEpoch.selector, 1, START, MAXIMUM_AGE));
        vm.prank(_owner(_alice));
        house.withdraw(withdrawal, portfolio, "", "");
        _withdrawDeposit(_carol, CASH, FRIEND);
        vm.warp(START + 2 * MAXIMUM_AGE);
        house.payQueued(1);
        _expect("tokens", token.balanceOf(FRIEND), CASH * UNITS_PER_TICK);
    }

    // --- The bucket and the queue ---------------------------------------------------------------------------------

    function testWhatDoesNotFitIsQueuedAndPaidInTurn() external {
        Ghost memory carol = _withdrawDeposit(_carol, 70, FRIEND);
        _expect("nothing yet", token.balanceOf(FRIEND), 0);
        _expect("debited", house.vaultState().netDeposits, 3 * CASH - 70);
        _expect("backlog", house.vaultState().backlog, 70 - CAPACITY);
        _withdraw(_alice, 1, 4, address(0xbeef));
        WithdrawalClaim memory second = house.withdrawalClaim(2);
        _expect("recipient", second.recipient, address(0xbeef));
        _expect("ticks", second.ticks, 4);
        _expect("end", second.end, 74);

        // Two ticks a second: the first is due after 5 s, the second after 7 s.
        vm.warp(START + 4);
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultClaimWaits.selector, 1, 2));
        house.payQueued(1);
        vm.warp(START + 5);
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultClaimWaits.selector, 2, 4));
        house.payQueued(2);
        vm.expectEmit();
        emit ICollateralVault.ClaimPaid(1, FRIEND, 70);
        house.payQueued(1);
        _expect("paid", token.balanceOf(FRIEND), 70 * UNITS_PER_TICK);
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultNoSuchClaim.selector, 1));
        house.payQueued(1);
        vm.warp(START + 7);
        // While anything waits nobody overtakes; now nothing does, and there is no room yet.
        carol = _withdrawDeposit(carol, 1, FRIEND);
        _expect("queued", house.withdrawalClaim(3).ticks, 1);
        (uint256 claims, uint256 queued, uint256 released) = house.queueState();
        _expect("claims", claims, 3);
        _expect("queued in all", queued, 75);
        _expect("released", released, 74);
        house.payQueued(2);
        vm.warp(START + 8);
        house.payQueued(3);
        // One second's room is left over by now.
        _expect("room", house.vaultState().room, 1);
        _withdrawDeposit(carol, 1, FRIEND);
        _expect("at once", token.balanceOf(FRIEND), 72 * UNITS_PER_TICK);
    }

    /// @dev A recipient that the token refuses holds up nobody but itself.
    function testARecipientThatCannotBePaidBlocksNobody() external {
        (ClearingHouse strict, ReentrantToken hostile) = _hostile();
        strict.withdrawDeposit(_self(), 1, CAPACITY + 2, FRIEND);
        strict.withdrawDeposit(_self(), 2, 2, address(0xbeef));
        vm.warp(START + 2);
        hostile.refuse(FRIEND);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(hostile)));
        strict.payQueued(1);
        strict.payQueued(2);
        _expect("second", hostile.balanceOf(address(0xbeef)), 2 * UNITS_PER_TICK);
        hostile.refuse(address(0));
        strict.payQueued(1);
        _expect("first", hostile.balanceOf(FRIEND), (CAPACITY + 2) * UNITS_PER_TICK);
    }

    /// @dev Any number of steps, in any place, gives the same state as one.
    function testFuzzTheBucketForgetsNothing(VaultState memory vault, WithdrawalLimit memory limit, uint32 a, uint32 b)
        external
        pure
    {
        vault.updatedAt = uint64(START);
        vault.backlog = uint64(vault.backlog % (1 << 40));
        if (vault.backlog != 0) vault.room = 0;
        if (vault.room > limit.capacity) vault.room = limit.capacity;
        limit.refillPerSecond = uint64(limit.refillPerSecond % (1 << 16));
        VaultState memory once = vault.advancedTo(limit, START + uint256(a) + b);
        VaultState memory twice = vault.advancedTo(limit, START + a).advancedTo(limit, START + uint256(a) + b);
        _expect("room", once.room, twice.room);
        _expect("backlog", once.backlog, twice.backlog);
        _expect("time", once.updatedAt, twice.updatedAt);
        _expect("deposits", once.netDeposits, vault.netDeposits);
        if (once.room != 0) _expect("nobody waits", once.backlog, 0);
    }

    function testFuzzWithdrawalsDebitExactly(uint64 ticks, uint64 wait) external {
        ticks = 1 + ticks % CASH;
        vm.warp(START + wait % MAXIMUM_AGE);
        Ghost memory carol = _withdrawDeposit(_carol, ticks, FRIEND);
        _expect("hash", house.commitmentHash(_account(carol), 0), keccak256(_commitment(carol, 0)));
        uint256 expected = ticks <= CAPACITY ? ticks : 0;
        _expect("paid", token.balanceOf(FRIEND), expected * UNITS_PER_TICK);
        _expect("held", token.balanceOf(address(house)), (3 * CASH - expected) * UNITS_PER_TICK);
    }

    // --- Refusals -------------------------------------------------------------------------------------------------

    function testRefusesEverybodyButTheOwner() external {
        Withdrawal memory withdrawal = _withdrawal(_alice, 1, 1, FRIEND);
        vm.expectRevert(
            abi.encodeWithSelector(IClearingHouse.ClearingHouseNotOwner.selector, withdrawal.account, address(this))
        );
        house.withdraw(withdrawal, "", "", "");
        vm.expectRevert(
            abi.encodeWithSelector(IClearingHouse.ClearingHouseNotOwner.selector, _account(_carol), address(this))
        );
        house.withdrawDeposit(_account(_carol), 1, 1, FRIEND);
    }

    function testRefusesAccountsWithoutDeposit() external {
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseAccountNotOpen.selector, _self()));
        house.withdrawDeposit(_self(), 0, 1, FRIEND);
        Withdrawal memory withdrawal = Withdrawal(_self(), 0, 1, 1, FRIEND);
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseAccountNotOpen.selector, _self()));
        house.withdraw(withdrawal, "", "", "");
    }

    function testRefusesHiddenAccountsWithoutProof() external {
        AccountId account = _account(_alice);
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseAccountHidden.selector, account));
        vm.prank(_owner(_alice));
        house.withdrawDeposit(account, 2, 1, FRIEND);
    }

    function testRefusesMoreThanTheDeposits() external {
        vm.expectRevert(
            abi.encodeWithSelector(
                IClearingHouse.ClearingHouseDepositExceeded.selector, _account(_carol), CASH + 1, CASH
            )
        );
        vm.prank(_owner(_carol));
        house.withdrawDeposit(_account(_carol), 1, CASH + 1, FRIEND);
    }

    function testRefusesMoreThanThereIs() external {
        Withdrawal memory withdrawal = _withdrawal(_alice, 1, 3 * CASH + 1, FRIEND);
        MarginClaim memory claim = _withdrawalClaim(withdrawal, _alice);
        bytes memory portfolio = _commitments(_alice, BOOKS);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVaultExhausted.selector, 3 * CASH + 1, 3 * CASH)
        );
        vm.prank(_owner(_alice));
        house.withdraw(withdrawal, portfolio, claim.proof, claim.hint);
    }

    /// @dev Nor does it help to have tokens given to the house: what waits for others is theirs.
    function testQueuedClaimsAreNobodyElses() external {
        _withdrawDeposit(_carol, CASH, FRIEND);
        Withdrawal memory withdrawal = _withdrawal(_alice, 1, 2 * CASH + 1, FRIEND);
        MarginClaim memory claim = _withdrawalClaim(withdrawal, _alice);
        bytes memory portfolio = _commitments(_alice, BOOKS);
        token.mint(address(house), CASH * UNITS_PER_TICK);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVaultExhausted.selector, 2 * CASH + 1, 2 * CASH)
        );
        vm.prank(_owner(_alice));
        house.withdraw(withdrawal, portfolio, claim.proof, claim.hint);
    }

    function testRefusesNothingAndNobody() external {
        AccountId account = _account(_carol);
        vm.startPrank(_owner(_carol));
        vm.expectRevert(ICollateralVault.CollateralVaultNothingWithdrawn.selector);
        house.withdrawDeposit(account, 1, 0, FRIEND);
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultRecipientInvalid.selector, address(0)));
        house.withdrawDeposit(account, 1, 1, address(0));
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVaultRecipientInvalid.selector, address(house))
        );
        house.withdrawDeposit(account, 1, 1, address(house));
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultNoSuchClaim.selector, 0));
        house.payQueued(0);
    }

    function testRefusesReplays() external {
        Withdrawal memory withdrawal = _withdrawal(_alice, 1, 1, FRIEND);
        MarginClaim memory claim = _withdrawalClaim(withdrawal, _alice);
        bytes memory portfolio = _commitments(_alice, BOOKS);
        vm.startPrank(_owner(_alice));
        house.withdraw(withdrawal, portfolio, claim.proof, claim.hint);
        vm.expectRevert(
            abi.encodeWithSelector(IClearingHouse.ClearingHouseStateVersionMismatch.selector, withdrawal.account, 2, 3)
        );
        house.withdraw(withdrawal, portfolio, claim.proof, claim.hint);
        vm.stopPrank();
        AccountId account = _account(_carol);
        _withdrawDeposit(_carol, 1, FRIEND);
        vm.expectRevert(
            abi.encodeWithSelector(IClearingHouse.ClearingHouseStateVersionMismatch.selector, account, 1, 2)
        );
        vm.prank(_owner(_carol));
        house.withdrawDeposit(account, 1, 1, FRIEND);
    }

    /// @dev With the right hint for what is claimed, so that the equation itself refuses: another amount, recipient,
    /// account, epoch or action, and the commitments before instead of after.
    function testRefusesProofsOfAnythingElse() external {
        Ghost memory alice = _alice;
        Withdrawal memory wanted = _withdrawal(alice, 1, 5, FRIEND);
        Withdrawal memory other = _withdrawal(alice, 1, 4, FRIEND);
        _expectRejected(wanted, _withdrawalClaim(other, alice));
        other = _withdrawal(alice, 1, 5, address(0xbeef));
        _expectRejected(wanted, _withdrawalClaim(other, alice));
        Ghost memory left = _less(alice, 5);
        left.version = alice.version;
        _expectRejected(wanted, _simulated(_check(left, 1, RuleKind.INITIAL), 0, _commitments(left, BOOKS)));
        bytes32 action = house.withdrawalHash(wanted);
        _expectRejected(wanted, _simulated(_check(alice, 1, RuleKind.INITIAL), action, _commitments(alice, BOOKS)));
        _expectRejected(wanted, _simulated(_check(alice, 1, RuleKind.MAINTENANCE), action, _commitments(left, BOOKS)));
        _withdraw(alice, 1, 5, FRIEND);
    }

    function testRefusesOtherCommitmentsAndEpochs() external {
        Withdrawal memory withdrawal = _withdrawal(_alice, 1, 1, FRIEND);
        bytes memory false_ = bytes.concat(_commitment(_alice, 1), _commitment(_alice, 1));
        vm.startPrank(_owner(_alice));
        vm.expectRevert(
            abi.encodeWithSelector(
                IClearingHouse.ClearingHouseCommitmentMismatch.selector,
                withdrawal.account,
                0,
                keccak256(_commitment(_alice, 1)),
                keccak256(_commitment(_alice, 0))
            )
        );
        house.withdraw(withdrawal, false_, "", "");
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseCommitmentLengthWrong.selector, 0, 192));
        house.withdraw(withdrawal, "", "", "");
        vm.stopPrank();
        vm.warp(START + 60);
        _publishEpoch(2);
        vm.expectRevert(
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochNotUsable.selector, 1, 2, RuleKind.INITIAL)
        );
        vm.prank(_owner(_alice));
        house.withdraw(withdrawal, false_, "", "");
    }

    // --- Hostile tokens -------------------------------------------------------------------------------------------

    /// @dev While tokens move, no entry that changes anything can be called; a donation does no harm.
    function testRefusesToBeCalledBack() external {
        (ClearingHouse strict, ReentrantToken hostile) = _hostile();
        AccountId self = _self();
        strict.withdrawDeposit(self, 1, CAPACITY + 1, FRIEND);
        vm.warp(START + 60);
        bytes[4] memory calls = [
            abi.encodeCall(IClearingHouse.withdrawDeposit, (self, 2, 1, FRIEND)),
            abi.encodeCall(IClearingHouse.withdraw, (Withdrawal(self, 2, 1, 1, FRIEND), "", "", "")),
            abi.encodeCall(IClearingHouse.deposit, (0, 1, new bytes(96))),
            abi.encodeCall(ICollateralVault.payQueued, (1))
        ];
        for (uint256 index = 0; index < calls.length; ++index) {
            hostile.aim(address(strict), calls[index]);
            vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
            strict.withdrawDeposit(self, 2, 1, FRIEND);
            vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
            strict.payQueued(1);
        }
        hostile.aim(address(hostile), abi.encodeCall(ReentrantToken.give, (address(strict), 1)));
        strict.payQueued(1);
        _expect("paid", hostile.balanceOf(FRIEND), (CAPACITY + 1) * UNITS_PER_TICK);
    }

    function testRefusesTokensThatTakeMoreOrFail() external {
        (ClearingHouse strict, ReentrantToken hostile) = _hostile();
        hostile.takeMore(3);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICollateralVault.CollateralVaultAmountWrong.selector, UNITS_PER_TICK + 3, UNITS_PER_TICK
            )
        );
        strict.withdrawDeposit(_self(), 1, 1, FRIEND);
        hostile.takeMore(0);
        hostile.refuse(FRIEND);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(hostile)));
        strict.withdrawDeposit(_self(), 1, 1, FRIEND);
        _expect("version", strict.accountState(_self()).stateVersion, 1);
    }

    function testRefusesABucketThatLetsNothingOut() external {
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultLimitEmpty.selector, 0, 1));
        new ClearingHouse(verifier, registry, token, 0, UNITS_PER_TICK, table, keccak256(basis), WithdrawalLimit(0, 1));
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultLimitEmpty.selector, 1, 0));
        new ClearingHouse(verifier, registry, token, 0, UNITS_PER_TICK, table, keccak256(basis), WithdrawalLimit(1, 0));
        _expect("capacity", house.withdrawalCapacity(), CAPACITY);
        _expect("refill", house.withdrawalRefill(), REFILL);
    }

    // --- Helpers --------------------------------------------------------------------------------------------------

    function _self() private view returns (AccountId) {
        return accountIdOf(address(this), 0);
    }

    /// @dev A house on a token that can be told to misbehave, with a deposit of this contract's.
    function _hostile() private returns (ClearingHouse strict, ReentrantToken hostile) {
        hostile = new ReentrantToken();
        strict = new ClearingHouse(
            verifier, registry, IERC20(address(hostile)), 0, UNITS_PER_TICK, table, keccak256(basis), _limit()
        );
        hostile.approve(address(strict), type(uint256).max);
        strict.deposit(0, CASH, new bytes(96));
    }

    /// @dev The proof of something else with the hint's inverse for what is wanted: nothing but the equation refuses.
    function _expectRejected(Withdrawal memory wanted, MarginClaim memory other) private {
        MarginClaim memory honest = _withdrawalClaim(wanted, _alice);
        uint256 place = 96 * (3 * BOOKS + 4);
        for (uint256 i = 0; i < 48; ++i) {
            honest.proof[place + i] = other.proof[place + i];
            honest.hint[32 + i] = other.hint[32 + i];
        }
        bytes memory portfolio = _commitments(_alice, BOOKS);
        vm.expectRevert(IMarginVerifier.MarginVerifierRejected.selector);
        vm.prank(_owner(_alice));
        house.withdraw(wanted, portfolio, honest.proof, honest.hint);
    }
}
