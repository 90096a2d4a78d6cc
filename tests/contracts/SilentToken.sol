// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A token that says nothing when it moves, as Tether's does: no return value, no revert data
contract SilentToken {
    mapping(address holder => uint256 units) public balanceOf;
    mapping(address holder => mapping(address spender => uint256 units)) public allowance;

    function mint(address receiver, uint256 units) external {
        balanceOf[receiver] += units;
    }

    function approve(address spender, uint256 units) external {
        allowance[msg.sender][spender] = units;
    }

    function transfer(address to, uint256 units) external {
        _move(msg.sender, to, units);
    }

    function transferFrom(address from, address to, uint256 units) external {
        allowance[from][msg.sender] -= units;
        _move(from, to, units);
    }

    function _move(address from, address to, uint256 units) private {
        balanceOf[from] -= units;
        balanceOf[to] += units;
    }
}
