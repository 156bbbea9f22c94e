"""Finding files by their age. Everything here blocks."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path


def shelves(root: Path) -> list[Path]:
    """The folders that blobs lie in: `<root>/<org_id>/<two digits>`."""
    organizations = [folder for folder in root.iterdir() if folder.name.isdecimal() and folder.is_dir()]
    return [shelf for folder in organizations for shelf in folder.iterdir() if shelf.is_dir()]


def untouched(folder: Path, before: float) -> list[Path]:
    """Files of `folder` that were not written since `before` (seconds since 1970)."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # kept or discarded in the meantime
                if entry.stat(follow_symlinks=False).st_mtime <= before:
                    found.append(folder / entry.name)
    return found


def remove(paths: Sequence[Path]) -> None:
    """Missing ones are fine."""
    for path in paths:
        path.unlink(missing_ok=True)


def clock_of(folder: Path) -> float:
    """Now, in seconds since 1970, by whoever gives the files in `folder` their times: the file server, if it is shared."""
    path = folder / f"clock-{secrets.token_hex(8)}"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.utime(descriptor)
        return os.fstat(descriptor).st_mtime
    finally:
        os.close(descriptor)
        path.unlink()
