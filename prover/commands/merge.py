"""``zkmargin merge``: what waits in an account's inbox becomes part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from prover.commands.options import (
    identity_options,
    json_option,
    place_options,
    print_result,
    receipt_fields,
    token_option,
)
from prover.terminal import progress

if TYPE_CHECKING:
    from prover.commands.options import Identity, Place


@click.command()
@token_option
@place_options
@identity_options
@json_option
def command(place: Place, identity: Identity, *, token: str | None, as_json: bool) -> None:
    """Credit to your account what others have deposited for it. Owner and operators may.

    Until then it waits in a public inbox, because nobody but you may change your commitments: proofs that you have
    already made stay valid. Where there is no wallet yet, a new one is made.
    """
    from prover.account.deposits import merge_inbox  # noqa: PLC0415 - brings numpy

    venue = place.connect()
    with identity.session(venue, create=True) as session:
        with progress("merging the inbox"):
            ticks, receipt = merge_inbox(session, token)
        result: dict[str, object] = {"account": "0x" + session.account.hex(), "ticks": ticks}
        print_result(result | receipt_fields(receipt), as_json=as_json)
