"""Drawing instructions (ISO 32000-1, annex A), taken apart and written anew: operators of the specification and nothing else.

Comments, unknown operators, stray bytes and unbalanced `q`/`Q` do not go out: bytes between instructions are a place to hide a second
file, and a page that pops more states than it pushed would reach into what is drawn behind it (`pdf_annotations`).
Marked content is dropped with the tags it points to, except the words that `ActualText` gives to a drawing, which searching and
copying need; content of hidden layers is dropped with it (`pdf_layers`): what one did not see when it was opened is not handed on
unseen. States that it set stay set, as the specification says.

One regular expression takes many instructions at once, another one with its operands; only what neither takes (comments, nested strings,
nested dictionaries, pictures within the contents) is read piece by piece. That is what makes 50 pages cheap. Its repetitions are possessive:
no input makes it backtrack.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Final, NamedTuple

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.rebuild import pdf_inline

_SPACES: Final = b"\0\t\n\x0c\r "
SPACE: Final = rb"[\x00\t\n\x0c\r ]"
REGULAR: Final = rb"[^\x00\t\n\x0c\r ()<>\[\]{}/%]"
_BOUNDARY: Final = rb"(?=[\x00\t\n\x0c\r ()<>\[\]{}/%]|$)"
_NUMBER: Final = rb"[-+.\d][-+.\d]{0,63}+" + _BOUNDARY
_NAME: Final = rb"/" + REGULAR + rb"{0,255}+" + _BOUNDARY
_STRING: Final = rb"\((?:[^()\\]|\\.)*+\)"
_HEX: Final = rb"<(?:[0-9A-Fa-f]|" + SPACE + rb")*+>"
_SIMPLE: Final = b"|".join((_NUMBER, _NAME, _STRING, _HEX))
_ARRAY: Final = rb"\[(?:" + SPACE + b"|" + _SIMPLE + rb")*+\]"
_DICTIONARY: Final = (
    rb"<<(?:" + SPACE + b"|" + _SIMPLE + b"|" + _ARRAY + rb"|(?:true|false|null)" + _BOUNDARY + rb")*+>>"
)
_OPERAND: Final = b"(?:" + b"|".join((_SIMPLE, _DICTIONARY, _ARRAY)) + b")"
_INSTRUCTION: Final = re.compile(
    SPACE + rb"*+((?:" + _OPERAND + SPACE + rb"*+)*+)([A-Za-z'\"][A-Za-z0-9*]*+)" + _BOUNDARY, re.DOTALL
)
_TOKEN: Final = re.compile(rb"(?P<operand>" + _OPERAND + rb")|(?P<word>" + REGULAR + rb"++)", re.DOTALL)
_SKIPPED: Final = re.compile(rb"(?:" + SPACE + rb"|%[^\r\n]*+)++")

_STATE: Final = b"w J j M d ri i gs cm m l c v y h re W W* BT ET Tc Tw Tz TL Tf Tr Ts Td TD Tm T* CS cs SC SCN sc scn G g RG rg K k d0 d1"
_PAINT: Final = b"S s f F f* B B* b b* n"
_SHOW: Final = b"Tj TJ ' \" sh"
_KEPT: Final = frozenset((_STATE + b" " + _PAINT + b" " + _SHOW).split())
_PAINTS: Final = frozenset(_PAINT.split())
_SHOWS: Final = frozenset(_SHOW.split())
_ANY: Final = b"|".join(re.escape(each) for each in sorted(_KEPT, key=len, reverse=True))
_RUN: Final = re.compile(
    rb"(?:" + SPACE + rb"*+(?:" + _OPERAND + SPACE + rb"*+)*+(?:" + _ANY + rb")" + _BOUNDARY + rb"){1,5000}+", re.DOTALL
)
"""Instructions that go out as they are, many at once."""
_MARKS: Final = frozenset((b"BMC", b"BDC", b"EMC"))
_DEEPEST: Final = 20_000
"""Of saved states. The specification says 28; some programs never restore one."""
_MOST_OPERANDS: Final = 100_000
_ACTUAL_TEXT: Final = re.compile(rb"/ActualText" + SPACE + rb"*+(" + _STRING + b"|" + _HEX + b")", re.DOTALL)


class Property(NamedTuple):
    """What a name in `/Properties` means: whether its content is shown, and the words in its stead, as written in a content stream."""

    visible: bool = True
    words: bytes | None = None


class Drawn(NamedTuple):
    """`draws`: how often each XObject is asked for, by its name as in the resources; `unknown`: instructions that were dropped."""

    data: bytes
    draws: Counter[str]
    unknown: int


Properties = Callable[[str], Property]


def name(token: bytes) -> str:
    """A name as pikepdf gives it, from how it stands in the contents."""
    plain = re.sub(rb"#([0-9A-Fa-f]{2})", lambda found: bytes((int(found[1], 16),)), token.strip())
    return plain.decode("utf-8", "surrogateescape")


def rewritten(data: bytes, properties: Properties) -> Drawn:
    """Raises `Refused`."""
    return _Writer(data, properties).run()


class _Writer:
    def __init__(self, data: bytes, properties: Properties) -> None:
        self._data = data
        self._properties = properties
        self._out: list[bytes] = []
        self._saved = 0
        self._marks: list[tuple[bool, bool]] = []
        """Of each open marked content: whether it goes out, whether it is hidden."""
        self._hidden = 0
        self._draws: Counter[str] = Counter()
        self._unknown = 0

    def run(self) -> Drawn:
        data, at, end = self._data, 0, len(self._data)
        run, match, append = _RUN.match, _INSTRUCTION.match, self._out.append
        while at < end:
            found = None if self._hidden else run(data, at)
            if found is not None:
                append(found[0].strip(_SPACES))
                at = found.end()
                continue
            found = match(data, at)
            if found is None:
                at = self._slowly(at)
                continue
            operands, operator = found.groups()
            at = found.end()
            if operator == b"BI":
                at = self._picture(at)
            else:
                self._special(operands, operator)
        self._out.extend(b"EMC" for kept_out, _ in reversed(self._marks) if kept_out)
        self._out.extend([b"Q"] * self._saved)
        return Drawn(b"\n".join(self._out), self._draws, self._unknown)

    def _special(self, operands: bytes, operator: bytes) -> None:
        if operator == b"q":
            self._saved += 1
            if self._saved > _DEEPEST:
                raise Refused("broken")
            self._out.append(b"q")
        elif operator == b"Q":
            if self._saved:
                self._saved -= 1
                self._out.append(b"Q")
        elif operator in _MARKS:
            self._mark(operands, operator)
        elif operator == b"Do":
            asked = operands.strip()
            if not self._hidden and asked.startswith(b"/"):
                self._draws[name(asked)] += 1
                self._out.append(asked + b" Do")
        elif operator in _KEPT:
            self._unseen(operands, operator)
        elif operator not in (b"MP", b"DP", b"BX", b"EX"):
            self._unknown += 1

    def _unseen(self, operands: bytes, operator: bytes) -> None:
        """In a hidden layer: states are set, nothing is painted; a path ends, a line of text is moved on."""
        if operator in _PAINTS:
            self._out.append(b"n")
        elif operator in (b"'", b'"'):
            self._out.append(b"T*")
        elif operator not in _SHOWS:
            self._out.append(operands + operator)

    def _mark(self, operands: bytes, operator: bytes) -> None:
        if operator == b"EMC":
            if self._marks:
                goes_out, hides = self._marks.pop()
                self._hidden -= hides
                if goes_out:
                    self._out.append(b"EMC")
            return
        found = self._property(operands) if operator == b"BDC" else Property()
        hides = not found.visible
        goes_out = found.words is not None and not hides and not self._hidden
        if len(self._marks) > _DEEPEST:
            raise Refused("broken")
        self._marks.append((goes_out, hides))
        self._hidden += hides
        if goes_out:
            self._out.append(b"/Span <</ActualText " + (found.words or b"()") + b">> BDC")

    def _property(self, operands: bytes) -> Property:
        if b"<<" in operands:
            words = _ACTUAL_TEXT.search(operands)
            return Property(True, words[1] if words else None)
        asked = operands.strip().rpartition(b"/")[2]
        return self._properties(name(b"/" + asked)) if asked else Property()

    def _picture(self, at: int) -> int:
        """A picture within the contents (8.9.7)."""
        found = pdf_inline.picture(self._data, at)
        if found is None:
            self._unknown += 1
            return at
        written, at = found
        if written and not self._hidden:
            self._out.append(written)
        return at

    def _slowly(self, at: int) -> int:
        """One instruction that is not plain."""
        data, end = self._data, len(self._data)
        operands: list[bytes] = []
        while at < end:
            skipped = _SKIPPED.match(data, at)
            if skipped:
                at = skipped.end()
                continue
            found = _TOKEN.match(data, at)
            if found is None:
                token, at = pdf_inline.odd(data, at)
                if token:
                    operands.append(token)
            elif found["operand"] is not None:
                operands.append(found[0])
                at = found.end()
            else:
                at = found.end()
                if found[0] == b"BI":
                    return self._picture(at)
                self._plainly(operands, found[0])
                return at
            if len(operands) > _MOST_OPERANDS:
                raise Refused("broken")
        return at

    def _plainly(self, operands: list[bytes], operator: bytes) -> None:
        joined = b"".join(each + b" " for each in operands)
        if operator in _KEPT and not self._hidden:
            self._out.append(joined + operator)
        else:
            self._special(joined, operator)
