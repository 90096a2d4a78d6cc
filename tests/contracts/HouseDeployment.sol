// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ClearingHouse } from "../../contracts/ClearingHouse.sol";
import { CollateralVault } from "../../contracts/CollateralVault.sol";
import { ExitVerifier } from "../../contracts/ExitVerifier.sol";
import { InstrumentRegistry } from "../../contracts/InstrumentRegistry.sol";
import { PairingMarginVerifier } from "../../contracts/PairingMarginVerifier.sol";
import { RuleRegistry } from "../../contracts/RuleRegistry.sol";
import { DataContract } from "../../contracts/libraries/DataContract.sol";
import { Scalar } from "../../contracts/libraries/ScalarField.sol";
import { InsecureTestToken } from "../../contracts/test/InsecureTestToken.sol";
import { HouseParts } from "../../contracts/types/HouseParts.sol";
import { InstrumentKind, SlotTerms } from "../../contracts/types/Instrument.sol";
import { TokenTerms } from "../../contracts/types/Vault.sol";
import { Ghosts } from "./Ghosts.sol";
import { KnownSetup } from "./KnownSetup.sol";
import { SimulatedProver } from "./SimulatedProver.sol";
import { vm } from "./Vm.sol";

/// @title A clearing house with all its parts under the insecure setup
/// @notice Two tokens (slots 0 and 1 of book 0), three books of four slots, all listed but the last, three publishers.
/// The test contract is owner and lister; another address is the guardian.
abstract contract HouseDeployment is Ghosts {
    uint8 internal constant CASH = 0;
    uint8 internal constant COIN = 1;
    uint64 internal constant UNITS_PER_TICK = 10_000;
    uint64 internal constant COIN_UNITS = 1e12;
    uint256 internal constant DEPOSIT_LIMIT = 511;
    uint64 internal constant CAPACITY = 60;
    uint64 internal constant REFILL = 2;
    address internal constant GUARDIAN = address(0x9a4d1a4);

    SimulatedProver internal prover;
    PairingMarginVerifier internal verifier;
    InstrumentRegistry internal instruments;
    RuleRegistry internal registry;
    ExitVerifier internal exitVerifier;
    InsecureTestToken internal token;
    InsecureTestToken internal coin;
    ClearingHouse internal house;
    CollateralVault internal vault;
    address internal table;

    /// @dev Deploys everything and lists the slots; nothing is published.
    function _deploy() internal {
        vm.warp(START);
        _prepareBasis();
        prover = new SimulatedProver();
        verifier = KnownSetup.deployVerifier();
        instruments = _newInstruments();
        _listSlots();
        registry = _newRegistry(verifier, instruments, address(this));
        token = new InsecureTestToken();
        coin = new InsecureTestToken();
        table = DataContract.create(basis);
        exitVerifier = new ExitVerifier(table, keccak256(basis), KnownSetup.point(blindScalar), SLOTS);
        house = new ClearingHouse(_parts(), address(this), GUARDIAN, _tokens());
        vault = CollateralVault(address(house.vault()));
    }

    function _parts() internal view returns (HouseParts memory) {
        return HouseParts({
            verifier: verifier,
            registry: registry,
            exitVerifier: exitVerifier,
            basisTable: table,
            basisHash: keccak256(basis)
        });
    }

    /// @dev Token 0 is cash, token 1 another coin.
    function _tokens() internal view returns (TokenTerms[] memory terms) {
        terms = new TokenTerms[](2);
        terms[CASH] = TokenTerms({
            token: token,
            unitsPerTick: UNITS_PER_TICK,
            slot: 0,
            cap: uint64(DEPOSIT_LIMIT),
            capacity: CAPACITY,
            refillPerSecond: REFILL
        });
        terms[COIN] = TokenTerms({
            token: coin,
            unitsPerTick: COIN_UNITS,
            slot: 1,
            cap: uint64(DEPOSIT_LIMIT),
            capacity: CAPACITY,
            refillPerSecond: REFILL
        });
    }

    /// @dev Scalar of entry j of the mask table: λ^V_4j(τ) + λ^V_(4j+1)(τ).
    function _maskScalar(uint256 position) internal pure returns (Scalar) {
        uint256 columns = 4 * SLOTS;
        return _lagrange(columns, 4 * position) + _lagrange(columns, 4 * position + 1);
    }

    /// @dev Publishes the next epoch with so many books, one chunk each, from a snapshot taken now, and lets the time pass
    /// until it is active.
    function _publishEpoch(uint8 books) internal returns (uint32 epoch) {
        epoch = registry.latestEpoch().epoch + 1;
        _publishAndActivate(registry, _proposal(registry, books, 1), _points(epoch, 2 * uint256(books)));
    }

    function _newInstruments() internal returns (InstrumentRegistry) {
        bytes memory masks;
        for (uint256 position = 0; position < SLOTS; ++position) {
            masks = bytes.concat(masks, KnownSetup.point(_maskScalar(position)));
        }
        return new InstrumentRegistry(address(this), address(this), DataContract.create(masks), keccak256(masks), SLOTS);
    }

    function _listSlots() private {
        instruments.addUnderlying("COIN");
        for (uint8 book = 0; book < BOOKS; ++book) {
            uint256 count = book == BOOKS - 1 ? SLOTS - 1 : SLOTS;
            SlotTerms[] memory terms = new SlotTerms[](count);
            string[] memory names = new string[](count);
            for (uint256 position = 0; position < count; ++position) {
                terms[position] = _slotTerms(book, position);
                names[position] = "listed";
            }
            instruments.list(book, terms, names);
        }
    }

    /// @dev Cash and coin, then perpetuals; options in the other books.
    function _slotTerms(uint8 book, uint256 position) private pure returns (SlotTerms memory terms) {
        if (book == 0 && position == 0) {
            terms.kind = InstrumentKind.CASH;
            return terms;
        }
        terms.underlying = 1;
        if (book == 0 && position == 1) {
            terms.kind = InstrumentKind.TOKEN;
        } else if (book == 0) {
            (terms.kind, terms.contractSize) = (InstrumentKind.PERPETUAL, 1e8);
        } else {
            (terms.kind, terms.contractSize, terms.strike) = (InstrumentKind.CALL, 1e8, uint96(1e10 * (position + 1)));
            terms.expiry = uint40(START + book * 30 days);
        }
    }
}
