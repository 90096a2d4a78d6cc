"""Proposals of rules on their way from publisher to publisher: files that hold what is signed, and who has signed.

Nothing in them is secret, and nothing is taken from them on trust: whoever signs works the proposal out again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, NonNegativeInt, ValidationError

from verifier.chain.rule_publishing import SignedProposal
from verifier.errors import MalformedInputError, first_fault

if TYPE_CHECKING:
    from pathlib import Path

    from verifier.chain.rule_publication import RuleProposal
    from verifier.chain.rule_publishing import RulePublisher


def _hexadecimal(text: str) -> str:
    bytes.fromhex(text.removeprefix("0x"))
    return text


Bytes = Annotated[str, AfterValidator(_hexadecimal)]


class _ProposalFields(BaseModel):
    """The members of a proposal; :class:`RuleProposal` says what they are."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    epoch: NonNegativeInt
    snapshot_time: NonNegativeInt
    list_version: NonNegativeInt
    books: NonNegativeInt
    initial_chunks: NonNegativeInt
    maintenance_chunks: NonNegativeInt
    snapshot_hash: Bytes
    rule_digest: Bytes
    slots_digest: Bytes
    chunks_hash: Bytes
    marks_hash: Bytes
    indices_hash: Bytes


class ProposalFile(BaseModel):
    """A proposal with its signatures, as it stands in a file.

    Attributes:
        format: of this file.
        chain_id: of the chain.
        registry: address of the rule registry.
        proposal: what is signed.
        signatures: 65 bytes each, in hexadecimal.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal["zkmargin-proposal-1"] = "zkmargin-proposal-1"
    chain_id: int
    registry: str
    proposal: _ProposalFields
    signatures: tuple[Bytes, ...]

    @classmethod
    def load(cls, path: Path) -> ProposalFile:
        """Read a proposal.

        Raises:
            MalformedInputError: there is none, or it is not one.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise MalformedInputError(f"proposal {path} cannot be read ({error.strerror}): give another") from error
        except ValidationError as error:
            raise MalformedInputError(f"{path} is no proposal: {first_fault(error)}; give another") from error

    @classmethod
    def of(cls, registry: RulePublisher, signed: SignedProposal) -> ProposalFile:
        """The file of a signed proposal."""
        names = _ProposalFields.model_fields
        values = {name: getattr(signed.proposal, name) for name in names}
        shown = {name: "0x" + value.hex() if isinstance(value, bytes) else value for name, value in values.items()}
        return cls(
            chain_id=registry.chain_id,
            registry=registry.address,
            proposal=_ProposalFields.model_validate(shown),
            signatures=tuple("0x" + signature.hex() for signature in signed.signatures),
        )

    def save(self, path: Path) -> None:
        """Write the proposal; one of the same name is replaced.

        Raises:
            MalformedInputError: it cannot be written.
        """
        try:
            path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise MalformedInputError(f"proposal {path} cannot be written ({error.strerror}): name another") from error

    def signatures_of(self, registry: RulePublisher, proposal: RuleProposal) -> SignedProposal:
        """What others have signed of a proposal that was worked out here.

        Raises:
            MalformedInputError: the file is of another registry, chain or proposal; names the first difference.
        """
        found = {"chain_id": self.chain_id, "registry": self.registry, **self.proposal.model_dump()}
        own = ProposalFile.of(registry, SignedProposal(proposal, ()))
        expected = {"chain_id": own.chain_id, "registry": own.registry, **own.proposal.model_dump()}
        for name, value in expected.items():
            if found[name] != value:
                raise MalformedInputError(
                    f"{name} is {found[name]} in the proposal, and {value} by the market file, the rule file and the "
                    "chain as they are here: do not sign; use the same files, or propose anew"
                )
        return SignedProposal(proposal, tuple(bytes.fromhex(text.removeprefix("0x")) for text in self.signatures))
