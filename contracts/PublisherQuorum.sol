// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";
import { Ownable2Step } from "@openzeppelin/contracts/access/Ownable2Step.sol";
import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import { IPublisherQuorum } from "./interfaces/IPublisherQuorum.sol";

/// @title PublisherQuorum
/// @author The zkmargin contributors
/// @notice Publishers, of whom a number must agree; see IPublisherQuorum.
abstract contract PublisherQuorum is IPublisherQuorum, Ownable2Step {
    /// @inheritdoc IPublisherQuorum
    mapping(address account => bool isPublisher) public override publishers;

    // One storage slot: every finalise reads the first.
    uint128 private _threshold;
    uint128 private _publisherCount;

    /// @dev Refuses calls of anyone but publishers.
    modifier onlyPublisher() {
        _checkPublisher(msg.sender);
        _;
    }

    /// @param owner_ Account that changes publishers.
    /// @param publishers_ The first publishers.
    /// @param threshold_ How many of them must agree.
    constructor(address owner_, address[] memory publishers_, uint256 threshold_) Ownable(owner_) {
        _change(publishers_, new address[](0), threshold_);
    }

    /// @inheritdoc IPublisherQuorum
    function setPublishers(address[] calldata add, address[] calldata remove, uint256 threshold_)
        external
        override
        onlyOwner
    {
        _change(add, remove, threshold_);
    }

    /// @inheritdoc IPublisherQuorum
    function threshold() external view override returns (uint256) {
        return _threshold;
    }

    /// @inheritdoc IPublisherQuorum
    function publisherCount() external view override returns (uint256) {
        return _publisherCount;
    }

    /// @dev Reverts unless a quorum signed the digest.
    function _checkSignatures(bytes32 digest, bytes[] calldata signatures) internal view {
        uint256 needed = _threshold;
        if (signatures.length < needed) {
            revert PublisherQuorumTooFewSignatures(signatures.length, needed);
        }
        address previous = address(0);
        for (uint256 index = 0; index < signatures.length; ++index) {
            (address signer, ECDSA.RecoverError fault,) = ECDSA.tryRecoverCalldata(digest, signatures[index]);
            if (fault != ECDSA.RecoverError.NoError) {
                revert PublisherQuorumSignatureMalformed(index);
            }
            if (signer <= previous) {
                revert PublisherQuorumNotAscending(previous, signer);
            }
            _checkPublisher(signer);
            previous = signer;
        }
    }

    /// @dev Removes, then adds, so that the two lists may be checked one after the other.
    function _change(address[] memory add, address[] memory remove, uint256 threshold_) private {
        for (uint256 index = 0; index < remove.length; ++index) {
            _checkPublisher(remove[index]);
            publishers[remove[index]] = false;
        }
        for (uint256 index = 0; index < add.length; ++index) {
            _add(add[index]);
        }
        uint256 count = uint256(_publisherCount) + add.length - remove.length;
        if (threshold_ == 0 || threshold_ > count) {
            revert PublisherQuorumThresholdOutOfRange(threshold_, count);
        }
        // No list in a transaction comes near 2^128 addresses.
        (_threshold, _publisherCount) = (uint128(threshold_), uint128(count));
        emit PublishersChanged(add, remove, threshold_);
    }

    /// @dev Adds one publisher.
    function _add(address publisher) private {
        if (publisher == address(0)) {
            revert PublisherQuorumNoAddress();
        }
        if (publishers[publisher]) {
            revert PublisherQuorumKnown(publisher);
        }
        publishers[publisher] = true;
    }

    /// @dev Reverts unless the address is a publisher.
    function _checkPublisher(address account) private view {
        if (!publishers[account]) {
            revert PublisherQuorumNotPublisher(account);
        }
    }
}
