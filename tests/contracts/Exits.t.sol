// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAccountLedger } from "../../contracts/interfaces/IAccountLedger.sol";
import { IClearingHouse } from "../../contracts/interfaces/IClearingHouse.sol";
import { IExitVerifier } from "../../contracts/interfaces/IExitVerifier.sol";
import { AccountId } from "../../contracts/types/AccountId.sol";
import { AccountState, AccountStatus } from "../../contracts/types/AccountState.sol";
import { RuleKind } from "../../contracts/types/MarginRule.sol";
import { TradingFixture } from "./TradingFixture.sol";
import { vm } from "./Vm.sol";

/// @title Exits through the house: an account that holds nothing but tokens leaves without rule, price or publisher
contract ExitsTest is TradingFixture {
    uint64 private constant AMOUNT = 50;
    address private constant FRIEND = address(0xf71e4d);

    /// @dev Both have traded nothing but cash and coins, in two books: what is left in the second are blinds.
    Ghost private _alice;
    Ghost private _bob;

    function setUp() external {
        _deploy();
        _publishEpoch(uint8(BOOKS));
        Ghost memory alice = _ghost(0xa11ce, 0);
        Ghost memory bob = _ghost(0xb0b, 0);
        _deposit(alice, AMOUNT);
        _deposit(alice, COIN, AMOUNT);
        _deposit(bob, AMOUNT);
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(alice, bob, "blinds", 3);
        _clear(legs[0].change);
        legs[0].change.positions[0][CASH] = 7;
        legs[0].change.positions[0][COIN] = -3;
        _settle(ghosts, legs, 1);
        (_alice, _bob) = (ghosts[0], ghosts[1]);
    }

    function testExitsAndWithdrawsWithoutAnyPublisher() external {
        Ghost memory alice = _alice;
        AccountId account = _account(alice);
        vm.warp(START + 100 days);
        vm.expectEmit();
        emit IClearingHouse.Exited(account, _amounts(alice), alice.version + 1);
        _exit(alice);
        AccountState memory state = house.accountState(account);
        _expect("status", uint256(state.status), uint256(AccountStatus.TRANSPARENT));
        _expect("books", state.books, 1);
        _expect("version", state.stateVersion, alice.version);
        _expect("cash", house.holdings(account, CASH), AMOUNT + 7);
        _expect("coins", house.holdings(account, COIN), AMOUNT - 3);
        _expect("hash", house.commitmentHash(account, 0), keccak256(_commitment(alice, 0)));
        _withdrawHoldings(alice, CASH, AMOUNT + 7, FRIEND);
        _withdrawHoldings(alice, COIN, AMOUNT - 3, FRIEND);
        _expect("tokens", token.balanceOf(FRIEND), (AMOUNT + 7) * uint256(UNITS_PER_TICK));
        Ghost memory bob = _bob;
        _exit(bob);
        _withdrawHoldings(bob, CASH, AMOUNT - 7, FRIEND);
        _withdrawHoldings(bob, COIN, 3, FRIEND);
        _expect("nothing left", vault.vaultState(CASH).netDeposits, 0);
        _expect("no coins left", vault.vaultState(COIN).netDeposits, 0);
    }

    function testAPauseHoldsUpNoExit() external {
        vm.prank(GUARDIAN);
        house.pause(1 days);
        Ghost memory alice = _alice;
        _exit(alice);
        _withdrawHoldings(alice, CASH, 1, FRIEND);
        _expect("tokens", token.balanceOf(FRIEND), UNITS_PER_TICK);
    }

    /// @dev The book that it left still has its blind; trades there go on from it.
    function testAnAccountTradesAgainAfterAnExit() external {
        (Ghost memory alice, Ghost memory bob) = (_alice, _bob);
        _exit(alice);
        _deposit(alice, 5);
        _trade(alice, bob, "again", 6, 1);
        AccountState memory state = house.accountState(_account(alice));
        _expect("status", uint256(state.status), uint256(AccountStatus.ACTIVE));
        _expect("books", state.books, 7);
        for (uint256 book = 0; book < BOOKS; ++book) {
            _expect("hash", house.commitmentHash(_account(alice), book), keccak256(_commitment(alice, book)));
        }
        _proveMargin(alice, 1, RuleKind.MAINTENANCE);
    }

    /// @dev Each with all blinds known, so that nothing but what is hidden refuses.
    function testRefusesExitsThatHideAnything() external {
        Ghost memory alice = _alice;
        uint64[] memory amounts = _amounts(alice);
        ++amounts[CASH];
        _expectRejected(alice, amounts);
        amounts = _amounts(alice);
        --amounts[COIN];
        _expectRejected(alice, amounts);
        (amounts[CASH], amounts[COIN]) = (amounts[COIN], amounts[CASH]);
        _expectRejected(alice, amounts);
        // A position, in either book, even one that the other book makes up for.
        Ghost memory bob = _bob;
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(alice, bob, "position", 3);
        _clear(legs[0].change);
        legs[0].change.positions[0][2] = 1;
        legs[0].change.positions[1][2] = -1;
        _settle(ghosts, legs, 1);
        _expectRejected(alice, _amounts(alice));
        legs[0].change.positions[0][2] = -1;
        legs[0].change.positions[1][2] = 0;
        _settle(ghosts, legs, 1);
        _expectRejected(alice, _amounts(alice));
        legs[0].change.positions[0][2] = 0;
        legs[0].change.positions[1][2] = 1;
        _settle(ghosts, legs, 1);
        _exit(alice);
    }

    /// @dev A proof is for one account, version, house and chain.
    function testRefusesExitProofsOfAnotherUse() external {
        Ghost memory alice = _alice;
        uint64[] memory amounts = _amounts(alice);
        bytes memory portfolio = _commitments(alice, alice.books);
        (bytes memory nonce, uint256 response) = _exitProof(alice, amounts, portfolio, "early");
        _proveMargin(alice, 1, RuleKind.MAINTENANCE);
        _deposit(alice, 1);
        vm.startPrank(_owner(alice));
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccountLedger.AccountLedgerStateVersionMismatch.selector,
                _account(alice),
                alice.version - 1,
                alice.version
            )
        );
        house.exit(_account(alice), alice.version - 1, amounts, portfolio, nonce, response);
        vm.stopPrank();
        // The same commitments one version later: only the context tells the two apart.
        _withdraw(alice, 1, CASH, 1, FRIEND);
        vm.expectRevert(IExitVerifier.ExitVerifierRejected.selector);
        vm.prank(_owner(alice));
        house.exit(_account(alice), alice.version, amounts, portfolio, nonce, response);
        vm.chainId(5);
        vm.expectRevert(IExitVerifier.ExitVerifierRejected.selector);
        vm.prank(_owner(alice));
        house.exit(_account(alice), alice.version, amounts, portfolio, nonce, response);
    }

    function testRefusesToLeaveABookOut() external {
        Ghost memory alice = _alice;
        uint64[] memory amounts = _amounts(alice);
        bytes memory first = _commitment(alice, 0);
        Ghost memory part = _copy(alice);
        part.books = 1;
        (bytes memory nonce, uint256 response) = _exitProof(part, amounts, first, "part");
        vm.expectRevert(abi.encodeWithSelector(IAccountLedger.AccountLedgerPointsLengthWrong.selector, 96, 192));
        vm.prank(_owner(alice));
        house.exit(_account(alice), alice.version, amounts, first, nonce, response);
    }

    // --- Liens ----------------------------------------------------------------------------------------------------

    /// @dev From a lien on, margin, withdrawals and exits run on what is left.
    function testProofsRunOnWhatALienLeaves() external {
        Ghost memory alice = _alice;
        AccountId account = _account(alice);
        address lender = address(0x1e4de4);
        vm.expectEmit();
        emit IClearingHouse.LienGranted(account, CASH, lender, 30, alice.version + 1);
        _grantLien(alice, 1, CASH, 30, lender);
        _expect("lien", vault.lien(account, lender, CASH), 30);
        _expect("hash", house.commitmentHash(account, 0), keccak256(_commitment(alice, 0)));
        _proveMargin(alice, 1, RuleKind.MAINTENANCE);
        // Neither an exit nor a withdrawal of all that is left reaches it.
        _exit(alice);
        _withdrawHoldings(alice, CASH, AMOUNT + 7 - 30, FRIEND);
        vm.expectRevert(
            abi.encodeWithSelector(IClearingHouse.ClearingHouseHoldingsExceeded.selector, account, CASH, 1, 0)
        );
        vm.prank(_owner(alice));
        house.withdrawHoldings(account, alice.version, CASH, 1, FRIEND, "");
        vm.warp(START + 1 days);
        vm.prank(lender);
        vault.claimLien(account, CASH, 10, lender);
        // What the lender gives back comes to the account through its inbox.
        vm.prank(lender);
        vault.releaseLien(account, CASH, 20);
        _mergeInbox(alice, CASH);
        _expect("holdings", house.holdings(account, CASH), 20);
        _withdrawHoldings(alice, CASH, 20, FRIEND);
        _expect("lender", token.balanceOf(lender), 10 * uint256(UNITS_PER_TICK));
    }

    // --- Helpers --------------------------------------------------------------------------------------------------

    /// @dev Leaves of a change nothing but its blinds.
    function _clear(Ghost memory change) private pure {
        for (uint256 book = 0; book < BOOKS; ++book) {
            for (uint256 slot = 0; slot < SLOTS; ++slot) {
                change.positions[book][slot] = 0;
            }
        }
    }

    function _expectRejected(Ghost memory ghost, uint64[] memory amounts) private {
        bytes memory portfolio = _commitments(ghost, ghost.books);
        (bytes memory nonce, uint256 response) = _exitProof(ghost, amounts, portfolio, "cheat");
        vm.expectRevert(IExitVerifier.ExitVerifierRejected.selector);
        vm.prank(_owner(ghost));
        house.exit(_account(ghost), ghost.version, amounts, portfolio, nonce, response);
    }
}
