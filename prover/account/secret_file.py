"""One encrypted file: scrypt and ChaCha20-Poly1305, replaced atomically, held by one process at a time.

The file is JSON: the parameters of the key derivation, a nonce and the ciphertext. The parameters are
authenticated, and bounded when they are read, so that a hostile file costs neither memory nor trust. A save writes
another file beside it, flushes it to the disk and renames it: after a crash at any point the old content or the new
one is there, whole.
"""

from __future__ import annotations

import base64
import glob
import os
import secrets
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import filelock
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, ValidationError

from prover.errors import WalletError, WalletLockedError, WalletPasswordError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY_BYTES: Final = 32
SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12
LOCK_SECONDS: Final = 5.0
OWNER_ONLY: Final = 0o600
PART_SUFFIX: Final = ".part"

DEFAULT_COST: Final = 1 << 17
"""scrypt's N with r = 8: 128 MiB and a third of a second for every guess."""

Cost = Annotated[int, Field(ge=2, le=1 << 20)]


class KeyDerivation(BaseModel):
    """Parameters of scrypt; bounded to 1 GiB."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    name: Literal["scrypt"] = "scrypt"
    n: Cost = DEFAULT_COST
    r: Literal[8] = 8
    p: Literal[1] = 1
    salt: str = Field(pattern=r"^[0-9a-f]{32}$")

    def key(self, password: str) -> bytes:
        """The key of a password.

        Raises:
            WalletError: N is no power of two.
        """
        try:
            derivation = Scrypt(salt=bytes.fromhex(self.salt), length=KEY_BYTES, n=self.n, r=self.r, p=self.p)
        except ValueError as error:
            raise WalletError(f"scrypt takes no N of {self.n}: the file is damaged, restore a copy") from error
        return derivation.derive(password.encode())


class _Envelope(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["zkmargin-wallet-1"] = "zkmargin-wallet-1"
    derivation: KeyDerivation
    cipher: Literal["chacha20-poly1305"] = "chacha20-poly1305"
    nonce: str = Field(pattern=r"^[0-9a-f]{24}$")
    ciphertext: Base64Bytes

    def header(self) -> bytes:
        """What the cipher authenticates beside the content."""
        return self.model_dump_json(exclude={"ciphertext"}).encode()


def _no_checkpoint(_: str) -> None:
    """Production stops nowhere between the steps of a save."""


class SecretFile:
    """The file and its key; the key is derived once, so that saves are quick.

    Args:
        path: of the file.
        derivation: how the key was made.
        key: 32 bytes.
        checkpoint: called with the name of each step of a save once it is done; tests crash there.
    """

    def __init__(
        self,
        path: Path,
        derivation: KeyDerivation,
        key: bytes,
        checkpoint: Callable[[str], None] = _no_checkpoint,
    ) -> None:
        self.path = path
        self._derivation = derivation
        self._key = key
        self._checkpoint = checkpoint

    def __repr__(self) -> str:
        return f"SecretFile({str(self.path)!r})"

    @classmethod
    def create(cls, path: Path, password: str, *, cost: int = DEFAULT_COST) -> SecretFile:
        """A file yet to be saved; refuses an empty password, and a path where something already is.

        Raises:
            WalletError: see above.
        """
        if not password:
            raise WalletError("an empty password protects nothing: choose one")
        if path.exists():
            raise WalletError(f"there already is a file at {path}: give another path for a new wallet")
        derivation = KeyDerivation(n=cost, salt=secrets.token_hex(SALT_BYTES))
        return cls(path, derivation, derivation.key(password))

    @classmethod
    def open(
        cls, path: Path, password: str, checkpoint: Callable[[str], None] = _no_checkpoint
    ) -> tuple[SecretFile, bytes]:
        """The file and its content.

        Raises:
            WalletPasswordError: another password, or the file was altered.
            WalletError: unreadable, or no such file.
        """
        envelope = _read_envelope(path)
        key = envelope.derivation.key(password)
        try:
            content = ChaCha20Poly1305(key).decrypt(
                bytes.fromhex(envelope.nonce), envelope.ciphertext, envelope.header()
            )
        except InvalidTag as error:
            raise WalletPasswordError(
                f"the password does not open {path}, or the file was altered: try again, or restore a copy"
            ) from error
        return cls(path, envelope.derivation, key, checkpoint), content

    def save(self, content: bytes) -> None:
        """Encrypt under a fresh nonce and replace the file.

        Raises:
            WalletError: the file system refused; the file is as it was.
        """
        envelope = _Envelope(
            derivation=self._derivation, nonce=secrets.token_hex(NONCE_BYTES), ciphertext=base64.b64encode(b"")
        )
        ciphertext = ChaCha20Poly1305(self._key).encrypt(bytes.fromhex(envelope.nonce), content, envelope.header())
        sealed = envelope.model_copy(update={"ciphertext": ciphertext})
        try:
            self._replace(sealed.model_dump_json().encode())
        except OSError as error:
            raise WalletError(
                f"{self.path} cannot be written ({error.strerror}): make room, or check its rights"
            ) from error

    def _replace(self, data: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # mkstemp gives the file to its owner alone.
        descriptor, name = tempfile.mkstemp(PART_SUFFIX, f".{self.path.name}.", self.path.parent)
        with os.fdopen(descriptor, "wb") as part:
            part.write(data)
            self._checkpoint("written")
            part.flush()
            os.fsync(part.fileno())
        self._checkpoint("flushed")
        Path(name).replace(self.path)
        self._checkpoint("replaced")
        _flush_folder(self.path.parent)


@contextmanager
def held_alone(path: Path) -> Iterator[None]:
    """Hold the file: no other process reads or replaces it meanwhile. What a crash left half-written is removed.

    Raises:
        WalletLockedError: another process holds it.
        WalletError: its folder cannot be used.
    """
    lock = filelock.FileLock(f"{path}.lock", timeout=LOCK_SECONDS, mode=OWNER_ONLY)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock.acquire()
        for part in path.parent.glob(f".{glob.escape(path.name)}.*{PART_SUFFIX}"):
            part.unlink()
    except filelock.Timeout as error:
        raise WalletLockedError(
            f"another process has held {path} for {LOCK_SECONDS:.0f} s: wait until it has ended"
        ) from error
    except OSError as error:
        lock.release()
        raise WalletError(
            f"the folder of {path} cannot be written to ({error.strerror}): check its rights, or name another path"
        ) from error
    try:
        yield
    finally:
        lock.release()


def write_owner_only(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read; it must not exist yet, so that its rights are ours.

    Raises:
        WalletError: it exists, or cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            path.unlink()
            raise
    except OSError as error:
        raise WalletError(f"{path} cannot be written ({error.strerror}): give the path of a new file") from error


def _read_envelope(path: Path) -> _Envelope:
    try:
        return _Envelope.model_validate_json(path.read_bytes())
    except OSError as error:
        raise WalletError(f"wallet {path} cannot be read ({error.strerror}): give the path of your wallet") from error
    except ValidationError as error:
        raise WalletError(f"{path} is not a wallet file: give the path of your wallet, or restore a copy") from error


def _flush_folder(folder: Path) -> None:
    """Make the rename itself durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
