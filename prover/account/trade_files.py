"""What two parties hand each other to agree on a hidden trade; both files are secrets of the two."""

from __future__ import annotations

import json
import secrets
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from prover.account.wallet_records import Address, Identity
from prover.errors import TradeError
from prover.rules.portfolio import make_portfolio, without_doubles
from verifier.books import BOOKS_BITS, book_bitmap
from verifier.chain.clearing_terms import EPOCH_BITS, VERSION_BITS
from verifier.chain.settlement_terms import NONCE_BITS
from verifier.errors import first_fault
from verifier.scalar_field import MODULUS

if TYPE_CHECKING:
    from pathlib import Path

    from prover.rules.portfolio import Portfolio
    from prover.rules.slots import SlotTable
    from verifier.shape import Shape

LARGEST_FILE: Final = 1 << 24
Quantity = Annotated[str, Field(pattern=r"^-?[0-9]{1,24}(\.[0-9]{1,12})?$")]
Blind = Annotated[int, Field(ge=0, lt=MODULUS)]
Book = Annotated[int, Field(ge=0, lt=BOOKS_BITS)]
Blinds = Annotated[dict[Book, Blind], Field(min_length=1, max_length=BOOKS_BITS)]
Epoch = Annotated[int, Field(gt=0, lt=1 << EPOCH_BITS)]
Deadline = Annotated[int, Field(gt=0, lt=1 << VERSION_BITS)]
Nonce = Annotated[int, Field(ge=0, lt=1 << NONCE_BITS)]
Hexadecimal = Annotated[str, Field(pattern=r"^0x(?:[0-9a-f]{2})*$")]
TradeName = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class TradeRecord(BaseModel):
    """What is handed from one to another to agree on a trade; ``what`` names it to people."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")
    what: ClassVar[str]


class TradeProposal(TradeRecord):
    """What the first of two parties proposes, whether the trade is settled alone or with others.

    Attributes:
        trade: name of the trade.
        chain_id: of the chain.
        house: address of the clearing house.
        first: account of the party that offers.
        first_nonce: a number that it has not used yet.
        max_epoch: last epoch at which both may prove initial margin.
        deadline: Unix time after which the trade is void.
        quantities: what the first party receives (negative: gives), by instrument.
        blinds: its share of ρ by book: those of the instruments, book 0, and all that it has opened.
    """

    trade: TradeName = Field(default_factory=lambda: secrets.token_hex(16))
    chain_id: int
    house: Address
    first: Identity
    first_nonce: Nonce
    max_epoch: Epoch
    deadline: Deadline
    quantities: dict[str, Quantity] = Field(repr=False)
    blinds: Blinds = Field(repr=False)

    @property
    def receiver(self) -> bytes:
        """The party that offers, 32 bytes."""
        return bytes.fromhex(self.first[2:])

    @property
    def bitmap(self) -> int:
        """Books that it has named."""
        return book_bitmap(self.blinds)

    def change(self, slots: SlotTable, shape: Shape) -> Portfolio:
        """Lots that the first party receives.

        Raises:
            UnknownInstrumentError: no slot lists an instrument.
            PortfolioError: a quantity that is no multiple of its lot, or beyond the range.
            TradeError: nothing changes hands.
        """
        quantities = {name: Decimal(quantity) for name, quantity in self.quantities.items()}
        portfolio = make_portfolio(quantities, slots, shape)
        if not portfolio.quantities():
            raise TradeError("the trade moves nothing: name at least one quantity that is not zero")
        return portfolio


class TradeOffer(TradeProposal):
    """An offer of a trade of two.

    Attributes:
        format: of the file.
        first_version: state version of the party that offers.
    """

    what: ClassVar[str] = "offer"
    format: Literal["zkmargin-offer-2"] = "zkmargin-offer-2"
    first_version: int = Field(ge=0)


class TradeAcceptance(TradeRecord):
    """What the second party answers: its share of ρ, its proof and its signature.

    Attributes:
        format: of the file.
        trade: name of the trade.
        second: account of the party that accepts.
        second_version: its state version.
        second_nonce: a number that it has not used yet.
        epoch: at which it has proven initial margin.
        blinds: its share of ρ by book: those of the instruments, book 0, and all that both have opened.
        differences: commitments to the change, as this party computed and signed them.
        signer: address of its owner or operator, who signed.
        signature: over the settlement.
        portfolio: its commitments before the trade.
        proof: of its initial margin after the trade.
        hint: goes with the proof.
    """

    what: ClassVar[str] = "acceptance"
    format: Literal["zkmargin-acceptance-2"] = "zkmargin-acceptance-2"
    trade: TradeName
    second: Identity
    second_version: int = Field(ge=0)
    second_nonce: Nonce
    epoch: int = Field(gt=0)
    blinds: Blinds = Field(repr=False)
    differences: tuple[Hexadecimal, ...]
    signer: Address
    signature: Hexadecimal
    portfolio: tuple[Hexadecimal, ...]
    proof: Hexadecimal
    hint: Hexadecimal


_File = TypeVar("_File", bound=TradeRecord)


def read_change(path: Path) -> dict[str, Decimal]:
    """Read what a party wants to receive (negative: give): a JSON object of quantities; "-" is standard input.

    Raises:
        TradeError: unreadable, or not such an object; the message quotes no quantity.
        PortfolioError: an instrument twice.
    """
    name = "on standard input" if str(path) == "-" else f"in {path}"
    try:
        content = sys.stdin.buffer.read(LARGEST_FILE) if str(path) == "-" else path.read_bytes()
        fields = json.loads(content, parse_float=Decimal, parse_int=Decimal, object_pairs_hook=without_doubles)
    except OSError as error:
        raise TradeError(f"the trade {name} cannot be read ({error.strerror}): give a readable file") from error
    except (ValueError, RecursionError):
        # The parser's message would quote what it could not read.
        raise TradeError(f'the trade {name} is not JSON: write {{"instrument": quantity, ...}}') from None
    if not isinstance(fields, dict) or not all(isinstance(value, Decimal) for value in fields.values()):
        raise TradeError(f'the trade {name} is no object of numbers: write {{"instrument": quantity, ...}}')
    return fields


def read_trade_file(path: Path, kind: type[_File]) -> _File:
    """Read a file of this kind.

    Raises:
        TradeError: unreadable, or not such a file; names the field, never its value.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE)
    except OSError as error:
        raise TradeError(f"trade file {path} cannot be read ({error.strerror}): give the file you received") from error
    return decode_trade_file(str(path), content, kind)


def decode_trade_file(source: str, content: bytes | str, kind: type[_File]) -> _File:
    """Read the content of such a file; errors as :func:`read_trade_file`."""
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        # The finding's cause would quote the content.
        raise TradeError(f"{source} is no {kind.what}: {first_fault(error)}; ask for it again") from None


def encode_trade_file(record: TradeRecord) -> bytes:
    """The file; secret where its kind is."""
    return json.dumps(record.model_dump(mode="json"), indent=1).encode()
