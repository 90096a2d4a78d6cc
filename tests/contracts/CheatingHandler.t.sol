// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { CheatingHandler } from "./CheatingHandler.sol";
import { Expectations } from "./Expectations.sol";
import { GhostBook } from "./GhostBook.sol";
import { vm } from "./Vm.sol";

/// @title The checks of the ghosts notice whoever lies, and nobody else
contract CheatingHandlerTest is Expectations {
    error ActionFailed(bytes4 action, bytes reason);
    error ActionIdle(bytes4 action);

    CheatingHandler private _handler;

    function setUp() external {
        _handler = new CheatingHandler();
        _requireAll();
    }

    /// @dev Every action once, with arguments for which it does something.
    function testHonestActionsPassAllChecks() external {
        _acts(abi.encodeCall(_handler.settle, (7 << 24)));
        _acts(abi.encodeCall(_handler.settleOpen, ((3 << 24) + 257)));
        _acts(abi.encodeCall(_handler.deposit, (0, false, 4)));
        _acts(abi.encodeCall(_handler.depositFor, (1, true, 4)));
        _acts(abi.encodeCall(_handler.mergeInbox, (1, true)));
        _acts(abi.encodeCall(_handler.donate, (true, 17)));
        _acts(abi.encodeCall(_handler.grantLien, (2, false, 4)));
        _acts(abi.encodeCall(_handler.lend, (2, false, 1, false)));
        _acts(abi.encodeCall(_handler.lend, (2, false, 0, true)));
        _handler.prepare(3, 2);
        _acts(abi.encodeCall(_handler.depositFor, (3, false, 3)));
        _acts(abi.encodeCall(_handler.usePrepared, (3)));
        _acts(abi.encodeCall(_handler.withdraw, (0, true, 1)));
        _acts(abi.encodeCall(_handler.withdraw, (1, false, 66)));
        _acts(abi.encodeCall(_handler.publish, (0)));
        _acts(abi.encodeCall(_handler.payQueued, (false, 0)));
        _acts(abi.encodeCall(_handler.proveMargin, (0, true)));
        _acts(abi.encodeCall(_handler.proveMargins, (false)));
        _handler.steal(0, 1, "thief");
        for (uint8 kind = 0; kind < 9; ++kind) {
            if (kind != 7) _acts(abi.encodeCall(_handler.disturb, (kind, 528)));
        }
        _acts(abi.encodeCall(_handler.publish, (60)));
        _acts(abi.encodeCall(_handler.exit, (0, 0, "exit")));
        _acts(abi.encodeCall(_handler.withdrawHoldings, (0, false, 5)));
    }

    /// @dev Books are retired while nobody holds anything of them; what is left trades on.
    function testRetiredBooksLeaveTheRestInOrder() external {
        _acts(abi.encodeCall(_handler.settle, (7 << 24)));
        _acts(abi.encodeCall(_handler.disturb, (7, 0)));
        _acts(abi.encodeCall(_handler.disturb, (7, 1)));
        _acts(abi.encodeCall(_handler.publish, (0)));
        _acts(abi.encodeCall(_handler.settle, (6 << 24)));
        _acts(abi.encodeCall(_handler.settleOpen, ((6 << 24) + 257)));
        _acts(abi.encodeCall(_handler.proveMargins, (false)));
    }

    function testFalseStatementsAreNoticed() external {
        _handler.tradeBeyondMargin();
        _expectFalsehood(0, 1, "equity below margin");
    }

    function testTradesOfUnlistedSlotsAreNoticed() external {
        _handler.tradeUnlistedSlot();
        _expectFalsehood(0, 1, "a position in a dead slot");
    }

    function testTradesOfDelistedSlotsAreNoticed() external {
        _handler.tradeDelistedSlot();
        _expectFalsehood(0, 2, "a position in a dead slot");
    }

    function testTradesOfRetiredBooksAreNoticed() external {
        _handler.tradeRetiredBook();
        _expectFalsehood(0, 2, "a position in a dead slot");
    }

    function testUncoveredWithdrawalsAreNoticed() external {
        _handler.withdrawBeyondMargin();
        _expectFalsehood(0, 1, "equity below margin");
    }

    function testUncoveredLiensAreNoticed() external {
        _handler.pledgeBeyondMargin();
        _expectFalsehood(0, 1, "equity below margin");
    }

    function testGhostsThatAreNotWhatHappenedAreNoticed() external {
        _handler.settle(7 << 24);
        _handler.recordAnotherPosition();
        vm.expectPartialRevert(WordsDiffer.selector);
        _handler.requireGhostsHold();
    }

    function testAnotherVersionIsNoticed() external {
        _handler.recordAnotherVersion();
        _expectDifference("version", 2, 3);
        _handler.requireGhostsHold();
    }

    function testTicksThatNobodyDepositedAreNoticed() external {
        _handler.recordATickThatNobodyDeposited();
        _expectDifference("held", 401, 400);
        _handler.requireLedgerIdentity();
    }

    function testAnotherInboxIsNoticed() external {
        _handler.recordAnotherInbox();
        _expectDifference("inbox", 0, 1);
        _handler.requireVaultHolds();
    }

    function testAnotherLienIsNoticed() external {
        _handler.recordAnotherLien();
        _expectDifference("lien", 0, 1);
        _handler.requireVaultHolds();
    }

    function testPaymentsThatWereNoneAreNoticed() external {
        _handler.recordAPaymentThatWasNone();
        _expectDifference("paid", 0, 1e12);
        _handler.requireVaultHolds();
    }

    function testRoomThatIsNotThereIsNoticed() external {
        _handler.recordRoomThatIsNotThere();
        _expectDifference("room", 60, 59);
        _handler.requireVaultHolds();
    }

    /// @dev Nothing else is out of order: what was accepted is false, no more.
    function _expectFalsehood(uint256 account, uint256 epoch, string memory what) private {
        _handler.requireGhostsHold();
        _handler.requireLedgerIdentity();
        _handler.requireVaultHolds();
        vm.expectRevert(abi.encodeWithSelector(GhostBook.GhostStatementFalse.selector, account, epoch, what));
        _handler.requireStatementsTrue();
    }

    function _expectDifference(string memory what, uint256 actual, uint256 expected) private {
        vm.expectRevert(abi.encodeWithSelector(NumbersDiffer.selector, what, actual, expected));
    }

    /// @dev The action does something, and all is in order after it.
    function _acts(bytes memory action) private {
        bytes32 before = _handler.fingerprint();
        // solhint-disable-next-line avoid-low-level-calls
        (bool success, bytes memory reason) = address(_handler).call(action);
        if (!success) revert ActionFailed(bytes4(action), reason);
        if (_handler.fingerprint() == before) revert ActionIdle(bytes4(action));
        _requireAll();
    }

    function _requireAll() private view {
        _handler.requireStatementsTrue();
        _handler.requireGhostsHold();
        _handler.requireLedgerIdentity();
        _handler.requireVaultHolds();
    }
}
