// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Ownable, Ownable2Step } from "@openzeppelin/contracts/access/Ownable2Step.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import { IInstrumentRegistry } from "./interfaces/IInstrumentRegistry.sol";
import { Commitments } from "./libraries/Commitments.sol";
import { DataContract } from "./libraries/DataContract.sol";
import { InstrumentKind, SlotStatus, SlotTerms } from "./types/Instrument.sol";

/// @title InstrumentRegistry
/// @author The zkmargin contributors
/// @notice Books, slots, terms and masks; see IInstrumentRegistry. Twin: verifier/chain/instrument_client.py.
contract InstrumentRegistry is IInstrumentRegistry, Ownable2Step {
    /// @notice Largest number of books: what a bitmap of books holds.
    uint256 public constant MAXIMUM_BOOKS = 32;

    /// @notice Seconds after the last expiry of a book before it may be retired: until then it is the publishers' rules that
    /// say what an expired position is worth, afterwards no rule can.
    uint256 public constant RETIREMENT_GRACE = 7 days;

    uint256 private constant WORDS = 3;

    /// @dev What storage keeps of a slot: one storage slot.
    struct Listing {
        uint16 underlying;
        InstrumentKind kind;
        uint40 expiry;
        uint96 strike;
        uint80 contractSize;
        SlotStatus status;
    }

    /// @dev What storage keeps of a book; the mask as the three words of its 96 bytes.
    struct Book {
        bytes32[3] mask;
        uint16 listed;
        bool retired;
    }

    /// @inheritdoc IInstrumentRegistry
    uint256 public immutable override slotsPerBook;
    /// @inheritdoc IInstrumentRegistry
    address public immutable override maskTable;

    // Mask of a book whose slots are all dead.
    bytes32 private immutable _deadFirst;
    bytes32 private immutable _deadSecond;
    bytes32 private immutable _deadThird;

    /// @inheritdoc IInstrumentRegistry
    address public override lister;
    /// @inheritdoc IInstrumentRegistry
    uint32 public override version;
    uint8 private _books;

    bytes32[] private _underlyings;
    mapping(bytes32 symbol => uint256 number) private _numbers;
    mapping(uint256 book => Book content) private _contents;
    mapping(uint256 slot => Listing listing) private _listings;

    modifier onlyLister() {
        if (msg.sender != lister) {
            revert InstrumentRegistryNotLister(msg.sender);
        }
        _;
    }

    /// @notice Creates a registry without books.
    /// @param owner_ May delist slots and appoint the lister.
    /// @param lister_ Lists instruments.
    /// @param maskTable_ Data contract with the points Λ_4j + Λ_(4j+1), 96·N bytes.
    /// @param maskTableHash keccak256 of these points.
    /// @param slotsPerBook_ N.
    constructor(address owner_, address lister_, address maskTable_, bytes32 maskTableHash, uint256 slotsPerBook_)
        Ownable(owner_)
    {
        if (slotsPerBook_ == 0) {
            revert InstrumentRegistryNoSlots();
        }
        DataContract.requireContent(maskTable_, slotsPerBook_ * Commitments.POINT_BYTES, maskTableHash);
        slotsPerBook = slotsPerBook_;
        maskTable = maskTable_;
        bytes32[3] memory dead = _wordsOf(_tableSum(maskTable_, 0, slotsPerBook_));
        (_deadFirst, _deadSecond, _deadThird) = (dead[0], dead[1], dead[2]);
        _setLister(lister_);
    }

    /// @inheritdoc IInstrumentRegistry
    function addUnderlying(bytes32 symbol) external override onlyLister returns (uint16 number) {
        if (symbol == 0) {
            revert InstrumentRegistryNoSymbol();
        }
        uint256 known = _numbers[symbol];
        if (known != 0) {
            revert InstrumentRegistryUnderlyingKnown(symbol, uint16(known));
        }
        _underlyings.push(symbol);
        number = SafeCast.toUint16(_underlyings.length);
        _numbers[symbol] = number;
        emit UnderlyingAdded(number, symbol);
    }

    /// @inheritdoc IInstrumentRegistry
    function list(uint8 book, SlotTerms[] calldata terms, string[] calldata names) external override onlyLister {
        if (terms.length == 0 || names.length != terms.length) {
            revert InstrumentRegistryNamesWrong(terms.length, names.length);
        }
        _open(book);
        Book storage content = _contents[book];
        if (content.retired) {
            revert InstrumentRegistryBookIsRetired(book);
        }
        uint256 position = content.listed;
        if (terms.length > slotsPerBook - position) {
            revert InstrumentRegistryBookFull(book, slotsPerBook - position, terms.length);
        }
        for (uint256 index = 0; index < terms.length; ++index) {
            if (bytes(names[index]).length == 0) {
                revert InstrumentRegistryNoName(index);
            }
            _listSlot(book * slotsPerBook + position + index, terms[index], names[index]);
        }
        content.listed = uint16(position + terms.length); // at most N, whose table fits a contract
        bytes memory alive = _tableSum(maskTable, position, terms.length);
        content.mask = _wordsOf(Commitments.subtract(abi.encodePacked(content.mask), alive));
        ++version;
    }

    /// @inheritdoc IInstrumentRegistry
    function delist(uint256 slot_) external override onlyOwner {
        Listing storage listing = _listings[slot_];
        if (listing.status != SlotStatus.LISTED) {
            revert InstrumentRegistrySlotNotListed(slot_, listing.status);
        }
        listing.status = SlotStatus.DELISTED;
        Book storage content = _contents[slot_ / slotsPerBook];
        bytes memory dead = _tableSum(maskTable, slot_ % slotsPerBook, 1);
        content.mask = _wordsOf(Commitments.add(abi.encodePacked(content.mask), dead));
        ++version;
        emit SlotDelisted(slot_);
    }

    /// @inheritdoc IInstrumentRegistry
    function retireBook(uint8 book) external override onlyLister {
        if (book == 0) {
            revert InstrumentRegistryBookStays();
        }
        if (book >= _books) {
            revert InstrumentRegistryNoSuchBook(book, _books);
        }
        Book storage content = _contents[book];
        if (content.retired) {
            revert InstrumentRegistryBookIsRetired(book);
        }
        uint256 first = book * slotsPerBook;
        for (uint256 slot_ = first; slot_ < first + content.listed; ++slot_) {
            _expire(slot_);
        }
        content.retired = true;
        content.mask = _allDead();
        ++version;
        emit BookRetired(book);
    }

    /// @inheritdoc IInstrumentRegistry
    function setLister(address lister_) external override onlyOwner {
        _setLister(lister_);
    }

    /// @inheritdoc IInstrumentRegistry
    function books() external view override returns (uint256) {
        return _books;
    }

    /// @inheritdoc IInstrumentRegistry
    function listed(uint8 book) external view override returns (uint256) {
        return _contents[book].listed;
    }

    /// @inheritdoc IInstrumentRegistry
    function isRetired(uint8 book) external view override returns (bool) {
        return _contents[book].retired;
    }

    /// @inheritdoc IInstrumentRegistry
    function slot(uint256 slot_) external view override returns (SlotTerms memory terms, SlotStatus status) {
        Listing memory listing = _listings[slot_];
        terms = SlotTerms({
            underlying: listing.underlying,
            kind: listing.kind,
            expiry: listing.expiry,
            strike: listing.strike,
            contractSize: listing.contractSize
        });
        status = listing.status;
    }

    /// @inheritdoc IInstrumentRegistry
    function underlyings() external view override returns (uint256) {
        return _underlyings.length;
    }

    /// @inheritdoc IInstrumentRegistry
    function underlying(uint16 number) external view override returns (bytes32 symbol) {
        if (number == 0 || number > _underlyings.length) {
            revert InstrumentRegistryUnderlyingUnknown(number, _underlyings.length);
        }
        return _underlyings[number - 1];
    }

    /// @inheritdoc IInstrumentRegistry
    function mask(uint8 book) external view override returns (bytes memory point) {
        return abi.encodePacked(_maskOf(book));
    }

    /// @inheritdoc IInstrumentRegistry
    function masks(uint8 count) external view override returns (uint32 version_, bytes memory points) {
        bytes32[] memory words = new bytes32[](WORDS * count);
        for (uint256 book = 0; book < count; ++book) {
            bytes32[3] memory point = _maskOf(book);
            for (uint256 word = 0; word < WORDS; ++word) {
                words[WORDS * book + word] = point[word];
            }
        }
        return (version, abi.encodePacked(words));
    }

    /// @dev Opens a book if it is the next one; reverts when it lies beyond.
    function _open(uint8 book) private {
        uint256 opened = _books;
        if (book < opened) {
            return;
        }
        if (book > opened || book >= MAXIMUM_BOOKS) {
            revert InstrumentRegistryNoSuchBook(book, Math.min(opened + 1, MAXIMUM_BOOKS));
        }
        _books = book + 1;
        _contents[book].mask = _allDead();
    }

    /// @dev Fixes the terms of a slot.
    function _listSlot(uint256 slot_, SlotTerms calldata terms, string calldata name) private {
        _checkTerms(terms);
        _listings[slot_] = Listing({
            underlying: terms.underlying,
            kind: terms.kind,
            expiry: terms.expiry,
            strike: terms.strike,
            contractSize: terms.contractSize,
            status: SlotStatus.LISTED
        });
        emit SlotListed(slot_, terms, name);
    }

    /// @dev Kills a slot of a book that is retired; reverts when it lives and has not expired long enough ago.
    function _expire(uint256 slot_) private {
        Listing storage listing = _listings[slot_];
        if (listing.status != SlotStatus.LISTED) {
            return;
        }
        uint40 expiry = listing.expiry;
        if (expiry == 0 || expiry + RETIREMENT_GRACE > block.timestamp) {
            revert InstrumentRegistrySlotNotExpired(slot_, expiry, block.timestamp);
        }
        listing.status = SlotStatus.DELISTED;
    }

    /// @dev Makes an account the lister.
    function _setLister(address lister_) private {
        lister = lister_;
        emit ListerSet(lister_);
    }

    /// @dev Reverts unless the terms suit the kind and the underlying is known.
    function _checkTerms(SlotTerms calldata terms) private view {
        InstrumentKind kind = terms.kind;
        uint256 known = _underlyings.length;
        if (terms.underlying > known || (terms.underlying == 0 && kind != InstrumentKind.CASH)) {
            revert InstrumentRegistryUnderlyingUnknown(terms.underlying, known);
        }
        bool isOption = kind == InstrumentKind.CALL || kind == InstrumentKind.PUT;
        bool expires = isOption || kind == InstrumentKind.FUTURE || kind == InstrumentKind.INVERSE_FUTURE;
        if (expires ? terms.expiry <= block.timestamp : terms.expiry != 0) {
            revert InstrumentRegistryExpiryWrong(kind, terms.expiry, block.timestamp);
        }
        if (isOption != (terms.strike != 0)) {
            revert InstrumentRegistryStrikeWrong(kind, terms.strike);
        }
        bool isDerivative = expires || kind == InstrumentKind.PERPETUAL || kind == InstrumentKind.INVERSE_PERPETUAL;
        if (isDerivative && terms.contractSize == 0) {
            revert InstrumentRegistryNoContractSize(kind);
        }
    }

    /// @dev Mask of a book, opened or not.
    function _maskOf(uint256 book) private view returns (bytes32[3] memory) {
        return book < _books ? _contents[book].mask : _allDead();
    }

    /// @dev Mask of a book whose slots are all dead.
    function _allDead() private view returns (bytes32[3] memory) {
        return [_deadFirst, _deadSecond, _deadThird];
    }

    /// @dev Σ (Λ_4j + Λ_(4j+1)) over the positions [first, first + count).
    function _tableSum(address table, uint256 first, uint256 count) private view returns (bytes memory sum) {
        uint256 offset = DataContract.DATA_OFFSET + first * Commitments.POINT_BYTES;
        sum = DataContract.read(table, offset, Commitments.POINT_BYTES);
        for (uint256 index = 1; index < count; ++index) {
            offset += Commitments.POINT_BYTES;
            sum = Commitments.add(sum, DataContract.read(table, offset, Commitments.POINT_BYTES));
        }
    }

    /// @dev The 96 bytes of a point as three words.
    function _wordsOf(bytes memory point) private pure returns (bytes32[3] memory) {
        return abi.decode(point, (bytes32[3]));
    }
}
