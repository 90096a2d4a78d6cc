// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token that can take balances away and add to them without any transfer
contract RebasingToken is ERC20 {
    constructor() ERC20("rebasing", "REB") { }

    function mint(address receiver, uint256 units) external {
        _mint(receiver, units);
    }

    /// @notice Takes units away from a holder, who is not asked.
    function shrink(address holder, uint256 units) external {
        _burn(holder, units);
    }
}
