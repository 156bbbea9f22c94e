"""Office documents (ISO/IEC 29500) as a ZIP of XML parts, read with suspicion: counted, bounded, no document types."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable
from typing import IO, Final
from xml.parsers import expat

from chat_server.decoders.outcome import Refused

_ENTRIES: Final = 20_000
_PART_BYTES: Final = 128 << 20
"""Of one part, unpacked."""
_WHOLE_BYTES: Final = 256 << 20
"""Of everything that is looked at, unpacked."""
_RATIO: Final = 300
_RATIO_FROM: Final = 8 << 20
"""Unpacked bytes from which a part that was packed `_RATIO` times smaller is a bomb: deflate manages 1,032, sheets 50."""
_PIECE: Final = 64 * 1024
_DEPTH: Final = 256
_TYPES: Final = "[Content_Types].xml"

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Words = Callable[[str], None]


class Package:
    """An open document. Everything raises `Refused`."""

    def __init__(self, source: IO[bytes]) -> None:
        try:
            self._zip = zipfile.ZipFile(source)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeError):
            raise Refused("broken") from None
        entries = self._zip.infolist()
        if len(entries) > _ENTRIES:
            raise Refused("too_large")
        self._entries = {entry.filename: entry for entry in entries}
        if len(self._entries) != len(entries):
            # which of the two is read differs from program to program: what is shown here must be what they open
            raise Refused("broken")
        self._left = _WHOLE_BYTES
        self._by_type = self._content_types()

    def parts(self, content_type: str) -> list[str]:
        """Names of the parts whose type matches this expression, by their numbers: slide2 before slide10."""
        found = [name for name, type_ in self._by_type.items() if re.fullmatch(content_type, type_)]
        return sorted((name for name in found if name in self._entries), key=_natural)

    def parse(self, name: str, start: Start, end: End, words: Words) -> None:
        """Walk through the part `name`; element and attribute names come without their namespaces."""
        entry = self._entries.get(name)
        if entry is None:
            raise Refused("broken")
        if entry.flag_bits & 0x1:
            raise Refused("encrypted")
        parser = _parser(start, end, words)
        unpacked = 0
        try:
            with self._zip.open(entry) as part:
                while piece := part.read(_PIECE):
                    unpacked += len(piece)
                    self._left -= len(piece)
                    too_dense = unpacked > _RATIO_FROM and unpacked > _RATIO * entry.compress_size
                    if unpacked > _PART_BYTES or self._left < 0 or too_dense:
                        raise Refused("too_large")
                    parser.Parse(piece, False)
                parser.Parse(b"", True)
        except (
            expat.ExpatError, zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, ValueError, RuntimeError,
            LookupError,  # an encoding that is not there
        ):  # fmt: skip
            raise Refused("broken") from None

    def _content_types(self) -> dict[str, str]:
        found: dict[str, str] = {}

        def start(name: str, attributes: dict[str, str]) -> None:
            if name == "Override":
                found[attributes.get("PartName", "").lstrip("/")] = attributes.get("ContentType", "")

        self.parse(_TYPES, start, _ignore, _ignore)
        return found


def _ignore(_: str) -> None:
    pass


def _parser(start: Start, end: End, words: Words) -> expat.XMLParserType:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    depth = 0

    def on_start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEPTH:
            raise Refused("too_large")
        start(name.rpartition(" ")[2], {key.rpartition(" ")[2]: value for key, value in attributes.items()})

    def on_end(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(name.rpartition(" ")[2])

    def refuse(*_: object) -> None:
        raise Refused("broken")

    parser.StartElementHandler = on_start
    parser.EndElementHandler = on_end
    parser.CharacterDataHandler = words
    # entities come by a document type, and these formats have none: ISO/IEC 29500-2, 7.3
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse  # type: ignore[assignment]
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    return parser


def _natural(name: str) -> tuple[str | int, ...]:
    return tuple(int(part) if part.isdigit() else part for part in re.split(r"(\d{1,9})", name))
