"""An Office document under a password, opened with it (MS-OFFCRYPTO). What comes out is as hostile as it was; it only can be read."""

from __future__ import annotations

import io
import zipfile
from typing import IO, Final

import msoffcrypto
from msoffcrypto.exceptions import DecryptionError, FileFormatError, InvalidKeyError, ParseError
from msoffcrypto.format import doc97, ppt97, xls97
from msoffcrypto.format.ooxml import OOXMLFile

from chat_server.decoders.outcome import Refused

_EVERYBODYS: Final = "VelvetSweatshop"
"""With it Excel writes workbooks that ask for no password, and are encrypted all the same."""

_TYPES: Final = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)


class _Memory:
    """In the place of `tempfile`, for libraries that want a file for a moment: a confined child can make none."""

    TemporaryFile = staticmethod(io.BytesIO)


for _module in (doc97, ppt97, xls97):
    _module.tempfile = _Memory


def unlock(source: IO[bytes], target: IO[bytes], password: str) -> None:
    """Write the document to `target`. Raises `Refused`: "encrypted" (no password was given), "wrong_password", "broken"."""
    try:
        for each in (password, _EVERYBODYS):
            source.seek(0)
            opened = msoffcrypto.OfficeFile(source)
            made = io.BytesIO()
            try:
                opened.load_key(password=each)
                opened.decrypt(made)
            except InvalidKeyError:
                continue
            target.write(made.getbuffer())
            return
    except (
        DecryptionError,
        FileFormatError,
        ParseError,
        OSError,
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
    ):
        # a container of a stranger's making, read by a library that expects Office's
        raise Refused("broken" if password else "encrypted") from None
    raise Refused("wrong_password" if password else "encrypted")


def prepare() -> None:
    """Locks a document and opens it: ciphers are loaded at first use."""
    package, locked = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(package, "w") as parts:
        parts.writestr("[Content_Types].xml", _TYPES)
        parts.writestr("more.xml", bytes(1 << 14))  # the library cannot open what it locked where that is very short
    OOXMLFile(package).encrypt("sample", locked)
    unlock(locked, io.BytesIO(), "sample")
