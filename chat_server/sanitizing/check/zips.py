"""A rebuilt archive: its frame. Each of its members was checked by itself; of them only the first bytes are looked at
here."""

from __future__ import annotations

import re
import stat
import unicodedata
from typing import IO, Final

from chat_server.domain.text import nfc
from chat_server.sanitizing.check.telling import shown
from chat_server.sanitizing.check.zip_layout import Entry, Unreadable, content, entries, names

_MOST: Final = 4 << 30
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?", re.IGNORECASE)
_INVISIBLE: Final = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_HEADS: Final = (
    (0, b"MZ", "a program"), (0, b"\x7fELF", "a program"), (0, b"\xca\xfe\xba\xbe", "a program"),
    (0, b"\xcf\xfa\xed\xfe", "a program"), (0, b"\xce\xfa\xed\xfe", "a program"), (0, b"\xfe\xed\xfa", "a program"),
    (0, b"#!", "a program"), (0, b"L\0\0\0\x01\x14\x02\0", "a shortcut"), (0, b"[InternetShortcut]", "a shortcut"),
    (0, b"dex\n", "a program"), (0, b"\0asm", "a program"), (0, b"@echo ", "a program"),
    (0, b"Rar!\x1a\x07", "an archive"), (0, b"7z\xbc\xaf\x27\x1c", "an archive"), (0, b"\x1f\x8b", "an archive"),
    (0, b"BZh", "an archive"), (0, b"\xfd7zXZ\0", "an archive"), (0, b"MSCF", "an archive"), (0, b"ISc(", "an archive"),
    (0, b"\x28\xb5\x2f\xfd", "an archive"), (0, b"\x60\xea", "an archive"), (2, b"-lh", "an archive"),
    (2, b"-lz", "an archive"), (257, b"ustar", "an archive"), (0, b"!<arch>", "an archive"), (0, b"xar!", "an archive"),
    (0, b"ITSF", "a help file"), (0, b"\xd0\xcf\x11\xe0", "a compound file"),
    (0, b"vhdxfile", "a disk"), (0, b"conectix", "a disk"),
)  # fmt: skip
"""Signatures of what no rebuilder makes. A ZIP may lie in a ZIP: it was checked before."""


def check(source: IO[bytes]) -> list[str]:
    """See `looking.look`."""
    try:
        found, findings = entries(source)
    except Unreadable as why:
        return [str(why)]
    findings += names(found) + _more_names(found)
    if sum(entry.size for entry in found) > _MOST:
        return [*findings, "unpacks to more than 4 GB"]
    for entry in found:
        findings += _member(source, entry)
    return findings


def _more_names(found: list[Entry]) -> list[str]:
    """What Windows takes for something else (devices, streams of a file, blanks and dots at the end), what looks like
    another name (bidirectional controls), and what is one name in two spellings."""
    findings = []
    folded: set[str] = set()
    files = {entry.name.casefold() for entry in found if not entry.name.endswith("/")}
    for entry in found:
        name = entry.name.removesuffix("/")
        if any(unicodedata.category(char) in _INVISIBLE for char in name):
            findings.append(f"invisible characters in a name: {shown(name)}")
        parts = name.split("/")
        if any(part.endswith((" ", ".")) or _DEVICES.fullmatch(part) or len(part) > 255 for part in parts):
            findings.append(f"an unsafe name: {shown(name)}")
        plain = nfc(name)
        if plain.casefold() in folded or any("/".join(parts[:up]).casefold() in files for up in range(1, len(parts))):
            findings.append(f"a name that stands twice: {shown(name)}")
        folded.add(plain.casefold())
        if entry.mode and not (stat.S_ISREG(entry.mode) or stat.S_ISDIR(entry.mode) or stat.S_IFMT(entry.mode) == 0):
            findings.append(f"a link or a device: {shown(name)}")
        if entry.mode & (stat.S_ISUID | stat.S_ISGID):
            findings.append(f"runs with others' rights: {shown(name)}")
        if entry.name.endswith("/") and entry.size:
            findings.append(f"a folder with content: {shown(name)}")
    return findings


def _member(source: IO[bytes], entry: Entry) -> list[str]:
    head = b""
    try:
        for piece in content(source, entry):
            if len(head) < 600:
                head += piece[:600]
    except Unreadable as why:
        return [str(why)]
    start = head.removeprefix(b"\xef\xbb\xbf")
    return [f"{what}: {shown(entry.name)}" for at, magic, what in _HEADS if start[at : at + len(magic)] == magic]
