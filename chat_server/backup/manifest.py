"""`manifest.json`: what a snapshot is, written when everything else of it is on the disk."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Final

import msgspec

from chat_server.backup.problems import BackupProblem, writing
from chat_server.backup.streams import PART, fsync_folder, private

FORMAT: Final = 1
NAME: Final = "manifest.json"


class Step(msgspec.Struct, frozen=True):
    """A migration that made the database."""

    number: int
    name: str
    digest: str


class Stored(msgspec.Struct, frozen=True):
    """A file: what is in it, and what lies in the backup. Both are the same where nothing is encrypted."""

    size: int
    sha256: str
    stored_size: int
    stored_sha256: str


class Blobs(msgspec.Struct, frozen=True):
    """`lost`: named by the database, but unreadable when the snapshot was made. `list_sha256`: of blobs.txt."""

    count: int
    size: int
    lost: int
    list_sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`taken_at`: UTC milliseconds, before the view of the database was opened. `keys`: public ones."""

    format: int = FORMAT
    snapshot: str
    taken_at: int
    release: str
    engine: str
    epoch: str
    migrations: tuple[Step, ...]
    tables: dict[str, int]
    database: Stored
    blobs: Blobs
    keys: tuple[str, ...]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """The last step: with it, the snapshot counts. Raises `BackupProblem`."""
    raw = msgspec.to_builtins(manifest)
    raw["check"] = _check(raw)
    part = folder / (NAME + PART)
    with writing(folder):
        with os.fdopen(private(part), "w", encoding="utf-8") as file:
            file.write(json.dumps(raw, ensure_ascii=False, indent=1) + "\n")
            file.flush()
            os.fsync(file.fileno())
        part.rename(folder / NAME)
    fsync_folder(folder)


def read_manifest(folder: Path) -> Manifest:
    """Raises `BackupProblem`."""
    path = folder / NAME
    try:
        raw = json.loads(path.read_bytes())
        check = raw.pop("check")
        if check != _check(raw):
            raise ValueError
        if raw["format"] != FORMAT:
            raise BackupProblem(
                f"{path} は新しい形式の控えです。それを作った版の Renraku を使ってください。",
                f"{path} has a format that this Renraku does not know. Use the release that made it ({raw.get('release')}).",
            )
        return msgspec.convert(raw, Manifest)
    except FileNotFoundError:
        raise BackupProblem(
            f"{folder} は完成した控えではありません(manifest.json がありません)。",
            f"{folder} is no complete snapshot: it has no manifest.json.",
        ) from None
    except OSError as error:
        raise BackupProblem(
            f"{path} が読めません({error.strerror})。", f"{path} cannot be read ({error.strerror})."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BackupProblem(f"{path} が壊れています。", f"{path} is damaged: it is not what was written.") from None


def _check(raw: dict[str, Any]) -> str:
    """SHA-256 of the rest, as compact JSON in the order of its names, escaped to ASCII. Against rot, not a signature."""
    return hashlib.sha256(json.dumps(raw, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()
