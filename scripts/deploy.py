"""Deploys the contracts to a network, checks them, writes where they are.

The node's address comes from ZKMARGIN_NODE (it may hold an access key), the deployer's key from a keystore file, whose
password comes from ZKMARGIN_KEYSTORE_PASSWORD or a prompt, or stays with a signer behind the node (--node-account).
On the local chain ZKMARGIN_PRIVATE_KEY does as well. Nothing of that comes from argv.

    ZKMARGIN_NODE=https://… python scripts/deploy.py --network sepolia --keystore key.json --dry-run

    ZKMARGIN_NODE=https://… python scripts/deploy.py --network sepolia --keystore key.json

    ZKMARGIN_NODE=https://… python scripts/deploy.py --verify deployment.manifest.json

A timelock owns the contracts; what the options leave open, the deployer does: publish, list instruments, pause, propose
to the timelock. An interrupted deployment goes on where it stopped when the same command is run again. Beside the
deployment file come the manifest (addresses, code hashes, constructor arguments, block) and the compiler's
standard-JSON input.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from eth_hash.auto import keccak

from prover.account.signing_key import PRIVATE_KEY_VARIABLE
from prover.cli import unforeseen
from prover.commands.options import signer
from prover.errors import KeyFileError, ProverError
from verifier.ceremony import ceremony_setup
from verifier.chain.chain_client import ChainClient
from verifier.chain.chain_time import LOCAL_CHAIN_ID
from verifier.chain.contract_interface import contract_interface
from verifier.chain.epochs import EpochTiming
from verifier.chain.networks import Network, load_networks
from verifier.chain.token_client import TokenClient
from verifier.deployment.create2 import SALT_BYTES
from verifier.deployment.deployer import KeyDeployer, NodeDeployer
from verifier.deployment.deployment import carry_out, check_deployment
from verifier.deployment.deployment_check import check_manifest
from verifier.deployment.deployment_cost import deployment_cost
from verifier.deployment.deployment_manifest import Manifest, save_sources
from verifier.deployment.deployment_plan import deployment_plan, require_fit
from verifier.deployment.deployment_terms import (
    DEFAULT_TIMING,
    WITHDRAWAL_CAPACITY,
    WITHDRAWAL_REFILL,
    DeploymentTerms,
    TokenChoice,
)
from verifier.errors import DeploymentError, VerifierError
from verifier.shape import SHAPES_BY_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verifier.deployment.deployer import Deployer
    from verifier.deployment.deployment_file import Deployment
    from verifier.deployment.deployment_plan import DeploymentPlan

NODE_VARIABLE: Final = "ZKMARGIN_NODE"
NETWORKS: Final = Path(__file__).with_name("networks.json")
WEI_DIGITS: Final = 18
WORTHLESS: Final = "worthless"
TOKEN_NUMBERS: Final = 2
MINTED_TICKS: Final = 100_000_000
"""A million in quote currency."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be deployed where, and by whom.

    Attributes:
        name: of the network.
        network: its entry in the configuration file.
        shape: name of the argument's shape.
        terms: what else was chosen.
        keystore: file with the deployer's key, if any.
        node_account: account that the node signs for, if any.
        mint_to: who gets worthless tokens.
    """

    name: str
    network: Network
    shape: str
    terms: DeploymentTerms
    keystore: Path | None
    node_account: str | None
    mint_to: tuple[str, ...]


def connect(chain_id: int) -> ChainClient:
    """Connect to the node that the environment names.

    Raises:
        UsageError: it names none.
        ChainError: it does not answer, or serves another chain.
    """
    node = os.environ.get(NODE_VARIABLE)
    if not node:
        raise click.UsageError(f"set {NODE_VARIABLE} to the address of a node")
    return ChainClient.connect(node, chain_id=chain_id)


def deployer_of(chain: ChainClient, order: Order) -> Deployer:
    """Who signs: the node, or a key from a keystore; from the environment on the local chain alone.

    Raises:
        ProverError: no key to sign with, or none that may be used here.
        DeploymentError: the node does not sign for the account.
    """
    if order.node_account is not None:
        return NodeDeployer(chain, order.node_account)
    if order.keystore is None and chain.chain_id != LOCAL_CHAIN_ID:
        raise KeyFileError(
            f"no key for chain {chain.chain_id}: give --keystore or --node-account; {PRIVATE_KEY_VARIABLE} is for the "
            f"local chain {LOCAL_CHAIN_ID} alone"
        )
    return KeyDeployer(chain, signer(order.keystore))


def plan_of(chain: ChainClient, deployer: Deployer, order: Order) -> DeploymentPlan:
    """The deployment under the ceremony's setup.

    Raises:
        VerifierError: the terms are insecure here, or do not fit.
    """
    return deployment_plan(
        chain.chain_id, deployer.address, shape_name=order.shape, setup=ceremony_setup(), terms=order.terms
    )


def rehearse(order: Order) -> None:
    """Say what would be deployed and what it would cost; send nothing.

    Raises:
        VerifierError: the chain is not fit, or a step would fail.
        ProverError: no key to sign with.
    """
    chain = connect(order.network.chain_id)
    deployer = deployer_of(chain, order)
    plan = plan_of(chain, deployer, order)
    require_fit(chain, plan, blobs=order.network.blobs)
    cost = deployment_cost(chain, plan)
    for planned in plan.contracts:
        click.echo(f"{planned.name:<16} {planned.address}")
    for name, gas in cost.steps:
        click.echo(f"{name:<16} {gas:>12,} gas")
    click.echo(f"{'together':<16} {cost.gas:>12,} gas in {len(cost.steps)} transactions")
    click.echo(f"cost now {ether(cost.cost)} ETH, at most {ether(cost.cost_limit)} ETH")
    if order.network.rollup:
        click.echo("this chain is a rollup: its fee for data on the chain below comes on top")
    short = cost.cost_limit - cost.balance
    enough = "enough" if short <= 0 else f"{ether(short)} ETH short of the limit"
    click.echo(f"balance of {plan.administrator}: {ether(cost.balance)} ETH, {enough}")
    click.echo("dry run: nothing was sent")


def deploy_and_check(order: Order) -> tuple[Deployment, Manifest]:
    """Deploy under the ceremony's setup, mint test tokens if asked to, then check what stands on the chain.

    Raises:
        VerifierError: the chain is not fit, or refused.
        ProverError: no key to sign with.
    """
    chain = connect(order.network.chain_id)
    deployer = deployer_of(chain, order)
    plan = plan_of(chain, deployer, order)
    deployment = carry_out(chain, deployer, plan, blobs=order.network.blobs, report=click.echo)
    mint(chain, deployer, order, deployment.tokens)
    check_deployment(chain, deployment, ceremony_setup())
    manifest = Manifest.of(chain, plan, network=order.name, block_number=deployment.block_number)
    check_manifest(chain, manifest, ceremony_setup())
    return deployment, manifest


def mint(chain: ChainClient, deployer: Deployer, order: Order, tokens: tuple[str, ...]) -> None:
    """Give every receiver a million of every worthless token, unless it has them from a run before."""
    interface = contract_interface("InsecureTestToken")
    for choice, address in zip(order.terms.tokens, tokens, strict=True):
        if choice.address is not None:
            continue
        wanted, token = MINTED_TICKS * choice.units_per_tick, TokenClient(chain, address)
        for receiver in order.mint_to:
            missing = wanted - token.balance(receiver)
            if missing > 0:
                deployer.send(address, interface.encode_call("mint", receiver, missing))


def verify(path: Path) -> None:
    """Check a manifest against build, setup and chain.

    Raises:
        VerifierError: something differs.
    """
    manifest = Manifest.load(path)
    named = load_networks(NETWORKS).get(manifest.network)
    if manifest.network != f"chain {manifest.chain_id}" and (named is None or named.chain_id != manifest.chain_id):
        raise DeploymentError(
            f"network is {manifest.network!r} in the manifest, which is not chain {manifest.chain_id}: do not use it"
        )
    chain = connect(manifest.chain_id)
    check_manifest(chain, manifest, ceremony_setup())
    for record in manifest.contracts:
        click.echo(f"{record.name:<16} {record.address} is what the build and its arguments give")
    click.echo("the tables of points and the blinding point follow from the ceremony's powers")
    click.echo("the timelock owns house, vault, rule registry and instrument registry")
    click.echo("publishers, lister, guardian and governors are those of the manifest")
    click.echo(f"the deployment on {manifest.network} (chain {manifest.chain_id}) is what the manifest says")


def ether(wei: int) -> str:
    """Wei as ETH, exactly."""
    whole, rest = divmod(wei, 10**WEI_DIGITS)
    return f"{whole}.{rest:0{WEI_DIGITS}d}".rstrip("0").rstrip(".")


def order_of(options: Mapping[str, Any]) -> Order:
    """The order that the options describe.

    Raises:
        UsageError: options that do not go together.
        VerifierError: the configuration file or a term is not right.
    """
    networks = load_networks(NETWORKS)
    name, chain_id = options["network"], options["chain_id"]
    if (name is None) == (chain_id is None):
        raise click.UsageError("give one of --network and --chain-id")
    if name is not None and name not in networks:
        raise click.UsageError(f"there is no network {name!r} in {NETWORKS.name}: use {', '.join(networks)}")
    network = Network(chain_id=chain_id, blobs=True) if name is None else networks[name]
    tokens = tokens_of(options, network)
    if options["mint_to"] and all(token.address is not None for token in tokens):
        raise click.UsageError("--mint-to is for worthless tokens alone: leave out --collateral, or obtain tokens")
    if options["keystore"] is not None and options["node_account"] is not None:
        raise click.UsageError("give one of --keystore and --node-account")
    delay = options["governance_delay"]
    terms = DeploymentTerms(
        tokens=tokens,
        timing=EpochTiming(*(options[name] for name in ("maximum_age", "activation_delay", "spacing"))),
        publishers=options["publishers"],
        threshold=options["threshold"],
        lister=options["lister"],
        guardian=options["guardian"],
        proposers=options["proposers"],
        governance_delay=network.governance_delay if delay is None else delay,
        insecure=options["insecure"],
        salt=bytes(keccak(options["salt"].encode())) if options["salt"] else bytes(SALT_BYTES),
    )
    chosen = {key: options[key] for key in ("shape", "keystore", "node_account", "mint_to")}
    return Order(name=name or f"chain {chain_id}", network=network, terms=terms, **chosen)


def tokens_of(options: Mapping[str, Any], network: Network) -> tuple[TokenChoice, ...]:
    """Quote collateral, the network's further tokens, those of the options; all with the same withdrawal limit.

    Raises:
        MalformedInputError: an address that is none.
    """
    limit = {"capacity": options["withdrawal_capacity"], "refill": options["withdrawal_refill"]}
    units = options["units_per_tick"]
    quote = TokenChoice(
        options["collateral"] or network.collateral,
        slot=options["collateral_slot"],
        units_per_tick=network.units_per_tick if units is None else units,
        cap=options["cap"],
        **limit,
    )
    further = [
        *(TokenChoice(token.address, token.slot, token.units_per_tick, **limit) for token in network.tokens),
        *(TokenChoice(*token, **limit) for token in options["tokens"]),
    ]
    return (quote, *further)


def token_option(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> list[Any]:
    """Address, slot and units per tick of further tokens, from ADDRESS,SLOT,UNITS.

    Raises:
        BadParameter: another form.
    """
    tokens: list[Any] = []
    for value in values:
        address, *numbers = value.split(",")
        if len(numbers) != TOKEN_NUMBERS or not all(number.isdecimal() for number in numbers):
            raise click.BadParameter(f"{value!r} is not ADDRESS,SLOT,UNITS with whole numbers")
        tokens.append((None if address == WORTHLESS else address, *map(int, numbers)))
    return tokens


def run(options: Mapping[str, Any]) -> None:
    """Do what the options ask for.

    Raises:
        UsageError: options that do not go together, or an older deployment in the way.
        VerifierError: refused.
        ProverError: no key to sign with.
    """
    if options["manifest"] is not None:
        verify(options["manifest"])
        return
    order, output = order_of(options), options["output"]
    if options["dry_run"]:
        rehearse(order)
        return
    if output.exists():
        raise click.UsageError(f"{output} exists: an older deployment is not overwritten; give another --output")
    if not os.access(output.parent, os.W_OK):
        raise click.UsageError(f"no file can be written to folder {output.parent}: give another --output")
    deployment, manifest = deploy_and_check(order)
    # The deployment file comes last: until it is there, the same command may be run again.
    save_sources(output)
    manifest.save(output.with_suffix(".manifest.json"))
    deployment.save(output)
    for name in ("verifier", "timelock", "instruments", "registry", "exit_verifier", "house", "vault", "collateral"):
        click.echo(f"{name.replace('_', ' '):<14}{getattr(deployment, name)}")
    if not order.network.blobs:
        click.echo("this chain takes no blobs: rules are published by calldata on it")
    click.echo(f"written to {output}, with its manifest and the sources for block explorers beside it")


@click.command(help=__doc__)
@click.option("--network", help="Name of a network in scripts/networks.json.")
@click.option("--chain-id", type=int, help="Instead of a network: the chain that the node must serve.")
@click.option("--shape", type=click.Choice(sorted(SHAPES_BY_NAME)), default="standard", show_default=True)
@click.option(
    "--collateral",
    help=f"Address of the quote collateral; the network's without it, else a worthless one ({LOCAL_CHAIN_ID} only).",
)
@click.option("--collateral-slot", type=int, default=0, show_default=True, help="Its slot in book 0.")
@click.option("--units-per-tick", type=int, help="Units of the token in one tick; 10000 unless the network says more.")
@click.option("--cap", type=int, help="Ticks of it that all accounts may hold together; as many as can be proven with.")
@click.option(
    "--token",
    "tokens",
    multiple=True,
    metavar="ADDRESS,SLOT,UNITS",
    callback=token_option,
    help=f"A further token, its slot in book 0, its units in one tick; {WORTHLESS} for the address on the local chain.",
)
@click.option("--withdrawal-capacity", type=int, default=WITHDRAWAL_CAPACITY, help="Ticks that may leave at once.")
@click.option("--withdrawal-refill", type=int, default=WITHDRAWAL_REFILL, help="Ticks a second beyond that.")
@click.option("--maximum-age", type=int, default=DEFAULT_TIMING.maximum_age, help="Of a usable rule, in seconds.")
@click.option("--activation-delay", type=int, default=DEFAULT_TIMING.activation_delay, help="Of an epoch, in seconds.")
@click.option("--spacing", type=int, default=DEFAULT_TIMING.spacing, help="Seconds between epochs, at least.")
@click.option("--publisher", "publishers", multiple=True, help="Address that signs rules; may be repeated.")
@click.option("--threshold", type=int, default=1, show_default=True, help="How many publishers must sign.")
@click.option("--lister", help="Address that lists instruments.")
@click.option("--guardian", help="Address that may pause the house for a limited time.")
@click.option("--proposer", "proposers", multiple=True, help="Address that proposes to the timelock; may be repeated.")
@click.option("--governance-delay", type=int, help="Seconds that a proposal waits; two days unless the network says.")
@click.option("--keystore", type=click.Path(path_type=Path), help="Key of the deployer.")
@click.option("--node-account", help="Address of the deployer when the node, or a signer behind it, signs.")
@click.option("--salt", help="Any text: another one gives the same contracts other addresses.")
@click.option("--dry-run", is_flag=True, help="Say what would be deployed and what it would cost; send nothing.")
@click.option("--verify", "manifest", type=click.Path(path_type=Path), help="Check a manifest, deploy nothing.")
@click.option("--output", type=click.Path(path_type=Path), default=Path("deployment.json"), show_default=True)
@click.option("--insecure", is_flag=True, help=f"Allow worthless tokens, on chain {LOCAL_CHAIN_ID} alone.")
@click.option("--mint-to", multiple=True, help="Address that gets a million of each; may be repeated.")
def main(**options: Any) -> None:  # noqa: ANN401 - click hands over what the options above declare
    """Run, and turn refusals into a message and an exit code."""
    try:
        run(options)
    except OSError as error:
        # What stands on the chain stays there; the same command finds it.
        click.echo(f"not written: {error.filename} ({error.strerror}): make room, then run the same again", err=True)
        sys.exit(1)
    except (VerifierError, ProverError) as error:
        refused = "not verified" if options["manifest"] is not None else "not deployed"
        click.echo(f"{refused}: {error}", err=True)
        sys.exit(1)
    except (click.ClickException, click.Abort):
        raise
    except Exception as error:
        raise unforeseen(error) from error


if __name__ == "__main__":
    main()
