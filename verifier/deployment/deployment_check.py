"""What stands on the chain against the setup and the build: keys, code, addresses, owners, the tables of points."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from eth_hash.auto import keccak

from verifier.chain.contract_artifacts import load_artifact
from verifier.chain.contract_interface import contract_interface
from verifier.chain.house_client import HouseClient
from verifier.chain.instrument_client import InstrumentClient
from verifier.chain.ownership_client import OwnershipClient
from verifier.chain.registry_client import RegistryClient
from verifier.chain.token_slots import require_listed_as_token
from verifier.chain.vault_client import VaultClient
from verifier.commitment_basis import basis_bytes, blinding_point
from verifier.curve import POINT_BYTES, group
from verifier.deployment.create2 import check_proxy
from verifier.deployment.deployment_plan import CEREMONY_VERIFIER, DATA_MARKER, NOBODY, deployment_of
from verifier.deployment.role_check import check_roles
from verifier.domain import interpolate_on_domain
from verifier.errors import ChainError, DeploymentError
from verifier.scalar_field import MODULUS
from verifier.statement import verifying_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.ceremony import TrustedSetup
    from verifier.chain.chain_client import ChainClient
    from verifier.chain.contract_artifacts import ContractArtifact
    from verifier.deployment.deployment_file import Deployment
    from verifier.deployment.deployment_manifest import Manifest
    from verifier.deployment.deployment_plan import PlannedContract
    from verifier.shape import Shape


def check_deployment(chain: ChainClient, deployment: Deployment, setup: TrustedSetup) -> None:
    """Check what stands on the chain against the setup: keys, addresses, owners, slots of tokens, tables of points.

    Raises:
        DeploymentError: something differs; do not use this deployment.
    """
    shape = deployment.argument_shape()
    key = verifying_key(shape, setup).digest
    verifier = contract_interface(CEREMONY_VERIFIER)
    answer = chain.call(deployment.verifier, verifier.encode_call("verifyingKey"))
    house, vault = HouseClient(chain, deployment.house), VaultClient(chain, deployment.vault)
    registry = RegistryClient(chain, deployment.registry)
    instruments = InstrumentClient(chain, deployment.instruments)
    _require_equal("the verifier's key", answer, key)
    _require_equal("the registry's key", registry.verifying_key(), key)
    _require_equal("the registry's verifier", registry.verifier(), deployment.verifier)
    _require_equal("the registry's list of instruments", registry.instruments(), deployment.instruments)
    _require_equal("the house's verifier", house.verifier(), deployment.verifier)
    _require_equal("the house's registry", house.registry(), deployment.registry)
    _require_equal("the house's exit verifier", house.exit_verifier(), deployment.exit_verifier)
    _require_equal("the house's vault", house.vault(), deployment.vault)
    _require_equal("the vault's house", vault.house(), deployment.house)
    tokens = tuple(terms.token for terms in vault.tokens())
    _require_equal("the vault's tokens", tokens[: len(deployment.tokens)], deployment.tokens)
    require_listed_as_token(chain, vault, instruments)
    _check_owners(chain, deployment)
    check_basis_table(chain, house, shape=shape, setup=setup)
    check_mask_table(chain, instruments, shape=shape, setup=setup)
    check_exit_verifier(chain, deployment.exit_verifier, shape=shape, setup=setup)


def _check_owners(chain: ChainClient, deployment: Deployment) -> None:
    """The timelock owns all, and has offered nothing to anybody, who could take it at once."""
    for name, contract, address in (
        ("house", "ClearingHouse", deployment.house),
        ("vault", "CollateralVault", deployment.vault),
        ("registry", "RuleRegistry", deployment.registry),
        ("list of instruments", "InstrumentRegistry", deployment.instruments),
    ):
        ownership = OwnershipClient(chain, contract, address)
        _require_equal(f"the owner of the {name}", ownership.owner(), deployment.timelock)
        _require_equal(f"whom the {name} has been offered to", ownership.pending_owner(), NOBODY)


def check_basis_table(chain: ChainClient, house: HouseClient, *, shape: Shape, setup: TrustedSetup) -> None:
    """Check the points by which a house credits deposits, from the powers of τ themselves.

    For random weights w: Σ w_i L_i must be the commitment of the polynomial of degree < N with values w_i on U. A
    table that differs anywhere passes with probability 2^−254.

    Raises:
        DeploymentError: the code, its hash or a point is not what the setup gives.
        MalformedInputError: the table holds something that is no point.
    """
    address, bound_hash = house.basis_table()
    weights = [secrets.randbelow(MODULUS) for _ in range(shape.slots)]
    points = _table_points(chain, "basis table", address, shape)
    _require_equal("the hash of the basis table", keccak(points), bound_hash)
    _require_combination("basis", points, weights, on_domain=weights, setup=setup)


def check_mask_table(chain: ChainClient, instruments: InstrumentClient, *, shape: Shape, setup: TrustedSetup) -> None:
    """Check the points that masks are made of, from the powers of τ themselves.

    For random weights w: Σ w_j (Λ_4j + Λ_(4j+1)) must be the commitment of the polynomial of degree < M with the value
    w_j at both legs of every slot j on V, and 0 elsewhere.

    Raises:
        DeploymentError: the code, its size or a point is not what the setup gives.
        MalformedInputError: the table holds something that is no point.
    """
    _require_equal("the slots of a book in the list of instruments", instruments.slots_per_book(), shape.slots)
    weights = [secrets.randbelow(MODULUS) for _ in range(shape.slots)]
    legs = [0] * shape.columns
    legs[0::4] = legs[1::4] = weights
    points = _table_points(chain, "mask table", instruments.mask_table(), shape)
    _require_combination("mask", points, weights, on_domain=legs, setup=setup)


def check_exit_verifier(chain: ChainClient, address: str, *, shape: Shape, setup: TrustedSetup) -> None:
    """Check that exits are measured by the same basis points, and by H = [τ^N − 1].

    Raises:
        DeploymentError: something differs.
    """
    interface = contract_interface("ExitVerifier")

    def read(function: str) -> object:
        return interface.decode_result(function, chain.call(address, interface.encode_call(function)))[0]

    expected = {
        "blindPoint": blinding_point(setup, shape.slots),
        "basisHash": keccak(basis_bytes(setup, shape.slots)),
        "slotCount": shape.slots,
    }
    for function, value in expected.items():
        _require_equal(f"the exit verifier's {function}", read(function), value)


def _table_points(chain: ChainClient, name: str, address: str, shape: Shape) -> bytes:
    points = chain.code(address).removeprefix(DATA_MARKER)
    _require_equal(f"the size of the {name} in bytes", len(points), shape.slots * POINT_BYTES)
    return points


def _require_combination(
    name: str, points: bytes, weights: Sequence[int], *, on_domain: Sequence[int], setup: TrustedSetup
) -> None:
    """Check Σ w·point against the commitment, by powers of τ, of the polynomial with given values on its domain."""
    backend = group()
    table = [backend.decode(points[at : at + POINT_BYTES]) for at in range(0, len(points), POINT_BYTES)]
    from_table = backend.encode(backend.combine(table, weights))
    powers = setup.points(backend)[: len(on_domain)]
    from_setup = backend.encode(backend.combine(powers, interpolate_on_domain(on_domain)))
    _require_equal(f"a random combination of the {name} points", from_table, from_setup)


def check_manifest(chain: ChainClient, manifest: Manifest, setup: TrustedSetup) -> None:
    """Check a manifest against build, setup and chain.

    Everything in the manifest is worked out again from its terms: an address follows from the build's code and the
    constructor's arguments, so that contracts at these addresses were created by just these. The code that stays is
    then compared byte for byte, the tables of points with the powers of τ, and who has which task with the terms.

    Raises:
        DeploymentError: something differs; do not use this deployment.
        InsecureDeploymentError: a test setup or the test token where they must not be.
    """
    _require_equal("the chain id", chain.chain_id, manifest.chain_id)
    plan = manifest.plan(setup)
    check_proxy(chain)
    _require_equal("the number of contracts in the manifest", len(manifest.contracts), len(plan.resulting))
    for record, planned in zip(manifest.contracts, plan.resulting, strict=True):
        record.require_planned(planned)
        code = chain.code(planned.address)
        check_code(planned, code)
        _require_equal(f"the code hash of the {planned.name}", "0x" + keccak(code).hex(), record.code_hash)
    for name in ("timelock", "registry"):
        created = first_block(chain, plan.address(name))
        if created and manifest.block_number > created:
            raise DeploymentError(
                f"block_number in the manifest is {manifest.block_number}, but the {name} stands since block "
                f"{created}: logs would be missed; do not use it"
            )
    check_roles(chain, manifest, plan)
    check_deployment(chain, deployment_of(plan, manifest.block_number), setup)


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
