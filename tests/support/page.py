"""docs/protocol.md, read as a stranger reads it: its sections, tables and maps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

PROTOCOL: Final = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")

Shape = dict[str, "Shape"]
"""The keys of a map, each with those of the map inside it."""

_TOKEN: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|([A-Za-z_]\w*)|([{}\[\],])')
_COMMENT: Final = re.compile(r"//[^\n]*")


def section(title: str) -> str:
    """From the heading that begins with `title` to the next one of its level or above."""
    level, begin = next(
        (len(match[1]), match.end())
        for match in re.finditer(r"^(#+) (.*)$", PROTOCOL, re.MULTILINE)
        if match[2].startswith(title)
    )
    end = re.compile(rf"^#{{1,{level}}} ", re.MULTILINE).search(PROTOCOL, begin)
    return PROTOCOL[begin : end.start() if end else None]


def table(header: str) -> dict[str, str]:
    """First cell without its code marks -> the rest of its row, of the table whose head begins with `header`."""
    rows = PROTOCOL.split(f"\n| {header} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    cells = (row.strip("|").split(" | ", 1) for row in rows)
    return {first.strip().strip("`"): rest for first, rest in cells}


def map_at(words: str) -> Shape:
    """The first map from where `words` begin."""
    return shape(PROTOCOL[PROTOCOL.index(words) :])


def shape(text: str) -> Shape:
    """The keys of the first map in `text`: a word or a string where a key has to stand. Values, comments, `?` and `…`
    do not matter; maps in a list are one."""
    root: Shape = {}
    value, open_marks, key_next = root, list[tuple[str, Shape]](), False
    for string, word, mark in _TOKEN.findall(_COMMENT.sub("", text)):
        if mark in ("{", "["):
            if mark == "{" or open_marks:
                open_marks.append((mark, value))
            key_next = mark == "{"
        elif not open_marks:
            continue
        elif mark == ",":
            key_next = open_marks[-1][0] == "{"
            value = open_marks[-1][1]
        elif mark:
            _, value = open_marks.pop()
            key_next = False
            if not open_marks:
                return root
        elif key_next:
            value = open_marks[-1][1].setdefault(string or word, {})
            key_next = False
    raise ValueError("no whole map")
