"""Deploys verifier, registry, basis table and clearing house to a network, checks them, writes the deployment file.

The node's address comes from ZKMARGIN_NODE (it may hold an access key), the deployer's key from a keystore file or
ZKMARGIN_PRIVATE_KEY, the keystore's password from ZKMARGIN_KEYSTORE_PASSWORD or a prompt: nothing of that from argv.

    ZKMARGIN_NODE=https://… python scripts/deploy.py --chain-id 11155111 --collateral 0x… --keystore key.json
"""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import Final

import click

from prover.errors import ProverError
from prover.signing_key import load_signer
from verifier.ceremony import ceremony_setup
from verifier.chain_client import ChainClient
from verifier.deployment import LOCAL_CHAIN_ID, Deployment, DeploymentTerms, check_deployment, deploy
from verifier.errors import VerifierError
from verifier.shape import SHAPES_BY_NAME
from verifier.token_client import TokenClient

NODE_VARIABLE: Final = "ZKMARGIN_NODE"
DEFAULT_AGE: Final = 3_600
DEFAULT_UNITS_PER_TICK: Final = 10_000


MINTED_TICKS: Final = 100_000_000
"""A million in quote currency."""


def deploy_and_check(
    *, chain_id: int, shape: str, terms: DeploymentTerms, keystore: Path | None, mint_to: tuple[str, ...]
) -> Deployment:
    """Deploy under the ceremony's setup, mint test tokens if asked to, then check what stands on the chain.

    Raises:
        VerifierError: the chain is not fit, or refused.
        ProverError: no key to sign with.
    """
    node = os.environ.get(NODE_VARIABLE)
    if not node:
        raise click.UsageError(f"set {NODE_VARIABLE} to the address of a node")
    chain = ChainClient.connect(node, chain_id=chain_id)
    signer = load_signer(keystore, lambda: getpass.getpass("password of the keystore: "))
    setup = ceremony_setup()
    deployment = deploy(chain, signer, shape_name=shape, setup=setup, terms=terms)
    token = TokenClient(chain, deployment.collateral)
    for receiver in mint_to:
        token.mint(signer, receiver, MINTED_TICKS * terms.units_per_tick)
    check_deployment(chain, deployment, setup)
    return deployment


@click.command(help=__doc__)
@click.option("--chain-id", type=int, required=True, help="The chain that the node must serve.")
@click.option("--shape", type=click.Choice(sorted(SHAPES_BY_NAME)), default="standard", show_default=True)
@click.option(
    "--collateral", help=f"Address of the collateral token; without it, a worthless one ({LOCAL_CHAIN_ID} only)."
)
@click.option("--collateral-slot", type=int, default=0, show_default=True, help="Its slot in book 0.")
@click.option("--units-per-tick", type=int, default=DEFAULT_UNITS_PER_TICK, show_default=True)
@click.option("--maximum-age", type=int, default=DEFAULT_AGE, show_default=True, help="Of a usable rule, in seconds.")
@click.option("--keystore", type=click.Path(path_type=Path), help="Key of the deployer, who administers and publishes.")
@click.option("--output", type=click.Path(path_type=Path), default=Path("deployment.json"), show_default=True)
@click.option("--insecure", is_flag=True, help=f"Allow the worthless token, on chain {LOCAL_CHAIN_ID} alone.")
@click.option("--mint-to", multiple=True, help="Address that gets a million worthless tokens; may be repeated.")
def main(  # noqa: PLR0913 - one parameter for each option
    *,
    chain_id: int,
    shape: str,
    collateral: str | None,
    collateral_slot: int,
    units_per_tick: int,
    maximum_age: int,
    keystore: Path | None,
    output: Path,
    insecure: bool,
    mint_to: tuple[str, ...],
) -> None:
    """Read the options, deploy, print the addresses."""
    terms = DeploymentTerms(
        maximum_age=maximum_age,
        collateral=collateral,
        collateral_slot=collateral_slot,
        units_per_tick=units_per_tick,
        insecure=insecure,
    )
    if mint_to and collateral is not None:
        raise click.UsageError("--mint-to is for the worthless token alone: leave out --collateral, or obtain tokens")
    if output.exists():
        raise click.UsageError(f"{output} exists: an older deployment is not overwritten; give another --output")
    try:
        deployment = deploy_and_check(chain_id=chain_id, shape=shape, terms=terms, keystore=keystore, mint_to=mint_to)
        deployment.save(output)
    except (VerifierError, ProverError) as error:
        click.echo(f"not deployed: {error}", err=True)
        sys.exit(1)
    for name in ("verifier", "registry", "house", "collateral"):
        click.echo(f"{name:<11}{getattr(deployment, name)}")
    click.echo(f"written to {output}")


if __name__ == "__main__":
    main()
