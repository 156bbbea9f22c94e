"""Office documents (docx, xlsx, pptx, and those with macros), taken apart and rebuilt.

The threat is a document that does something by itself, or by a click that promises something else: macros of both kinds, fields
and formulas that start programs or fetch, objects with programs in them, links that are loaded on opening, pictures made for a
decoder. So a new package is written from nothing: parts of listed kinds that are reached from the root by relationships of listed
types, their XML copied by the grammar, under names of our own; pictures encoded again. The rest is left behind and told.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections import deque
from typing import IO, Final

from lxml import etree

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.order import Order
from chat_server.sanitizing.rebuild import ooxml_chunks, ooxml_drawings, ooxml_fields, ooxml_sheets
from chat_server.sanitizing.rebuild.ooxml_copy import Copier, clicked
from chat_server.sanitizing.rebuild.ooxml_formulas import Formulas
from chat_server.sanitizing.rebuild.ooxml_images import Pictures
from chat_server.sanitizing.rebuild.ooxml_links import plain
from chat_server.sanitizing.rebuild.ooxml_names import (
    ON_SHEET,
    RELATIONS,
    SHEET,
    WORD,
    space,
    tag,
    transitional,
)
from chat_server.sanitizing.rebuild.ooxml_package import Package, Relation, parse
from chat_server.sanitizing.rebuild.ooxml_parts import (
    CHUNK,
    FOLDERS,
    HYPERLINK,
    IMAGE,
    MAIN,
    PARTS,
    SIGNATURE,
    VML,
    VML_TYPE,
    XLSB,
    Part,
    left,
)
from chat_server.sanitizing.rebuild.ooxml_write import Written
from chat_server.sanitizing.report import Object, Rebuilt, Tally, Warning_

_BOXES: Final = tag("s:legacyDrawing")
_WITH_BYTES: Final = frozenset(("macro", "embedded", "control", "multimedia"))
"""What is told with the hash of its bytes: it can be looked up."""
_WARNINGS: Final[tuple[tuple[Object, Warning_], ...]] = (
    ("macro", "macros_gone"), ("link", "links_gone"), ("formula", "values_kept"), ("signature", "signature_void"),
    ("vector_image", "pictures_gone"),
)  # fmt: skip


def rebuild(source: IO[bytes], target: IO[bytes], order: Order) -> Rebuilt:
    """Writes the document in `source` anew. What kind it is its main part says, whatever `order` has; that kind is answered,
    without the letter that stands for macros. `Refused`: encrypted, declares, ambiguous, unsafe_path, too_large,
    too_many_pixels, unknown, broken."""
    package = Package(source)
    tally = Tally()
    rebuilder = _Rebuilder(package, tally)
    rebuilder.run()
    rebuilder.written.write(target)
    warnings = [warning for object_, warning in _WARNINGS if object_ in tally]
    return Rebuilt(rebuilder.kind, tally.removed, warnings)


class _Rebuilder:
    """One document on its way."""

    def __init__(self, package: Package, tally: Tally) -> None:
        self._package = package
        self._tally = tally
        self._pictures = Pictures(tally)
        self._formulas = Formulas()
        self._waiting: deque[tuple[str, str, Part]] = deque()
        self._taken: dict[str, tuple[str, Part | None]] = {}
        """By the name that a part had: the one that it has."""
        self._told: set[str] = set()
        self._main = self._find_main()
        self.kind = self._kind_of(self._main)
        self.written = Written()

    def run(self) -> None:
        part = PARTS[self.kind][MAIN]
        name = self._take(self._main, part)
        self.written.relate("", "rId1", MAIN, name)
        for relation in self._package.relations(""):
            if relation.type != MAIN:
                self._tell(relation)
        while self._waiting:
            self._part(*self._waiting.popleft())
        self._tell_hidden()

    def _find_main(self) -> str:
        found = [each for each in self._package.relations("") if each.type == MAIN and not each.external]
        if len(found) > 1:
            raise Refused("ambiguous")
        if not found or found[0].target not in self._package:
            raise Refused("broken")
        return found[0].target

    def _kind_of(self, main: str) -> str:
        content_type = self._package.content_type(main)
        for kind, parts in PARTS.items():
            if _is(parts[MAIN], content_type):
                return kind
        raise Refused("unknown" if content_type == XLSB else "broken")

    def _take(self, source: str, part: Part) -> str:
        """The name under which a part is written, which is now waiting for it."""
        taken, kind = self._taken.get(source, ("", None))
        if taken:
            if kind is not part:
                raise Refused("ambiguous")  # one part in two roles
            return taken
        name = self.written.free(f"{FOLDERS[self.kind]}/{part.name}")
        self._taken[source] = name, part
        self._waiting.append((source, name, part))
        return name

    def _part(self, source: str, name: str, part: Part) -> None:
        data = transitional(self._package.read(source))
        before = parse(data)
        if before.tag not in part.roots:
            raise Refused("broken")
        relations = {each.id: each for each in self._package.relations(source)}
        followed: dict[str, tuple[str, str, bool]] = {}

        def resolve(id_: str, element: str) -> str | None:
            relation = relations.get(id_)
            found = None if relation is None else self._followed(relation, element, source)
            if found is None or relation is None:
                return None
            followed[id_] = relation.type, *found
            return id_

        def page(id_: str) -> tuple[str, bytes] | None:
            relation = relations.get(id_)
            if relation is None or relation.external or relation.type != CHUNK or relation.target not in self._package:
                return None
            return self._package.content_type(relation.target), self._package.read(relation.target)

        ooxml_drawings.prepare(before, self._tally)
        if space(before.tag) == WORD:
            ooxml_chunks.unfold(before, page)
        copier = Copier(resolve, self._tally)
        made = copier.copy(before, data)
        self._settle(before, made)
        self.written.add(name, part.content_type, copier.written(made))
        for relation in relations.values():
            kind = PARTS[self.kind].get(relation.type)
            if relation.id not in followed and kind is not None and kind.implied and self._is_there(relation, kind):
                followed[relation.id] = relation.type, self._take(relation.target, kind), False
        named: set[str] = set()
        if any(type_ == HYPERLINK for type_, _, _ in followed.values()):
            named = {value for each in made.iter() for key, value in each.items() if space(key) == RELATIONS}
        for id_, (type_, target, external) in followed.items():
            if not (external or type_ == HYPERLINK) or id_ in named:
                self.written.relate(name, id_, type_, target, external=external)
        for relation in relations.values():
            if relation.id not in followed:
                self._tell(relation)

    def _settle(self, before: etree._Element, made: etree._Element) -> None:
        """What can only be judged of what is to be written."""
        ooxml_drawings.settle(made, before, self._tally)
        kind = space(made.tag)
        if made.tag == tag("s:workbook"):
            gone = ooxml_sheets.gone(before, made)
            if next(made.iter(tag("s:sheet")), None) is None:
                raise Refused("unknown")  # nothing but macro sheets
            self._formulas = Formulas(gone)
        if kind == WORD:
            ooxml_fields.settle(made, self._tally)
        elif kind == SHEET:
            ooxml_sheets.settle(before, made, self._formulas, self._tally)
        elif kind == ON_SHEET:
            ooxml_sheets.settle_drawing(made, self._formulas)
        ooxml_drawings.settle_charts(made, self._formulas, self._tally)

    def _followed(self, relation: Relation, element: str, source: str) -> tuple[str, bool] | None:
        """Where the relationship leads that `element` names, and whether outside; None where it is not followed."""
        if relation.type == HYPERLINK:
            address = _address(relation) if clicked(element) else None
            return None if address is None else (address, relation.external)
        if relation.external:
            return None
        if clicked(element):
            kind = PARTS[self.kind].get(relation.type)
            turns = (
                self.kind == "pptx"
                and kind is not None
                and kind.roots == {tag("p:sld")}
                and self._is_there(relation, kind)
            )
            return (self._take(relation.target, kind), False) if turns and kind is not None else None
        if relation.type == IMAGE:
            return self._picture(relation)
        if relation.type == VML and element == _BOXES:
            return self._comment_boxes(source)
        kind = PARTS[self.kind].get(relation.type)
        return (
            (self._take(relation.target, kind), False) if kind is not None and self._is_there(relation, kind) else None
        )

    def _is_there(self, relation: Relation, kind: Part) -> bool:
        there = not relation.external and relation.target in self._package and kind.relation != MAIN
        return there and _is(kind, self._package.content_type(relation.target))

    def _picture(self, relation: Relation) -> tuple[str, bool] | None:
        if relation.target not in self._package:
            return None
        taken, kind = self._taken.get(relation.target, ("", None))
        if not taken:
            file = relation.target.rpartition("/")[2]
            picture = self._pictures.made(self._package.read(relation.target), file)
            taken = self.written.free(f"{FOLDERS[self.kind]}/media/image{{}}.{picture.suffix}")
            self.written.add(taken, picture.content_type, picture.data)
            self._taken[relation.target] = taken, None
        elif kind is not None:
            return None
        return taken, False

    def _comment_boxes(self, sheet: str) -> tuple[str, bool] | None:
        comments = PARTS[self.kind].get(f"{RELATIONS}/comments")
        for relation in self._package.relations(sheet) if comments is not None else ():
            if comments is not None and relation.type == comments.relation and self._is_there(relation, comments):
                name = self.written.free("xl/drawings/comments{}.vml")
                self.written.add(name, VML_TYPE, ooxml_sheets.comment_boxes(parse(self._package.read(relation.target))))
                return name, False
        return None

    def _tell(self, relation: Relation) -> None:
        """What is left behind with a relationship."""
        kind = PARTS[self.kind].get(relation.type)
        object_: Object | None
        if relation.type == HYPERLINK:
            object_ = None if _address(relation) else "link"
        elif relation.external:
            object_ = left(relation.type)
            object_ = "link" if object_ in (None, "part", "embedded") else object_
        elif relation.type == IMAGE or (kind is not None and self._is_there(relation, kind)):
            object_ = None  # of a listed kind, and nothing shows it
        elif relation.type.startswith(SIGNATURE):
            object_ = "signature"
        else:
            object_ = left(relation.type)
        if object_ is None or (not relation.external and relation.target in self._told):
            return
        digest = None
        if not relation.external:
            self._told.add(relation.target)
            if object_ in _WITH_BYTES and relation.target in self._package:
                digest = hashlib.sha256(self._package.read(relation.target)).hexdigest()
        self._tally.add(
            object_, relation.target if relation.external else posixpath.basename(relation.target), sha256=digest
        )

    def _tell_hidden(self) -> None:
        """What lies in the package and nothing leads to."""
        known = {*self._taken, *self._told}
        waiting = deque(known)
        while waiting:
            for relation in self._package.relations(waiting.popleft()):
                if not relation.external and relation.target not in known:
                    known.add(relation.target)
                    waiting.append(relation.target)
        for name in self._package.names:
            if name not in known and not name.endswith(".rels") and name != "[content_types].xml":
                self._tally.add("part", posixpath.basename(name))


def _is(part: Part, content_type: str) -> bool:
    return content_type in (part.content_type.lower(), *(each.lower() for each in part.also))


def _address(link: Relation) -> str | None:
    return plain(link.target) if link.external or link.target.startswith("#") else None
