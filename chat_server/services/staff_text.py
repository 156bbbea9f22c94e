"""From bytes to cells: encodings, CSV, and the text rules of a staff file (docs/staff-csv.md, "Text")."""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from chat_server.domain.errors import CSV_INVALID, INVALID_FIELD, Problem
from chat_server.domain.text import nfc, nfkc

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_ROWS: Final = 20_000
ENCODINGS: Final = ("utf-8", "cp932")
WHOLE_FILE: Final = "ファイル"

_APART: Final = re.compile("[\u3041-\u3096\u309d\u30a1-\u30fa\u30fd][\u3099\u309a]")
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something to put right: the line as Excel counts it, the column, and what is expected."""

    line: int
    field: str
    reason: str


def invalid(faults: list[Fault]) -> Problem:
    """Error 6006 with the first fault in its text and all of them in `params.faults`."""
    ordered = sorted(faults, key=lambda fault: fault.line)
    listed = [{"line": fault.line, "field": fault.field, "reason": fault.reason} for fault in ordered]
    first = ordered[0]
    return Problem(CSV_INVALID, field=first.field, line=first.line, reason=first.reason, faults=listed)


def decode(data: bytes, encoding: str | None = None) -> str:
    """UTF-8 with or without BOM, else CP932; both strictly. Raises `Problem` 6006, 2001 (`encoding`)."""
    if encoding is not None and encoding not in ENCODINGS:
        raise Problem(INVALID_FIELD, field="encoding", reason=" / ".join(ENCODINGS))
    if len(data) > MAX_BYTES:
        raise invalid([Fault(1, WHOLE_FILE, "10 MiBまでにしてください / at most 10 MiB")])
    if data.startswith(_UTF16) or b"\x00" in data[:1024]:
        raise invalid([Fault(1, WHOLE_FILE, "Excelで「CSV UTF-8」として保存してください / save as “CSV UTF-8”")])
    bare = data.removeprefix(codecs.BOM_UTF8)
    tried = (encoding,) if encoding else (ENCODINGS[:1] if bare is not data else ENCODINGS)
    reached = 0
    for name in tried:
        try:
            return bare.decode(name)
        except UnicodeDecodeError as error:
            reached = max(reached, error.start)  # the encoding that got further is the likelier one
    line = bare.count(b"\n", 0, reached) + 1
    names = " / ".join(tried).upper()
    raise invalid([Fault(line, WHOLE_FILE, f"{names}として読めない文字があります / a byte is not {names}")])


def records(text: str) -> list[tuple[int, list[str]]]:
    """(line, cells) of every row that is not empty, the header first; cells without space around them.

    Raises `Problem` 6006.
    """
    found: list[tuple[int, list[str]]] = []
    line = 0
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            line += 1
            cells = [cell.strip() for cell in cells]
            if any(cells):
                found.append((line, cells))
    except csv.Error:
        raise invalid(
            [Fault(line + 1, WHOLE_FILE, '引用符(")の対応を確認してください / check the quotation marks')]
        ) from None
    if len(found) > MAX_ROWS + 1:
        raise invalid([Fault(found[MAX_ROWS + 1][0], WHOLE_FILE, f"{MAX_ROWS}行まで / at most {MAX_ROWS} rows")])
    if not found:
        raise invalid([Fault(1, WHOLE_FILE, "見出しの行がありません / there is no header row")])
    return found


def unseen(cell: str) -> bool:
    """Whether there is something in the cell that cannot be seen: a line break, a bidirectional mark, …"""
    return any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in cell)


def joined(cell: str) -> str:
    """Kana with a separate voicing mark put together (macOS writes them apart); nothing else is touched: NFC and NFKC
    would write some people's names differently."""
    return _APART.sub(lambda match: nfc(match[0]), cell)


def one_space(cell: str) -> str:
    """Spaces inside, full-width too, as one half-width space."""
    return " ".join(cell.split())


def folded(cell: str) -> str:
    """Full-width forms as half-width ones: for codes, numbers and headers."""
    return nfkc(cell).strip()
