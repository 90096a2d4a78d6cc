"""The console command ``zkmargin``. Subcommands are imported when they are called, so that help is quick.

Exit codes: 0 done; 1 refused or failed, with one line that names value and remedy; 2 wrong usage; 70 a fault of
this program. ``zkmargin vector check`` has codes of its own, see its help.
"""

from __future__ import annotations

import importlib
import os
from typing import Any, Final

import click

from prover.errors import ProverError
from verifier.errors import VerifierError

DEBUG_VARIABLE: Final = "ZKMARGIN_DEBUG"

COMMANDS: Final = {
    "demo": "The whole way on a chain of its own: publish, deposit, trade, prove, and what must fail.",
    "simulate": "A day at a clearing house on a chain of its own: trades, outages, attacks, every invariant looked at.",
    "publish": "Publish the margin rules of a market snapshot as the next epoch.",
    "deposit": "Deposit collateral to one of your accounts.",
    "merge": "Credit to your account what others have deposited for it.",
    "withdraw": "Withdraw collateral from one of your accounts.",
    "payout": "Have a queued withdrawal paid whose turn has come.",
    "exit": "Show that an account holds collateral alone, so that it can be withdrawn without a proof.",
    "lien": "Set collateral aside for a lender: grant, claim, release.",
    "operator": "Appoint who may sign your trades.",
    "trade": "Trade with another owner: offer, accept, settle.",
    "netting": "Trades of several owners settled together: offer, accept, agree, terms, sign, settle.",
    "prove": "Prove that your account is covered, and have it recorded.",
    "verify": "Check a proof, or what the chain says of an account, without any secret.",
    "status": "What you know of your account, and what the chain sees of it.",
    "history": "What the chain has seen of an account: deposits, trades, proofs, withdrawals, epochs.",
    "market": "Check market files, complete them, write them as one snapshot.",
    "exposure": "What your holdings are exposed to: net delta, gamma, vega, theta, use of limits.",
    "margin": "What a rule asks of your holdings, why, and what a trade would change.",
    "rule": "Build margin rules and see what they cost, read them, audit published ones.",
    "setup": "Check the trusted setup.",
    "table": "Check the basis points of a deployed clearing house.",
    "vector": "Check files of conformance vectors.",
    "cases": "Compute margin methodologies in clear and compare them with published cases.",
    "bench": "Measure proving, verifying and gas.",
}
"""Names and summaries; each is ``command`` of the module of that name in prover.commands."""


class InternalFaultError(click.ClickException):
    """An error that nobody foresaw."""

    exit_code = 70
    """EX_SOFTWARE of sysexits.h."""


def unforeseen(error: Exception) -> InternalFaultError:
    """For the border of a process: says that an error was not foreseen, not what; it might quote a secret.

    Raises:
        Exception: that error itself, where its place is asked for.
    """
    if os.environ.get(DEBUG_VARIABLE):
        raise error
    return InternalFaultError(
        f"a fault of this program ({type(error).__name__}); please report it. {DEBUG_VARIABLE}=1 shows where"
    )


class LazyGroup(click.Group):
    """A group whose help needs no import of its commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; ``None`` when there is none of that name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"prover.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List names and summaries from the table."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's signature
        """Run the command; errors become one line."""
        try:
            return super().invoke(ctx)
        except (ProverError, VerifierError) as error:
            raise click.ClickException(str(error)) from error
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            # A reader that has seen enough (``| head``) is no fault; click ends quietly.
            raise
        except OSError as error:
            what = error.filename or "the output"
            raise click.ClickException(f"{what} cannot be used ({error.strerror}): check room and rights") from error
        except Exception as error:
            raise unforeseen(error) from error


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="zkmargin", message="%(prog)s %(version)s")
def main() -> None:
    """Private margin, checked on chain: hidden portfolios, public margin rules, zero-knowledge margin proofs."""
