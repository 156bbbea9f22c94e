"""Formulas of a spreadsheet: whether one only computes. Where it does more, its last value stays and the formula goes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from chat_server.sanitizing.rebuild.ooxml_functions import FUNCTIONS
from chat_server.sanitizing.rebuild.ooxml_links import plain

_LONGEST: Final = 8_192
"""Characters: what spreadsheets themselves allow."""
_TEXT: Final = re.compile(r'"(?:[^"]|"")*"')
_QUOTED: Final = re.compile(r"'(?:[^']|'')*'")
_CALLED: Final = re.compile(r"([^\W\d][\w.\\?]*)\s*\(")
_NAMED: Final = re.compile(r"_xl(?:fn|ws|eta|udf|ll)\.[\w.]+", re.IGNORECASE)
"""A function as such, handed to another: MAP(A1:A9,_xleta.ABS)."""
_OTHER_FILE: Final = re.compile(r"\.(?:xl\w{1,3}|csv|txt|dll|dbf|ods)'?!|\\\\", re.IGNORECASE)
_FEW: Final = re.compile(r"[\w.$:,()+\-*/^&=<>%\s{};!@#]*")
"""Of such characters consist formulas that only need their functions looked at."""
_ON: Final = re.compile(r"[^\s,;()+\-*/^&=<>{}'\"]*!")
_LINKING: Final = re.compile(r"HYPERLINK\s*\(\s*(?:\"((?:[^\"]|\"\")*)\"\s*([,)])?)?", re.IGNORECASE)
_AUTOMATIC: Final = re.compile(
    r"(?:_xlnm\.)?auto_?(?:open|close|activate|deactivate)\w*|_xlnm\.(?:auto|recorder|data_form|sheet_title)\w*",
    re.IGNORECASE,
)
_FUTURE: Final = ("_XLFN.", "_XLWS.")
_VARIABLE: Final = "_XLPM."
"""Before the names of a formula's own variables."""


class Formulas:
    """`gone`: names of sheets that are not carried over; a formula must not refer to them."""

    def __init__(self, gone: Iterable[str] = ()) -> None:
        self._gone = [f"{name.lower()}{end}" for name in gone for end in ("!", "'!")]
        self._known: dict[str, bool] = {}

    def harmless(self, formula: str | None) -> bool:
        """Whether it only computes, from this document alone."""
        if not formula:
            return True
        if self._gone and any(name in formula.lower() for name in self._gone):
            return False
        return len(formula) <= _LONGEST and self._computes(formula)

    def _computes(self, formula: str) -> bool:
        bare = formula
        if _OTHER_FILE.search(formula):
            return False
        if not _FEW.fullmatch(formula):
            without = _without_texts(formula)
            if without is None or "|" in without:
                return False  # a text without end, or one within a name; or DDE: cmd|'/c calc'!A0
            bare = without
            local = _without_references(bare)
            if local is None:
                return False
            bare = local
        if not all(self._function(called) for called in _CALLED.findall(bare)):
            return False
        if not all(
            self._function(re.sub("^_xleta.", "", named, flags=re.IGNORECASE)) for named in _NAMED.findall(bare)
        ):
            return False
        return _links_plainly(formula) if "HYPERLINK" in bare.upper() else True

    def _function(self, called: str) -> bool:
        known = self._known.get(called)
        if known is None:
            name = called.upper()
            while name.startswith(_FUTURE):
                name = name[6:]
            known = self._known[called] = name in FUNCTIONS or name == "HYPERLINK" or name.startswith(_VARIABLE)
        return known


def _without_texts(formula: str) -> str | None:
    """The formula with its texts empty. None where one does not end, or where a quotation mark stands within the name of a sheet or of
    a column: two readers would see two formulas there."""
    left: list[str] = []
    at, depth = 0, 0
    while at < len(formula):
        char = formula[at]
        if char == '"':
            text = _TEXT.match(formula, at)
            if text is None or depth:
                return None
            left.append('""')
            at = text.end()
            continue
        if char == "'" and depth == 0:
            quoted = _QUOTED.match(formula, at)
            if quoted is None or '"' in quoted[0]:
                return None
            left.append(quoted[0])
            at = quoted.end()
            continue
        if char == "'" and depth:
            left.append(formula[at : at + 2])  # takes the next character as it is
            at += 2
            continue
        depth = max(0, depth + (char == "[") - (char == "]"))
        left.append(char)
        at += 1
    return "".join(left) if depth == 0 else None


def _without_references(bare: str) -> str | None:
    """The formula without the names of sheets and the columns of tables; None where it refers to another document, as in
    [1]Sheet!A1, [1]!name, '[Book.xlsx]Sheet'!A1. `bare`: without texts."""
    left: list[str] = []
    at = 0
    while at < len(bare):
        char = bare[at]
        if char == "'":
            quoted = _QUOTED.match(bare, at)
            if quoted is None or re.search(r"[\[\]\\/]", quoted[0]):
                return None  # a sheet's name has none of these, a path or a book has
            left.append("_")
            at = quoted.end()
        elif char == "[":
            end = _closed(bare, at)
            # A column stands right after its table's name: prices[tax]. What stands alone is a book.
            if end is None or at == 0 or not (bare[at - 1].isalnum() or bare[at - 1] in "_.") or _ON.match(bare, end):
                return None
            at = end
        else:
            left.append(char)
            at += 1
    return "".join(left)


def _closed(bare: str, at: int) -> int | None:
    """Behind the bracket that closes the one at `at`; ' takes the next character as it is."""
    depth = 0
    while at < len(bare):
        if bare[at] == "'":
            at += 1
        elif bare[at] == "[":
            depth += 1
        elif bare[at] == "]":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return None


def _links_plainly(formula: str) -> bool:
    """Every HYPERLINK() begins with an address that may be clicked, written out: a computed one could become any."""
    for written, end in _LINKING.findall(formula):
        start = written.replace('""', '"')
        if not (plain(start) if end else re.match(r"https?://[\w.\-]+/", start)):
            return False
    return True


def automatic(name: str) -> bool:
    """A name whose cells are run when the document is opened or closed (Excel 4 macros)."""
    return _AUTOMATIC.fullmatch(name) is not None
