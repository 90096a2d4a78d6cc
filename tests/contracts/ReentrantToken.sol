// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { Address } from "@openzeppelin/contracts/utils/Address.sol";

/// @title A token that calls somebody back while it moves, and can be told to move too much or to say that it failed
contract ReentrantToken is ERC20 {
    address private _target;
    bytes private _call;
    uint256 private _surplus;
    address private _refused;
    bool private _idle;

    constructor() ERC20("reentrant", "RE") {
        _mint(msg.sender, 1e18);
    }

    /// @notice The next movement calls the target; nothing is called when it is the zero address.
    function aim(address target, bytes calldata call) external {
        _target = target;
        _call = call;
    }

    /// @notice From now on every movement takes so much more from the sender.
    function takeMore(uint256 surplus) external {
        _surplus = surplus;
    }

    /// @notice From now on movements to this address move nothing and say so.
    function refuse(address recipient) external {
        _refused = recipient;
    }

    /// @notice Whether movements from now on move nothing and say that they did.
    function idle(bool isIdle) external {
        _idle = isIdle;
    }

    /// @notice Makes units out of nothing.
    function give(address receiver, uint256 units) external {
        _mint(receiver, units);
    }

    /// @notice Takes units away from a holder.
    function take(address holder, uint256 units) external {
        _burn(holder, units);
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        return to != _refused && super.transfer(to, value);
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        return to != _refused && super.transferFrom(from, to, value);
    }

    function _update(address from, address to, uint256 value) internal override {
        if (_idle) return;
        super._update(from, to, value);
        if (_surplus != 0) super._update(from, address(0), _surplus);
        if (_target != address(0)) {
            address target = _target;
            _target = address(0); // once
            Address.functionCall(target, _call);
        }
    }
}
