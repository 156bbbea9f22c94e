"""A ZIP, unpacked for its files to be sanitized one by one.

Runs confined. All files are written one after another into one output, because a confined child can open no file of its own choosing;
the answer says where each of them begins. The engine packs what it released of them anew (`packing`).
"""

from __future__ import annotations

import errno
import stat
import struct
import zipfile
import zlib
from typing import IO, Final

import pyzipper

from chat_server.decoders.outcome import Refused
from chat_server.domain.text import nfkc
from chat_server.sanitizing.names import safe_path
from chat_server.sanitizing.order import BYTES, FILES, Member

_RATIO: Final = 300
_RATIO_FROM: Final = 8 << 20
_PIECE: Final = 256 * 1024
_UTF8: Final = 0x800
_ENCRYPTED: Final = 0x1
_UNICODE_PATH: Final = 0x7075


def unpack(source: IO[bytes], target: IO[bytes], password: str) -> list[Member]:
    """Write the files to `target`, in the order of the answer.

    Raises `Refused`: "broken", "encrypted", "wrong_password", "unsafe_path", "ambiguous", "too_many", "too_large".
    """
    try:
        with pyzipper.AESZipFile(source) as archive:
            return _members(archive, target, password)
    except Refused:
        raise
    except RuntimeError:
        # that is how the library says it
        raise Refused("wrong_password" if password else "encrypted") from None
    except (
        zipfile.BadZipFile,
        pyzipper.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        ValueError,
        struct.error,
    ):
        raise Refused("broken") from None
    except OSError as error:
        # a place before the file's begin is the archive's fault; all else with a number is the disk's
        if error.errno not in (None, errno.EINVAL):
            raise
        raise Refused("broken") from None


def _members(archive: pyzipper.AESZipFile, target: IO[bytes], password: str) -> list[Member]:
    entries = archive.infolist()
    if len(entries) > FILES:
        raise Refused("too_many")
    found: list[Member] = []
    seen: set[str] = set()
    left = BYTES
    for entry in entries:
        path = safe_path(_name(entry))
        mode = entry.external_attr >> 16
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise Refused("unsafe_path")  # a link, or a device
        key = nfkc(path).casefold()
        if entry.is_dir() or path == "":
            continue
        if key in seen:
            raise Refused("ambiguous")
        seen.add(key)
        if entry.flag_bits & _ENCRYPTED and not password:
            raise Refused("encrypted")
        size = 0
        with archive.open(entry, pwd=password.encode() if entry.flag_bits & _ENCRYPTED else None) as file:
            while piece := file.read(_PIECE):
                size += len(piece)
                left -= len(piece)
                if left < 0 or (size > _RATIO_FROM and size > _RATIO * entry.compress_size):
                    raise Refused("too_large")
                target.write(piece)
        found.append(Member(path, size))
    return found


def _name(entry: zipfile.ZipInfo) -> str:
    """As its author wrote it. Without the flag for UTF-8 the library reads CP437, which loses nothing; Japanese archivers wrote
    CP932, newer ones also UTF-8 in a field of its own (0x7075, with a checksum of the name that it replaces)."""
    if entry.flag_bits & _UTF8:
        return entry.orig_filename
    raw = entry.orig_filename.encode("cp437")
    told = _unicode_path(entry.extra, raw)
    if told is not None:
        return told
    for encoding in ("utf_8", "cp932", "euc_jp"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.orig_filename


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    """APPNOTE.TXT, 4.6.9. A field whose checksum does not fit belongs to an older name, and is not believed."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        field = extra[at + 4 : at + 4 + length]
        if kind == _UNICODE_PATH and len(field) > 5 and field[0] == 1:
            try:
                return field[5:].decode() if struct.unpack_from("<I", field, 1)[0] == zlib.crc32(raw) else None
            except UnicodeDecodeError:
                return None
        at += 4 + length
    return None
