"""Names of files in an archive: a path that stays in its folder, for people to read and for every system to write."""

from __future__ import annotations

import re
from typing import Final

from chat_server.decoders.outcome import Refused
from chat_server.domain.file_names import is_device, visible
from chat_server.domain.text import nfc

_BYTES: Final = 180
"""Of a name in UTF-8: file systems take 255, and a number and another ending may be added."""
_END: Final = 40
"""Bytes of the end that stay where a name is cut."""
_DEPTH: Final = 20
_FORBIDDEN: Final = re.compile(r'[<>:"|?*]')
"""What Windows cannot write; a colon is also where an alternate stream begins."""
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_CLASS: Final = re.compile(r"\.\{[0-9a-f-]*\}", re.IGNORECASE)
"""An ending by which Windows shows a folder as something else."""


def safe_path(name: str) -> str:
    """`name`, decoded, as a relative path with slashes. A backslash parts folders as well: archivers of Windows write it.

    Raises `Refused` ("unsafe_path"): absolute, on a drive, out of its folder, or too deep.
    """
    name = nfc(name).replace("\\", "/")
    parts = name.rstrip("/").split("/")
    if name.startswith("/") or _DRIVE.match(name) or ".." in parts or len(parts) > _DEPTH:
        raise Refused("unsafe_path")
    return "/".join(_part(part) for part in parts if part not in ("", "."))


def file_name(name: str) -> str:
    """The last part of a name, safe to be written. Bytes that are not UTF-8 are what a Japanese Windows wrote."""
    try:
        name.encode()
    except UnicodeEncodeError:
        name = name.encode("utf-8", "surrogateescape").decode("cp932", "replace")
    return _part(nfc(name).replace("\\", "/").rstrip("/").rpartition("/")[2])


def with_suffix(name: str, suffix: str) -> str:
    """`name` with its ending exchanged: 図面.jww becomes 図面.dxf."""
    stem, _, old = name.rpartition(".")
    return f"{stem if stem and 0 < len(old) <= 5 and '/' not in old else name}{suffix}"


def free(name: str, taken: set[str]) -> str:
    """`name`, with a number if it is taken (in whatever case); taken from now on."""
    stem, dot, suffix = name.rpartition(".")
    candidate, number = name, 1
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{stem} ({number}).{suffix}" if dot else f"{name} ({number})"
    taken.add(candidate.casefold())
    return candidate


def _part(part: str) -> str:
    kept = visible(_CLASS.sub("_", _FORBIDDEN.sub("_", visible(part))))
    data = kept.encode()
    if len(data) > _BYTES:
        kept = data[: _BYTES - _END - 3].decode(errors="ignore") + "…" + data[-_END:].decode(errors="ignore")
    if is_device(kept):
        kept = f"_{kept}"
    return kept or "_"
