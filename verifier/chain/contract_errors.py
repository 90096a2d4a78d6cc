"""Named errors of the contracts: from the bytes of a revert to name, values and remedy."""

from __future__ import annotations

import functools
from typing import Any, Final

from eth_abi.abi import decode as abi_decode
from eth_abi.exceptions import DecodingError

from verifier.chain.contract_artifacts import load_artifact
from verifier.chain.contract_interface import SELECTOR_BYTES, canonical_type, signature_hash
from verifier.errors import ContractRevertedError

_CONTRACTS: Final = (
    "ClearingHouse",
    "CollateralVault",
    "RuleRegistry",
    "InstrumentRegistry",
    "ExitVerifier",
    "CeremonyMarginVerifier",
    "PairingMarginVerifier",
    "TimelockController",
    "InsecureTestToken",
)

_BUILT_IN: Final[tuple[dict[str, Any], ...]] = (
    {"name": "Error", "inputs": [{"name": "message", "type": "string"}]},
    {"name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]},
)

_DEFAULT_REMEDY: Final = "nothing was changed; see the error's description in contracts/interfaces"

_REMEDIES: Final = {
    "AccessControlUnauthorizedAccount": "use the key of an account that has this role at the timelock",
    "AccountLedgerAccountNotOpen": "deposit collateral first",
    "AccountLedgerAlreadyProven": "nothing to do until the next epoch",
    "AccountLedgerCommitmentMismatch": "bring the local portfolio file up to date with the chain",
    "AccountLedgerNonceUsed": "agree on the trade anew, with another nonce",
    "AccountLedgerNotAuthorised": "use the key of the account's owner, or of an operator whose time has not run out",
    "AccountLedgerNotOwner": "use the key of the account's owner",
    "AccountLedgerPointsLengthWrong": "give the commitments of exactly the books that the account has touched",
    "AccountLedgerSignatureInvalid": "the signer must sign exactly these terms, for this house and chain",
    "AccountLedgerStateVersionMismatch": "the account has changed since: read its state, then prove and sign again",
    "Bls12381InvalidPoint": "make the commitments and proofs again; these bytes are no point of the group",
    "Bls12381PrecompileFailed": "use a chain with EIP-2537, and valid points",
    "ClearingHouseAccountActive": "withdraw with a margin proof, or exit first",
    "ClearingHouseAccountTransparent": "withdraw what it holds; everybody knows it already",
    "ClearingHouseDeadlineExpired": "agree on the trade anew, with a later deadline",
    "ClearingHouseEpochTooLate": "agree on the trade anew, with a later epoch",
    "ClearingHouseHoldingsExceeded": "withdraw at most what the account holds",
    "ClearingHouseSlotNotCollateral": "have the token's slot listed as cash, a token or a coin first: publish a rule",
    "CollateralVaultAmountWrong": "this token cannot be used: it moves other amounts than it is asked to",
    "CollateralVaultBalanceMissing": "the token took balances away from the vault: tell those who govern the house",
    "CollateralVaultCapExceeded": "deposit less, or wait until others withdraw",
    "CollateralVaultCapOutOfRange": "give a cap of at most the deposit limit",
    "CollateralVaultClaimWaits": "wait until room has been set aside for it, then have it paid",
    "CollateralVaultExhausted": "withdraw at most what is left in the house",
    "CollateralVaultInboxEmpty": "nothing to do: nobody has paid in",
    "CollateralVaultLienExceeded": "claim or release at most what the lien still is",
    "CollateralVaultLienInvalid": "name a lender, and at least one tick",
    "CollateralVaultLimitEmpty": "give a withdrawal capacity and a refill of at least one tick",
    "CollateralVaultLimitTooLarge": "give a withdrawal capacity below 2^48 ticks and a refill below 2^32",
    "CollateralVaultNoSuchClaim": "nothing to do: it is paid, or was never queued",
    "CollateralVaultNoSuchToken": "name one of the vault's tokens",
    "CollateralVaultNothingDeposited": "deposit at least one tick",
    "CollateralVaultNothingWithdrawn": "withdraw at least one tick",
    "CollateralVaultRecipientInvalid": "name an address of a person or a contract other than vault and clearing house",
    "CollateralVaultSlotOutOfRange": "give a slot that a book has",
    "CollateralVaultSlotTwice": "give every token a slot of its own",
    "CollateralVaultTickWithoutUnits": "give at least one unit of the token in a tick",
    "CollateralVaultTokenTwice": "name every token once",
    "CollateralVaultTokenWithoutCode": "give the address of a token on this chain",
    "CollateralVaultTooManyTokens": "name fewer tokens",
    "ERC20InsufficientAllowance": "allow the vault to move the tokens first",
    "ERC20InsufficientBalance": "the account needs more of the collateral token",
    "ExitVerifierRejected": "the account holds something beside these amounts: close what is open, then prove again",
    "HousePauseActive": "wait for the end of the pause; deposits, exits and what transparent accounts hold go on",
    "HousePauseDurationOutOfRange": "pause for at least a second and at most the maximum",
    "HousePauseNotActive": "nothing to do: the house is open",
    "HousePauseNotGuardian": "use the key of the house's guardian",
    "HousePauseTooSoon": "wait: the house must stay open for as long as it was paused",
    "InstrumentRegistryBookFull": "list in another book; slots are never used again",
    "InstrumentRegistryBookIsRetired": "use another book",
    "InstrumentRegistryExpiryWrong": "list expiring instruments before they expire, and others without an expiry",
    "InstrumentRegistryNoSuchBook": "name a book below the number available",
    "InstrumentRegistryNotLister": "use the key of the account that lists instruments",
    "InstrumentRegistrySlotNotExpired": "retire the book 7 days after the last of its instruments has expired",
    "MarginVerifierRejected": "the proof does not show this statement: prove again for the present state and epoch",
    "OwnableUnauthorizedAccount": "propose it to the timelock that owns the contract",
    "PublisherQuorumKnown": "nothing to do: it is a publisher",
    "PublisherQuorumNoAddress": "name an address other than zero",
    "PublisherQuorumNotPublisher": "use the key of an account that the registry knows as a publisher",
    "PublisherQuorumThresholdOutOfRange": "have at least one publisher sign, and at most as many as there are",
    "PublisherQuorumTooFewSignatures": "have more publishers sign the same proposal",
    "RuleMatrixBookNotCovered": "prove at a later epoch, whose rule covers all books",
    "RuleRegistryBlobMismatch": "send the blobs in the order of the proposal's chunks",
    "RuleRegistryBookRemoved": "publish rules of at least as many books as the latest epoch",
    "RuleRegistryChunksMissing": "stage the missing chunks first",
    "RuleRegistryEmptyRule": "publish a rule with at least one book and one chunk",
    "RuleRegistryEpochNotKept": "name an epoch that the registry keeps: the latest ones",
    "RuleRegistryEpochNotUsable": "prove at the active epoch",
    "RuleRegistryEpochWaiting": "wait until the epoch is active",
    "RuleRegistryListVersionWrong": "the list of instruments has changed since: build the rules for it, and sign again",
    "RuleRegistryNoBlobs": "send the chunks as blobs with the transaction",
    "RuleRegistryNoEpoch": "publish a rule first, and wait until it is active",
    "RuleRegistryReducedRuleWrong": "build all rules of the epoch together",
    "RuleRegistrySnapshotInFuture": "check the clock of the machine that took the snapshot",
    "RuleRegistrySnapshotNotNewer": "take a new market snapshot and build the rule from it",
    "RuleRegistryStagingExpired": "stage the proposal again",
    "RuleRegistryStaleEpoch": "publish a rule from a fresh market snapshot",
    "RuleRegistryTimingInvalid": "give 24 s ≤ activation delay ≤ spacing < maximum age, and a spacing of 60 s or more",
    "RuleRegistryTooManyBlobs": "stage at most six blobs in one transaction",
    "RuleRegistryTooManyBooks": "publish rules of fewer books",
    "RuleRegistryTooSoon": "wait until enough time has passed since the last epoch",
    "RuleRegistryWrongEpoch": "another rule was published in between: build the proposal for the next epoch",
    "SafeERC20FailedOperation": "the token refused: look at its balances, allowances and rules",
    "TimelockInsufficientDelay": "propose with at least the timelock's delay",
    "TimelockUnexpectedOperationState": "propose it first, and wait for the delay",
    "TradeLegsSideMissing": "have every account of a leg bring its side",
}


def decode_revert(data: bytes) -> ContractRevertedError:
    """The error that a call reverted with.

    Args:
        data: what the call returned.

    Returns:
        An exception to raise; its name is "UnknownRevert" when the contracts of this project know no such error.
    """
    entry = _error_entries().get(data[:SELECTOR_BYTES])
    if entry is not None:
        types = [canonical_type(item) for item in entry["inputs"]]
        try:
            values = abi_decode(types, data[SELECTOR_BYTES:])
        except DecodingError:
            values = None
        if values is not None:
            names = [item["name"] for item in entry["inputs"]]
            arguments = dict(zip(names, values, strict=True))
            return ContractRevertedError(entry["name"], arguments, _REMEDIES.get(entry["name"], _DEFAULT_REMEDY))
    remedy = "check that the addresses in the deployment file belong to this chain and to this version of the contracts"
    return ContractRevertedError("UnknownRevert", {"data": data}, remedy)


@functools.cache
def _error_entries() -> dict[bytes, dict[str, Any]]:
    """Errors of all contracts by selector."""
    declared = [entry for name in _CONTRACTS for entry in load_artifact(name).abi if entry["type"] == "error"]
    return {signature_hash(entry)[:SELECTOR_BYTES]: entry for entry in (*declared, *_BUILT_IN)}
