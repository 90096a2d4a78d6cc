// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { RowEvaluation } from "../../contracts/libraries/RowEvaluation.sol";
import { SCALAR_MODULUS } from "../../contracts/libraries/ScalarField.sol";
import { TradeLegs } from "../../contracts/libraries/TradeLegs.sol";
import { RuleKind } from "../../contracts/types/MarginRule.sol";
import { Settlement, SettlementSide } from "../../contracts/types/Settlement.sol";
import { KnownSetup } from "./KnownSetup.sol";
import { RowEvaluationHarness } from "./RowEvaluationHarness.sol";
import { TwoAccounts } from "./TwoAccounts.sol";
import { vm } from "./Vm.sol";

/// @title Sides of branches in assembly that no other test takes; docs/assembly-branches.md lists them all
contract AssemblyBranchesTest is TwoAccounts {
    uint256 private constant PLACE = 7;

    RowEvaluationHarness private _rows;

    function setUp() public override {
        super.setUp();
        _rows = new RowEvaluationHarness();
    }

    /// @dev Rows of 0 to 7 entries: whole words of three entries, and every rest.
    function testRowsOfEveryLengthAreRead() external view {
        for (uint256 count = 0; count <= 7; ++count) {
            uint256 sum = 0;
            for (uint256 entry = 0; entry < count; ++entry) {
                sum = addmod(sum, _rows.evaluate(KnownSetup.shape(), _single(entry), PLACE), SCALAR_MODULUS);
            }
            _expect("sum", _rows.evaluate(KnownSetup.shape(), _row(count, count), PLACE), sum);
        }
    }

    /// @dev A column that is not above the one before, at every place of a word and of what is left of one.
    function testColumnsMustAscendAtEveryPlace() external {
        for (uint256 count = 2; count <= 7; ++count) {
            for (uint256 entry = 1; entry < count; ++entry) {
                bytes memory rows = _row(count, entry);
                vm.expectRevert(
                    abi.encodeWithSelector(RowEvaluation.RowEvaluationColumnsNotAscending.selector, 0, entry - 1)
                );
                _rows.evaluate(KnownSetup.shape(), rows, PLACE);
            }
        }
    }

    /// @dev A last column that does not exist, at every place.
    function testColumnsMustExistAtEveryPlace() external {
        for (uint256 count = 1; count <= 7; ++count) {
            bytes memory rows = _row(count, count);
            rows[2 + 10 * (count - 1) + 1] = 0x10;
            vm.expectRevert(abi.encodeWithSelector(RowEvaluation.RowEvaluationNoSuchColumn.selector, 0, 16, 16));
            _rows.evaluate(KnownSetup.shape(), rows, PLACE);
        }
    }

    /// @dev No book, one, all, and a set with a gap.
    function testMatricesOfEverySetOfBooks() external view {
        bytes memory all = registry.matrix(1, RuleKind.INITIAL, ALL_BOOKS);
        for (uint32 books = 0; books <= ALL_BOOKS; ++books) {
            bytes memory expected;
            for (uint256 book = 0; book < BOOKS; ++book) {
                if ((books >> book) & 1 != 0) expected = bytes.concat(expected, _slice(all, 192 * book, 192));
            }
            _expect("matrix", registry.matrix(1, RuleKind.INITIAL, books), expected);
        }
    }

    /// @dev A batch of no claims is laid out before its legs are looked at.
    function testRefusesASettlementOfNobody() external {
        (Settlement memory settlement,) = _agreed("nobody", 1);
        delete settlement.participants;
        vm.expectRevert(abi.encodeWithSelector(TradeLegs.TradeLegsLegInvalid.selector, 0, 0, 1));
        house.settle(settlement, 1, new SettlementSide[](0));
    }

    /// @dev A row with `count` entries of growing columns, but for that at `repeated`, which is that of the one before.
    function _row(uint256 count, uint256 repeated) private pure returns (bytes memory rows) {
        rows = abi.encodePacked(uint16(count));
        for (uint256 entry = 0; entry < count; ++entry) {
            uint16 column = uint16(entry == repeated ? entry - 1 : entry);
            rows = abi.encodePacked(rows, column, _value(entry));
        }
    }

    function _single(uint256 entry) private pure returns (bytes memory) {
        return abi.encodePacked(uint16(1), uint16(entry), _value(entry));
    }

    /// @dev Both signs.
    function _value(uint256 entry) private pure returns (int64) {
        return entry % 2 == 0 ? int64(int256(1000 + entry)) : -int64(int256(1000 + entry));
    }
}
