// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

import { ClearingHouse } from "../../contracts/ClearingHouse.sol";

/// @title A token that calls the clearing house back while it is being paid
contract ReentrantToken is ERC20 {
    ClearingHouse public house;

    constructor() ERC20("reentrant", "RE") {
        _mint(msg.sender, 1e18);
    }

    function aim(ClearingHouse house_) external {
        house = house_;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (to == address(house)) {
            house.deposit(0, 1, new bytes(96));
        }
    }
}
