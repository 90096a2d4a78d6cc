// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import { AccountLedger } from "./AccountLedger.sol";
import { CollateralAccounts } from "./CollateralAccounts.sol";
import { HousePause } from "./HousePause.sol";
import { TradeNetting } from "./TradeNetting.sol";
import { HouseParts } from "./types/HouseParts.sol";
import { TokenTerms } from "./types/Vault.sol";

/// @title ClearingHouse
/// @author The zkmargin contributors
/// @notice Accounts whose positions are hidden in commitments; see IClearingHouse. Twin: verifier/chain/house_client.py.
/// @dev Its parts: AccountLedger keeps accounts and what is proven about them, CollateralAccounts moves collateral in and
/// out, TradeNetting moves what accounts trade, HousePause stops what may be stopped.
contract ClearingHouse is CollateralAccounts, TradeNetting {
    /// @notice Creates a clearing house without accounts, and its vault.
    /// @param parts What it is made of.
    /// @param owner_ Owner of the house and of the vault.
    /// @param guardian_ Who may pause.
    /// @param tokens Terms of the collateral tokens, the quote collateral first.
    constructor(HouseParts memory parts, address owner_, address guardian_, TokenTerms[] memory tokens)
        EIP712("zkmargin ClearingHouse", "1")
        AccountLedger(parts.verifier, parts.registry)
        HousePause(owner_, guardian_)
        CollateralAccounts(parts, owner_, tokens)
    { }
}
