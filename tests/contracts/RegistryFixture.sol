// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { InstrumentRegistry } from "../../contracts/InstrumentRegistry.sol";
import { PairingMarginVerifier } from "../../contracts/PairingMarginVerifier.sol";
import { RuleRegistry } from "../../contracts/RuleRegistry.sol";
import { IRuleRegistry } from "../../contracts/interfaces/IRuleRegistry.sol";
import { Commitments } from "../../contracts/libraries/Commitments.sol";
import { DataContract } from "../../contracts/libraries/DataContract.sol";
import { InstrumentKind, SlotTerms } from "../../contracts/types/Instrument.sol";
import { RuleKind, RuleProposal } from "../../contracts/types/MarginRule.sol";
import { KnownSetup } from "./KnownSetup.sol";
import { RulePublishing } from "./RulePublishing.sol";
import { vm } from "./Vm.sol";

/// @title A registry with three publishers and a list of instruments with two listed slots of four in book 0
/// @dev The points of the mask table are 1000·G to 1003·G: the registry takes masks over as they are.
abstract contract RegistryFixture is RulePublishing {
    uint256 internal constant SLOTS = 4;
    uint256 internal constant FIRST_MASK = 1000;

    PairingMarginVerifier internal _verifier;
    InstrumentRegistry internal _instruments;
    RuleRegistry internal _registry;

    function setUp() public virtual {
        vm.warp(START);
        _verifier = KnownSetup.deployVerifier();
        bytes memory table = _points(FIRST_MASK, SLOTS);
        _instruments =
            new InstrumentRegistry(address(this), address(this), DataContract.create(table), keccak256(table), SLOTS);
        _list(0, 2);
        _registry = _newRegistry(_verifier, _instruments, address(this));
    }

    /// @dev Lists currencies in the next slots of a book.
    function _list(uint8 book, uint256 count) internal {
        SlotTerms[] memory terms = new SlotTerms[](count);
        string[] memory names = new string[](count);
        for (uint256 index = 0; index < count; ++index) {
            terms[index].kind = InstrumentKind.CASH;
            names[index] = "cash";
        }
        _instruments.list(book, terms, names);
    }

    /// @dev Lists one currency in each of the next books until there are as many.
    function _open(uint256 books) internal {
        for (uint256 book = _instruments.books(); book < books; ++book) {
            _list(uint8(book), 1);
        }
    }

    /// @dev Mask of a book whose first slots are listed.
    function _maskOf(uint256 listed) internal view returns (bytes memory) {
        uint256 sum = 0;
        for (uint256 slot = listed; slot < SLOTS; ++slot) {
            sum += FIRST_MASK + slot;
        }
        return _points(sum, 1);
    }

    /// @dev A proposal of one book with four chunks, and the points 1·G to 8·G of its initial and maintenance rule.
    function _example() internal view returns (RuleProposal memory proposal, bytes memory all) {
        return _exampleOf(_points(1, 8));
    }

    /// @dev A proposal of one book with these points.
    function _exampleOf(bytes memory points) internal view returns (RuleProposal memory proposal, bytes memory all) {
        all = _withReduced(points);
        proposal = _proposal(_registry, 1, uint8(points.length / 192));
        proposal.chunksHash = keccak256(all);
    }

    /// @dev Stages as the first publisher.
    function _stage(RuleProposal memory proposal, bytes32[] memory hashes, uint256 firstChunk) internal {
        vm.prank(_publisher(0));
        _registry.stage(proposal, hashes, firstChunk);
    }

    /// @dev Versioned hashes of the chunks that have data: two thirds of the points.
    function _hashesOf(bytes memory all) internal view returns (bytes32[] memory) {
        return Commitments.versionedHashes(_slice(all, 0, all.length / 3 * 2));
    }

    /// @dev Finalises with whatever blobs are carried.
    function _finalise(RuleProposal memory proposal, bytes memory all, uint256 firstChunk) internal {
        bytes[] memory signatures = _sign(_registry, proposal);
        _registry.finalise(proposal, all, MARKS, INDICES, firstChunk, signatures);
    }

    /// @dev Expects `finalise` to revert like this.
    function _expectRefusal(RuleProposal memory proposal, bytes memory all, uint256 firstChunk, bytes memory refusal)
        internal
    {
        bytes[] memory signatures = _sign(_registry, proposal);
        vm.expectRevert(refusal);
        _registry.finalise(proposal, all, MARKS, INDICES, firstChunk, signatures);
    }

    /// @dev Publishes the next epoch of one book and one chunk a rule, whose points are first·G and (first + 1)·G.
    function _publishNext(uint256 first) internal {
        _publish(_registry, _proposal(_registry, 1, 1), _points(first, 2));
    }

    /// @dev Refusal of an epoch that cannot be used for a rule.
    function _notUsable(uint256 epoch, uint256 active, RuleKind kind) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochNotUsable.selector, epoch, active, kind);
    }
}
