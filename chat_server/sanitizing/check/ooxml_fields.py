"""The fields of a text document, put together again from the runs that they are cut into (ECMA-376 part 1,
17.16.18): a beginning, the instruction, a separator, what is shown, an end; and fields inside of fields."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from chat_server.sanitizing.check import ooxml_formulas

_NAME: Final = re.compile(r"\s*[A-Za-z]*")


@dataclass(slots=True)
class _Field:
    """`shown`: its instruction is over; `nested`: other fields stand in the instruction."""

    pieces: list[str] = field(default_factory=list)
    shown: bool = False
    nested: bool = False


class Fields:
    """Told of the marks and texts of a part in their order; tells `find` what is wrong."""

    def __init__(self, find: Callable[[str], None]) -> None:
        self._find = find
        self._open: list[_Field] = []

    @property
    def instructing(self) -> bool:
        """Whether text that comes now belongs to an instruction, also where it stands in the element for what is
        shown."""
        return bool(self._open) and not self._open[-1].shown

    def mark(self, which: str) -> None:
        if which == "begin":
            self._inside()
            self._open.append(_Field())
        elif not self._open:
            self._find("a field without a beginning")
        elif which == "separate":
            self._open[-1].shown = True
        elif which == "end":
            self._end()

    def text(self, text: str) -> None:
        """Of an instruction."""
        if self._open:
            self._open[-1].pieces.append(text)
        elif text.strip():
            self._find("an instruction outside a field")

    def simple(self, instruction: str) -> None:
        """A field of one element."""
        self._inside()
        for what in ooxml_formulas.field(instruction, nested=False):
            self._find(what)

    def finish(self) -> None:
        """At the end of the part: also what was never ended is looked at."""
        while self._open:
            self._end()

    def _inside(self) -> None:
        """A field begins inside of another one. What it shows may become the name of the outer one (QUOTE 68 68 69
        is DDE)."""
        if self.instructing:
            self._open[-1].nested = True
            if _NAME.fullmatch("".join(self._open[-1].pieces)):
                self._find("a field whose name is put together")

    def _end(self) -> None:
        ended = self._open.pop()
        for what in ooxml_formulas.field("".join(ended.pieces), ended.nested):
            self._find(what)
