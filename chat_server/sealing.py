"""What lies in quarantine, encrypted with age: `ports.Seals`.

The key lies in the database, so this keeps nothing from whoever has the whole server. It keeps the bytes of strangers from
everything else that walks over the folder of blobs: programs that open files to look at them, people who copy them about.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final, cast

import pyrage

from chat_server.ports import SealBroken

_PIECE: Final = 1 << 20
_PREFIX: Final = "age-secret-key-"
_LETTERS: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_TAPS: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


class AgeSeals:
    """Implements `ports.Seals`."""

    def seal(self, secret: bytes, source: Path, write: Callable[[bytes], None]) -> None:
        """See `ports.Seals`."""
        target = _Pieces(write)
        with source.open("rb") as opened:
            try:
                pyrage.encrypt_io(opened, cast("IO[bytes]", target), [_identity(secret).to_public()])
            except pyrage.EncryptError as error:
                raise target.failure or OSError(str(error)) from None
        target.end()

    def open(self, secret: bytes, source: Path, target: Path) -> str:
        """See `ports.Seals`."""
        with source.open("rb") as sealed, target.open("xb") as opened:
            try:
                pyrage.decrypt_io(sealed, opened, [_identity(secret)])
            except pyrage.DecryptError as error:
                raise SealBroken(str(error)) from None
            except OSError as error:
                if error.errno is None:  # age's own: what it read does not belong together
                    raise SealBroken(str(error)) from None
                raise
        with target.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()


class _Pieces:
    """A file to write to, that hands on larger pieces and remembers why it could not."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._gathered = bytearray()
        self.failure: BaseException | None = None

    def write(self, data: bytes) -> int:
        self._gathered += data
        if len(self._gathered) >= _PIECE:
            self.end()
        return len(data)

    def flush(self) -> None:
        return

    def end(self) -> None:
        piece, self._gathered = bytes(self._gathered), bytearray()
        try:
            self._write(piece)
        except BaseException as error:
            self.failure = error
            raise


def _identity(secret: bytes) -> pyrage.x25519.Identity:
    """The age key of 32 bytes: they are written as Bech32 (BIP 173), as age has them."""
    bits = int.from_bytes(secret) << 4  # 256 bits, in groups of 5
    words = [bits >> shift & 31 for shift in range(255, -1, -5)]
    expanded = [ord(letter) >> 5 for letter in _PREFIX] + [0] + [ord(letter) & 31 for letter in _PREFIX]
    check = _checksum([*expanded, *words, *[0] * 6]) ^ 1
    words += [check >> shift & 31 for shift in range(25, -1, -5)]
    return pyrage.x25519.Identity.from_str(f"{_PREFIX}1{''.join(_LETTERS[word] for word in words)}".upper())


def _checksum(words: list[int]) -> int:
    value = 1
    for word in words:
        top = value >> 25
        value = (value & 0x1FFFFFF) << 5 ^ word
        for place, tap in enumerate(_TAPS):
            value ^= tap if top >> place & 1 else 0
    return value
