"""The text of a text file, whatever its encoding: a `decoders.worker.Work`.

A byte order mark decides, then what the bytes themselves prove: ISO-2022-JP by its escape sequences, UTF-8 because no
other encoding gives valid UTF-8 by accident. Among the rest CP932 (what Windows calls Shift_JIS) comes first, unless
charset-normalizer finds that EUC-JP reads better. Decoding is strict: a file that fits nothing is not text.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import IO, Any, Final

from charset_normalizer import from_bytes

from chat_server.decoders.outcome import Refused
from chat_server.documents.rules import TEXT_BYTES, Reason
from chat_server.documents.words import write

MEMORY_BYTES: Final = 512 << 20
BROKEN: Final[Reason] = "too_large"

_READ: Final = 4 * TEXT_BYTES
"""Bytes of the file that are looked at: UTF-32 has four a character."""
_SAMPLE: Final = 64 * 1024
_MARKS: Final = (
    # UTF-32's begins like UTF-16's
    (codecs.BOM_UTF32_LE, "utf_32"),
    (codecs.BOM_UTF32_BE, "utf_32"),
    (codecs.BOM_UTF8, "utf_8_sig"),
    (codecs.BOM_UTF16_LE, "utf_16"),
    (codecs.BOM_UTF16_BE, "utf_16"),
)
# What decodes to these is a program's data, not somebody's words; one or the other stray is forgiven.
_CONTROLS: Final = re.compile("[\0-\x07\x0e-\x1a\x1c-\x1f\x7f-\x9f]")
_JAPANESE: Final = ("cp932", "euc_jp")


def prepare() -> None:
    """One text of every kind: codecs are imported at first use."""
    for encoding in ("utf_8_sig", "utf_16", "utf_32", "iso2022_jp", "iso2022_jp_ext", "cp932", "euc_jp"):
        read("あいう表\n漢字".encode(encoding))
    for encoding in ("utf_16_le", "utf_16_be", "cp1252"):
        codecs.lookup(encoding)


def work(source: IO[bytes], outputs: Sequence[IO[bytes]], now: datetime, order: str) -> dict[str, Any]:
    """Raises `Refused`."""
    data = source.read(_READ + 1)
    text, encoding = read(data[:_READ], cut=len(data) > _READ)
    return write(text, outputs[0], encoding)


def read(data: bytes, *, cut: bool = False) -> tuple[str, str]:
    """The text and its encoding. `cut`: there is more, so that the last character may be half. Raises `Refused`."""
    for encoding in _candidates(data):
        text = _decoded(data, encoding, cut)
        if text is not None and len(_CONTROLS.findall(text)) <= max(8, len(text) // 20):
            return text, encoding
    raise Refused("not_text")


def _candidates(data: bytes) -> Iterator[str]:
    """In the order in which they are tried."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            yield encoding
            return
    if b"\0" in data:
        yield from _without_mark(data)
        return
    if b"\x1b$" in data or b"\x1b(" in data:
        yield from ("iso2022_jp", "iso2022_jp_ext")
    yield "utf_8"
    found = from_bytes(data[:_SAMPLE], cp_isolation=list(_JAPANESE), enable_fallback=False).best()
    if found is not None and found.encoding in _JAPANESE:
        yield found.encoding
    yield from _JAPANESE


def _without_mark(data: bytes) -> list[str]:
    """UTF-16 of a file that does not say so has its zeros on one side; other zeros are no text."""
    sample = data[: _SAMPLE & ~1]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    most = len(sample) // 20
    if even <= most < odd:
        return ["utf_16_le"]
    if odd <= most < even:
        return ["utf_16_be"]
    return []


def _decoded(data: bytes, encoding: str, cut: bool) -> str | None:
    try:
        return codecs.getincrementaldecoder(encoding)("strict").decode(data, final=not cut)
    except UnicodeError:
        return None
