"""Encryption to a public key, in the age format (age-encryption.org/v1): the `age` tool opens it without Renraku.

The server has the public key alone. Who takes the machine or the backup reads nothing; who loses the private key, neither.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final, cast

import pyrage

from chat_server.backup.problems import BackupProblem, writing
from chat_server.backup.streams import HashedReader, Target, pour

_PUBLIC: Final = "age1"
_PRIVATE: Final = "AGE-SECRET-KEY-1"


@dataclass(frozen=True, slots=True)
class Seal:
    """The public keys that a backup is encrypted to; none: it is not."""

    keys: tuple[str, ...] = ()

    @property
    def suffix(self) -> str:
        """Of the names of blobs. It names the keys, so that bytes sealed to others are not taken for ours."""
        return f".{hashlib.sha256(' '.join(self.keys).encode()).hexdigest()[:8]}.age" if self.keys else ""

    def write(self, source: HashedReader, target: Target) -> None:
        """Raises `CannotRead`, OSError."""
        if not self.keys:
            pour(source, target)
            return
        recipients = [pyrage.x25519.Recipient.from_str(key) for key in self.keys]
        try:
            pyrage.encrypt_io(cast("IO[bytes]", source), cast("IO[bytes]", target), recipients)
        except pyrage.EncryptError as error:
            raise source.failure or target.failure or error from None


def seal_to(keys: Sequence[str]) -> Seal:
    """Raises `BackupProblem` on what is no public key."""
    for key in keys:
        if key.startswith(_PRIVATE):
            raise BackupProblem(
                "これは秘密鍵です。サーバーには公開鍵(age1…)だけを渡し、秘密鍵は別の場所に保管してください。",
                "That is the private key. Give the server the public one (age1…), and keep the private one elsewhere.",
            )
        try:
            pyrage.x25519.Recipient.from_str(key)
        except pyrage.RecipientError:
            raise BackupProblem(
                f"「{key}」は公開鍵ではありません。age1 で始まる鍵を指定してください(renraku backup-key が作ります)。",
                f"“{key}” is no public key. It begins with age1 (renraku backup-key makes one).",
            ) from None
    return Seal(tuple(sorted(set(keys))))


def keys_in(path: Path) -> list[str]:
    """Public keys, one a line; lines that begin with # say something else. Raises `BackupProblem`."""
    found = _lines(path)
    if not found:
        raise BackupProblem(f"{path} に鍵がありません。", f"There is no key in {path}.")
    return found


class Identity:
    """A private key."""

    def __init__(self, identities: Sequence[pyrage.x25519.Identity]) -> None:
        self._identities = identities

    def open(self, source: HashedReader, target: Target) -> None:
        """Decrypt. Raises `WrongKey`, `Broken`, `CannotRead`, OSError."""
        try:
            pyrage.decrypt_io(cast("IO[bytes]", source), cast("IO[bytes]", target), self._identities)
        except (pyrage.DecryptError, OSError) as error:
            if failure := source.failure or target.failure:
                raise failure from None
            raise (WrongKey if "No matching keys" in str(error) else Broken)(str(error)) from error


class WrongKey(Exception):
    """The bytes are sealed to another key."""


class Broken(Exception):
    """The bytes are not what was sealed: age found it out by itself."""


class Discard:
    """A target that keeps the hash and drops the bytes."""

    def __init__(self) -> None:
        self.size = 0
        self.failure: OSError | None = None
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.size += len(data)
        self._hash.update(data)
        return len(data)

    def flush(self) -> None:
        return

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def read_identity(path: Path) -> Identity:
    """A private key's file, as `make_key` or age-keygen wrote it. Raises `BackupProblem`."""
    try:
        return Identity([pyrage.x25519.Identity.from_str(line) for line in _lines(path)])
    except pyrage.IdentityError:
        raise BackupProblem(
            f"{path} は秘密鍵のファイルではありません(AGE-SECRET-KEY-1 で始まる行が要ります)。",
            f"{path} holds no private key (a line that begins with AGE-SECRET-KEY-1).",
        ) from None


def make_key(path: Path) -> str:
    """A new private key in a new file that its owner alone may read; answers the public key. Raises `BackupProblem`."""
    identity = pyrage.x25519.Identity.generate()
    public = str(identity.to_public())
    text = f"# created: {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n# public key: {public}\n{identity}\n"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise BackupProblem(
            f"{path} はもうあります。上書きすると、その鍵の控えは二度と開けません。別の名前にしてください。",
            f"{path} exists. Overwritten, its backups could never be opened again: choose another name.",
        ) from None
    except OSError as error:
        raise BackupProblem(
            f"{path} に書き込めません({error.strerror})。", f"{path} cannot be written ({error.strerror})."
        ) from error
    with writing(path.parent), os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return public


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not ASCII"
        raise BackupProblem(
            f"鍵ファイル {path} が読めません({reason})。", f"The key file {path} cannot be read ({reason})."
        ) from error
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
