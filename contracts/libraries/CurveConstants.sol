// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { G1Point, G2Point } from "../types/CurvePoints.sol";

/// @title Fixed points of BLS12-381
library CurveConstants {
    /// @notice [1]_1.
    function generator() internal pure returns (G1Point memory) {
        return G1Point({
            xHigh: 0x17f1d3a73197d7942695638c4fa9ac0f,
            xLow: 0xc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb,
            yHigh: 0x08b3f481e3aaa0f1a09e30ed741d8ae4,
            yLow: 0xfcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1
        });
    }

    /// @notice [2]_1.
    function doubledGenerator() internal pure returns (G1Point memory) {
        return G1Point({
            xHigh: 0x0572cbea904d67468808c8eb50a9450c,
            xLow: 0x9721db309128012543902d0ac358a62ae28f75bb8f1c7c42c39a8c5529bf0f4e,
            yHigh: 0x166a9d8cabc673a322fda673779d8e38,
            yLow: 0x22ba3ecb8670e461f73bb9021d5fd76a4c56d9d4cd16bd1bba86881979749d28
        });
    }

    /// @notice A point of the curve y² = x³ + 4, but of order 3: outside the subgroup.
    function pointOfOrderThree() internal pure returns (G1Point memory) {
        return G1Point({ xHigh: 0, xLow: 0, yHigh: 0, yLow: 2 });
    }

    /// @notice [τ]_1 of the Ethereum KZG ceremony.
    function ceremonyPoint() internal pure returns (G1Point memory) {
        return G1Point({
            xHigh: 0x0d3eb50121139aa34db1d545093ac937,
            xLow: 0x4ab7bca2c0f3bf28e27c8dcd8fc7cb42d25926fc0c97b336e9f0fb35e5a04c81,
            yHigh: 0x17de623f59a3043952d2f637a935fae1,
            yLow: 0x4b6dee8b255e526304963d58ab6f1a827c7de623d34d394f8a3d0f57d6e972b9
        });
    }

    /// @notice −[1]_2.
    function negatedGenerator2() internal pure returns (G2Point memory) {
        return G2Point({
            x0High: 0x024aa2b2f08f0a91260805272dc51051,
            x0Low: 0xc6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8,
            x1High: 0x13e02b6052719f607dacd3a088274f65,
            x1Low: 0x596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e,
            y0High: 0x0d1b3cc2c7027888be51d9ef691d77bc,
            y0Low: 0xb679afda66c73f17f9ee3837a55024f78c71363275a75d75d86bab79f74782aa,
            y1High: 0x13fa4d4a0ad8b1ce186ed5061789213d,
            y1Low: 0x993923066dddaf1040bc3ff59f825c78df74f2d75467e25e0f55f8a00fa030ed
        });
    }
}
