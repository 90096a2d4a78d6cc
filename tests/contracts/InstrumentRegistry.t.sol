// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import { InstrumentRegistry } from "../../contracts/InstrumentRegistry.sol";
import { IInstrumentRegistry } from "../../contracts/interfaces/IInstrumentRegistry.sol";
import { DataContract } from "../../contracts/libraries/DataContract.sol";
import { Scalar, ZERO } from "../../contracts/libraries/ScalarField.sol";
import { InstrumentKind, SlotStatus, SlotTerms } from "../../contracts/types/Instrument.sol";
import { Expectations } from "./Expectations.sol";
import { KnownSetup } from "./KnownSetup.sol";
import { vm } from "./Vm.sol";

/// @title Listing, delisting, retiring; the mask against ghosts that know the logarithm of every point
contract InstrumentRegistryTest is Expectations {
    uint256 private constant SLOTS = 4;
    uint256 private constant START = 1_700_000_000;
    uint40 private constant EXPIRY = uint40(START + 1 days);
    address private constant OWNER = address(0xa11ce);
    address private constant LISTER = address(0x115e);
    address private constant STRANGER = address(0x5742);
    /// @dev Storage slot of the length of the list of underlyings.
    bytes32 private constant UNDERLYINGS = bytes32(uint256(3));

    InstrumentRegistry private _registry;
    Scalar[SLOTS] private _weights;

    // What a registry should say, kept beside it.
    struct GhostBook {
        bool[SLOTS] alive;
        uint256 listed;
        bool retired;
    }

    GhostBook[] private _ghosts;

    function setUp() external {
        vm.warp(START);
        bytes memory table = KnownSetup.maskTable();
        _registry = new InstrumentRegistry(OWNER, LISTER, DataContract.create(table), keccak256(table), SLOTS);
        for (uint256 position = 0; position < SLOTS; ++position) {
            _weights[position] = KnownSetup.maskWeight(position);
        }
        vm.prank(LISTER);
        _registry.addUnderlying("BTC");
    }

    /// @dev Any history of listing, delisting and retiring: after every step each mask is the sum of its dead positions'
    /// points, statuses and counts are as a plain record says, and no position is used twice.
    function testFuzzMaskIsTheSumOfTheDeadSlots(bytes32 seed) external {
        for (uint256 step = 0; step < 12; ++step) {
            uint256 digest = uint256(keccak256(abi.encode(seed, step)));
            uint256 choice = digest % 8;
            uint256 version = _registry.version();
            bool changed =
                choice < 5 ? _listSome(digest >> 8) : choice < 6 ? _delistSome(digest >> 8) : _retireSome(digest >> 8);
            _expect("version", _registry.version(), version + (changed ? 1 : 0));
            _compare();
        }
    }

    function testBooksThatHaveNotBeenOpenedAreDead() external {
        bytes memory dead = _ghostMask([false, false, false, false]);
        _expect("book 0", _registry.mask(0), dead);
        _expect("book 255", _registry.mask(255), dead);
        _list(0, _terms(InstrumentKind.SPOT), 1);
        (uint32 version, bytes memory points) = _registry.masks(3);
        _expect("version", version, 1);
        _expect("masks", points, bytes.concat(_ghostMask([true, false, false, false]), dead, dead));
        (version, points) = _registry.masks(0);
        _expect("no masks", points, "");
    }

    function testABookFullOfLiveSlotsHasNoMask() external {
        _list(0, _terms(InstrumentKind.SPOT), SLOTS);
        _expect("mask", _registry.mask(0), new bytes(96));
    }

    function testFuzzTermsAreKept(uint8 kindSeed, uint40 expiry, uint96 strike, uint80 contractSize) external {
        SlotTerms memory terms = _terms(InstrumentKind(kindSeed % 9));
        if (terms.expiry != 0) terms.expiry = uint40(START + 1) + expiry % (type(uint40).max - uint40(START));
        if (terms.strike != 0) terms.strike = strike == 0 ? 1 : strike;
        terms.contractSize = contractSize == 0 ? 1 : contractSize;
        _list(0, _terms(InstrumentKind.SPOT), 1);
        vm.expectEmit();
        emit IInstrumentRegistry.SlotListed(SLOTS, terms, "instrument");
        _list(1, terms, 1);
        _expectSlot(SLOTS, terms, SlotStatus.LISTED);
        SlotTerms memory nothing;
        _expectSlot(SLOTS + 1, nothing, SlotStatus.UNLISTED);
    }

    function testEveryKindCanBeListed() external {
        for (uint256 kind = 0; kind < 9; ++kind) {
            _list(uint8(kind / SLOTS), _terms(InstrumentKind(kind)), 1);
        }
        _expect("books", _registry.books(), 3);
        _expect("in the last", _registry.listed(2), 1);
        SlotTerms memory other = _terms(InstrumentKind.CASH);
        (other.underlying, other.contractSize) = (1, 5);
        _list(2, other, 1);
        _expectSlot(9, other, SlotStatus.LISTED);
    }

    function testRefusesUnknownUnderlyings() external {
        SlotTerms memory terms = _terms(InstrumentKind.SPOT);
        terms.underlying = 2;
        _refuseTerms(
            terms, abi.encodeWithSelector(IInstrumentRegistry.InstrumentRegistryUnderlyingUnknown.selector, 2, 1)
        );
        terms.underlying = 0;
        _refuseTerms(
            terms, abi.encodeWithSelector(IInstrumentRegistry.InstrumentRegistryUnderlyingUnknown.selector, 0, 1)
        );
    }

    function testRefusesExpiriesThatDoNotSuitTheKind() external {
        for (uint256 index = 0; index < 9; ++index) {
            InstrumentKind kind = InstrumentKind(index);
            SlotTerms memory terms = _terms(kind);
            bool expires = terms.expiry != 0;
            terms.expiry = expires ? 0 : EXPIRY;
            _refuseTerms(terms, _expiryWrong(kind, terms.expiry));
            if (!expires) continue;
            terms.expiry = uint40(START);
            _refuseTerms(terms, _expiryWrong(kind, terms.expiry));
            terms.expiry = uint40(START + 1);
            _list(0, terms, 1);
        }
    }

    function testRefusesStrikesThatDoNotSuitTheKind() external {
        for (uint256 index = 0; index < 9; ++index) {
            InstrumentKind kind = InstrumentKind(index);
            SlotTerms memory terms = _terms(kind);
            terms.strike = terms.strike == 0 ? 1 : 0;
            _refuseTerms(
                terms,
                abi.encodeWithSelector(IInstrumentRegistry.InstrumentRegistryStrikeWrong.selector, kind, terms.strike)
            );
        }
    }

    function testRefusesDerivativesWithoutSize() external {
        for (uint256 index = 0; index < 9; ++index) {
            SlotTerms memory terms = _terms(InstrumentKind(index));
            terms.contractSize = 0;
            if (index < 3) {
                _list(0, terms, 1);
            } else {
                _refuseTerms(
                    terms,
                    abi.encodeWithSelector(
                        IInstrumentRegistry.InstrumentRegistryNoContractSize.selector, InstrumentKind(index)
                    )
                );
            }
        }
    }

    function testRefusesNamesThatDoNotFit() external {
        SlotTerms[] memory terms = new SlotTerms[](2);
        (terms[0], terms[1]) = (_terms(InstrumentKind.SPOT), _terms(InstrumentKind.SPOT));
        vm.startPrank(LISTER);
        bytes4 selector = IInstrumentRegistry.InstrumentRegistryNamesWrong.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, 2, 1));
        _registry.list(0, terms, new string[](1));
        vm.expectRevert(abi.encodeWithSelector(selector, 0, 0));
        _registry.list(0, new SlotTerms[](0), new string[](0));
        string[] memory names = new string[](2);
        names[0] = "named";
        vm.expectRevert(abi.encodeWithSelector(IInstrumentRegistry.InstrumentRegistryNoName.selector, 1));
        _registry.list(0, terms, names);
    }

    function testBooksAreOpenedInOrder() external {
        SlotTerms memory terms = _terms(InstrumentKind.SPOT);
        _refuseList(
            1, terms, 1, abi.encodeWithSelector(IInstrumentRegistry.InstrumentRegistryNoSuchBook.selector, 1, 1)
        );
        for (uint8 book = 0; book < 32; ++book) {
            _list(book, terms, 1);
            _expect("books", _registry.books(), book + 1);
        }
        _refuseList(
            32, terms, 1, abi.encodeWithSelector(IInstrumentRegistry.InstrumentRegistryNoSuchBook.selector, 32, 32)
        );
    }

    function testRefusesMoreThanABookHolds() external {
        SlotTerms memory terms = _terms(InstrumentKind.SPOT);
        bytes4 selector = IInstrumentRegistry.InstrumentRegistryBookFull.selector;
        _refuseList(0, terms, SLOTS + 1, abi.encodeWithSelector(selector, 0, SLOTS, SLOTS + 1));
        _list(0, terms, 3);
        _refuseList(0, terms, 2, abi.encodeWithSelector(selector, 0, 1, 2));
        _list(0, terms, 1);
        _refuseList(0, terms, 1, abi.encodeWithSelector(selector, 0, 0, 1));
    }

    /// @dev 127 instruments of the standard shape in one transaction: it fits below 2^24 gas, the most that one may use.
    function testABookOfTheStandardShapeIsListedInOneTransaction() external {
        bytes memory table;
        for (uint256 position = 0; position < 8; ++position) {
            table = bytes.concat(table, KnownSetup.point(Scalar.wrap(position + 1)));
        }
        table = bytes.concat(table, table, table, table);
        table = bytes.concat(table, table, table, table);
        InstrumentRegistry registry =
            new InstrumentRegistry(OWNER, LISTER, DataContract.create(table), keccak256(table), 128);
        vm.startPrank(LISTER);
        registry.addUnderlying("BTC");
        (SlotTerms[] memory terms, string[] memory names) = _repeated(_terms(InstrumentKind.CALL), 127);
        for (uint256 index = 0; index < names.length; ++index) {
            names[index] = "BTC-27DEC24-100000-C";
        }
        uint256 calldataGas = 16 * abi.encodeCall(registry.list, (0, terms, names)).length;
        uint256 before = gasleft();
        registry.list(0, terms, names);
        uint256 used = before - gasleft() + calldataGas + 21_000;
        if (used >= 1 << 24) revert NumbersDiffer("gas of 127 slots", used, 1 << 24);
    }

    function testUnderlyingsAreNumberedFromOne() external {
        vm.startPrank(LISTER);
        vm.expectEmit();
        emit IInstrumentRegistry.UnderlyingAdded(2, "ETH");
        _expect("number", _registry.addUnderlying("ETH"), 2);
        _expect("count", _registry.underlyings(), 2);
        _expect("first", _registry.underlying(1), "BTC");
        _expect("second", _registry.underlying(2), "ETH");
        vm.expectRevert(
            abi.encodeWithSelector(
                IInstrumentRegistry.InstrumentRegistryUnderlyingKnown.selector, bytes32("BTC"), uint16(1)
            )
        );
        _registry.addUnderlying("BTC");
        vm.expectRevert(IInstrumentRegistry.InstrumentRegistryNoSymbol.selector);
        _registry.addUnderlying(0);
        uint16[2] memory unknown = [uint16(0), 3];
        for (uint256 i = 0; i < unknown.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IInstrumentRegistry.InstrumentRegistryUnderlyingUnknown.selector, unknown[i], 2)
            );
            _registry.underlying(unknown[i]);
        }
    }

    /// @dev Numbers have 16 bits. There is room in a block for as many in time, not in a test.
    function testUnderlyingsEndWithTheirNumbers() external {
        bytes32 length = bytes32(uint256(type(uint16).max) - 1);
        vm.store(address(_registry), UNDERLYINGS, length);
        _expect("as many", _registry.underlyings(), uint256(length));
        vm.startPrank(LISTER);
        _expect("last", _registry.addUnderlying("LAST"), type(uint16).max);
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 16, 65_536));
        _registry.addUnderlying("MORE");
        vm.stopPrank();
    }

    function testDelistedSlotsNeverComeBack() external {
        _list(0, _terms(InstrumentKind.SPOT), 2);
        vm.startPrank(OWNER);
        vm.expectEmit();
        emit IInstrumentRegistry.SlotDelisted(1);
        _registry.delist(1);
        _expectSlot(1, _terms(InstrumentKind.SPOT), SlotStatus.DELISTED);
        _expect("used positions", _registry.listed(0), 2);
        bytes4 selector = IInstrumentRegistry.InstrumentRegistrySlotNotListed.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, 1, SlotStatus.DELISTED));
        _registry.delist(1);
        vm.expectRevert(abi.encodeWithSelector(selector, 2, SlotStatus.UNLISTED));
        _registry.delist(2);
        vm.stopPrank();
        _list(0, _terms(InstrumentKind.TOKEN), 1);
        _expectSlot(1, _terms(InstrumentKind.SPOT), SlotStatus.DELISTED);
        _expectSlot(2, _terms(InstrumentKind.TOKEN), SlotStatus.LISTED);
    }

    function testRetiresABookWhoseInstrumentsHaveExpired() external {
        _list(0, _terms(InstrumentKind.SPOT), 1);
        _list(1, _terms(InstrumentKind.CALL), 2);
        SlotTerms memory later = _terms(InstrumentKind.FUTURE);
        later.expiry = EXPIRY + 1;
        _list(1, later, 1);
        bytes4 selector = IInstrumentRegistry.InstrumentRegistrySlotNotExpired.selector;
        uint256 retirable = EXPIRY + 7 days;
        uint256[3] memory times = [uint256(EXPIRY) - 1, EXPIRY, retirable - 1];
        for (uint256 index = 0; index < times.length; ++index) {
            vm.warp(times[index]);
            _refuseRetire(1, abi.encodeWithSelector(selector, SLOTS, EXPIRY, times[index]));
        }
        vm.warp(retirable);
        _refuseRetire(1, abi.encodeWithSelector(selector, SLOTS + 2, EXPIRY + 1, retirable));
        vm.warp(retirable + 1);
        vm.prank(LISTER);
        vm.expectEmit();
        emit IInstrumentRegistry.BookRetired(1);
        _registry.retireBook(1);
        _expect("retired", _registry.isRetired(1) ? 1 : 0, 1);
        for (uint256 position = 0; position < 3; ++position) {
            (, SlotStatus status) = _registry.slot(SLOTS + position);
            _expect("status", uint256(status), uint256(SlotStatus.DELISTED));
        }
        _expect("mask", _registry.mask(1), _ghostMask([false, false, false, false]));
        bytes memory reason = abi.encodeWithSelector(IInstrumentRegistry.InstrumentRegistryBookIsRetired.selector, 1);
        _refuseRetire(1, reason);
        _refuseList(1, _terms(InstrumentKind.SPOT), 1, reason);
    }

    function testABookWithAPerpetualIsNotRetired() external {
        _list(0, _terms(InstrumentKind.SPOT), 1);
        _list(1, _terms(InstrumentKind.PERPETUAL), 1);
        _list(1, _terms(InstrumentKind.PUT), 1);
        uint256 time = EXPIRY + _registry.RETIREMENT_GRACE();
        vm.warp(time);
        _refuseRetire(
            1, abi.encodeWithSelector(IInstrumentRegistry.InstrumentRegistrySlotNotExpired.selector, SLOTS, 0, time)
        );
        vm.prank(OWNER);
        _registry.delist(SLOTS);
        vm.prank(LISTER);
        _registry.retireBook(1);
    }

    function testTheFirstBookStays() external {
        _refuseRetire(0, abi.encodeWithSelector(IInstrumentRegistry.InstrumentRegistryBookStays.selector));
        _refuseRetire(1, abi.encodeWithSelector(IInstrumentRegistry.InstrumentRegistryNoSuchBook.selector, 1, 0));
        // The next book is there to be opened, not to be retired.
        _list(0, _terms(InstrumentKind.SPOT), 1);
        _refuseRetire(1, abi.encodeWithSelector(IInstrumentRegistry.InstrumentRegistryNoSuchBook.selector, 1, 1));
        _list(1, _terms(InstrumentKind.CALL), 1);
    }

    function testOnlyTheListerLists() external {
        address[2] memory others = [OWNER, STRANGER];
        (SlotTerms[] memory terms, string[] memory names) = _repeated(_terms(InstrumentKind.SPOT), 1);
        for (uint256 i = 0; i < others.length; ++i) {
            bytes memory reason =
                abi.encodeWithSelector(IInstrumentRegistry.InstrumentRegistryNotLister.selector, others[i]);
            vm.startPrank(others[i]);
            vm.expectRevert(reason);
            _registry.list(0, terms, names);
            vm.expectRevert(reason);
            _registry.addUnderlying("ETH");
            vm.expectRevert(reason);
            _registry.retireBook(1);
            vm.stopPrank();
        }
    }

    function testOnlyTheOwnerDelistsAndAppoints() external {
        _list(0, _terms(InstrumentKind.SPOT), 1);
        address[2] memory others = [LISTER, STRANGER];
        for (uint256 i = 0; i < others.length; ++i) {
            bytes memory reason = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, others[i]);
            vm.startPrank(others[i]);
            vm.expectRevert(reason);
            _registry.delist(0);
            vm.expectRevert(reason);
            _registry.setLister(others[i]);
            vm.expectRevert(reason);
            _registry.transferOwnership(others[i]);
            vm.stopPrank();
        }
    }

    function testTheListerCanBeReplaced() external {
        vm.prank(OWNER);
        vm.expectEmit();
        emit IInstrumentRegistry.ListerSet(STRANGER);
        _registry.setLister(STRANGER);
        _expect("lister", _registry.lister(), STRANGER);
        vm.prank(STRANGER);
        _registry.addUnderlying("ETH");
        vm.prank(LISTER);
        vm.expectRevert(abi.encodeWithSelector(IInstrumentRegistry.InstrumentRegistryNotLister.selector, LISTER));
        _registry.addUnderlying("SOL");
    }

    function testOwnershipChangesHandsInTwoSteps() external {
        vm.prank(OWNER);
        _registry.transferOwnership(STRANGER);
        _expect("owner", _registry.owner(), OWNER);
        vm.prank(LISTER);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, LISTER));
        _registry.acceptOwnership();
        vm.prank(STRANGER);
        _registry.acceptOwnership();
        _expect("owner", _registry.owner(), STRANGER);
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, OWNER));
        _registry.setLister(OWNER);
    }

    function testRefusesAnotherTable() external {
        bytes memory table = KnownSetup.maskTable();
        bytes32 hash = keccak256(table);
        address data = DataContract.create(table);
        vm.expectRevert(
            abi.encodeWithSelector(DataContract.DataContractLengthWrong.selector, data, SLOTS * 96, (SLOTS + 1) * 96)
        );
        new InstrumentRegistry(OWNER, LISTER, data, hash, SLOTS + 1);
        vm.expectRevert(
            abi.encodeWithSelector(DataContract.DataContractHashMismatch.selector, data, hash, keccak256("other"))
        );
        new InstrumentRegistry(OWNER, LISTER, data, keccak256("other"), SLOTS);
        vm.expectRevert(IInstrumentRegistry.InstrumentRegistryNoSlots.selector);
        new InstrumentRegistry(OWNER, LISTER, data, hash, 0);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableInvalidOwner.selector, address(0)));
        new InstrumentRegistry(address(0), LISTER, data, hash, SLOTS);
    }

    function testStartsWithNothing() external view {
        _expect("books", _registry.books(), 0);
        _expect("version", _registry.version(), 0);
        _expect("slots of a book", _registry.slotsPerBook(), SLOTS);
        _expect("owner", _registry.owner(), OWNER);
        _expect("lister", _registry.lister(), LISTER);
        bytes memory table = KnownSetup.maskTable();
        _expect("table", DataContract.read(_registry.maskTable(), 1, SLOTS * 96), table);
    }

    /// @dev Lists one or two instruments in a book, the next one too, that still has room.
    function _listSome(uint256 digest) private returns (bool) {
        uint256 book = digest % (_ghosts.length + 1);
        uint256 count = 1 + (digest >> 8) % 2;
        if (book > 3) return false;
        if (book == _ghosts.length) _ghosts.push();
        GhostBook storage ghost = _ghosts[book];
        if (ghost.retired || ghost.listed + count > SLOTS) return false;
        InstrumentKind kind = (digest >> 16) % 4 == 0 ? InstrumentKind.PERPETUAL : InstrumentKind.CALL;
        SlotTerms memory terms = _terms(kind);
        if (terms.expiry != 0) terms.expiry = uint40(vm.getBlockTimestamp() + 1);
        _list(uint8(book), terms, count);
        for (uint256 index = 0; index < count; ++index) {
            ghost.alive[ghost.listed] = true;
            ++ghost.listed;
        }
        return true;
    }

    function _delistSome(uint256 digest) private returns (bool) {
        if (_ghosts.length == 0) return false;
        uint256 book = digest % _ghosts.length;
        uint256 position = (digest >> 8) % SLOTS;
        if (!_ghosts[book].alive[position]) return false;
        vm.prank(OWNER);
        _registry.delist(book * SLOTS + position);
        _ghosts[book].alive[position] = false;
        return true;
    }

    /// @dev Time passes, so that everything that can expire has expired long ago; perpetuals keep a book alive.
    function _retireSome(uint256 digest) private returns (bool) {
        if (_ghosts.length < 2) return false;
        vm.warp(vm.getBlockTimestamp() + 1 + _registry.RETIREMENT_GRACE());
        uint256 book = 1 + digest % (_ghosts.length - 1);
        GhostBook storage ghost = _ghosts[book];
        if (ghost.retired || ghost.listed == 0) return false;
        for (uint256 position = 0; position < SLOTS; ++position) {
            (SlotTerms memory terms,) = _registry.slot(book * SLOTS + position);
            if (ghost.alive[position] && terms.expiry == 0) return false;
        }
        vm.prank(LISTER);
        _registry.retireBook(uint8(book));
        delete ghost.alive;
        ghost.retired = true;
        return true;
    }

    function _compare() private view {
        (uint32 version, bytes memory points) = _registry.masks(uint8(_ghosts.length));
        _expect("version of the masks", version, _registry.version());
        bytes memory expected;
        for (uint256 book = 0; book < _ghosts.length; ++book) {
            GhostBook memory ghost = _ghosts[book];
            bytes memory mask = _ghostMask(ghost.alive);
            expected = bytes.concat(expected, mask);
            _expect("mask", _registry.mask(uint8(book)), mask);
            _expect("listed", _registry.listed(uint8(book)), ghost.listed);
            for (uint256 position = 0; position < SLOTS; ++position) {
                (, SlotStatus status) = _registry.slot(book * SLOTS + position);
                SlotStatus known = ghost.alive[position]
                    ? SlotStatus.LISTED
                    : position < ghost.listed ? SlotStatus.DELISTED : SlotStatus.UNLISTED;
                _expect("status", uint256(status), uint256(known));
            }
        }
        _expect("masks", points, expected);
    }

    function _ghostMask(bool[SLOTS] memory alive) private view returns (bytes memory) {
        Scalar sum = ZERO;
        for (uint256 position = 0; position < SLOTS; ++position) {
            if (!alive[position]) sum = sum + _weights[position];
        }
        return KnownSetup.point(sum);
    }

    /// @dev Terms that suit a kind.
    function _terms(InstrumentKind kind) private pure returns (SlotTerms memory) {
        bool isOption = kind == InstrumentKind.CALL || kind == InstrumentKind.PUT;
        bool expires = isOption || kind == InstrumentKind.FUTURE || kind == InstrumentKind.INVERSE_FUTURE;
        return SlotTerms({
            underlying: kind == InstrumentKind.CASH ? 0 : 1,
            kind: kind,
            expiry: expires ? EXPIRY : 0,
            strike: isOption ? 50_000e8 : 0,
            contractSize: 1e8
        });
    }

    function _repeated(SlotTerms memory terms, uint256 count)
        private
        pure
        returns (SlotTerms[] memory list, string[] memory names)
    {
        list = new SlotTerms[](count);
        names = new string[](count);
        for (uint256 index = 0; index < count; ++index) {
            (list[index], names[index]) = (terms, "instrument");
        }
    }

    function _list(uint8 book, SlotTerms memory terms, uint256 count) private {
        (SlotTerms[] memory list, string[] memory names) = _repeated(terms, count);
        vm.prank(LISTER);
        _registry.list(book, list, names);
    }

    function _refuseList(uint8 book, SlotTerms memory terms, uint256 count, bytes memory reason) private {
        (SlotTerms[] memory list, string[] memory names) = _repeated(terms, count);
        vm.prank(LISTER);
        vm.expectRevert(reason);
        _registry.list(book, list, names);
    }

    function _refuseTerms(SlotTerms memory terms, bytes memory reason) private {
        _refuseList(0, terms, 1, reason);
    }

    function _refuseRetire(uint8 book, bytes memory reason) private {
        vm.prank(LISTER);
        vm.expectRevert(reason);
        _registry.retireBook(book);
    }

    function _expiryWrong(InstrumentKind kind, uint40 expiry) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IInstrumentRegistry.InstrumentRegistryExpiryWrong.selector, kind, expiry, START);
    }

    function _expectSlot(uint256 slot, SlotTerms memory terms, SlotStatus status) private view {
        (SlotTerms memory found, SlotStatus foundStatus) = _registry.slot(slot);
        _expect("terms", abi.encode(found), abi.encode(terms));
        _expect("status", uint256(foundStatus), uint256(status));
    }
}
