"""Rebuilt text: UTF-8 in which what is read is what is there, and tables whose cells are no formulas."""

from __future__ import annotations

import csv
import io
import re
from typing import IO, Final

_PICTOGRAPHS: Final = "\u2190-\u2bff\U0001f000-\U0001faff"
_ENDS: Final = "".join(chr(plane + last) for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF))
_CHARACTERS: Final = (
    ("a control character", re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")),
    # Unicode Technical Report 36; CVE-2021-42574: the order on the screen is another than that of the characters.
    ("a character that turns the direction", re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f]")),
    (
        "an invisible character",
        re.compile(r"[\u00ad\u034f\u115f\u1160\u180e\u200b\u200c\u2060-\u2065\u3164\ufeff\uffa0]"),
    ),
    ("an invisible character", re.compile(r"[\ufff9-\ufffb\U000e0000-\U000e007f]")),
    ("no character", re.compile(f"[\ufdd0-\ufdef{_ENDS}]")),
)
_JOINER: Final = re.compile(f"(?<![{_PICTOGRAPHS}\ufe0f])\u200d|\u200d(?![{_PICTOGRAPHS}])")
"""But for what holds a family of pictographs together."""
_SYLK: Final = re.compile(r'"?ID;')
"""Excel takes it for SYLK, whatever the name says, and SYLK holds formulas and DDE."""
_TAKEN_FOR: Final = {
    "text": re.compile(r"\s*(\{\\rtf|%PDF-)"),
    "csv": re.compile(r"\s*(\{\\rtf|%PDF-|MIME-Version:|<\?xml|<!doctype|<html|<table|<script|<svg)", re.IGNORECASE),
}
"""With these the programs for that kind decide by the content, not by the name."""
_CHOOSES: Final = re.compile(r'\s*"?\s*sep\s*=', re.IGNORECASE)
_BEGINNINGS: Final = re.compile(r"[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_NUMBER: Final = r"[ ]*[+\-](\d{1,3}(,\d{3})+|\d*)(\.\d*)?([eE][+\-]?\d{1,3})?%?[ ]*|[-－]+"
_FORMULA: Final = re.compile(rf"(?<![^\0])(?!({_NUMBER})(\0|\Z))[ \u00a0\u3000]*{_BEGINNINGS.pattern}")
"""At the beginning of a cell; the cells of a row stand one after the other, between zeros."""


def check(source: IO[bytes], kind: str) -> list[str]:
    """See `looking.look`."""
    try:
        text = source.read().decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return ["not UTF-8"]
    findings = []
    characters = "".join(sorted(set(text)))  # of millions there are a few thousand different ones
    for what, pattern in _CHARACTERS:
        found = pattern.search(characters)
        if found:
            findings.append(f"{what}: U+{ord(found[0]):04X}")
    if "\u200d" in characters and _JOINER.search(text):
        findings.append("an invisible character: U+200D")
    if _SYLK.match(text):
        findings.append("begins like SYLK")
    if _TAKEN_FOR[kind].match(text):
        findings.append("begins like a document of another kind")
    if kind == "csv" and _CHOOSES.match(text):
        findings.append("chooses what separates its cells")
    if kind == "csv" and not findings and _BEGINNINGS.search(characters):
        findings += _cells(text)
    return findings


def _cells(text: str) -> list[str]:
    """Cells that a spreadsheet would compute (OWASP, CSV injection; CVE-2014-3524): read with each separator that a
    program may choose, since which one that is depends on the reader's settings."""
    findings = []
    commas, tabs = text.count(","), text.count("\t")
    for separator in [",", "\t"] + ([";"] if text.count(";") > commas else []):
        # where tabs separate, a line that begins with one has an empty cell there
        strip = "\t" if separator == "," and tabs > commas else ""
        try:
            for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator), 1):
                cells = [cell.lstrip(strip) for cell in row] if strip else row
                if _FORMULA.search("\0".join(cells)):
                    findings.append(f"a cell that is computed, in row {number}")
                    break
        except csv.Error:
            findings.append("a table that cannot be read")
    return findings
