// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Commitments } from "../../contracts/libraries/Commitments.sol";
import { Scalar, ZERO } from "../../contracts/libraries/ScalarField.sol";
import { AccountId } from "../../contracts/types/AccountId.sol";
import { AccountState } from "../../contracts/types/AccountState.sol";
import { RuleKind } from "../../contracts/types/MarginRule.sol";
import { Settlement } from "../../contracts/types/Settlement.sol";
import { ClearingHouseFixture } from "./ClearingHouseFixture.sol";
import { KnownSetup } from "./KnownSetup.sol";
import { vm } from "./Vm.sol";

/// @title Owners who deposit, trade and prove in any order, and what their accounts must hold
contract ClearingHouseHandler is ClearingHouseFixture {
    uint256 public constant OWNERS = 4;

    Ghost[] private _ghosts;
    uint64[] private _initialEpochs;
    uint64[] private _maintenanceEpochs;
    uint256 public deposited;
    uint256 public donated;

    constructor() {
        _deploy();
        _publishEpoch(2);
        for (uint256 index = 0; index < OWNERS; ++index) {
            _ghosts.push(_ghost(1 + index, uint96(index)));
            _initialEpochs.push(0);
            _maintenanceEpochs.push(0);
            deposit(index, 20);
        }
    }

    function deposit(uint256 who, uint64 ticks) public {
        Ghost memory ghost = _ghosts[who % OWNERS];
        uint256 room = DEPOSIT_LIMIT - house.accountState(_account(ghost)).deposited;
        if (room == 0) return;
        ticks = uint64(1 + ticks % (room < 40 ? room : 40));
        _deposit(ghost, ticks);
        _ghosts[who % OWNERS] = ghost;
        deposited += ticks;
    }

    function settle(uint256 who, uint256 other, bytes32 seed) external {
        (uint256 first, uint256 second) = (who % OWNERS, other % OWNERS);
        if (first == second) second = (first + 1) % OWNERS;
        Ghost memory change = _change(seed);
        Ghost memory firstGhost = _ghosts[first];
        Ghost memory secondGhost = _ghosts[second];
        uint32 epoch = registry.latestEpoch().epoch;
        Settlement memory settlement = _settlement(firstGhost, secondGhost, change, epoch);
        house.settle(
            settlement, _side(settlement, firstGhost, change, true), _side(settlement, secondGhost, change, false)
        );
        _ghosts[first] = _combined(firstGhost, change, true);
        _ghosts[second] = _combined(secondGhost, change, false);
        (_initialEpochs[first], _initialEpochs[second]) = (epoch, epoch);
    }

    function proveMargin(uint256 who, bool initial) external {
        uint256 index = who % OWNERS;
        uint32 epoch = registry.latestEpoch().epoch;
        uint64 proven = initial ? _initialEpochs[index] : _maintenanceEpochs[index];
        if (proven == epoch) return;
        _proveMargin(_ghosts[index], epoch, initial ? RuleKind.INITIAL : RuleKind.MAINTENANCE);
        if (initial) _initialEpochs[index] = epoch;
        else _maintenanceEpochs[index] = epoch;
    }

    function publish(uint16 wait) external {
        vm.warp(vm.getBlockTimestamp() + 1 + wait % 120);
        _publishEpoch(2);
    }

    /// @notice A third party's tokens change nothing but the balance.
    function donate(uint32 units) external {
        token.mint(address(house), units);
        donated += units;
    }

    // --- What must hold -------------------------------------------------------------------------------------------

    /// @notice Stored hashes are those of the ghosts' openings; versions and proven epochs are theirs.
    function requireGhostsHold() external view {
        for (uint256 index = 0; index < OWNERS; ++index) {
            Ghost memory ghost = _ghosts[index];
            AccountId account = _account(ghost);
            AccountState memory state = house.accountState(account);
            _expect("version", state.stateVersion, ghost.version);
            _expect("initial", state.initialEpoch, _initialEpochs[index]);
            _expect("maintenance", state.maintenanceEpoch, _maintenanceEpochs[index]);
            for (uint256 book = 0; book < state.books; ++book) {
                _expect("hash", house.commitmentHash(account, book), keccak256(_commitment(ghost, book)));
            }
        }
    }

    /// @notice Σ C = N·L: by the contract's own point addition, and in the clear, with Σ blinds = 0.
    function requireLedgerIdentity() external view {
        for (uint256 book = 0; book < BOOKS; ++book) {
            bytes memory sum = new bytes(96);
            int256[SLOTS] memory positions;
            Scalar blind = ZERO;
            for (uint256 index = 0; index < OWNERS; ++index) {
                Ghost memory ghost = _ghosts[index];
                sum = Commitments.add(sum, _commitment(ghost, book));
                blind = blind + ghost.blinds[book];
                for (uint256 slot = 0; slot < SLOTS; ++slot) {
                    positions[slot] += ghost.positions[book][slot];
                }
            }
            uint256 expected = book == 0 ? deposited : 0;
            bytes memory cash = KnownSetup.point(slotScalars[0]);
            _expect("sum", sum, Commitments.addMultiple(new bytes(96), cash, expected));
            _expect("blinds", Scalar.unwrap(blind), 0);
            for (uint256 slot = 0; slot < SLOTS; ++slot) {
                _expect("positions", uint256(positions[slot]), slot == 0 ? expected : 0);
            }
        }
    }

    /// @notice Token balance = net public deposits and donations.
    function requireTokensCoverDeposits() external view {
        _expect("tokens", token.balanceOf(address(house)), deposited * UNITS_PER_TICK + donated);
    }
}
