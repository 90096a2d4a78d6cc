"""Whether the slots to which a vault's tokens are credited are listed as just these tokens.

A vault says how many units of a token one tick is, a list of slots how much one lot of a slot is. A deposited tick is
one lot: where the two differ, a rule values deposits at what they are not.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from verifier.chain.instrument_client import TERMS_SCALE, InstrumentKind, SlotStatus
from verifier.chain.token_client import TokenClient
from verifier.errors import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verifier.chain.chain_client import ChainClient
    from verifier.chain.instrument_client import InstrumentClient, SlotTerms
    from verifier.chain.vault_client import VaultClient

COLLATERAL_KINDS: Final = (InstrumentKind.CASH, InstrumentKind.TOKEN, InstrumentKind.SPOT)
"""What a token may be listed as: a holding of it is an amount, and worth no less than nothing."""


def require_listed_as_token(
    chain: ChainClient,
    vault: VaultClient,
    instruments: InstrumentClient,
    *,
    planned: Mapping[int, SlotTerms] | None = None,
    token: int | None = None,
) -> None:
    """Check slots of tokens against the list of slots; those that are not listed, or no longer, are passed over.

    Args:
        chain: connection.
        vault: whose tokens.
        instruments: the list of slots on chain.
        planned: what the list has, or is about to get, by position in book 0; it has to agree with the one on chain.
        token: number of the only token that is looked at; ``None`` for all.

    Raises:
        DeploymentError: a slot is something else than its token, or counted in another unit.
    """
    for number in range(vault.token_count()) if token is None else (token,):
        terms = vault.token_terms(number)
        found = instruments.slot(terms.slot)
        listed = found.terms if found.status is SlotStatus.LISTED else None
        expected = (planned or {}).get(terms.slot, listed)
        if expected is not None and found.status is not SlotStatus.DELISTED:
            client = TokenClient(chain, terms.token)
            tick = Decimal(terms.units_per_tick).scaleb(-client.decimals())
            _require_same(f"token {number} ({terms.token}) of the vault", terms.slot, tick, expected)


def _require_same(name: str, slot: int, tick: Decimal, listed: SlotTerms) -> None:
    if listed.kind not in COLLATERAL_KINDS:
        raise DeploymentError(
            f"{name} is credited to slot {slot} of book 0, which holds a {listed.kind.name}: deposit none of it; list "
            "the token there, or, if the slot is listed already, let governance delist it"
        )
    lot = Decimal(listed.contract_size) / TERMS_SCALE
    # Terms without a size say nothing of the unit.
    if listed.contract_size and lot != tick:
        raise DeploymentError(
            f"{name} is credited to slot {slot} of book 0 in ticks of {tick.normalize():f}, but the slot is counted "
            f"in lots of {lot.normalize():f}: deposit none of it; list the slot under a rule file with lots of "
            f"{tick.normalize():f}, or, if it is listed already, let governance delist it"
        )
