"""Fields of a text (ISO/IEC 29500-1, 17.16): which may stay, and how one goes while what it showed stays.

A field is an instruction that the reader's program carries out: DDEAUTO starts programs, INCLUDETEXT fetches, and one within
another can compose an instruction that stands nowhere as a whole. So a field stays only if its instruction is all there to be read
and its first word is on the list.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec
from lxml import etree

from chat_server.sanitizing.rebuild.ooxml_links import plain
from chat_server.sanitizing.rebuild.ooxml_names import WORD, tag, tags, words
from chat_server.sanitizing.report import Tally

_KEPT: Final = words(
    "PAGE NUMPAGES SECTION SECTIONPAGES TOC TOA TC TA XE INDEX REF PAGEREF NOTEREF SEQ DATE TIME EQ STYLEREF SYMBOL FORMTEXT "
    "FORMCHECKBOX FORMDROPDOWN AUTONUM AUTONUMLGL AUTONUMOUT LISTNUM ADVANCE NUMWORDS NUMCHARS"
)
_WITH_INNER: Final = frozenset(("IF", "="))
"""Stay, even where their instruction has fields in it, if those stay themselves."""
_WORDS_SHOWN: Final = re.compile(r"\s*(?:MACROBUTTON|GOTOBUTTON)\s+\S+\s+(?P<words>.*?)\s*", re.IGNORECASE | re.DOTALL)
_FIRST: Final = re.compile(r"\s*(=|[A-Za-z]+(?![\w\"]))")
_LINK: Final = re.compile(
    r"\s*HYPERLINK(?:\s+\"(?P<target>[^\"]*)\")?(?:\s+(?:\\l\s+(?P<place>\"[^\"]*\"|[^\s\"\\]+)|\\[ot]\s+\"[^\"]*\"|\\h|\\\*\s+MERGEFORMAT))*\s*",
    re.IGNORECASE,
)
_LONGEST: Final = 8_192
_RUN: Final = tag("w:r")
_CHARACTER: Final = tag("w:fldChar")
_SIMPLE: Final = tag("w:fldSimple")
_INSTRUCTIONS: Final = tags("w", "instrText delInstrText")
_SILENT: Final = tags("w", "rPr lastRenderedPageBreak softHyphen bookmarkStart bookmarkEnd")
_REVISIONS: Final = tags("w", "ins del moveFrom moveTo")
_STORIES: Final = tags("w", "txbxContent footnote endnote comment body hdr ftr")
_TYPE: Final = f"{{{WORD}}}fldCharType"
_INSTRUCTION: Final = f"{{{WORD}}}instr"


class _Field(msgspec.Struct):
    """One that has begun. `written`: what stands in its instruction itself, beside what it shows."""

    marks: list[etree._Element]
    instructions: list[etree._Element] = []
    others: list[etree._Element] = []
    """What is no instruction and yet stands in it."""
    inner: list[bool] = []
    """Of the fields in its instruction: whether each stayed."""
    shows: bool = False
    """The separator was there: what follows is what it shows."""

    @property
    def text(self) -> str:
        return "".join(each.text or "" for each in self.instructions)


def settle(root: etree._Element, tally: Tally) -> None:
    """Takes the fields out of the tree of a part that may not stay. The tree is the one that is written, for what the copy leaves
    out may be what made an instruction harmless."""
    stories: dict[etree._Element | None, list[_Field]] = {}
    # Collected beforehand: the tree changes under the walk.
    for run in list(root.iter(_RUN)):
        fields = stories.setdefault(_story(run), [])
        for piece in list(run):
            _piece(piece, fields, tally)
    for fields in stories.values():
        for field in fields:  # begun and never ended: no program agrees with another on what that is
            _unmake(field, tally, whole=False)
    for piece in list(root.iter(_CHARACTER, *_INSTRUCTIONS)):
        if piece.getparent().tag != _RUN:
            piece.getparent().remove(piece)
    for simple in list(root.iter(_SIMPLE)):
        if not allowed(simple.get(_INSTRUCTION, "")):
            tally.add("field", _named(simple.get(_INSTRUCTION, "")))
            _show_words(simple.get(_INSTRUCTION, ""), simple)
            unwrap(simple)


def allowed(instruction: str) -> bool:
    """Whether a field of that instruction may stay. An address must be one that is clicked, not fetched."""
    first = _FIRST.match(instruction) if len(instruction) <= _LONGEST else None
    word = first[1].upper() if first else ""
    if word == "HYPERLINK":
        link = _LINK.fullmatch(instruction)
        if link is None:
            return False
        return (
            bool((link["place"] or "").strip('"'))
            if not link["target"]
            else plain(link["target"].replace("\\\\", "\\")) is not None
        )
    return word in _KEPT or word in _WITH_INNER


def _piece(piece: etree._Element, fields: list[_Field], tally: Tally) -> None:
    if piece.tag == _CHARACTER:
        kind = piece.get(_TYPE)
        if kind == "begin":
            fields.append(_Field([piece]))
        elif not fields:
            _remove(piece)
        elif kind == "separate" and not fields[-1].shows:
            fields[-1].marks.append(piece)
            fields[-1].shows = True
        elif kind == "end":
            field = fields.pop()
            field.marks.append(piece)
            stays = _stays(field)
            if not stays:
                _unmake(field, tally, whole=True)
            _hand_on(field, stays, fields)
        else:
            _remove(piece)
    elif fields and not fields[-1].shows:
        if piece.tag in _INSTRUCTIONS:
            fields[-1].instructions.append(piece)
        elif piece.tag not in _SILENT:
            fields[-1].others.append(piece)
    elif piece.tag in _INSTRUCTIONS:
        _remove(piece)
    elif piece.tag not in _SILENT and (outer := next((each for each in reversed(fields) if not each.shows), None)):
        outer.others.append(piece)  # what an inner field shows is part of the instruction it stands in


def _hand_on(field: _Field, stays: bool, fields: list[_Field]) -> None:
    """What an inner field is to the one in whose instruction it stands: part of it, and gone with it."""
    if fields and not fields[-1].shows:
        fields[-1].inner.append(stays)
        fields[-1].others += [*field.marks, *field.instructions, *field.others]


def _stays(field: _Field) -> bool:
    text = field.text
    if not allowed(text):
        return False
    if len({_where(piece) for piece in field.instructions}) > 1:
        # Accepting a change, or a reader that passes over what it does not know, would compose another instruction.
        return False
    word = _FIRST.match(text)
    if field.inner:
        return word is not None and word[1].upper() in _WITH_INNER and all(field.inner)
    return not field.others


def _unmake(field: _Field, tally: Tally, *, whole: bool) -> None:
    """Takes a field out. `whole`: with everything that stands in its instruction; otherwise only what makes it a field."""
    tally.add("field", _named(field.text))
    if whole and not field.shows and field.instructions:
        _show_words(field.text, field.instructions[0].getparent(), field.instructions[0])
    for piece in [*field.marks, *field.instructions, *(field.others if whole else ())]:
        _remove(piece)


def _show_words(instruction: str, parent: etree._Element, before: etree._Element | None = None) -> None:
    """Buttons show the words in their instruction: 「ここに住所を入力」."""
    shown = _WORDS_SHOWN.fullmatch(instruction) if len(instruction) <= _LONGEST else None
    if shown is None or not shown["words"] or (parent.tag == _SIMPLE and len(parent)):
        return
    if before is None:
        parent = etree.SubElement(parent, _RUN)
    words = etree.Element(tag("w:t"))
    words.text = shown["words"]
    words.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    parent.insert(parent.index(before) if before is not None else 0, words)


def _named(instruction: str) -> str:
    first = _FIRST.match(instruction)
    return first[1].upper()[:20] if first else ""


def unwrap(element: etree._Element) -> None:
    """Puts what is in an element in its place."""
    parent = element.getparent()
    at = parent.index(element)
    parent[at : at + 1] = list(element)


def _remove(piece: etree._Element) -> None:
    parent = piece.getparent()
    if parent is not None:
        parent.remove(piece)


def _story(run: etree._Element) -> etree._Element | None:
    """The text that a run belongs to: a box on the page is one of its own."""
    return next(run.iterancestors(*_STORIES), None)


def _where(piece: etree._Element) -> tuple[tuple[etree._Element | str, str], ...]:
    """What a piece stands in: its paragraph, a tracked change, an alternative that a reader may pass over."""
    return tuple(
        (each.tag, each.get(f"{{{WORD}}}id", "")) if each.tag in _REVISIONS else (each, "")
        for each in piece.iterancestors()
        if each.tag != _RUN
    )
