// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Publishers, of whom a number must agree
/// @author The zkmargin contributors
/// @notice N of M: what is published needs signatures of `threshold()` different publishers. The owner says who they are;
/// ownership passes in two steps. Publishers sign with a key of their own (no contract accounts). Twin:
/// verifier/chain/rule_publication.py.
interface IPublisherQuorum {
    /// @notice The publishers changed.
    /// @param added Those that came.
    /// @param removed Those that went.
    /// @param threshold How many must agree from now on.
    event PublishersChanged(address[] added, address[] removed, uint256 threshold);

    /// @notice At least one publisher must agree, and no more than there are.
    /// @param threshold How many were to agree.
    /// @param publishers How many there would be.
    error PublisherQuorumThresholdOutOfRange(uint256 threshold, uint256 publishers);

    /// @notice Nobody can sign for this address.
    error PublisherQuorumNoAddress();

    /// @notice The address is a publisher already.
    /// @param publisher The address.
    error PublisherQuorumKnown(address publisher);

    /// @notice The address is no publisher: it called, signed, or was to be removed.
    /// @param account The address.
    error PublisherQuorumNotPublisher(address account);

    /// @notice Too few publishers agree.
    /// @param signatures Number of signatures given.
    /// @param threshold Number needed.
    error PublisherQuorumTooFewSignatures(uint256 signatures, uint256 threshold);

    /// @notice These are not 65 bytes of a signature whose s is the lower of the two that would do.
    /// @param index Place of the signature.
    error PublisherQuorumSignatureMalformed(uint256 index);

    /// @notice Signatures must be ordered by the signers' addresses, each once. A signature of other content or for
    /// another registry, too, seems to come from another address.
    /// @param previous Signer of the signature before.
    /// @param signer Signer of this one.
    error PublisherQuorumNotAscending(address previous, address signer);

    /// @notice Adds and removes publishers, and says how many must agree.
    /// @dev Only the owner. What was signed by publishers that go is worth nothing from then on.
    /// @param add Addresses that become publishers.
    /// @param remove Addresses that are publishers no longer; taken away first.
    /// @param threshold_ How many must agree; 1 to the number of publishers.
    function setPublishers(address[] calldata add, address[] calldata remove, uint256 threshold_) external;

    /// @notice Whether an address is a publisher.
    /// @param account The address.
    function publishers(address account) external view returns (bool);

    /// @notice How many publishers must agree.
    function threshold() external view returns (uint256);

    /// @notice How many publishers there are.
    function publisherCount() external view returns (uint256);
}
