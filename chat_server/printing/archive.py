"""A ZIP that says of everything in it what its SHA-256 is."""

from __future__ import annotations

import errno
import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from chat_server.domain import limits
from chat_server.domain.errors import DISK_FULL, NOTE_EXPORT_TOO_LARGE, Problem

BYTES: Final = limits.NOTE_EXPORT_BYTES
SUMS: Final = "SHA256SUMS.txt"
_CHUNK: Final = 1 << 20
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


def write(target: Path, texts: Mapping[str, bytes], files: Mapping[str, Path]) -> None:
    """Photos and documents are compressed as they are: they are stored. `SHA256SUMS.txt` is what `sha256sum -c` reads.

    Raises `Problem` 4040, 8002, 9002; then there is no `target`."""
    if sum(path.stat().st_size for path in files.values()) > BYTES:
        raise Problem(NOTE_EXPORT_TOO_LARGE, limit=BYTES)
    try:
        with zipfile.ZipFile(target, "x", zipfile.ZIP_STORED) as made:
            sums = [f"{_text(made, name, data)}  {name}\n" for name, data in texts.items()]
            sums += [f"{_file(made, name, path)}  {name}\n" for name, path in files.items()]
            made.writestr(SUMS, "".join(sums), zipfile.ZIP_DEFLATED)
    except OSError as error:
        target.unlink(missing_ok=True)
        if error.errno in _FULL:
            raise Problem(DISK_FULL) from None
        raise
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _text(made: zipfile.ZipFile, name: str, data: bytes) -> str:
    made.writestr(name, data, zipfile.ZIP_DEFLATED)
    return hashlib.sha256(data).hexdigest()


def _file(made: zipfile.ZipFile, name: str, path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as source, made.open(name, "w", force_zip64=True) as target:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            target.write(chunk)
    return digest.hexdigest()
