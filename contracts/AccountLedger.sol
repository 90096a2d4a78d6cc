// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import { IAccountLedger } from "./interfaces/IAccountLedger.sol";
import { IMarginVerifier } from "./interfaces/IMarginVerifier.sol";
import { IRuleRegistry } from "./interfaces/IRuleRegistry.sol";
import { BookSet } from "./libraries/BookSet.sol";
import { ClaimEncoding } from "./libraries/ClaimEncoding.sol";
import { Commitments } from "./libraries/Commitments.sol";
import { RuleMatrix } from "./libraries/RuleMatrix.sol";
import { AccountId, accountIdOf } from "./types/AccountId.sol";
import { AccountState, AccountStatus } from "./types/AccountState.sol";
import { RuleKind, RuleLocation } from "./types/MarginRule.sol";
import { MarginCheck, MarginEvidence } from "./types/Settlement.sol";

/// @title AccountLedger
/// @author The zkmargin contributors
/// @notice The part of the clearing house that keeps accounts; see IAccountLedger. Twin: verifier/chain/house_client.py.
abstract contract AccountLedger is IAccountLedger, EIP712 {
    /// @dev What storage keeps of an account.
    struct Account {
        AccountState state;
        mapping(uint256 book => bytes32 hash) commitmentHashes;
        mapping(uint256 token => uint64 ticks) holdings;
        mapping(uint256 word => uint256 bits) nonces;
        mapping(address operator => uint64 validUntil) operators;
    }

    /// @dev The rule and the matrix that were last asked for, since claims of one batch mostly share them.
    struct RuleInUse {
        RuleLocation location;
        bytes matrix;
        uint32 epoch;
        uint32 books;
        RuleKind kind;
    }

    /// @inheritdoc IAccountLedger
    IMarginVerifier public immutable override verifier;
    /// @inheritdoc IAccountLedger
    IRuleRegistry public immutable override registry;

    mapping(AccountId id => Account account) internal _accounts;

    /// @notice Creates a ledger without accounts.
    /// @param verifier_ Checks the proofs.
    /// @param registry_ Holds the rules; must be made for the verifier's key.
    constructor(IMarginVerifier verifier_, IRuleRegistry registry_) {
        verifier = verifier_;
        registry = registry_;
        if (verifier_.verifyingKey() != registry_.verifyingKey()) {
            revert AccountLedgerVerifyingKeyMismatch(verifier_.verifyingKey(), registry_.verifyingKey());
        }
    }

    /// @inheritdoc IAccountLedger
    function proveMargin(
        MarginCheck calldata check,
        bytes calldata portfolio,
        bytes calldata proof,
        bytes calldata hint
    ) external override {
        uint256 claim = ClaimEncoding.single();
        RuleInUse memory rule;
        _recordCheck(claim, rule, check, portfolio);
        ClaimEncoding.setProof(claim, proof, hint);
        ClaimEncoding.requireAccepted(verifier, claim);
    }

    /// @inheritdoc IAccountLedger
    function proveMargins(MarginCheck[] calldata checks, MarginEvidence[] calldata evidence) external override {
        if (checks.length == 0 || checks.length != evidence.length) {
            revert AccountLedgerEvidenceCountWrong(checks.length, evidence.length);
        }
        uint256 claims = ClaimEncoding.batch(checks.length);
        RuleInUse memory rule;
        for (uint256 index = 0; index < checks.length; ++index) {
            uint256 claim = ClaimEncoding.claimAt(claims, index);
            _recordCheck(claim, rule, checks[index], evidence[index].portfolio);
            ClaimEncoding.setProof(claim, evidence[index].proof, evidence[index].hint);
        }
        ClaimEncoding.requireAllAccepted(verifier, claims, checks.length);
    }

    /// @inheritdoc IAccountLedger
    function setOperator(uint96 subaccount, address operator, uint64 validUntil) external override {
        AccountId id = accountIdOf(msg.sender, subaccount);
        _accounts[id].operators[operator] = validUntil;
        emit OperatorSet(id, operator, validUntil);
    }

    /// @inheritdoc IAccountLedger
    function invalidateNonces(AccountId id, uint256 word, uint256 bits) external override {
        _checkAuthorised(id, msg.sender);
        _accounts[id].nonces[word] |= bits;
        emit NoncesInvalidated(id, word, bits);
    }

    /// @inheritdoc IAccountLedger
    function accountState(AccountId id) external view override returns (AccountState memory) {
        return _accounts[id].state;
    }

    /// @inheritdoc IAccountLedger
    function commitmentHash(AccountId id, uint256 book) external view override returns (bytes32) {
        return _accounts[id].commitmentHashes[book];
    }

    /// @inheritdoc IAccountLedger
    function holdings(AccountId id, uint8 token) external view override returns (uint64) {
        return _accounts[id].holdings[token];
    }

    /// @inheritdoc IAccountLedger
    function operatorUntil(AccountId id, address operator) external view override returns (uint64) {
        return _accounts[id].operators[operator];
    }

    /// @inheritdoc IAccountLedger
    function nonces(AccountId id, uint256 word) external view override returns (uint256) {
        return _accounts[id].nonces[word];
    }

    /// @inheritdoc IAccountLedger
    function proofContext(MarginCheck calldata check, bytes32 action) external view override returns (bytes32) {
        return _context(check.account, check.stateVersion, check.epoch, check.kind, action);
    }

    /// @dev Writes down the state of an account that has changed under a proof of initial margin.
    function _recordProven(AccountId id, AccountState memory state, uint32 epoch) internal {
        ++state.stateVersion;
        state.status = AccountStatus.ACTIVE;
        state.initialEpoch = epoch;
        _accounts[id].state = state;
    }

    /// @dev Uses up a nonce.
    function _useNonce(AccountId id, uint256 nonce) internal {
        mapping(uint256 word => uint256 bits) storage words = _accounts[id].nonces;
        uint256 bits = words[nonce >> 8];
        uint256 bit = 1 << (nonce & 0xff);
        if (bits & bit != 0) {
            revert AccountLedgerNonceUsed(id, nonce);
        }
        words[nonce >> 8] = bits | bit;
    }

    /// @dev Reverts unless the signer may sign for the account and did.
    function _checkSignature(AccountId id, address signer, bytes32 digest, bytes calldata signature) internal view {
        _checkAuthorised(id, signer);
        // The key first: to look whether a signer has code costs as much as to recover, and most have none.
        (address recovered, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        bool byKey = failure == ECDSA.RecoverError.NoError && recovered == signer;
        if (!byKey && !SignatureChecker.isValidERC1271SignatureNowCalldata(signer, digest, signature)) {
            revert AccountLedgerSignatureInvalid(id, signer, digest);
        }
    }

    /// @dev Reverts unless it is the owner or an operator whose right holds.
    function _checkAuthorised(AccountId id, address signer) internal view {
        if (signer != id.ownerOf() && block.timestamp > _accounts[id].operators[signer]) {
            revert AccountLedgerNotAuthorised(id, signer);
        }
    }

    /// @dev Reverts unless the owner of the account calls.
    function _checkOwner(AccountId id) internal view {
        if (msg.sender != id.ownerOf()) {
            revert AccountLedgerNotOwner(id, msg.sender);
        }
    }

    /// @dev The state of an account that is open and at the given version.
    function _stateAt(AccountId id, uint64 stateVersion) internal view returns (AccountState memory state) {
        state = _accounts[id].state;
        if (state.stateVersion == 0) {
            revert AccountLedgerAccountNotOpen(id);
        }
        if (state.stateVersion != stateVersion) {
            revert AccountLedgerStateVersionMismatch(id, stateVersion, state.stateVersion);
        }
    }

    /// @dev Reverts unless the points are the account's commitments of these books.
    function _checkPortfolio(AccountId id, uint32 books, bytes memory points) internal view {
        uint256 expected = BookSet.count(books) * Commitments.POINT_BYTES;
        if (points.length != expected) {
            revert AccountLedgerPointsLengthWrong(points.length, expected);
        }
        mapping(uint256 book => bytes32 hash) storage hashes = _accounts[id].commitmentHashes;
        uint256 index = 0;
        for (uint256 book = 0; books >> book != 0; ++book) {
            if (!BookSet.has(books, book)) {
                continue;
            }
            bytes32 stored = hashes[book];
            bytes32 given = Commitments.hashAt(points, index);
            ++index;
            // A book that was never touched holds nothing.
            if (given != stored && (stored != 0 || given != Commitments.INFINITY_HASH)) {
                revert AccountLedgerCommitmentMismatch(id, book, given, stored);
            }
        }
    }

    /// @dev The matrix over some books, of a rule that the registry lets be used.
    function _matrix(RuleInUse memory rule, uint32 epoch, RuleKind kind, uint32 books)
        internal
        view
        returns (bytes memory)
    {
        if (rule.location.data == address(0) || epoch != rule.epoch || kind != rule.kind) {
            (rule.epoch, rule.kind, rule.books) = (epoch, kind, 0);
            rule.location = registry.usableRule(epoch, kind);
        }
        if (books != rule.books) {
            rule.books = books;
            rule.matrix = RuleMatrix.read(rule.location, books);
        }
        return rule.matrix;
    }

    /// @dev Binds a proof to one use.
    function _context(AccountId id, uint64 stateVersion, uint32 epoch, RuleKind kind, bytes32 action)
        internal
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(block.chainid, address(this), id, stateVersion, epoch, kind, action));
    }

    /// @dev Writes the check down, and what is to be verified of it; reverts when the account has proven the rule at this
    /// epoch or later, so that a replay extends nothing.
    function _recordCheck(uint256 claim, RuleInUse memory rule, MarginCheck calldata check, bytes memory portfolio)
        private
    {
        (AccountId id, uint32 epoch, RuleKind kind) = (check.account, check.epoch, check.kind);
        AccountState memory state = _stateAt(id, check.stateVersion);
        uint32 provenEpoch = kind == RuleKind.INITIAL ? state.initialEpoch : state.maintenanceEpoch;
        if (epoch <= provenEpoch) {
            revert AccountLedgerAlreadyProven(id, kind, epoch, provenEpoch);
        }
        _checkPortfolio(id, state.books, portfolio);
        bytes memory matrix = _matrix(rule, epoch, kind, state.books);
        ClaimEncoding.setStatement(claim, _context(id, check.stateVersion, epoch, kind, 0), portfolio, matrix);
        if (kind == RuleKind.INITIAL) {
            state.initialEpoch = epoch;
        } else {
            state.maintenanceEpoch = epoch;
        }
        _accounts[id].state = state;
        emit MarginProven(id, epoch, kind);
    }
}
