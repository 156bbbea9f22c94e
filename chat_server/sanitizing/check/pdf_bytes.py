"""The bytes of a PDF, without a library: a head, objects one after the other, one table, one end (ISO 32000-1, 7.5).

Readers disagree about what stands outside of that, and about objects that the table does not list (an earlier
revision, 7.5.6; shadow attacks on signed documents): so there may be none, and the names in all that is there are
read again, `#4A#53` as `JS` (7.3.5).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Final

_HEAD: Final = re.compile(rb"%PDF-(1\.[0-7]|2\.0)[ \t]*(\r\n|\r|\n)(%[^\r\n]*(\r\n|\r|\n))?")
_END: Final = re.compile(rb"startxref\s+\d+\s+%%EOF\s{0,2}")
_OBJECT: Final = re.compile(rb"(\d{1,10})\s+(\d{1,5})\s+obj\b")
_TABLE: Final = re.compile(rb"xref\s[0-9fn\s]*trailer\b")
_SPACE: Final = re.compile(rb"[\0\t\n\f\r ]*")
_TOKEN: Final = re.compile(
    rb"(?P<string>\()|(?P<hex><[0-9A-Fa-f\s]*>)|/(?P<name>[^\0\t\n\f\r ()<>\[\]{}/%]*)|(?P<comment>%[^\r\n]*)"
    rb"|(?P<stream>\bstream(\r\n|\n))|(?P<end>\bendobj\b)"
)
_BRACKET: Final = re.compile(
    rb"<<|>>|(?P<string>\()|<[0-9A-Fa-f\s]*>|/(?P<name>[^\0\t\n\f\r ()<>\[\]{}/%]*)|[\[\]\s0-9.+\-R]+"
)
_PARENTHESIS: Final = re.compile(rb"\\[\s\S]|[()]")
_ESCAPE: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
_LENGTH: Final = re.compile(rb"/Length\s+(\d+)(?!\s+\d+\s+R)\b")
_AFTER_STREAM: Final = re.compile(rb"(\r\n|\r|\n)?endstream\b")
_ACTIVE: Final = frozenset(
    b"JavaScript OpenAction Launch SubmitForm ImportData GoToR GoToE EmbeddedFile EmbeddedFiles Filespec RichMedia "
    b"RichMediaContent RichMediaExecute XFA AcroForm Rendition SetOCGState XRefStm Encrypt".split()
)
"""Names that can be nothing harmless, wherever they stand; short ones (JS, AA) can be those of glyphs, and are
`pdf`'s to find."""
_MOST: Final = 256 << 20


class _Broken(Exception):
    """It is not built as it should be."""


def layout(data: bytes) -> tuple[list[str], dict[int, int]]:
    """What is not built as a PDF that was written once, from beginning to end; and active names. Besides: where
    each object lies, by its number."""
    places: dict[int, int] = {}
    head = _HEAD.match(data)
    if head is None:
        return ["bytes before the head of the PDF, or no head"], places
    findings = []
    if data.count(b"%%EOF") != 1 or data.count(b"startxref") != 1:
        findings.append("more or less than one revision")
    names: set[bytes] = set()
    try:
        _objects(data, head.end(), names, places)
    except _Broken as why:
        findings.append(str(why))
        # Even so its names are told: the reason for a refusal should be the worst one.
        names |= set(_plain(data))
    return findings + [f"an active name: /{name.decode()}" for name in sorted(names & _ACTIVE)], places


def _objects(data: bytes, at: int, names: set[bytes], places: dict[int, int]) -> None:
    while True:
        at = _after_space(data, at)
        found = _OBJECT.match(data, at)
        if found is None:
            break
        number = int(found[1])
        if number in places:
            raise _Broken(f"two objects of number {number}")
        places[number] = at
        at = _object(data, found.end(), names)
    table = _TABLE.match(data, at)
    if table is not None:
        at = _after_space(data, _dictionary(data, _after_space(data, table.end()), names))
    if _END.fullmatch(data, at) is None:
        raise _Broken("bytes that belong to no object, or behind the end")


def _dictionary(data: bytes, at: int, names: set[bytes]) -> int:
    """Past the dictionary of the trailer, which begins at `at`."""
    depth = 0
    while True:
        found = _BRACKET.match(data, at)
        if found is None:
            raise _Broken("a trailer that cannot be read")
        at = found.end()
        if found.lastgroup == "string":
            at = _string_end(data, at)
        elif found.lastgroup == "name":
            names.add(_unescaped(found["name"]))
        depth += {b"<<": 1, b">>": -1}.get(found[0], 0)
        if not depth:
            return at


def _after_space(data: bytes, at: int) -> int:
    found = _SPACE.match(data, at)
    return found.end() if found else at


def _object(data: bytes, at: int, names: set[bytes]) -> int:
    """The end of the object whose content begins at `at`."""
    start = at
    seen: set[bytes] = set()
    while True:
        found = _TOKEN.search(data, at)
        if found is None:
            raise _Broken("an object without an end")
        at = found.end()
        match found.lastgroup:
            case "string":
                at = _string_end(data, at)
            case "name":
                seen.add(_unescaped(found["name"]))
            case "end":
                names |= seen
                return at
            case "comment":
                raise _Broken("a comment inside an object")
            case "hex":
                pass
            case _:
                at = _stream(data, start, found, seen, names)


def _stream(data: bytes, start: int, found: re.Match[bytes], seen: set[bytes], names: set[bytes]) -> int:
    """Past the data of a stream, whose length its dictionary says (7.3.8.2). Object streams are read (7.5.7)."""
    lengths = _LENGTH.findall(data, start, found.start())
    if len(lengths) != 1:
        raise _Broken("a stream whose length is not told in one way")
    end = found.end() + int(lengths[0])
    after = _AFTER_STREAM.match(data, end)
    if after is None:
        raise _Broken("a stream that is not as long as it says")
    if b"ObjStm" in seen:
        if not seen & {b"FlateDecode"} or b"DecodeParms" in seen:
            raise _Broken("objects in a stream of an unusual kind")
        inflate = zlib.decompressobj()
        try:
            inside = inflate.decompress(data[found.end() : end], _MOST)
        except zlib.error:
            raise _Broken("objects in a stream that cannot be read") from None
        if not inflate.eof:
            raise _Broken("objects in a stream that is cut off, or too large")
        names |= set(_plain(inside))
    return after.end()


def _string_end(data: bytes, at: int) -> int:
    depth = 1
    while depth:
        found = _PARENTHESIS.search(data, at)
        if found is None:
            raise _Broken("a string without an end")
        depth += {b"(": 1, b")": -1}.get(found[0], 0)
        at = found.end()
    return at


def _plain(data: bytes) -> Iterator[bytes]:
    """Every name outside of strings and comments; after a string without an end, every name."""
    at, whole = 0, True
    while True:
        found = _TOKEN.search(data, at)
        if found is None:
            return
        at = found.end()
        if found.lastgroup == "string" and whole:
            try:
                at = _string_end(data, at)
            except _Broken:
                whole = False
        elif found.lastgroup == "name":
            yield _unescaped(found["name"])


def _unescaped(name: bytes) -> bytes:
    return _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()), name) if b"#" in name else name
