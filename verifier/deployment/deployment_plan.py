"""What a deployment will be, before anything is sent: contracts, arguments, addresses, and whether the chain allows it.

Test setups and the worthless test token are refused everywhere but on the local test chain, and there too unless
asked for by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eth_hash.auto import keccak
from eth_utils.address import is_checksum_address, is_hex_address, to_checksum_address

from verifier.ceremony import ceremony_setup
from verifier.chain.contract_interface import contract_interface
from verifier.commitment_basis import basis_bytes
from verifier.deployment.create2 import LOCAL_CHAIN_ID, SALT_BYTES, create2_address
from verifier.errors import DeploymentError, InsecureDeploymentError, MalformedInputError
from verifier.shape import SHAPES_BY_NAME, Shape
from verifier.statement import verifying_key

if TYPE_CHECKING:
    from verifier.ceremony import TrustedSetup
    from verifier.chain.chain_client import ChainClient

DATA_MARKER: Final = b"\x00"
"""Leading STOP byte of a data contract (twin: contracts/libraries/DataContract.sol)."""

CEREMONY_VERIFIER: Final = "CeremonyMarginVerifier"

WITHDRAWAL_CAPACITY: Final = 100_000_000
"""Ticks: a million at 0.01 a tick."""

WITHDRAWAL_REFILL: Final = 1_158
"""Ticks a second: the capacity in a day."""


@dataclass(frozen=True, slots=True)
class DeploymentTerms:
    """What a deployment is free to choose.

    Attributes:
        maximum_age: largest age of a usable epoch's snapshot, in seconds.
        collateral: address of the collateral token, kept with checksum; ``None`` deploys the worthless test token.
        collateral_slot: slot of the collateral in book 0.
        units_per_tick: units of the token that one tick is (6 decimals, 0.01 a tick: 10,000).
        insecure: allow a test setup and the test token, on the local test chain alone.
        withdrawal_capacity: ticks that may be withdrawn at once.
        withdrawal_refill: ticks a second that may be withdrawn beyond that.
        salt: 32 bytes; another one gives the same contracts other addresses.
    """

    maximum_age: int
    collateral: str | None
    collateral_slot: int
    units_per_tick: int
    insecure: bool = False
    withdrawal_capacity: int = WITHDRAWAL_CAPACITY
    withdrawal_refill: int = WITHDRAWAL_REFILL
    salt: bytes = bytes(SALT_BYTES)

    def __post_init__(self) -> None:
        """Check the salt and the token's address.

        Raises:
            MalformedInputError: the salt is not of 32 bytes, or the collateral no address.
        """
        if len(self.salt) != SALT_BYTES:
            raise MalformedInputError(f"the salt has {len(self.salt)} bytes: give {SALT_BYTES}")
        if self.collateral is not None:
            if not _is_address(self.collateral):
                raise MalformedInputError(
                    f"collateral {self.collateral!r} is no address: give 0x and 40 digits, with a right checksum"
                )
            object.__setattr__(self, "collateral", to_checksum_address(self.collateral))


@dataclass(frozen=True, slots=True)
class PlannedContract:
    """One contract of a deployment.

    Attributes:
        name: its part in the deployment.
        contract: its name in the sources; ``None`` for a data contract.
        arguments: of the constructor, by name.
        creation: creation code with arguments.
        address: where the proxy puts it.
    """

    name: str
    contract: str | None
    arguments: dict[str, object]
    creation: bytes
    address: str


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    """All contracts, in the order in which they need each other.

    Attributes:
        chain_id: of the chain.
        shape: name of the argument's shape.
        setup: name of the trusted setup.
        administrator: pays, administers the registry and publishes.
        terms: what was chosen.
        contracts: to create.
    """

    chain_id: int
    shape: str
    setup: str
    administrator: str
    terms: DeploymentTerms
    contracts: tuple[PlannedContract, ...]

    def address(self, name: str) -> str:
        """Where a contract of the plan will be."""
        return next(planned.address for planned in self.contracts if planned.name == name)

    @property
    def collateral(self) -> str:
        """The token: a given one, or the test token of the plan."""
        return self.terms.collateral or self.address("collateral")


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
        InsecureDeploymentError: a test setup or the test token where they must not be.
    """
    shape = shape_named(shape_name)
    refuse_insecure(chain_id, setup, terms)
    points = basis_bytes(setup, shape.slots)
    creation = data_contract_creation(points)
    table = PlannedContract("basis table", None, {}, creation, create2_address(creation, terms.salt))
    # What calls the precompiles comes first: on a chain without them, nothing has been paid when it is refused.
    verifier = _verifier(shape, setup, terms.salt)
    tokens = () if terms.collateral is not None else (_planned("collateral", "InsecureTestToken", {}, terms.salt),)
    values: dict[str, object] = {
        "verifier": verifier.address,
        "administrator": administrator,
        "maximumAge": terms.maximum_age,
        "collateral": tokens[0].address if tokens else terms.collateral,
        "collateralSlot": terms.collateral_slot,
        "unitsPerTick": terms.units_per_tick,
        "basisTable": table.address,
        "basisHash": bytes(keccak(points)),
        "limit": (terms.withdrawal_capacity, terms.withdrawal_refill),
    }
    registry = _planned("registry", "RuleRegistry", values, terms.salt)
    house = _planned("house", "ClearingHouse", values | {"registry": registry.address}, terms.salt)
    contracts = (verifier, *tokens, registry, table, house)
    return DeploymentPlan(chain_id, shape_name, setup.name, administrator, terms, contracts)


