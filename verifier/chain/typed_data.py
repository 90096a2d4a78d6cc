"""EIP-712: documents that wallets show and sign, their hashes, signatures. Pure: no node is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from eth_abi.abi import encode as abi_encode
from eth_account.messages import encode_typed_data
from eth_hash.auto import keccak

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from eth_account.signers.local import LocalAccount

Fields = tuple[tuple[str, str], ...]
"""Name and type of every member of a struct, in order."""

DOMAIN_FIELDS: Final[Fields] = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
)
_ARRAY: Final = "[]"


@dataclass(frozen=True, slots=True)
class TypedStruct:
    """A kind of document.

    Attributes:
        name: of the struct.
        fields: its members, by name and type; structs among them are named in ``members``.
        members: structs that it contains, each without structs of its own.
    """

    name: str
    fields: Fields
    members: tuple[TypedStruct, ...] = ()

    @property
    def encoded_type(self) -> str:
        """The type string: the struct itself, then its members by name."""
        ordered = sorted(self.members, key=lambda member: member.name)
        own = f"{self.name}({','.join(f'{kind} {name}' for name, kind in self.fields)})"
        return own + "".join(member.encoded_type for member in ordered)

    def named(self, values: Sequence[Any]) -> dict[str, Any]:
        """Values in the order of the fields, by name."""
        return {name: value for (name, _), value in zip(self.fields, values, strict=True)}

    def struct_hash(self, values: Mapping[str, Any]) -> bytes:
        """keccak256 of type hash and values, 32 bytes.

        Args:
            values: by name; a struct is a mapping, an array of structs a list of them.
        """
        types, words = ["bytes32"], [keccak(self.encoded_type.encode())]
        for name, kind in self.fields:
            encoded_type, word = self._word(kind, values[name])
            types.append(encoded_type)
            words.append(word)
        return bytes(keccak(abi_encode(types, words)))

    def document(self, domain: SigningDomain, values: Mapping[str, Any]) -> dict[str, Any]:
        """The document as wallets take it."""
        structs = {member.name: member.fields for member in (self, *self.members)}
        declared = {"EIP712Domain": DOMAIN_FIELDS} | structs
        types = {name: [{"name": field, "type": kind} for field, kind in fields] for name, fields in declared.items()}
        return {"types": types, "primaryType": self.name, "domain": domain.values(), "message": dict(values)}

    def digest(self, domain: SigningDomain, values: Mapping[str, Any]) -> bytes:
        """What a signature is over, 32 bytes."""
        return bytes(keccak(b"\x19\x01" + domain.separator() + self.struct_hash(values)))

    def sign(self, account: LocalAccount, domain: SigningDomain, values: Mapping[str, Any]) -> bytes:
        """Signature over a document, 65 bytes."""
        message = encode_typed_data(full_message=self.document(domain, values))
        return bytes(account.sign_message(message).signature)

    def _word(self, kind: str, value: Any) -> tuple[str, Any]:  # noqa: ANN401 - of the kind
        structs = {member.name: member for member in self.members}
        if kind in ("bytes", "string"):
            return "bytes32", keccak(value.encode() if isinstance(value, str) else value)
        if kind.endswith(_ARRAY):
            member = structs[kind.removesuffix(_ARRAY)]
            return "bytes32", keccak(b"".join(member.struct_hash(item) for item in value))
        if kind in structs:
            return "bytes32", structs[kind].struct_hash(value)
        return kind, value


@dataclass(frozen=True, slots=True)
class SigningDomain:
    """What separates the signatures of one contract from those of all others.

    Attributes:
        name: of the contract's kind.
        version: of its documents.
        chain_id: chain that it is on.
        contract: its address.
    """

    name: str
    version: str
    chain_id: int
    contract: str

    def values(self) -> dict[str, Any]:
        """As members of EIP712Domain."""
        return {
            "name": self.name,
            "version": self.version,
            "chainId": self.chain_id,
            "verifyingContract": self.contract,
        }

    def separator(self) -> bytes:
        """Its struct hash, 32 bytes."""
        return TypedStruct("EIP712Domain", DOMAIN_FIELDS).struct_hash(self.values())
