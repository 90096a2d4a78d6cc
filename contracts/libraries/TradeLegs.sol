// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccountId } from "../types/AccountId.sol";
import { Leg } from "../types/Settlement.sol";
import { BookSet } from "./BookSet.sol";
import { Commitments } from "./Commitments.sol";

/// @title Legs of a settlement, and what they make of an account's commitments
/// @author The zkmargin contributors
/// @notice What a leg adds to one account it takes from another, so that no leg changes the sum. Accounts are known by
/// their indices. Twin: verifier/chain/settlement_terms.py.
library TradeLegs {
    /// @notice An account takes part once.
    /// @param account Account that is there twice.
    error TradeLegsAccountTwice(AccountId account);

    /// @notice An account that takes part in no leg.
    /// @param index Index of the account.
    error TradeLegsAccountIdle(uint256 index);

    /// @notice A leg names an account that brings no side.
    /// @param account Account.
    error TradeLegsSideMissing(AccountId account);

    /// @notice A leg names an index that no account has, or the same one twice.
    /// @param leg Index of the leg.
    /// @param receiver Index of the receiver.
    /// @param giver Index of the giver.
    error TradeLegsLegInvalid(uint256 leg, uint256 receiver, uint256 giver);

    /// @notice A leg touches no book, or does not bring one difference of 96 bytes for every book that it touches.
    /// @param leg Index of the leg.
    /// @param books Bitmap of books that it touches.
    /// @param length Bytes of its differences.
    error TradeLegsDifferencesInvalid(uint256 leg, uint32 books, uint256 length);

    /// @notice Reverts unless every account is there once, and every leg is between two of them and brings what it should.
    /// @param legs The legs.
    /// @param accounts The accounts.
    function check(Leg[] memory legs, AccountId[] memory accounts) internal pure {
        for (uint256 index = 1; index < accounts.length; ++index) {
            for (uint256 before = 0; before < index; ++before) {
                if (accounts[index] == accounts[before]) {
                    revert TradeLegsAccountTwice(accounts[index]);
                }
            }
        }
        for (uint256 index = 0; index < legs.length; ++index) {
            Leg memory leg = legs[index];
            if (leg.receiver == leg.giver || leg.receiver >= accounts.length || leg.giver >= accounts.length) {
                revert TradeLegsLegInvalid(index, leg.receiver, leg.giver);
            }
            if (leg.books == 0 || leg.differences.length != BookSet.count(leg.books) * Commitments.POINT_BYTES) {
                revert TradeLegsDifferencesInvalid(index, leg.books, leg.differences.length);
            }
        }
    }

    /// @notice Where an account is among those that bring a side.
    /// @param accounts The accounts, at most 256.
    /// @param account One of them.
    /// @return Its index.
    function indexOf(AccountId[] memory accounts, AccountId account) internal pure returns (uint8) {
        for (uint256 index = 0; index < accounts.length; ++index) {
            if (accounts[index] == account) {
                return uint8(index);
            }
        }
        revert TradeLegsSideMissing(account);
    }

    /// @notice Books that an account's legs touch.
    /// @param legs The legs.
    /// @param index Index of the account.
    /// @return touched Bitmap of the books, at least one.
    function touchedBy(Leg[] memory legs, uint256 index) internal pure returns (uint32 touched) {
        for (uint256 number = 0; number < legs.length; ++number) {
            if (_concerns(legs[number], index)) {
                touched |= legs[number].books;
            }
        }
        if (touched == 0) {
            revert TradeLegsAccountIdle(index);
        }
    }

    /// @notice Adds to an account's commitments what it receives and subtracts what it gives, in place.
    /// @param legs The legs.
    /// @param index Index of the account.
    /// @param books Books of the portfolio, all that the account's legs touch among them.
    /// @param portfolio Commitments of these books.
    function carryOut(Leg[] memory legs, uint256 index, uint32 books, bytes memory portfolio) internal view {
        for (uint256 number = 0; number < legs.length; ++number) {
            if (_concerns(legs[number], index)) {
                _carryOut(legs[number], legs[number].giver == index, books, portfolio);
            }
        }
    }

    /// @dev Carries out one leg on one side.
    function _carryOut(Leg memory leg, bool gives, uint32 books, bytes memory portfolio) private view {
        uint256 position = 0;
        for (uint256 book = 0; leg.books >> book != 0; ++book) {
            if (BookSet.has(leg.books, book)) {
                Commitments.combineAt(portfolio, BookSet.indexOf(books, book), leg.differences, position, gives);
                ++position;
            }
        }
    }

    /// @dev Whether an account takes part in a leg.
    function _concerns(Leg memory leg, uint256 index) private pure returns (bool) {
        return leg.receiver == index || leg.giver == index;
    }
}
