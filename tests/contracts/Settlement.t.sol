// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IClearingHouse } from "../../contracts/interfaces/IClearingHouse.sol";
import { AccountId } from "../../contracts/types/AccountId.sol";
import { AccountState, AccountStatus } from "../../contracts/types/AccountState.sol";
import { Settlement, SettlementSide } from "../../contracts/types/Settlement.sol";
import { TradingFixture } from "./TradingFixture.sol";
import { vm } from "./Vm.sol";

/// @title Settlements that all participants sign as a whole
contract SettlementTest is TradingFixture {
    uint64 private constant CASH_TICKS = 100;

    Ghost private _alice;
    Ghost private _bob;

    function setUp() external {
        _deploy();
        _publishEpoch(3);
        Ghost memory alice = _ghost(0xa11ce, 7);
        Ghost memory bob = _ghost(0xb0b, 0);
        _deposit(alice, CASH_TICKS);
        _deposit(bob, CASH_TICKS);
        _alice = alice;
        _bob = bob;
    }

    function testTradesMoveTheDifference() external {
        (Ghost memory alice, Ghost memory bob) = (_alice, _bob);
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(alice, bob, "trade", 1);
        Settlement memory settlement = _settlement(ghosts, legs);
        SettlementSide[] memory sides = _sides(settlement, ghosts, legs, 1);
        (bytes32 action,) = house.settlementHashes(settlement);
        AccountId[] memory accounts = new AccountId[](2);
        (accounts[0], accounts[1]) = (_account(alice), _account(bob));
        vm.expectEmit();
        emit IClearingHouse.Settled(action, 1, accounts, settlement.legs);
        house.settle(settlement, 1, sides);
        _carryOut(ghosts, legs);
        _expectGhost(alice, 1);
        _expectGhost(bob, 1);
    }

    function _expectGhost(Ghost memory ghost, uint32 epoch) private view {
        AccountId account = _account(ghost);
        AccountState memory state = house.accountState(account);
        _expect("version", state.stateVersion, ghost.version);
        _expect("books", state.books, ghost.books);
        _expect("initial", state.initialEpoch, epoch);
        _expect("status", uint256(state.status), uint256(AccountStatus.ACTIVE));
        for (uint256 book = 0; book < BOOKS; ++book) {
            bytes32 expected = (ghost.books >> book) & 1 == 0 ? bytes32(0) : keccak256(_commitment(ghost, book));
            _expect("commitment", house.commitmentHash(account, book), expected);
        }
    }
}
