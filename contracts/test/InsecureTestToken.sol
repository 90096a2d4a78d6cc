// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title InsecureTestToken
/// @author The zkmargin contributors
/// @notice A worthless token for local chains: anybody may mint. Deployment refuses it on any chain but the local one.
contract InsecureTestToken is ERC20 {
    /// @notice Creates the token without supply.
    constructor() ERC20("zkmargin worthless test token", "TEST") { }

    /// @notice Mints tokens out of nothing.
    /// @param receiver Who gets them.
    /// @param units How many units.
    function mint(address receiver, uint256 units) external {
        _mint(receiver, units);
    }

    /// @notice Like the dollar tokens that it stands in for.
    /// @return Number of decimals.
    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
