// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { CeremonyMarginVerifier } from "../../contracts/CeremonyMarginVerifier.sol";
import { Shape } from "../../contracts/types/Shape.sol";
import { HintMaking } from "./HintMaking.sol";

/// @title The ceremony's verifier, which also makes the hints that the vectors do not carry
contract CeremonyHintMaker is HintMaking, CeremonyMarginVerifier {
    constructor(Shape memory shape_, bytes memory table) CeremonyMarginVerifier(shape_, table) { }
}
