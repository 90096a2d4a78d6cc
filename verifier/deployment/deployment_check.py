"""What stands on the chain against the setup and the build: keys, code, addresses, the table of basis points."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from eth_hash.auto import keccak

from verifier.chain.contract_artifacts import load_artifact
from verifier.chain.contract_interface import contract_interface
from verifier.chain.house_client import HouseClient
from verifier.chain.registry_client import RegistryClient
from verifier.curve import POINT_BYTES, group
from verifier.deployment.create2 import check_proxy
from verifier.deployment.deployment_plan import CEREMONY_VERIFIER, DATA_MARKER
from verifier.domain import interpolate_on_domain
from verifier.errors import ChainError, DeploymentError
from verifier.scalar_field import MODULUS
from verifier.statement import verifying_key

if TYPE_CHECKING:
    from verifier.ceremony import TrustedSetup
    from verifier.chain.chain_client import ChainClient
    from verifier.chain.contract_artifacts import ContractArtifact
    from verifier.deployment.deployment_file import Deployment
    from verifier.deployment.deployment_manifest import Manifest
    from verifier.deployment.deployment_plan import PlannedContract
    from verifier.shape import Shape


def check_deployment(chain: ChainClient, deployment: Deployment, setup: TrustedSetup) -> None:
    """Check what stands on the chain against the setup: keys, addresses, and the table of basis points.

    Raises:
        DeploymentError: something differs; do not use this deployment.
    """
    shape = deployment.argument_shape()
    key = verifying_key(shape, setup).digest
    verifier = contract_interface(CEREMONY_VERIFIER)
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


def check_manifest(chain: ChainClient, manifest: Manifest, setup: TrustedSetup) -> None:
    """Check a manifest against build, setup and chain.

    Everything in the manifest is worked out again from its terms: an address follows from the build's code and the
    constructor's arguments, so that contracts at these addresses were created by just these. The code that stays is
    then compared byte for byte, and the table of points with the powers of τ.

    Raises:
        DeploymentError: something differs; do not use this deployment.
        InsecureDeploymentError: a test setup or the test token where they must not be.
    """
    _require_equal("the chain id", chain.chain_id, manifest.chain_id)
    plan = manifest.plan(setup)
    check_proxy(chain)
    _require_equal("the number of contracts in the manifest", len(manifest.contracts), len(plan.contracts))
    for record, planned in zip(manifest.contracts, plan.contracts, strict=True):
        record.require_planned(planned)
        code = chain.code(planned.address)
        check_code(planned, code)
        _require_equal(f"the code hash of the {planned.name}", "0x" + keccak(code).hex(), record.code_hash)
    created = first_block(chain, plan.address("registry"))
    if created and manifest.block_number > created:
        raise DeploymentError(
            f"block_number in the manifest is {manifest.block_number}, but the registry stands since block {created}: "
            "logs would be missed; do not use it"
        )
    check_deployment(chain, manifest.deployment(), setup)


def check_code(planned: PlannedContract, code: bytes) -> None:
    """Check the code that stands on the chain against the build.

    Args:
        planned: the contract.
        code: at its address.

    Raises:
        DeploymentError: there is none, or it is other code.
    """
    if not code:
        raise DeploymentError(
            f"there is no {planned.name} at {planned.address}: deploy, which goes on where it stopped"
        )
    if planned.contract is None:
        _require_equal(f"the code of the {planned.name}", keccak(code), keccak(_data_of(planned.creation)))
        return
    artifact = load_artifact(planned.contract)
    expected = bytes.fromhex(artifact.deployed_bytecode.removeprefix("0x"))
    _require_equal(f"the size of the {planned.name}'s code", len(code), len(expected))
    pairs = zip(_without_immutables(artifact, code), expected, strict=True)
    differing = next((at for at, (found, built) in enumerate(pairs) if found != built), None)
    if differing is not None:
        raise DeploymentError(
            f"the code of the {planned.name} at {planned.address} differs from the build at byte {differing}: "
            "do not use this deployment"
        )


def first_block(chain: ChainClient, address: str) -> int:
    """The block that created a contract, by bisection; 0 where the node keeps no old states."""
    absent, present = -1, chain.block_number()
    try:
        while present - absent > 1:
            middle = (absent + present) // 2
            code = str(chain.request("eth_getCode", [address, hex(middle)]))
            absent, present = (absent, middle) if code.removeprefix("0x") else (middle, present)
    except ChainError:
        return 0
    return present


def _without_immutables(artifact: ContractArtifact, code: bytes) -> bytes:
    """The code with zeros in place of immutables, each of which must have one value in all its places."""
    masked = bytearray(code)
    for places in artifact.immutables:
        values = {code[start : start + length] for start, length in places}
        if len(values) > 1:
            raise DeploymentError(
                f"an immutable of {artifact.name} has {len(values)} values in its {len(places)} places: "
                "do not use this deployment"
            )
        for start, length in places:
            masked[start : start + length] = bytes(length)
    return bytes(masked)


def _data_of(creation: bytes) -> bytes:
    """The code that a data contract's creation leaves: what follows the first STOP byte."""
    return creation[creation.index(DATA_MARKER, 3) :]


def _require_equal(what: str, actual: object, expected: object) -> None:
    if actual != expected:
        shown, wanted = (value.hex() if isinstance(value, bytes) else value for value in (actual, expected))
        raise DeploymentError(f"{what} is {shown}, expected {wanted}: do not use this deployment")
