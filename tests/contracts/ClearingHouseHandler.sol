// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Commitments } from "../../contracts/libraries/Commitments.sol";
import { Scalar, ZERO } from "../../contracts/libraries/ScalarField.sol";
import { AccountId } from "../../contracts/types/AccountId.sol";
import { AccountState } from "../../contracts/types/AccountState.sol";
import { RuleKind } from "../../contracts/types/MarginRule.sol";
import { Settlement } from "../../contracts/types/Settlement.sol";
import { VaultState, Withdrawal, WithdrawalClaim } from "../../contracts/types/Vault.sol";
import { MarginClaim } from "../../contracts/types/MarginClaim.sol";
import { ClearingHouseFixture } from "./ClearingHouseFixture.sol";
import { KnownSetup } from "./KnownSetup.sol";
import { vm } from "./Vm.sol";

/// @title Owners who deposit, trade, prove and withdraw in any order, and what their accounts must hold
/// @dev The only rule whose truth the ghosts keep for themselves is that a hidden account's cash stays at or above what it
/// withdraws. The bucket is modelled second by second.
contract ClearingHouseHandler is ClearingHouseFixture {
    uint256 public constant OWNERS = 4;

    /// @dev What had left by some time.
    struct Left {
        uint256 time;
        uint256 ticks;
    }

    error HandlerWithdrewWithoutRight(string how);

    Ghost[] private _ghosts;
    bool[OWNERS] private _traded;
    uint256[OWNERS] private _queuedFor;
    uint256[OWNERS] private _paidTo;
    Left[] private _left;
    uint256 private _modelRoom = CAPACITY;
    uint256 private _modelBacklog;
    uint256 private _unpaid;
    uint64[] private _initialEpochs;
    uint64[] private _maintenanceEpochs;
    uint256 public deposited;
    uint256 public donated;

    constructor() {
        _deploy();
        _publishEpoch(2);
        _left.push(Left(vm.getBlockTimestamp(), 0));
        for (uint256 index = 0; index < OWNERS; ++index) {
            _ghosts.push(_ghost(1 + index, uint96(index)));
            _initialEpochs.push(0);
            _maintenanceEpochs.push(0);
            deposit(index, 20);
        }
    }

    function deposit(uint256 who, uint64 ticks) public {
        Ghost memory ghost = _ghosts[who % OWNERS];
        int256 net = house.accountState(_account(ghost)).deposited;
        uint256 room = uint256(int256(DEPOSIT_LIMIT) - net);
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
        (_traded[first], _traded[second]) = (true, true);
    }

    function withdraw(uint256 who, uint64 ticks) external {
        uint256 index = who % OWNERS;
        Ghost memory ghost = _ghosts[index];
        int256 cash = ghost.positions[0][0];
        uint256 most = cash < int256(deposited) ? uint256(cash < 0 ? int256(0) : cash) : deposited;
        if (most == 0) return;
        ticks = uint64(1 + ticks % most);
        uint32 epoch = registry.latestEpoch().epoch;
        if (_traded[index]) {
            _ghosts[index] = _withdraw(ghost, epoch, ticks, _recipient(index));
            _initialEpochs[index] = epoch;
        } else {
            _ghosts[index] = _withdrawDeposit(ghost, ticks, _recipient(index));
        }
        _recordWithdrawal(index, ticks);
    }

    /// @notice Whoever has no right to, with every proof there is, withdraws nothing.
    function steal(uint256 who, uint64 ticks, bytes32 seed) external {
        Ghost memory ghost = _ghosts[who % OWNERS];
        uint32 epoch = registry.latestEpoch().epoch;
        ticks = uint64(1 + ticks % DEPOSIT_LIMIT);
        Withdrawal memory honest = _withdrawal(ghost, epoch, ticks, _recipient(who % OWNERS));
        MarginClaim memory claim = _withdrawalClaim(honest, ghost);
        bytes memory portfolio = _commitments(ghost, BOOKS);
        _mustFail("by another", address(uint160(uint256(seed))), honest, portfolio, claim);
        Withdrawal memory bent = _withdrawal(ghost, epoch, ticks, address(0xbad));
        _mustFail("to another", _owner(ghost), bent, portfolio, claim);
        bent = _withdrawal(ghost, epoch, ticks + 1, honest.recipient);
        _mustFail("more", _owner(ghost), bent, portfolio, claim);
        bent = _withdrawal(ghost, epoch, ticks, honest.recipient);
        --bent.stateVersion;
        _mustFail("again", _owner(ghost), bent, portfolio, _withdrawalClaim(bent, ghost));
        // What margin needs: a proof for what there was before.
        claim = _simulated(_check(ghost, epoch, RuleKind.INITIAL), house.withdrawalHash(honest), portfolio);
        _mustFail("uncovered", _owner(ghost), honest, portfolio, claim);
    }

    function payQueued(uint256 seed) external {
        (uint256 claims,, uint256 released) = house.queueState();
        if (claims == 0) return;
        uint256 number = 1 + seed % claims;
        (address recipient, uint64 ticks, uint256 end) = _claim(number);
        bool payable_ = ticks != 0 && end <= released;
        try house.payQueued(number) {
            if (!payable_) revert HandlerWithdrewWithoutRight("before its turn, or twice");
            uint256 index = uint160(recipient) - 0xace0;
            _paidTo[index] += ticks;
            _queuedFor[index] -= ticks;
            _unpaid -= ticks;
        } catch {
            if (payable_) revert HandlerWithdrewWithoutRight("a claim that was due was not paid");
        }
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
        _pass(1 + wait % 120);
        _publishEpoch(2);
    }

    /// @notice A third party's tokens change nothing but the balance.
    function donate(uint32 units) external {
        token.mint(address(house), units);
        donated += units;
    }

    function pass(uint8 time) external {
        _pass(time % 30);
    }

    /// @dev Second by second: the queue first, then the bucket.
    function _pass(uint256 time) private {
        for (uint256 second = 0; second < time; ++second) {
            uint256 released = _modelBacklog < REFILL ? _modelBacklog : REFILL;
            _modelBacklog -= released;
            _modelRoom += REFILL - released;
            if (_modelRoom > CAPACITY) _modelRoom = CAPACITY;
        }
        vm.warp(vm.getBlockTimestamp() + time);
        _left.push(Left(vm.getBlockTimestamp(), _leftSoFar()));
    }

    function _recordWithdrawal(uint256 index, uint64 ticks) private {
        deposited -= ticks;
        if (ticks <= _modelRoom) {
            _modelRoom -= ticks;
            _paidTo[index] += ticks;
        } else {
            _modelBacklog += ticks - _modelRoom;
            _modelRoom = 0;
            _queuedFor[index] += ticks;
            _unpaid += ticks;
        }
        _left.push(Left(vm.getBlockTimestamp(), _leftSoFar()));
    }

    /// @dev Ticks paid, and ticks set aside for claims.
    function _leftSoFar() private view returns (uint256 ticks) {
        ticks = _unpaid - _modelBacklog;
        for (uint256 index = 0; index < OWNERS; ++index) {
            ticks += _paidTo[index];
        }
    }

    function _mustFail(
        string memory how,
        address caller,
        Withdrawal memory withdrawal,
        bytes memory portfolio,
        MarginClaim memory claim
    ) private {
        vm.prank(caller);
        bool accepted;
        try house.withdraw(withdrawal, portfolio, claim.proof, claim.hint) {
            accepted = true;
        } catch {
            accepted = false;
        }
        if (accepted) revert HandlerWithdrewWithoutRight(how);
    }

    function _claim(uint256 number) private view returns (address recipient, uint64 ticks, uint256 end) {
        WithdrawalClaim memory claim = house.withdrawalClaim(number);
        return (claim.recipient, claim.ticks, claim.end);
    }

    function _recipient(uint256 index) private pure returns (address) {
        return address(uint160(0xace0 + index));
    }

    // --- What must hold -------------------------------------------------------------------------------------------

    /// @notice Stored hashes are those of the ghosts' openings; versions and proven epochs are theirs.
    function requireGhostsHold() external view {
        for (uint256 index = 0; index < OWNERS; ++index) {
            Ghost memory ghost = _ghosts[index];
            AccountId account = _account(ghost);
            AccountState memory state = house.accountState(account);
            _expect("version", state.stateVersion, ghost.version);
            _expect("hidden", state.hidden ? 1 : 0, _traded[index] ? 1 : 0);
            // Transparent: nothing but the net deposits, without blind.
            if (!state.hidden) _expect("transparent", _commitment(ghost, 0), _cashOnly(state.deposited));
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

    /// @notice Token balance = net public deposits, queued claims and donations; everybody got what they withdrew.
    function requireTokensCoverDeposits() external view {
        _expect("tokens", token.balanceOf(address(house)), (deposited + _unpaid) * UNITS_PER_TICK + donated);
        uint256 claimed = 0;
        (uint256 claims,,) = house.queueState();
        for (uint256 number = 1; number <= claims; ++number) {
            claimed += house.withdrawalClaim(number).ticks;
        }
        _expect("claims", claimed, _unpaid);
        for (uint256 index = 0; index < OWNERS; ++index) {
            _expect("paid", token.balanceOf(_recipient(index)), _paidTo[index] * UNITS_PER_TICK);
        }
    }

    /// @notice The bucket is the model's; between any two times no more left than it allows.
    function requireBucketHolds() external view {
        VaultState memory vault = house.vaultState();
        _expect("net deposits", vault.netDeposits, deposited);
        _expect("room", vault.room, _modelRoom);
        _expect("backlog", vault.backlog, _modelBacklog);
        for (uint256 from = 0; from < _left.length; ++from) {
            for (uint256 to = from; to < _left.length; ++to) {
                uint256 allowed = CAPACITY + REFILL * (_left[to].time - _left[from].time);
                if (_left[to].ticks - _left[from].ticks > allowed) {
                    revert NumbersDiffer("window", _left[to].ticks - _left[from].ticks, allowed);
                }
            }
        }
    }

    function _cashOnly(int64 ticks) private view returns (bytes memory) {
        return KnownSetup.point(_signed(ticks) * slotScalars[0]);
    }
}