def shape_named(name: str) -> Shape:
    """The shape of this name.

    Raises:
        MalformedInputError: there is none.
    """
    if name not in SHAPES_BY_NAME:
        raise MalformedInputError(f"there is no shape {name!r}: use {' or '.join(SHAPES_BY_NAME)}")
    return SHAPES_BY_NAME[name]


def refuse_insecure(chain_id: int, setup: TrustedSetup, terms: DeploymentTerms) -> None:
    """Refuse what anybody could forge or mint.

    Raises:
        InsecureDeploymentError: a test setup or the test token, away from the local chain or unasked.
    """
    worthless = [setup.name] if setup.insecure else []
    worthless += ["the test token"] if terms.collateral is None else []
    if worthless and not (terms.insecure and chain_id == LOCAL_CHAIN_ID):
        raise InsecureDeploymentError(
            f"{' and '.join(worthless)} on chain {chain_id}: anybody could forge. This is for the local test "
            f"chain {LOCAL_CHAIN_ID} alone, when `insecure` is asked for; use the ceremony's setup and a real token"
        )


def require_fit(chain: ChainClient, plan: DeploymentPlan, *, blobs: bool = True) -> None:
    """Check that the chain has what the contracts need, and that every constructor will accept it.

    Args:
        chain: connection.
        plan: what is to be deployed.
        blobs: whether rules are to be published as blobs of this chain.

    Raises:
        ChainFeatureError: the chain lacks a precompile or blobs.
        DeploymentError: there is no collateral token at the address.
        ContractRevertedError: a constructor refuses, by a named error.
    """
    chain.require_precompiles()
    if blobs:
        chain.require_blobs()
    collateral = plan.terms.collateral
    if collateral is not None and not chain.code(collateral):
        raise DeploymentError(f"there is no token at {collateral} on chain {chain.chain_id}: check the address")
    codes: dict[str, bytes] = {}
    for planned in plan.contracts:
        # The proxy swallows the reason of a refusal; a creation without it tells.
        if not chain.code(planned.address):
            codes[planned.address] = chain.creation_result(plan.administrator, planned.creation, codes)


def _is_address(text: str) -> bool:
    """Whether it is an address; one in mixed case must have a right checksum (EIP-55)."""
    digits = text.removeprefix("0x")
    one_case = digits in (digits.lower(), digits.upper())
    return is_hex_address(text) and (one_case or is_checksum_address(text))


def _planned(name: str, contract: str, values: dict[str, object], salt: bytes) -> PlannedContract:
    """A contract of the sources, with what its constructor takes of the values."""
    interface = contract_interface(contract)
    arguments = interface.constructor_arguments(values)
    creation = interface.creation(*arguments.values())
    return PlannedContract(name, contract, arguments, creation, create2_address(creation, salt))


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
