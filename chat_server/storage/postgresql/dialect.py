"""The shared dialect as PostgreSQL reads it: `?` become `$1`, `$2`, …"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from chat_server.ports import Value

_PARTS = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\?")


class Statement(NamedTuple):
    text: str
    writes: bool
    """false only where it surely does not"""


@lru_cache(maxsize=4096)
def statement(sql: str) -> Statement:
    """Remembered by the text: translating is done once, and the server keeps its plan under the same text."""
    number = 0

    def mark(found: re.Match[str]) -> str:
        nonlocal number
        if found[0] != "?":
            return found[0]
        number += 1
        return f"${number}"

    return Statement(_PARTS.sub(mark, sql), not sql.lstrip().startswith("SELECT"))


def sound(values: Sequence[Value]) -> Sequence[Value]:
    """What PostgreSQL takes: text without NUL, which no column of it can hold. What is asked for under such a name is
    nowhere; what was to be kept under it has the replacement character instead."""
    for value in values:
        if type(value) is str and "\0" in value:
            return [one.replace("\0", "\ufffd") if isinstance(one, str) else one for one in values]
    return values


def changed(tag: str) -> int:
    """The number of rows in a command's tag (`INSERT 0 1`, `UPDATE 3`)."""
    last = tag.rpartition(" ")[2]
    return int(last) if last.isdigit() else 0
