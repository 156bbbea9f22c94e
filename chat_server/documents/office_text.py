"""The text of docx, xlsx and pptx: a `decoders.worker.Work`.

What a reader sees, in the order of the parts: paragraphs, cells row by row, slides with their notes. Field codes, deleted
words, and readings over characters (ruby, phonetic runs) are left out, so that words stay whole.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import IO, Any, Final

from chat_server.decoders.outcome import Refused
from chat_server.documents.package import Package
from chat_server.documents.rules import Reason
from chat_server.documents.words import Collector, Full, write

MEMORY_BYTES: Final = 512 << 20
BROKEN: Final[Reason] = "too_large"

_WORD: Final = r".*\.wordprocessingml\.(?:document|template)\.main\+xml|.*\.ms-word\.document\.macroEnabled\.main\+xml"
_WORD_BESIDE: Final = r".*\.wordprocessingml\.(?:header|footer|footnotes|endnotes|comments)\+xml"
_SLIDES: Final = r".*\.presentationml\.slide\+xml"
_SLIDES_BESIDE: Final = r".*\.presentationml\.notesSlide\+xml"
_SHARED: Final = r".*\.spreadsheetml\.sharedStrings\+xml"
_SHEETS: Final = r".*\.spreadsheetml\.worksheet\+xml"
_COMPOUND: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_LEFT_OUT: Final = frozenset(("rt", "rPh", "Fallback"))
_SHARED_STRINGS: Final = 2_000_000
_SHARED_CHARS: Final = 64 << 20


def prepare() -> None:
    """One small document: some codecs and the unpacker are loaded at first use."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", '<?xml version="1.0" encoding="UTF-8"?><Types/>')
    with suppress(Refused):
        work(target, [io.BytesIO()], datetime.now(UTC), "")


def work(source: IO[bytes], outputs: Sequence[IO[bytes]], now: datetime, order: str) -> dict[str, Any]:
    """Raises `Refused`."""
    source.seek(0)
    if source.read(len(_COMPOUND)) == _COMPOUND:
        # a package with a password lies inside of the old container ([MS-OFFCRYPTO])
        raise Refused("encrypted")
    package = Package(source)
    collector = Collector()
    with suppress(Full):
        for kind in (_WORD, _WORD_BESIDE, _SLIDES, _SLIDES_BESIDE):
            for name in package.parts(kind):
                Paragraphs(collector).read(package, name)
                collector.add("\n")
        sheets = package.parts(_SHEETS)
        shared = Shared().read(package) if sheets else []
        for name in sheets:
            Cells(collector, shared).read(package, name)
            collector.add("\n")
    return write(collector.text(), outputs[0])


class Paragraphs:
    """Texts of Word and PowerPoint: `t` inside of `p`."""

    def __init__(self, collector: Collector) -> None:
        self._add = collector.add
        self._inside = False
        self._left_out = 0

    def read(self, package: Package, name: str) -> None:
        package.parse(name, self._start, self._end, self._words)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name in _LEFT_OUT:
            self._left_out += 1
        elif name == "t":
            self._inside = True
        elif name == "tab":
            self._add("\t")
        elif name in ("br", "cr"):
            self._add("\n")

    def _end(self, name: str) -> None:
        if name in _LEFT_OUT:
            self._left_out -= 1
        elif name == "t":
            self._inside = False
        elif name == "p":
            self._add("\n")

    def _words(self, text: str) -> None:
        if self._inside and not self._left_out:
            self._add(text)


class Shared:
    """The strings that cells of all sheets refer to by number."""

    def __init__(self) -> None:
        self._strings: list[str] = []
        self._pieces: list[str] = []
        self._inside = False
        self._left_out = 0
        self._left = _SHARED_CHARS

    def read(self, package: Package) -> list[str]:
        for name in package.parts(_SHARED):
            package.parse(name, self._start, self._end, self._words)
        return self._strings

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name in _LEFT_OUT:
            self._left_out += 1
        elif name == "t":
            self._inside = True

    def _end(self, name: str) -> None:
        if name in _LEFT_OUT:
            self._left_out -= 1
        elif name == "t":
            self._inside = False
        elif name == "si":
            if len(self._strings) >= _SHARED_STRINGS:
                raise Refused("too_large")
            self._strings.append("".join(self._pieces))
            self._pieces = []

    def _words(self, text: str) -> None:
        if self._inside and not self._left_out:
            self._left -= len(text)
            if self._left < 0:
                raise Refused("too_large")
            self._pieces.append(text)


class Cells:
    """A sheet: cells with tabs between, rows with line feeds."""

    def __init__(self, collector: Collector, shared: list[str]) -> None:
        self._add = collector.add
        self._shared = shared
        self._type = ""
        self._inside = False
        self._left_out = 0
        self._value: list[str] = []

    def read(self, package: Package, name: str) -> None:
        package.parse(name, self._start, self._end, self._words)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name in _LEFT_OUT:
            self._left_out += 1
        elif name == "c":
            self._type = attributes.get("t", "")
            self._value = []
        elif name in ("v", "t"):
            self._inside = True

    def _end(self, name: str) -> None:
        if name in _LEFT_OUT:
            self._left_out -= 1
        elif name in ("v", "t"):
            self._inside = False
        elif name == "c":
            if text := self._cell():
                self._add(text)
                self._add("\t")
        elif name == "row":
            self._add("\n")

    def _cell(self) -> str:
        text = "".join(self._value)
        if self._type != "s":
            return text
        number = int(text) if text.isdigit() and len(text) < 10 else -1
        return self._shared[number] if 0 <= number < len(self._shared) else ""

    def _words(self, text: str) -> None:
        if self._inside and not self._left_out:
            self._value.append(text)
