// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title DataContract
/// @author The zkmargin contributors
/// @notice Immutable bytes kept as the code of a contract, behind a leading STOP byte so that nobody can run them:
/// reading costs 2,600 gas for any amount, where storage costs 2,100 for every 32 bytes. Twin: verifier/deployment/deployment.py.
library DataContract {
    /// @notice Position of the first data byte in the code.
    uint256 internal constant DATA_OFFSET = 1;

    /// @notice The chain refused to create the contract (out of gas, or more bytes than code may have).
    /// @param length Bytes that were to be kept.
    error DataContractNotCreated(uint256 length);

    /// @notice The code of a data contract is shorter than what is to be read from it.
    /// @param data Address of the contract.
    /// @param size Size of its code in bytes.
    /// @param needed Size that the read needs.
    error DataContractTooShort(address data, uint256 size, uint256 needed);

    /// @notice A data contract holds another number of bytes than it should.
    /// @param data Address of the contract.
    /// @param length Bytes that it holds.
    /// @param expected Bytes that it should hold.
    error DataContractLengthWrong(address data, uint256 length, uint256 expected);

    /// @notice A data contract holds other bytes than it should.
    /// @param data Address of the contract.
    /// @param actualHash keccak256 of its bytes.
    /// @param expectedHash keccak256 of what it should hold.
    error DataContractHashMismatch(address data, bytes32 actualHash, bytes32 expectedHash);

    /// @notice Creates a contract whose code is a STOP byte and the given bytes.
    /// @param content Bytes to keep; at most 24,575.
    /// @return data Address of the contract.
    function create(bytes memory content) internal returns (address data) {
        // PUSH2 size, DUP1, PUSH1 10, RETURNDATASIZE (= 0), CODECOPY, RETURNDATASIZE, RETURN; then the code itself.
        bytes memory creation =
            abi.encodePacked(hex"61", uint16(content.length + DATA_OFFSET), hex"80600a3d393df3", bytes1(0), content);
        assembly ("memory-safe") {
            data := create(0, add(creation, 32), mload(creation))
        }
        if (data == address(0)) {
            revert DataContractNotCreated(content.length);
        }
    }

    /// @notice Reverts unless a data contract holds exactly the bytes that it should; for constructors.
    /// @param data Address of the contract.
    /// @param expectedLength Number of bytes.
    /// @param expectedHash keccak256 of the bytes.
    function requireContent(address data, uint256 expectedLength, bytes32 expectedHash) internal view {
        uint256 size = data.code.length;
        if (size != DATA_OFFSET + expectedLength) {
            revert DataContractLengthWrong(data, size == 0 ? 0 : size - DATA_OFFSET, expectedLength);
        }
        bytes32 actualHash = keccak256(read(data, DATA_OFFSET, expectedLength));
        if (actualHash != expectedHash) {
            revert DataContractHashMismatch(data, actualHash, expectedHash);
        }
    }

    /// @notice Reads bytes of a data contract.
    /// @param data Address of the contract.
    /// @param offset Position of the first byte in the code; data begins at DATA_OFFSET.
    /// @param length Number of bytes.
    /// @return content The bytes.
    function read(address data, uint256 offset, uint256 length) internal view returns (bytes memory content) {
        uint256 size = data.code.length;
        if (size < offset + length) {
            revert DataContractTooShort(data, size, offset + length);
        }
        content = new bytes(length);
        assembly ("memory-safe") {
            extcodecopy(data, add(content, 32), offset, length)
        }
    }

    /// @notice Reads 32 bytes of a data contract; bytes beyond its end read as zero.
    /// @param data Address of the contract.
    /// @param offset Position of the first byte in the code.
    /// @return word The bytes.
    function readWord(address data, uint256 offset) internal view returns (bytes32 word) {
        assembly ("memory-safe") {
            extcodecopy(data, 0, offset, 32)
            word := mload(0)
        }
    }
}
