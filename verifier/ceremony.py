"""Trusted setups: the powers of τ from the Ethereum KZG ceremony (EIP-4844), read from the copy inside eth-account.

``D`` must be the number of powers that are public for this τ (specification, section 2). Test setups carry
``insecure=True`` and a name that starts with "insecure"; deployment refuses them.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from verifier.curve import G2_BYTES, POINT_BYTES, Group, group
from verifier.disk_cache import cached_bytes
from verifier.errors import SetupError
from verifier.scalar_field import MODULUS

if TYPE_CHECKING:
    from collections.abc import Callable

CEREMONY_FILE: Final = "typed_transactions/blob_transactions/kzg_trusted_setup.txt"
CEREMONY_DIGEST: Final = "d39b9f2d047cc9dca2de58f264b6a09448ccd34db967881a6713eacacf0f26b7"
"""SHA-256 of the file; the same bytes as trusted_setup.txt of the consensus clients."""

INSECURE_PREFIX: Final = "insecure"
CHECK_BITS: Final = 128


@dataclass(frozen=True)
class TrustedSetup:
    """Powers of a secret τ.

    Attributes:
        name: where it comes from; begins with "insecure" when somebody knows τ.
        g1_powers: [τ^0]_1 … [τ^(D−1)]_1, 96 bytes each.
        tau_g2: [τ]_2, 192 bytes.
    """

    name: str
    g1_powers: bytes
    tau_g2: bytes

    def __post_init__(self) -> None:
        """Check lengths; :func:`check_setup` checks the structure."""
        if len(self.g1_powers) % POINT_BYTES or not self.g1_powers or len(self.tau_g2) != G2_BYTES:
            raise SetupError(
                f"setup {self.name!r}: {len(self.g1_powers)} bytes in G1 and {len(self.tau_g2)} in G2 "
                f"are not whole points; give {POINT_BYTES} bytes a power and {G2_BYTES} for [τ]_2"
            )

    @property
    def powers(self) -> int:
        """D, the number of powers in G1."""
        return len(self.g1_powers) // POINT_BYTES

    @property
    def insecure(self) -> bool:
        """Whether τ is known to somebody (test setups)."""
        return self.name.startswith(INSECURE_PREFIX)

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of all its bytes."""
        return hashlib.sha256(self.g1_powers + self.tau_g2).hexdigest()

    def points(self, backend: Group) -> list[Any]:
        """The powers as points of a backend; decoded once per backend."""
        return _decoded_powers(self.digest, backend.name, lambda: self._decode(backend))

    def _decode(self, backend: Group) -> list[Any]:
        data = self.g1_powers
        return [backend.decode_unchecked(data[i : i + POINT_BYTES]) for i in range(0, len(data), POINT_BYTES)]


_POINTS: Final[dict[tuple[str, str], list[Any]]] = {}


def _decoded_powers(digest: str, backend_name: str, decode: Callable[[], list[Any]]) -> list[Any]:
    key = (digest, backend_name)
    if key not in _POINTS:
        _POINTS[key] = decode()
    return _POINTS[key]


def ceremony_path() -> Path:
    """The file inside the installed package eth-account.

    Raises:
        SetupError: the package or the file is missing.
    """
    package = importlib.util.find_spec("eth_account")
    path = Path(package.origin).parent / CEREMONY_FILE if package is not None and package.origin else None
    if path is None or not path.exists():
        raise SetupError("the ceremony's setup was not found inside package eth-account: install the locked packages")
    return path


@functools.cache
def ceremony_setup() -> TrustedSetup:
    """The setup of the Ethereum KZG ceremony, D = 4096.

    Raises:
        SetupError: the file is missing or its digest is not the pinned one.
    """
    content = ceremony_path().read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != CEREMONY_DIGEST:
        raise SetupError(f"the ceremony's file has digest {digest}, expected {CEREMONY_DIGEST}: reinstall eth-account")
    lines = content.decode("ascii").split()
    g1_count, g2_count = int(lines[0]), int(lines[1])
    monomial = lines[2 + g1_count + g2_count :]
    backend = group()

    def decompress() -> bytes:
        return b"".join(backend.encode(backend.decode_compressed(bytes.fromhex(line))) for line in monomial)

    powers = cached_bytes(f"ceremony-powers-{CEREMONY_DIGEST}", decompress)
    tau_g2 = backend.encode2(backend.decompress2(bytes.fromhex(lines[2 + g1_count + 1])))
    return TrustedSetup("ethereum-kzg-ceremony", powers, tau_g2)


def insecure_setup(tau: int, powers: int, backend: Group | None = None) -> TrustedSetup:
    """A setup whose τ is known: for tests alone, worthless for anything else."""
    chosen = backend or group()
    scalars, value = [], 1
    for _ in range(powers):
        scalars.append(value)
        value = value * tau % MODULUS
    data = b"".join(chosen.encode(chosen.combine([chosen.generator], [scalar])) for scalar in scalars)
    tau_g2 = chosen.encode2(chosen.combine2([chosen.generator2], [tau]))
    return TrustedSetup(f"{INSECURE_PREFIX}-known-tau", data, tau_g2)


def check_setup(setup: TrustedSetup, backend: Group | None = None) -> None:
    """Check that every power follows from the one before, by a random linear combination and one pairing equation.

    With weights ρ_i drawn from the operating system: e(Σ ρ_i [τ^i], [τ]_2) = e(Σ ρ_i [τ^(i+1)], [1]_2), and
    [τ^0] is the generator. A wrong setup passes with probability 2^−128.

    Raises:
        SetupError: the setup is not a sequence of powers.
        MalformedInputError: a point is off the curve or outside the subgroup.
    """
    chosen = backend or group()
    encodings = [setup.g1_powers[i * POINT_BYTES : (i + 1) * POINT_BYTES] for i in range(setup.powers)]
    points = [chosen.decode(encoding) for encoding in encodings]
    tau_g2 = chosen.decode2(setup.tau_g2)
    if encodings[0] != chosen.encode(chosen.generator):
        raise SetupError(f"setup {setup.name!r}: the first power is not the generator of G1")
    weights = [secrets.randbits(CHECK_BITS) for _ in range(setup.powers - 1)]
    lower = chosen.combine(points[:-1], weights)
    upper = chosen.combine(points[1:], [MODULUS - weight for weight in weights])
    if not chosen.pairing_product_is_one([(lower, tau_g2), (upper, chosen.generator2)]):
        raise SetupError(f"setup {setup.name!r}: some power does not follow from the one before; do not use it")
