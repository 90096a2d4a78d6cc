"""Deploying the contracts, the deployment file, and the check that a deployment is what it says.

Test setups and the worthless test token are refused everywhere but on the local test chain, and there too unless
asked for by name.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from eth_hash.auto import keccak

from verifier.ceremony import ceremony_setup
from verifier.commitment_basis import basis_bytes
from verifier.contract_interface import contract_interface
from verifier.curve import POINT_BYTES, group
from verifier.domain import interpolate_on_domain
from verifier.errors import DeploymentError, InsecureDeploymentError, MalformedInputError
from verifier.house_client import HouseClient
from verifier.registry_client import RegistryClient
from verifier.scalar_field import MODULUS
from verifier.shape import SHAPES_BY_NAME, Shape
from verifier.statement import verifying_key

if TYPE_CHECKING:
    from pathlib import Path

    from eth_account.signers.local import LocalAccount

    from verifier.ceremony import TrustedSetup
    from verifier.chain_client import ChainClient

LOCAL_CHAIN_ID: Final = 31337

DATA_MARKER: Final = b"\x00"
"""Leading STOP byte of a data contract (twin: contracts/libraries/DataContract.sol)."""


@dataclass(frozen=True, slots=True)
class DeploymentTerms:
    """What a deployment is free to choose.

    Attributes:
        maximum_age: largest age of a usable epoch's snapshot, in seconds.
        collateral: address of the collateral token; ``None`` deploys the worthless test token.
        collateral_slot: slot of the collateral in book 0.
        units_per_tick: units of the token that one tick is (6 decimals, 0.01 a tick: 10,000).
        insecure: allow a test setup and the test token, on the local test chain alone.
    """

    maximum_age: int
    collateral: str | None
    collateral_slot: int
    units_per_tick: int
    insecure: bool = False


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where the contracts are.

    Attributes:
        chain_id: chain that they are on.
        shape: name of the argument's shape.
        setup: name of the trusted setup.
        verifier: address of the margin verifier.
        registry: address of the rule registry.
        house: address of the clearing house.
        collateral: address of the collateral token.
        block_number: first block that matters to logs.
    """

    chain_id: int
    shape: str
    setup: str
    verifier: str
    registry: str
    house: str
    collateral: str
    block_number: int

    def save(self, path: Path) -> None:
        """Write the deployment file."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Deployment:
        """Read a deployment file.

        Raises:
            DeploymentError: there is none, or it is not one.
        """
        try:
            loaded = json.loads(path.read_text(encoding="utf-8"))
            return cls(**loaded)
        except OSError as error:
            raise DeploymentError(f"deployment file {path} cannot be read ({error.strerror}): deploy first") from error
        except (ValueError, TypeError) as error:
            raise DeploymentError(
                f"{path} is not a deployment file ({error}): deploy again, or give another"
            ) from error

    def argument_shape(self) -> Shape:
        """The shape by its name."""
        if self.shape not in SHAPES_BY_NAME:
            raise DeploymentError(f"unknown shape {self.shape!r} in the deployment: use {' or '.join(SHAPES_BY_NAME)}")
        return SHAPES_BY_NAME[self.shape]


def deploy(
    chain: ChainClient, deployer: LocalAccount, *, shape_name: str, setup: TrustedSetup, terms: DeploymentTerms
) -> Deployment:
    """Deploy verifier, registry, basis table and clearing house; the deployer administers and publishes.

    Args:
        chain: connection.
        deployer: pays, and becomes administrator and publisher of the registry.
        shape_name: "standard" or "small".
        setup: the ceremony's, or a test setup on the local chain.
        terms: what else there is to choose.

    Raises:
        InsecureDeploymentError: a test setup or the test token where they must not be.
        ChainFeatureError: the chain lacks a precompile or blobs.
        DeploymentError: there is no collateral token at the address.
        ContractRevertedError: a constructor refused.
    """
    if shape_name not in SHAPES_BY_NAME:
        raise MalformedInputError(f"there is no shape {shape_name!r}: use {' or '.join(SHAPES_BY_NAME)}")
    shape = SHAPES_BY_NAME[shape_name]
    _refuse_insecure(chain, setup, terms)
    chain.require_precompiles()
    chain.require_blobs()
    if terms.collateral is not None and not chain.code(terms.collateral):
        raise DeploymentError(f"there is no token at {terms.collateral} on chain {chain.chain_id}: check the address")
    block_number = chain.block_number()
    collateral = terms.collateral or _create(chain, deployer, contract_interface("InsecureTestToken").creation())
    verifier = _create(chain, deployer, _verifier_creation(shape, setup))
    registry_creation = contract_interface("RuleRegistry").creation(verifier, deployer.address, terms.maximum_age)
    registry = _create(chain, deployer, registry_creation)
    points = basis_bytes(setup, shape.slots)
    table = _create(chain, deployer, data_contract_creation(points))
    house_creation = contract_interface("ClearingHouse").creation(
        *(verifier, registry, collateral, terms.collateral_slot, terms.units_per_tick, table, keccak(points))
    )
    house = _create(chain, deployer, house_creation)
    RegistryClient(chain, registry).grant_publisher(deployer, deployer.address)
    return Deployment(
        chain_id=chain.chain_id,
        shape=shape_name,
        setup=setup.name,
        verifier=verifier,
        registry=registry,
        house=house,
        collateral=collateral,
        block_number=block_number,
    )


def data_contract_creation(content: bytes) -> bytes:
    """Creation code of a contract whose code is a STOP byte and the given bytes (twin: DataContract.create)."""
    code = DATA_MARKER + content
    return b"\x61" + len(code).to_bytes(2, "big") + bytes.fromhex("80600a3d393df3") + code


def check_deployment(chain: ChainClient, deployment: Deployment, setup: TrustedSetup) -> None:
    """Check what stands on the chain against the setup: keys, addresses, and the table of basis points.

    Raises:
        DeploymentError: something differs; do not use this deployment.
    """
    shape = deployment.argument_shape()
    key = verifying_key(shape, setup).digest
    verifier = contract_interface("CeremonyMarginVerifier")
    answer = chain.call(deployment.verifier, verifier.encode_call("verifyingKey"))
    registry, house = RegistryClient(chain, deployment.registry), HouseClient(chain, deployment.house)
    _require_equal("the verifier's key", answer, key)
    _require_equal("the registry's key", registry.verifying_key(), key)
    _require_equal("the house's verifier", house.verifier(), deployment.verifier)
    _require_equal("the house's registry", house.registry(), deployment.registry)
    _require_equal("the house's collateral", house.collateral(), deployment.collateral)
    check_basis_table(chain, house, shape=shape, setup=setup)


def check_basis_table(chain: ChainClient, house: HouseClient, *, shape: Shape, setup: TrustedSetup) -> None:
    """Check the points by which a house credits deposits, from the powers of τ themselves.

    For random weights w: Σ w_i L_i must be the commitment of the polynomial of degree < N with values w_i on U. A
    table that differs anywhere passes with probability 2^−254.

    Raises:
        DeploymentError: the code, its hash or a point is not what the setup gives.
        MalformedInputError: the table holds something that is no point.
    """
    address, bound_hash = house.basis_table()
    points = chain.code(address).removeprefix(DATA_MARKER)
    _require_equal("the size of the basis table in bytes", len(points), shape.slots * POINT_BYTES)
    _require_equal("the hash of the basis table", keccak(points), bound_hash)
    backend = group()
    weights = [secrets.randbelow(MODULUS) for _ in range(shape.slots)]
    table = [backend.decode(points[at : at + POINT_BYTES]) for at in range(0, len(points), POINT_BYTES)]
    powers = setup.points(backend)[: shape.slots]
    from_table = backend.encode(backend.combine(table, weights))
    from_setup = backend.encode(backend.combine(powers, interpolate_on_domain(weights)))
    _require_equal("a random combination of the basis points", from_table, from_setup)


def _refuse_insecure(chain: ChainClient, setup: TrustedSetup, terms: DeploymentTerms) -> None:
    worthless = [setup.name] if setup.insecure else []
    worthless += ["the test token"] if terms.collateral is None else []
    if not worthless:
        return
    if not terms.insecure or chain.chain_id != LOCAL_CHAIN_ID:
        raise InsecureDeploymentError(
            f"{' and '.join(worthless)} on chain {chain.chain_id}: anybody could forge. This is for the local test "
            f"chain {LOCAL_CHAIN_ID} alone, when `insecure` is asked for; use the ceremony's setup and a real token"
        )


def _verifier_creation(shape: Shape, setup: TrustedSetup) -> bytes:
    """The variant that ends in the point evaluation exists for the ceremony's setup alone."""
    key = verifying_key(shape, setup)
    sizes = (shape.powers, shape.columns, shape.digits, shape.digit_bits)
    if setup.digest == ceremony_setup().digest:
        return contract_interface("CeremonyMarginVerifier").creation(sizes, key.table_commitment)
    return contract_interface("PairingMarginVerifier").creation(sizes, setup.tau_g2, key.table_commitment)


def _create(chain: ChainClient, deployer: LocalAccount, creation: bytes) -> str:
    address = chain.deploy(deployer, creation).contract_address
    if address is None:
        raise DeploymentError("the node reported no address of a new contract: use another node")
    return address


def _require_equal(what: str, actual: object, expected: object) -> None:
    if actual != expected:
        shown, wanted = (value.hex() if isinstance(value, bytes) else value for value in (actual, expected))
        raise DeploymentError(f"{what} is {shown}, expected {wanted}: do not use this deployment")
