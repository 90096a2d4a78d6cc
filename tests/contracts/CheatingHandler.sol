// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ClearingHouseHandler } from "./ClearingHouseHandler.sol";

/// @title A handler that knows τ and lies: proofs of false statements, and ghosts that are not what happened
/// @notice The contracts accept what it does, as they would from whoever knew τ; that the checks of the ghosts notice every
/// one of these shows that they would notice a contract that accepts too much.
contract CheatingHandler is ClearingHouseHandler {
    /// @notice Sells more than the account can bear.
    function tradeBeyondMargin() external {
        Ghost memory change;
        change.positions[0][2] = 200;
        _claim(change, 1);
    }

    /// @notice Trades a slot that was never listed.
    function tradeUnlistedSlot() external {
        Ghost memory change;
        change.positions[BOOKS - 1][SLOTS - 1] = 1;
        _claim(change, uint32(1 << (BOOKS - 1)));
    }

    /// @notice Trades a slot after the epoch that follows its delisting.
    function tradeDelistedSlot() external {
        instruments.delist(SLOTS + 1);
        deadNow |= 1 << (SLOTS + 1);
        _pass(SPACING);
        _publishNext();
        Ghost memory change;
        change.positions[1][1] = 1;
        _claim(change, 2);
    }

    /// @notice Trades a slot of a book after the epoch that follows its retirement.
    function tradeRetiredBook() external {
        this.disturb(7, 0);
        _publishNext();
        Ghost memory change;
        change.positions[1][2] = 1;
        _claim(change, 2);
    }

    /// @notice Withdraws what is not the account's.
    function withdrawBeyondMargin() external {
        Ghost memory ghost = ghosts[0];
        _withdraw(ghost, _usableEpoch(), CASH, 250, _recipient(0));
        _recordProven(0, ghost, _usableEpoch());
        _leave(CASH, 0, 250);
    }

    /// @notice Pledges what is not the account's.
    function pledgeBeyondMargin() external {
        Ghost memory ghost = ghosts[0];
        _grantLien(ghost, _usableEpoch(), CASH, 250, _recipient(OWNERS));
        _recordProven(0, ghost, _usableEpoch());
        liens[0][CASH] += 250;
    }

    function recordAnotherPosition() external {
        ++ghosts[0].positions[1][0];
        --ghosts[1].positions[1][0];
    }

    function recordAnotherVersion() external {
        ++ghosts[0].version;
    }

    function recordATickThatNobodyDeposited() external {
        ++ghosts[0].positions[0][CASH];
    }

    function recordAnotherInbox() external {
        ++inboxes[0][COIN];
    }

    function recordAnotherLien() external {
        ++liens[0][CASH];
    }

    function recordAPaymentThatWasNone() external {
        ++buckets[COIN].paid[2];
    }

    function recordRoomThatIsNotThere() external {
        --buckets[CASH].room;
    }

    /// @dev A trade between the first two accounts, true or not.
    function _claim(Ghost memory change, uint32 books) private {
        uint32 epoch = _usableEpoch();
        (Ghost[] memory accounts, GhostLeg[] memory legs) = _pair(ghosts[0], ghosts[1], "false", books);
        change.blinds = legs[0].change.blinds;
        legs[0].change = change;
        _settle(accounts, legs, epoch);
        _recordProven(0, accounts[0], epoch);
        _recordProven(1, accounts[1], epoch);
    }
}
