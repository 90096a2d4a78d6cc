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
    "RuleRegistry",
    "CeremonyMarginVerifier",
    "PairingMarginVerifier",
    "InsecureTestToken",
)

_BUILT_IN: Final[tuple[dict[str, Any], ...]] = (
    {"name": "Error", "inputs": [{"name": "message", "type": "string"}]},
    {"name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]},
)

_DEFAULT_REMEDY: Final = "nothing was changed; see the error's description in contracts/interfaces"

_REMEDIES: Final = {
    "AccessControlUnauthorizedAccount": "use the key of an account that holds the publisher role",
    "Bls12381PrecompileFailed": "use a chain with EIP-2537, and valid points",
    "Bls12381InvalidPoint": "make the commitments and proofs again; these bytes are no point of the group",
    "ClearingHouseAccountHidden": "withdraw with a margin proof",
    "ClearingHouseAccountNotOpen": "deposit collateral first",
    "ClearingHouseAlreadyProven": "nothing to do until the next epoch",
    "ClearingHouseBooksNotCovered": "prove at a later epoch, whose rule covers all books",
    "ClearingHouseCommitmentMismatch": "bring the local portfolio file up to date with the chain",
    "ClearingHouseDeadlineExpired": "agree on the trade anew, with a later deadline",
    "ClearingHouseDepositExceeded": "withdraw at most what was deposited",
    "ClearingHouseDepositOutOfRange": "deposit less, or use another sub-account",
    "ClearingHouseNotOwner": "use the key of the account's owner",
    "ClearingHouseNothingDeposited": "deposit at least one tick",
    "ClearingHouseSameAccount": "name two different accounts",
    "ClearingHouseSignatureInvalid": "both owners must sign exactly this settlement",
    "ClearingHouseStateVersionMismatch": "the account has changed since: read its state, then prove and sign again",
    "CollateralVaultClaimWaits": "wait until room has been set aside for it, then have it paid",
    "CollateralVaultExhausted": "withdraw at most what is left in the house",
    "CollateralVaultNoSuchClaim": "nothing to do: it is paid, or was never queued",
    "CollateralVaultNothingWithdrawn": "withdraw at least one tick",
    "CollateralVaultRecipientInvalid": "name an address of a person or a contract other than the clearing house",
    "ERC20InsufficientAllowance": "allow the clearing house to move the tokens first",
    "ERC20InsufficientBalance": "the account needs more of the collateral token",
    "MarginVerifierRejected": "the proof does not show this statement: prove again for the present state and epoch",
    "RuleRegistryBlobMismatch": "send the blobs in the order of the proposal's chunks",
    "RuleRegistryChunksMissing": "stage the missing chunks first",
    "RuleRegistryEmptyRule": "publish a rule with at least one book and one chunk",
    "RuleRegistryEpochNotUsable": "prove at the active epoch",
    "RuleRegistryNoBlobs": "send the chunks as blobs with the transaction",
    "RuleRegistryNoEpoch": "publish a rule first",
    "RuleRegistrySnapshotInFuture": "check the clock of the machine that took the snapshot",
    "RuleRegistrySnapshotNotNewer": "take a new market snapshot and build the rule from it",
    "RuleRegistryStaleEpoch": "publish a rule from a fresh market snapshot",
    "RuleRegistryStagingExpired": "stage the proposal again",
    "RuleRegistryTooManyBlobs": "stage at most six blobs in one transaction",
    "RuleRegistryWrongEpoch": "another rule was published in between: build the proposal for the next epoch",
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
