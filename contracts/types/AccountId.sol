// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Identity of an account: its owner's address in the upper 20 bytes, the sub-account number in the lower 12.
type AccountId is bytes32;

using { ownerOf, subaccountOf, equalTo as == } for AccountId global;

/// @notice Builds the identity of one of an owner's accounts.
/// @param owner Address that signs for the account.
/// @param subaccount Number of the account among its owner's.
/// @return Identity of the account.
function accountIdOf(address owner, uint96 subaccount) pure returns (AccountId) {
    return AccountId.wrap(bytes32((uint256(uint160(owner)) << 96) | subaccount));
}

/// @notice Owner of an account.
/// @param account Identity of the account.
/// @return Address in its upper 20 bytes.
function ownerOf(AccountId account) pure returns (address) {
    return address(bytes20(AccountId.unwrap(account)));
}

/// @notice Number of an account among its owner's.
/// @param account Identity of the account.
/// @return Number in its lower 12 bytes.
function subaccountOf(AccountId account) pure returns (uint96) {
    return uint96(uint256(AccountId.unwrap(account)));
}

/// @notice Whether two identities are the same.
/// @param left One identity.
/// @param right The other.
/// @return True when all 32 bytes agree.
function equalTo(AccountId left, AccountId right) pure returns (bool) {
    return AccountId.unwrap(left) == AccountId.unwrap(right);
}
