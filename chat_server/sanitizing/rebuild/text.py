"""Text and tables of text: decoded strictly, written as UTF-8, with nothing that is not to be read.

What is dropped turns the reading round or is seen by nobody (security.md, 34): controls, bidirectional overrides and isolates, invisible
characters. Variation selectors and the joiners of emoji stay: names of people are written with them. In a table, a cell that a
spreadsheet would take for a formula gets an apostrophe in front (OWASP, CSV injection); numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
import re
from typing import IO, Final

from chat_server.decoders.outcome import Refused
from chat_server.documents import plain
from chat_server.sanitizing.order import Order
from chat_server.sanitizing.report import Rebuilt, Tally, Warning_

_BYTES: Final = 64 << 20
_PICTOGRAPHS: Final = "\u2190-\u2bff\U0001f000-\U0001faff"
_NONCHARACTERS: Final = "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
_DROPPED: Final = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164"
    f"\ud800-\udfff\ufdd0-\ufdef\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f{_NONCHARACTERS}]"
    f"|(?<![{_PICTOGRAPHS}\ufe0f])\u200d|\u200d(?![{_PICTOGRAPHS}])"
)
_NUMBER: Final = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d*)?([eE][+-]?\d{1,3})?%?|[-－]+")
_FORMULA: Final = "=+-@＝＋－＠"
"""Spreadsheets take the wide ones, too, where Japanese is typed."""
_SEPARATOR_LINE: Final = re.compile(r'\A(\s*"?\s*sep\s*=[^\n]*(\n|\Z))+', re.IGNORECASE)
"""By it a table chooses any character to separate its cells."""
_SIGNS: Final = frozenset(_FORMULA)
_SEPARATORS: Final = ",\t;"
"""Which one it is depends on the settings of who opens it: a cell must be harmless by each."""
_SURE: Final = ("utf_8", "utf_8_sig", "utf_16", "utf_32", "cp932", "iso2022_jp")
_SYLK: Final = "ID;"
_MARK: Final = "\ufeff"
"""Without it a spreadsheet program on a Japanese Windows takes UTF-8 for CP932."""


def rebuild(source: IO[bytes], target: IO[bytes], order: Order) -> Rebuilt:
    """See the package. Raises `Refused`: "not_text", "empty", "too_large", "unknown" (SYLK under the name of a table)."""
    source.seek(0)
    data = source.read(_BYTES + 1)
    if len(data) > _BYTES:
        raise Refused("too_large")
    text, encoding = plain.read(data)
    tally = Tally()
    text = _readable(text, tally)
    # spreadsheet programs open it as SYLK, with its formulas, whatever the name says
    if text.startswith(_SYLK):
        raise Refused("unknown")
    remarks: list[Warning_] = [] if encoding in _SURE else ["encoding_guessed"]
    if order.kind == "csv":
        text, told = _SEPARATOR_LINE.subn("", text)
        tally.add("element", "sep=", told)
        text, quoted = _table(text)
        tally.add("formula", "", quoted)
        if quoted:
            remarks.append("formulas_quoted")
        text = _MARK + text
    target.write(text.encode())
    return Rebuilt(order.kind, tally.removed, remarks)


def write(text: str, target: IO[bytes], tally: Tally) -> None:
    """Words that somebody else found, as a text. Raises `Refused` ("empty")."""
    target.write(_readable(text, tally).encode())


def _readable(text: str, tally: Tally) -> str:
    text, dropped = _DROPPED.subn("", text.removeprefix(_MARK))
    tally.add("characters", "", dropped)
    if not text.strip():
        raise Refused("empty")
    return text


def _table(text: str) -> tuple[str, int]:
    """With its formulas made words, and how many there were."""
    lines = "\r\n" if "\r\n" in text else "\n"
    first = text.split("\n", 1)[0]
    delimiter = max(_SEPARATORS, key=first.count)
    rows = []
    quoted = 0
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False):
            cells = [_cell(cell, delimiter) for cell in row]
            quoted += sum(after != before for after, before in zip(cells, row, strict=True))
            rows.append(cells)
    except csv.Error:
        raise Refused("broken") from None
    if quoted == 0:
        # as it was, with the quotes that somebody chose
        return text, 0
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=delimiter, lineterminator=lines).writerows(rows)
    return written.getvalue(), quoted


def _cell(cell: str, delimiter: str) -> str:
    """With an apostrophe before what would be a formula, also where other separators would part the cell."""
    if not any(sign in cell for sign in _FORMULA) or _NUMBER.fullmatch(cell.strip()):
        return cell
    pieces = re.split(f"([{_SEPARATORS.replace(delimiter, '')}\r\n])", cell)
    return "".join(f"'{piece}" if piece.lstrip()[:1] in _SIGNS else piece for piece in pieces)
