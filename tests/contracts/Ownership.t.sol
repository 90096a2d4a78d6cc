// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";
import { Ownable2Step } from "@openzeppelin/contracts/access/Ownable2Step.sol";

import { ClearingHouse } from "../../contracts/ClearingHouse.sol";
import { HouseParts } from "../../contracts/types/HouseParts.sol";
import { TokenTerms } from "../../contracts/types/Vault.sol";
import { HouseDeployment } from "./HouseDeployment.sol";
import { vm } from "./Vm.sol";

/// @title Who owns the four contracts that have an owner, and how that changes
contract OwnershipTest is HouseDeployment {
    address private constant STRANGER = address(0x57a4e);
    address private constant NEXT = address(0x4e87);

    Ownable2Step[4] private _owned;

    function setUp() external {
        _deploy();
        _owned = [Ownable2Step(house), vault, registry, instruments];
    }

    function testOwnershipMovesInTwoSteps() external {
        for (uint256 index = 0; index < _owned.length; ++index) {
            Ownable2Step owned = _owned[index];
            vm.expectEmit();
            emit Ownable2Step.OwnershipTransferStarted(address(this), NEXT);
            owned.transferOwnership(NEXT);
            _expect("still", owned.owner(), address(this));
            _expect("next", owned.pendingOwner(), NEXT);
            vm.expectEmit();
            emit Ownable.OwnershipTransferred(address(this), NEXT);
            vm.prank(NEXT);
            owned.acceptOwnership();
            _expect("moved", owned.owner(), NEXT);
            _expectUnauthorized(address(this));
            owned.transferOwnership(NEXT);
        }
    }

    /// @dev Whoever was named first has no claim once another is named.
    function testTheLastOneNamedIsTheNext() external {
        for (uint256 index = 0; index < _owned.length; ++index) {
            _owned[index].transferOwnership(STRANGER);
            _owned[index].transferOwnership(NEXT);
            _expectUnauthorized(STRANGER);
            vm.prank(STRANGER);
            _owned[index].acceptOwnership();
        }
    }

    function testNobodyElseMovesIt() external {
        for (uint256 index = 0; index < _owned.length; ++index) {
            Ownable2Step owned = _owned[index];
            _expectUnauthorized(STRANGER);
            vm.prank(STRANGER);
            owned.transferOwnership(STRANGER);
            _expectUnauthorized(STRANGER);
            vm.prank(STRANGER);
            owned.renounceOwnership();
            owned.transferOwnership(NEXT);
            _expectUnauthorized(STRANGER);
            vm.prank(STRANGER);
            owned.acceptOwnership();
            // Not even the owner can accept for the next one.
            _expectUnauthorized(address(this));
            owned.acceptOwnership();
            _expect("still", owned.owner(), address(this));
        }
    }

    /// @dev What governance gives up is gone for good: who was to be next cannot take it any more.
    function testTheOwnerMayGiveItUp() external {
        for (uint256 index = 0; index < _owned.length; ++index) {
            Ownable2Step owned = _owned[index];
            owned.transferOwnership(NEXT);
            owned.renounceOwnership();
            _expect("nobody", owned.owner(), address(0));
            _expectUnauthorized(NEXT);
            vm.prank(NEXT);
            owned.acceptOwnership();
            _expectUnauthorized(address(this));
            owned.transferOwnership(address(this));
        }
    }

    function testAHouseNeedsAnOwner() external {
        HouseParts memory parts = _parts();
        TokenTerms[] memory tokens = _tokens();
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableInvalidOwner.selector, address(0)));
        new ClearingHouse(parts, address(0), GUARDIAN, tokens);
    }

    function _expectUnauthorized(address caller) private {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, caller));
    }
}
