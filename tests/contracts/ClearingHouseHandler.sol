// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { InstrumentKind, SlotStatus, SlotTerms } from "../../contracts/types/Instrument.sol";
import { MarginClaim } from "../../contracts/types/MarginClaim.sol";
import { RuleKind } from "../../contracts/types/MarginRule.sol";
import { MarginCheck, MarginEvidence, Settlement, SettlementSide } from "../../contracts/types/Settlement.sol";
import { CollateralHandler } from "./CollateralHandler.sol";
import { vm } from "./Vm.sol";

/// @title Owners who deposit, trade, prove, borrow, withdraw and exit in any order, while rules and lists change
/// @dev See CollateralHandler for what is done with collateral.
contract ClearingHouseHandler is CollateralHandler {
    constructor() {
        _deploy();
        _fillBuckets();
        for (uint256 index = 0; index < OWNERS; ++index) {
            ghosts.push(_ghost(11 + index, uint96(index)));
            Ghost memory ghost = ghosts[index];
            _deposit(ghost, CASH, 100);
            _deposit(ghost, COIN, 30);
            ghosts[index] = ghost;
        }
        _publishNext();
    }

    // --- Trades ---------------------------------------------------------------------------------------------------

    /// @notice A netting of two or three accounts by one to three legs over any books, signed as a whole.
    function settle(uint256 seed) external {
        _net(seed, false);
    }

    /// @notice The same, signed leg by leg.
    function settleOpen(uint256 seed) external {
        _net(seed, true);
    }

    /// @notice Hands all positions to another account that can bear them, then exits: no oracle is asked for that.
    function exit(uint256 who, uint256 other, bytes32 seed) external {
        uint256 index = who % OWNERS;
        if (!hidden[index] || !_handOver(index, (index + 1 + other % (OWNERS - 1)) % OWNERS, seed)) return;
        Ghost memory ghost = ghosts[index];
        _exit(ghost);
        ghosts[index] = ghost;
        hidden[index] = false;
    }

    // --- Proofs ---------------------------------------------------------------------------------------------------

    function proveMargin(uint256 who, bool initial) external {
        uint256 index = who % OWNERS;
        uint32 epoch = _provable(index, initial);
        if (epoch == 0) return;
        _proveMargin(ghosts[index], epoch, initial ? RuleKind.INITIAL : RuleKind.MAINTENANCE);
        _recordCheck(index, epoch, initial);
    }

    /// @notice All accounts whose statement is true prove it together.
    function proveMargins(bool initial) external {
        uint256 count = 0;
        for (uint256 index = 0; index < OWNERS; ++index) {
            if (_provable(index, initial) != 0) ++count;
        }
        if (count == 0) return;
        MarginCheck[] memory checks = new MarginCheck[](count);
        MarginEvidence[] memory evidence = new MarginEvidence[](count);
        for (uint256 index = 0; index < OWNERS; ++index) {
            uint32 epoch = _provable(index, initial);
            if (epoch == 0) continue;
            Ghost memory ghost = ghosts[index];
            checks[--count] = _check(ghost, epoch, initial ? RuleKind.INITIAL : RuleKind.MAINTENANCE);
            MarginClaim memory claim = _simulated(checks[count], 0, ghost);
            evidence[count] = MarginEvidence(claim.portfolio, claim.proof, claim.hint);
            _recordCheck(index, epoch, initial);
        }
        house.proveMargins(checks, evidence);
    }

    // --- Rights ---------------------------------------------------------------------------------------------------

    /// @notice One of the things that happen less often than trades.
    function disturb(uint8 kind, uint256 seed) external {
        if (kind % 9 == 0) _setOperator(seed, uint16(seed >> 8));
        else if (kind % 9 == 1) _invalidateNonces(seed, uint8(seed >> 8));
        else if (kind % 9 == 2) _pause(uint8(seed));
        else if (kind % 9 == 3) _unpause();
        else if (kind % 9 == 4) _delist(seed);
        else if (kind % 9 == 5) _list();
        else if (kind % 9 == 6) _pass(seed % 30);
        else if (kind % 9 == 7) _retire(seed);
        // Publishers fall silent for an hour: everything that needs initial margin waits.
        else if (seed % 4 == 0) _pass(MAXIMUM_AGE);
    }

    function _setOperator(uint256 who, uint16 time) private {
        Ghost memory ghost = ghosts[who % OWNERS];
        uint64 until = time == 0 ? 0 : uint64(vm.getBlockTimestamp()) + time;
        vm.prank(_owner(ghost));
        house.setOperator(ghost.subaccount, vm.addr(OPERATOR_KEY), until);
    }

    /// @dev The next nonces are given up; what was signed with them is void.
    function _invalidateNonces(uint256 who, uint8 count) private {
        Ghost memory ghost = ghosts[who % OWNERS];
        uint256 place = ghost.nonce & 0xff;
        uint256 bits = (1 << (1 + count % 4)) - 1;
        vm.prank(_owner(ghost));
        house.invalidateNonces(_account(ghost), ghost.nonce >> 8, bits << place);
        uint256 after_ = place + 1 + count % 4;
        ghosts[who % OWNERS].nonce += (after_ > 256 ? 256 : after_) - place;
    }

    function _pause(uint8 time) private {
        (uint256 begin, uint256 end) = house.lastPause();
        if (vm.getBlockTimestamp() < 2 * end - begin) return;
        vm.prank(GUARDIAN);
        house.pause(1 + uint32(time));
    }

    function _unpause() private {
        if (!_isPaused()) return;
        vm.prank(GUARDIAN);
        house.unpause();
    }

    // --- Rules and lists ------------------------------------------------------------------------------------------

    function publish(uint16 wait) external {
        _pass(SPACING + wait % 120);
        _publishNext();
    }

    /// @dev A slot dies, for good, if nobody holds anything of it; the epoch in use keeps its masks.
    function _delist(uint256 seed) private {
        uint256 slot = SLOTS + seed % ((BOOKS - 1) * SLOTS);
        (, SlotStatus status) = instruments.slot(slot);
        if (status != SlotStatus.LISTED || seed % 3 != 0) return;
        if (!_isFlat(slot)) return;
        instruments.delist(slot);
        deadNow |= 1 << slot;
    }

    /// @dev A book of which nobody holds anything is retired, a week after its last expiry: whatever was listed in it dies.
    function _retire(uint256 seed) private {
        uint8 book = uint8(1 + seed % (BOOKS - 1));
        if (instruments.isRetired(book)) return;
        for (uint256 slot = book * SLOTS; slot < (book + 1) * SLOTS; ++slot) {
            (SlotTerms memory terms, SlotStatus status) = instruments.slot(slot);
            bool isForever = status == SlotStatus.LISTED && terms.expiry == 0;
            if (isForever || !_isFlat(slot)) return;
        }
        uint256 time = START + book * 30 days + instruments.RETIREMENT_GRACE();
        if (vm.getBlockTimestamp() < time) _pass(time - vm.getBlockTimestamp());
        instruments.retireBook(book);
        deadNow |= ((1 << SLOTS) - 1) << (book * SLOTS);
    }

    /// @dev The one slot that was never listed is listed.
    function _list() private {
        uint8 book = uint8(BOOKS - 1);
        if (instruments.listed(book) == SLOTS || instruments.isRetired(book)) return;
        SlotTerms[] memory terms = new SlotTerms[](1);
        (terms[0].kind, terms[0].underlying, terms[0].contractSize) = (InstrumentKind.PERPETUAL, 1, 1e8);
        string[] memory names = new string[](1);
        names[0] = "the last one";
        instruments.list(book, terms, names);
        deadNow &= ~(uint256(1) << (BOOKS * SLOTS - 1));
    }

    function _net(uint256 seed, bool open) private {
        uint32 epoch = _usableEpoch();
        if (epoch == 0 || _isPaused()) return;
        (uint256[] memory indices, Ghost[] memory accounts, GhostLeg[] memory legs) = _netting(seed, epoch);
        Ghost[] memory later = new Ghost[](accounts.length);
        for (uint256 place = 0; place < accounts.length; ++place) {
            later[place] = _copy(accounts[place]);
        }
        _carryOut(later, legs);
        if (!_covered(later, epoch)) return;
        if (open) {
            _settleOpen(accounts, legs, epoch);
        } else {
            Settlement memory settlement = _settlement(accounts, legs);
            SettlementSide[] memory sides = _sides(settlement, accounts, legs, epoch);
            _signByOperators(settlement, sides, accounts);
            house.settle(settlement, epoch, sides);
            _carryOut(accounts, legs);
        }
        for (uint256 place = 0; place < accounts.length; ++place) {
            _recordProven(indices[place], accounts[place], epoch);
        }
    }

    // --- Helpers --------------------------------------------------------------------------------------------------

    /// @dev Whether nobody holds anything of a slot.
    function _isFlat(uint256 slot) private view returns (bool) {
        for (uint256 index = 0; index < OWNERS; ++index) {
            if (ghosts[index].positions[slot / SLOTS][slot % SLOTS] != 0) return false;
        }
        return true;
    }

    /// @dev Accounts and legs from a seed; slots that are dead or will be are left alone.
    function _netting(uint256 seed, uint32 epoch)
        private
        view
        returns (uint256[] memory indices, Ghost[] memory accounts, GhostLeg[] memory legs)
    {
        uint256 count = 2 + seed % 2;
        indices = new uint256[](count);
        accounts = new Ghost[](count);
        for (uint256 place = 0; place < count; ++place) {
            indices[place] = ((seed >> 8) + place) % OWNERS;
            accounts[place] = ghosts[indices[place]];
        }
        legs = new GhostLeg[](count - 1 + (seed >> 16) % 2);
        for (uint256 number = 0; number < legs.length; ++number) {
            legs[number].receiver = uint8(number % count);
            legs[number].giver = uint8((number + 1) % count);
            legs[number].books = uint32(1 + (seed >> (24 + 8 * number)) % ALL_BOOKS);
            legs[number].change = _change(keccak256(abi.encode(seed, number)));
            _leaveDeadSlots(legs[number].change, epoch);
        }
    }

    function _leaveDeadSlots(Ghost memory change, uint32 epoch) private view {
        uint256 dead = deadNow | deadAt[epoch];
        for (uint256 place = 0; place < BOOKS * SLOTS; ++place) {
            if ((dead >> place) & 1 != 0) change.positions[place / SLOTS][place % SLOTS] = 0;
        }
    }

    /// @dev Where the operator has the right to, it signs in place of the owner.
    function _signByOperators(Settlement memory settlement, SettlementSide[] memory sides, Ghost[] memory accounts)
        private
        view
    {
        (, bytes32 digest) = house.settlementHashes(settlement);
        for (uint256 place = 0; place < sides.length; ++place) {
            uint64 until = house.operatorUntil(_account(accounts[place]), vm.addr(OPERATOR_KEY));
            if (until < vm.getBlockTimestamp()) continue;
            sides[place].signer = vm.addr(OPERATOR_KEY);
            sides[place].signature = _signatureOf(digest, OPERATOR_KEY);
        }
    }

    /// @dev Moves everything but what the tokens are from one account to another; whether nothing is left to move.
    function _handOver(uint256 from, uint256 to, bytes32 seed) private returns (bool) {
        (Ghost[] memory accounts, GhostLeg[] memory legs) = _pair(ghosts[to], ghosts[from], seed, ghosts[from].books);
        Ghost memory change = legs[0].change;
        change.positions = _copy(accounts[1]).positions;
        bool empty = true;
        for (uint256 place = 0; place < BOOKS * SLOTS; ++place) {
            int256 lots = change.positions[place / SLOTS][place % SLOTS];
            if (place < TOKENS && lots > 0) change.positions[0][place] = lots = 0;
            if (lots != 0) empty = false;
        }
        if (empty) return true;
        uint32 epoch = _usableEpoch();
        Ghost[] memory later = new Ghost[](2);
        (later[0], later[1]) = (_copy(accounts[0]), _copy(accounts[1]));
        _carryOut(later, legs);
        if (epoch == 0 || _isPaused() || !_covered(later, epoch)) return false;
        _settle(accounts, legs, epoch);
        _recordProven(to, accounts[0], epoch);
        _recordProven(from, accounts[1], epoch);
        return true;
    }

    /// @dev Epoch at which an account can truly prove margin and has not yet; 0 for none.
    function _provable(uint256 index, bool initial) private view returns (uint32 epoch) {
        epoch = _usableEpoch();
        if (epoch == 0) return 0;
        if ((initial ? initialEpochs : maintenanceEpochs)[index] == epoch) return 0;
        RuleKind kind = initial ? RuleKind.INITIAL : RuleKind.MAINTENANCE;
        if (bytes(_falsehood(ghosts[index], epoch, kind)).length != 0) return 0;
    }

    function _recordCheck(uint256 index, uint32 epoch, bool initial) private {
        if (initial) initialEpochs[index] = epoch;
        else maintenanceEpochs[index] = epoch;
    }
}
