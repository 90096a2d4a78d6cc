"""What a deployment will be, before anything is sent: contracts, arguments, addresses, and whether the chain allows it.

Test setups and the worthless test token are refused everywhere but on the local test chain, and there too unless
asked for by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from verifier.ceremony import ceremony_setup
from verifier.chain.chain_time import LOCAL_CHAIN_ID
from verifier.chain.contract_interface import contract_interface
from verifier.chain.token_client import TokenClient
from verifier.commitment_basis import basis_bytes, blinding_point, mask_table_bytes
from verifier.deployment.create2 import create2_address, first_child_address
from verifier.deployment.deployment_file import Deployment
from verifier.deployment.deployment_terms import deposit_limit
from verifier.errors import (
    DeploymentError,
    InsecureDeploymentError,
    MalformedInputError,
    NodeUnreachableError,
    VerifierError,
)
from verifier.shape import SHAPES_BY_NAME, Shape
from verifier.statement import verifying_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.ceremony import TrustedSetup
    from verifier.chain.chain_client import ChainClient
    from verifier.deployment.deployment_terms import DeploymentTerms

DATA_MARKER: Final = b"\x00"
"""Leading STOP byte of a data contract (twin: contracts/libraries/DataContract.sol)."""

CEREMONY_VERIFIER: Final = "CeremonyMarginVerifier"
TIMELOCK: Final = "TimelockController"
NOBODY: Final = "0x" + "0" * 40

SHORTEST_DELAY: Final = 3_600
"""Seconds that governance waits at least away from the local chain: whoever disagrees must have time to leave."""


@dataclass(frozen=True, slots=True)
class PlannedContract:
    """One contract of a deployment.

    Attributes:
        name: its part in the deployment.
        contract: its name in the sources; ``None`` for a data contract.
        arguments: of the constructor, by name.
        creation: creation code with arguments.
        address: where the proxy puts it.
        salt: 32 bytes that the proxy is given with the creation code.
    """

    name: str
    contract: str | None
    arguments: dict[str, object]
    creation: bytes
    address: str
    salt: bytes


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    """All contracts, in the order in which they need each other.

    Attributes:
        chain_id: of the chain.
        shape: name of the argument's shape.
        setup: name of the trusted setup.
        administrator: pays, and does what the terms name nobody else for.
        terms: what was chosen.
        contracts: to create.
        vault: that the clearing house creates.
    """

    chain_id: int
    shape: str
    setup: str
    administrator: str
    terms: DeploymentTerms
    contracts: tuple[PlannedContract, ...]
    vault: PlannedContract

    def address(self, name: str) -> str:
        """Where a contract of the plan will be."""
        return next(planned.address for planned in self.resulting if planned.name == name)

    @property
    def resulting(self) -> tuple[PlannedContract, ...]:
        """All contracts that will be there."""
        return (*self.contracts, self.vault)

    @property
    def tokens(self) -> tuple[str, ...]:
        """Addresses of the tokens: given ones, and test tokens of the plan."""
        return tuple(
            token.address or self.address(test_token_name(index)) for index, token in enumerate(self.terms.tokens)
        )


def data_contract_creation(content: bytes) -> bytes:
    """Creation code of a contract whose code is a STOP byte and the given bytes (twin: DataContract.create)."""
    code = DATA_MARKER + content
    return b"\x61" + len(code).to_bytes(2, "big") + bytes.fromhex("80600a3d393df3") + code


def deployment_plan(
    chain_id: int, administrator: str, *, shape_name: str, setup: TrustedSetup, terms: DeploymentTerms
) -> DeploymentPlan:
    """Work out every contract and its address; no connection is needed.

    Raises:
        MalformedInputError: there is no such shape, or the terms do not fit the contracts.
        InsecureDeploymentError: a test setup, the test token or a short delay where they must not be.
    """
    shape = shape_named(shape_name)
    refuse_insecure(chain_id, setup, terms)
    administrator = to_checksum_address(administrator)
    # What calls the precompiles comes first: on a chain without them, nothing has been paid when it is refused.
    verifier = _verifier(shape, setup, terms.salt)
    test_tokens = {
        index: _planned(test_token_name(index), "InsecureTestToken", {}, terms.token_salt(index))
        for index, token in enumerate(terms.tokens)
        if token.address is None
    }
    addresses = [token.address or test_tokens[index].address for index, token in enumerate(terms.tokens)]
    tables, table_values = _tables(shape, setup, terms.salt)
    values = table_values | _chosen_values(administrator, addresses, shape, terms)
    values |= {"verifier": verifier.address, "blindPoint": blinding_point(setup, shape.slots)}
    timelock = _planned("timelock", TIMELOCK, values, terms.salt)
    values["owner"] = timelock.address
    instruments = _planned("instruments", "InstrumentRegistry", values, terms.salt)
    registry = _planned("registry", "RuleRegistry", values | {"instruments": instruments.address}, terms.salt)
    exits = _planned("exit verifier", "ExitVerifier", values, terms.salt)
    values["parts"] = (verifier.address, registry.address, exits.address, values["basisTable"], values["basisHash"])
    house = _planned("house", "ClearingHouse", values, terms.salt)
    contracts = (verifier, *test_tokens.values(), *tables, timelock, instruments, registry, exits, house)
    return DeploymentPlan(
        chain_id, shape_name, setup.name, administrator, terms, contracts, _vault(house.address, values)
    )


def test_token_name(index: int) -> str:
    """What a plan calls a test token."""
    return "test token" if index == 0 else f"test token {index}"


def deployment_of(plan: DeploymentPlan, block_number: int) -> Deployment:
    """The deployment file of a plan that has been carried out."""
    return Deployment(
        chain_id=plan.chain_id,
        shape=plan.shape,
        setup=plan.setup,
        verifier=plan.address("verifier"),
        timelock=plan.address("timelock"),
        instruments=plan.address("instruments"),
        registry=plan.address("registry"),
        exit_verifier=plan.address("exit verifier"),
        house=plan.address("house"),
        vault=plan.address("vault"),
        tokens=plan.tokens,
        block_number=block_number,
    )


def shape_named(name: str) -> Shape:
    """The shape of this name.

    Raises:
        MalformedInputError: there is none.
    """
    if name not in SHAPES_BY_NAME:
        raise MalformedInputError(f"there is no shape {name!r}: use {' or '.join(SHAPES_BY_NAME)}")
    return SHAPES_BY_NAME[name]


def refuse_insecure(chain_id: int, setup: TrustedSetup, terms: DeploymentTerms) -> None:
    """Refuse what anybody could forge or mint, and governance without a delay.

    Raises:
        InsecureDeploymentError: a test setup or the test token, away from the local chain or unasked; a delay that
            leaves nobody time.
    """
    worthless = [setup.name] if setup.insecure else []
    worthless += ["the test token"] if terms.has_test_tokens else []
    if worthless and not (terms.insecure and chain_id == LOCAL_CHAIN_ID):
        raise InsecureDeploymentError(
            f"{' and '.join(worthless)} on chain {chain_id}: anybody could forge. This is for the local test "
            f"chain {LOCAL_CHAIN_ID} alone, when `insecure` is asked for; use the ceremony's setup and a real token"
        )
    if chain_id != LOCAL_CHAIN_ID and terms.governance_delay < SHORTEST_DELAY:
        raise InsecureDeploymentError(
            f"a governance delay of {terms.governance_delay} s on chain {chain_id}: publishers, tokens and limits "
            f"could change before anybody notices; give at least {SHORTEST_DELAY} s"
        )


def require_fit(chain: ChainClient, plan: DeploymentPlan, *, blobs: bool = True) -> None:
    """Check that the chain has what the contracts need, and that every constructor will accept it.

    Args:
        chain: connection.
        plan: what is to be deployed.
        blobs: whether rules are to be published as blobs of this chain.

    Raises:
        ChainFeatureError: the chain lacks a precompile or blobs.
        DeploymentError: there is no token at an address.
        ContractRevertedError: a constructor refuses, by a named error.
    """
    chain.require_precompiles()
    if blobs:
        chain.require_blobs()
    for token in plan.terms.tokens:
        if token.address is not None:
            _require_token(chain, token.address)
    codes: dict[str, bytes] = {}
    for planned in plan.contracts:
        # The proxy swallows the reason of a refusal; a creation without it tells.
        if not chain.code(planned.address):
            codes[planned.address] = chain.creation_result(plan.administrator, planned.creation, codes)


def _require_token(chain: ChainClient, address: str) -> None:
    """Code that says, as tokens do, how many digits it has; anything else would be in the vault for good."""
    fault = f"there is no token at {address} on chain {chain.chain_id}: check the address"
    if not chain.code(address):
        raise DeploymentError(fault)
    try:
        TokenClient(chain, address).decimals()
    except NodeUnreachableError:
        raise
    except VerifierError as error:
        raise DeploymentError(f"{fault}; what is there does not answer `decimals`") from error


def _planned(name: str, contract: str, values: dict[str, object], salt: bytes) -> PlannedContract:
    """A contract of the sources, with what its constructor takes of the values."""
    interface = contract_interface(contract)
    arguments = interface.constructor_arguments(values)
    creation = interface.creation(*arguments.values())
    return PlannedContract(name, contract, arguments, creation, create2_address(creation, salt), salt)


def _tables(shape: Shape, setup: TrustedSetup, salt: bytes) -> tuple[tuple[PlannedContract, ...], dict[str, object]]:
    """The tables of points that contracts read, and what constructors are told of them."""
    contents = {"basis": basis_bytes(setup, shape.slots), "mask": mask_table_bytes(setup, shape)}
    planned = []
    for name, points in contents.items():
        creation = data_contract_creation(points)
        planned.append(PlannedContract(f"{name} table", None, {}, creation, create2_address(creation, salt), salt))
    basis, mask = planned
    values: dict[str, object] = {
        "basisTable": basis.address,
        "basisHash": bytes(keccak(contents["basis"])),
        "maskTable": mask.address,
        "maskTableHash": bytes(keccak(contents["mask"])),
        "slotsPerBook": shape.slots,
        "slots": shape.slots,
        "depositLimit": deposit_limit(shape),
    }
    return tuple(planned), values


def _chosen_values(
    administrator: str, tokens: Sequence[str], shape: Shape, terms: DeploymentTerms
) -> dict[str, object]:
    """What the terms choose, by the names of constructors' arguments."""
    proposers = list(terms.proposers or (administrator,))
    return {
        "tokens": [token.terms(address, shape).as_tuple() for token, address in zip(terms.tokens, tokens, strict=True)],
        "publishers": list(terms.publishers or (administrator,)),
        "threshold": terms.threshold,
        "timing": terms.timing.as_tuple(),
        "lister": terms.lister or administrator,
        "guardian": terms.guardian or administrator,
        "minDelay": terms.governance_delay,
        "proposers": proposers,
        "executors": proposers,
        # The timelock administers itself: nobody stands above its delay.
        "admin": NOBODY,
    }


def _vault(house: str, values: dict[str, object]) -> PlannedContract:
    """The vault is the first contract that the house creates."""
    interface = contract_interface("CollateralVault")
    arguments = interface.constructor_arguments(values)
    address = first_child_address(house)
    return PlannedContract("vault", "CollateralVault", arguments, interface.creation(*arguments.values()), address, b"")


def _verifier(shape: Shape, setup: TrustedSetup, salt: bytes) -> PlannedContract:
    """The variant that ends in the point evaluation exists for the ceremony's setup alone."""
    key = verifying_key(shape, setup)
    values: dict[str, object] = {
        "shape": (shape.powers, shape.columns, shape.digits, shape.digit_bits),
        "setupPoint": setup.tau_g2,
        "table": key.table_commitment,
    }
    contract = CEREMONY_VERIFIER if setup.digest == ceremony_setup().digest else "PairingMarginVerifier"
    return _planned("verifier", contract, values, salt)
