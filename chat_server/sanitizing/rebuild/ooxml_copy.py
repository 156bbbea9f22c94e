"""A part's tree, copied element by element into a new one: what the grammar knows, under prefixes of our own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from lxml import etree

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.rebuild.ooxml_grammar import (
    DROPPED,
    EXTENSIONS,
    HOLLOW,
    NEEDED,
    SEEN,
    UNWRAPPED,
    attribute_kept,
    copied,
    relational,
    worded,
)
from chat_server.sanitizing.rebuild.ooxml_names import (
    CHOSEN,
    COMPATIBILITY,
    HOMES,
    KNOWN,
    LATER,
    RELATIONS,
    SHEET,
    local,
    space,
    tag,
    tags,
)
from chat_server.sanitizing.report import Tally

_DEPTH: Final = 256
_ALTERNATE: Final = tag("mc:AlternateContent")
_CHOICE: Final = tag("mc:Choice")
_FALLBACK: Final = tag("mc:Fallback")
_WORD_LINK: Final = tag("w:hyperlink")
_IGNORABLE: Final = f"{{{COMPATIBILITY}}}Ignorable"
_MOVED: Final = tags("s", "row si")
_CELLS: Final = _MOVED | tags(
    "s", "c v f is t r rPr rPh phoneticPr b i u sz color rFont family charset scheme strike vertAlign"
)
"""What rows of a sheet, and its texts, consist of: of those there are millions, and nearly all hold nothing else."""
_COPIED: Final = 1
_FOLLOWED: Final = 2
_SLIDE_LINKS: Final = tags("a", "hlinkClick hlinkHover hlinkMouseOver")
_LINKS: Final = _SLIDE_LINKS | {tag("w:hyperlink"), tag("s:hyperlink")}
_KEPT_WITHOUT: Final = frozenset((tag("s:pageSetup"), tag("w:hyperlink")))
"""Elements that are something without the relationship that they name."""
_ANCHOR: Final = tag("w:anchor")

Resolve = Callable[[str, str], str | None]
"""The identity of a relationship and the element that names it: its identity in what is written, if it is followed."""


class Copier:
    """Copies the tree of one part. Depth beyond `_DEPTH` is refused: nothing may run out of stack."""

    def __init__(self, resolve: Resolve, tally: Tally) -> None:
        self._resolve = resolve
        self._tally = tally
        self._elements: dict[str, bool] = {}
        self._worded: dict[str, bool] = {}
        self._attributes: dict[tuple[str, str], int] = {}
        self._later: set[str] = set()
        self._required: set[str] = set()
        self._depth = 0
        self._main = ""

    def copy(self, root: etree._Element, data: bytes) -> etree._Element:
        """The part as it is to be. `root`, of `data`, was found to be what the part's kind says."""
        main = self._main = space(root.tag)
        # Only what is in it: every element looks through the list that is declared here.
        every = main.encode() not in data
        names: dict[str | None, str] = {
            prefix: uri
            for uri, prefix in KNOWN.items()
            if uri != main and (every or uri == COMPATIBILITY or uri.encode() in data)
        }
        made = etree.Element(root.tag, nsmap={**names, (None if main == SHEET else KNOWN[main]): main})
        self._name(root, made)
        self._fill(root, made)
        ignorable = sorted(KNOWN[uri] for uri in self._later if uri != main)
        if ignorable:
            made.set(_IGNORABLE, " ".join(ignorable))
        return made

    def written(self, made: etree._Element) -> bytes:
        """What `copy` made, as bytes."""
        kept = [*made.get(_IGNORABLE, "").split(), *self._required]
        etree.cleanup_namespaces(made, keep_ns_prefixes=kept)
        written: bytes = etree.tostring(made, xml_declaration=True, encoding="UTF-8", standalone=True)
        return written

    def _fill(self, source: etree._Element, made: etree._Element) -> None:
        """The content of `source`, as far as it is known, into `made`."""
        self._depth += 1
        if self._depth > _DEPTH:
            raise Refused("too_large")
        extensions = made.tag.endswith("}extLst")
        before = len(source)
        for child in source:
            element = child.tag
            if element in _MOVED and self._is_plain(child):
                made.append(child)
                continue
            if not isinstance(element, str):
                raise Refused("declares")  # a reference to an entity; comments and instructions were not even read
            if element == _ALTERNATE:
                self._alternate(child, made)
            elif element in UNWRAPPED or (element == _WORD_LINK and not self._leads(child)):
                if len(child):
                    self._fill(child, made)
            elif self._known(element) and not (extensions and child.get("uri", "").upper() not in EXTENSIONS):
                new = etree.SubElement(made, element)
                kept = self._name(child, new)
                if len(child):
                    self._fill(child, new)
                elif self._worded[element]:
                    new.text = child.text
                if not kept or ((extensions or element in HOLLOW) and not _filled(new)):
                    made.remove(new)
                    if element in SEEN:
                        self._tally.add("element", local(element))
            elif (told := DROPPED.get(element)) is not None:
                self._tally.add(told)
        if len(made) < before and "count" in made.attrib:
            del made.attrib["count"]
        self._depth -= 1

    def _leads(self, link: etree._Element) -> bool:
        """Whether a link in a text leads anywhere still; otherwise only its words stay."""
        id_ = link.get(f"{{{RELATIONS}}}id")
        return bool(link.get(_ANCHOR)) or (id_ is not None and self._resolve(id_, _WORD_LINK) is not None)

    def _is_plain(self, whole: etree._Element) -> bool:
        """Whether a row is known to its last attribute, so that it can be taken as it is, in a third of the time."""
        for each in whole.iter():
            element = each.tag
            if element not in _CELLS or each.tail or (len(each) and each.text):
                return False
            for name in each.attrib:
                if self._rule(element, name) != _COPIED:
                    return False
        return True

    def _at_home(self, name: str) -> bool:
        return HOMES.get(space(name), self._main) == self._main

    def _rule(self, element: str, name: str) -> int:
        rule = self._attributes.get((element, name))
        if rule is None:
            rule = _FOLLOWED if relational(element, name) else int(attribute_kept(element, name))
            rule = rule if self._at_home(name) else 0
            self._attributes[element, name] = rule
            if rule and space(name) in LATER:
                self._later.add(space(name))
        return rule

    def _known(self, element: str) -> bool:
        known = self._elements.get(element)
        if known is None:
            known = self._elements[element] = copied(element) and self._at_home(element)
            self._worded[element] = worded(element)
            if known and space(element) in LATER:
                self._later.add(space(element))
        return known

    def _name(self, source: etree._Element, made: etree._Element) -> bool:
        """Attributes. False where it named a relationship that is not followed, and is nothing without it."""
        named = lost = False
        element = source.tag
        for name, value in source.items():
            rule = self._rule(element, name)
            if rule == _COPIED:
                made.set(name, value)
            elif rule == _FOLLOWED:
                known = "" if value == "" and element in _SLIDE_LINKS else self._resolve(value, element)
                if known is None:
                    lost = True
                else:
                    named = True
                    made.set(name, known)
            elif name.endswith(("}link", "}href")):
                lost = True
        return named or not lost or element in _KEPT_WITHOUT

    def _alternate(self, source: etree._Element, made: etree._Element) -> None:
        """One way to read it instead of several: the first that needs no more than is known here, else the fallback."""
        for choice in source.iterchildren(_CHOICE):
            required = [choice.nsmap.get(prefix) for prefix in choice.get("Requires", "").split()]
            if required and all(uri in CHOSEN for uri in required):
                wrapper = etree.SubElement(made, _ALTERNATE)
                prefixes = sorted({LATER[uri] for uri in required if uri is not None})
                taken = etree.SubElement(wrapper, _CHOICE, {"Requires": " ".join(prefixes)})
                self._fill(choice, taken)
                if len(taken):
                    self._required.update(prefixes)
                    return
                made.remove(wrapper)
        for fallback in source.iterchildren(_FALLBACK):
            if len(fallback):
                self._fill(fallback, made)
            return


def _filled(made: etree._Element) -> bool:
    needed = NEEDED.get(made.tag)
    return len(made) > 0 if needed is None else any(child.tag in needed for child in made)


def clicked(element: str) -> bool:
    """Whether an element is one that a reader clicks: the only ones that may point outside."""
    return element in _LINKS
