"""One XML part, read with expat: no declarations, no element and no attribute that acts, no formula or field that
does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final
from xml.parsers import expat

from chat_server.sanitizing.check.ooxml_fields import Fields
from chat_server.sanitizing.check.ooxml_formulas import automatic, formula, jump, link
from chat_server.sanitizing.check.telling import shown, words

_ACTIVE: Final = words(
    "altChunk subDoc object control controls OLEObject oleObject oleObjects oleObj oleLink ddeLink ddeItem "
    "ddeItems externalBook externalLink externalReference externalReferences queryTable connection connections "
    "dbPr webPr mailMerge dataSource attachedSchema attachedTemplate saveThroughXslt sourceFileName entryMacro "
    "exitMacro fldData binData macrosheet dialogsheet FmlaMacro Script ScriptText ScriptExtended ScriptLanguage "
    "ScriptLocation cmd sndAc snd stSnd wavAudioFile audioFile videoFile audioCd quickTimeFile audio video media "
    "htmlPubPr webPublishing webPublishItem webPublishItems webPublishObject webPublishObjects customUI "
    "externalData contentPart webextension taskpane singleXmlCell xmlColumnPr MapInfo cMediaNode movie script iframe"
)
"""By local name, in whatever vocabulary: objects of other programs, what fetches data, macros, sounds and films,
pages inside pages."""
_FORMULAS: Final = frozenset(
    ("f", "formula", "formula1", "formula2", "definedName", "calculatedColumnFormula", "totalsRowFormula", "oldFormula")
)
_EVENTS: Final = re.compile(r"on(mouse|click|dblclick|load|key|focus|blur|error|drag)", re.IGNORECASE)
_SCHEME: Final = re.compile(
    r"://|^\s*(\\\\|//|(file|javascript|vbscript|data|ftp|ldap|mhtml|mk|res|shell|about|search(-ms)?|ms-[a-z\-]+):)",
    re.IGNORECASE,
)
_WORD: Final = frozenset(
    ("http://schemas.openxmlformats.org/wordprocessingml/2006/main", "http://purl.oclc.org/ooxml/wordprocessingml/main")
)


def _is_nothing(value: str) -> bool:
    return not value.strip()


def _is_false(value: str) -> bool:
    return value.strip().lower() in ("", "0", "false", "f", "off")


def _is_address(value: str) -> bool:
    return not value or value.startswith("#") or link(value)


def _is_harmless(value: str) -> bool:
    return not formula(value)


def _is_place(value: str) -> bool:
    return _SCHEME.search(value) is None


_ATTRIBUTES: Final[dict[str, Callable[[str], bool]]] = {
    "action": jump, "macro": _is_nothing, "href": _is_address, "src": _is_nothing, "althref": _is_nothing,
    "location": _is_place,
    "invalidUrl": _is_nothing, "docLocation": _is_place, "xlm": _is_false, "vbProcedure": _is_false,
    "function": _is_false,
    "ole": _is_false, "schemaLocation": _is_nothing, "noNamespaceSchemaLocation": _is_nothing,
    "connectionId": _is_nothing,
    "ddeService": _is_nothing, "progId": _is_nothing, "textlink": _is_harmless,
}  # fmt: skip
"""By local name: what it may say. `macro` of a shape, `href` and `src` of VML, `location` of a link, `xlm` of a
name."""
_FETCHED: Final = frozenset(
    ("http://www.w3.org/XML/1998/namespace base", "urn:schemas-microsoft-com:office:office href")
)
"""What other addresses are completed with, and where VML takes a picture from."""


class _Declares(Exception):
    """There is a document type declaration."""


class Part:
    """Findings in one part; `root` is the local name of its element."""

    def __init__(self, name: str) -> None:
        self.root = ""
        self.findings: list[str] = []
        self._name = name
        self._plain: set[str] = set()
        self._free: set[str] = set()
        self._text: list[str] = []
        self._inside = ""
        self._fields = Fields(self._find)
        parser = self._parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.ordered_attributes = True
        parser.StartElementHandler = self._start
        parser.StartDoctypeDeclHandler = self._declares
        parser.ProcessingInstructionHandler = lambda target, _: self._find(
            f"an instruction to programs ({shown(target)})"
        )
        parser.XmlDeclHandler = self._declared

    def read(self, pieces: Iterable[bytes]) -> list[str]:
        try:
            for piece in pieces:
                self._parser.Parse(piece, False)
            self._parser.Parse(b"", True)
        except _Declares:
            return self.findings
        except expat.ExpatError:
            return [*self.findings, f"XML that cannot be read: {shown(self._name)}"]
        self._fields.finish()
        return self.findings

    def _find(self, what: str) -> None:
        if len(self.findings) < 100:
            self.findings.append(f"{what}, in {shown(self._name)}")

    def _declares(self, *_: object) -> None:
        """Entities can stand nowhere else: stopping here, none is ever expanded (CWE-611, CWE-776)."""
        self._find("a document type declaration")
        raise _Declares

    def _declared(self, version: str, encoding: str | None, _: int) -> None:
        if (encoding or "utf-8").lower() not in ("utf-8", "us-ascii"):
            self._find(f"XML in another encoding than UTF-8 ({shown(encoding or '')})")

    def _start(self, name: str, attributes: list[str]) -> None:
        """Of a million cells, each has to pass with two look-ups."""
        if name not in self._plain:
            self._element(name, attributes)
        if attributes and not self._free.issuperset(attributes[::2]):
            self._ruled(attributes)

    def _element(self, name: str, attributes: list[str]) -> None:
        if not self.root:
            self.root = name.rpartition(" ")[2]
        act = self._meaning(name)
        if act is None:
            self._plain.add(name)
        else:
            act(attributes)

    def _ruled(self, attributes: list[str]) -> None:
        for at in range(0, len(attributes), 2):
            key = attributes[at]
            allows = self._rule(key)
            if allows is None:
                self._free.add(key)
            elif not allows(attributes[at + 1]):
                self._find(f"an attribute that acts ({shown(key.rpartition(' ')[2])}: {shown(attributes[at + 1])})")

    def _meaning(self, name: str) -> Callable[[list[str]], None] | None:
        """What is done at an element of that name."""
        space, _, local = name.rpartition(" ")
        if local in _ACTIVE:
            return lambda _: self._find(f"an element that acts ({shown(local)})")
        if local in _FORMULAS and ("spreadsheetml" in space or "chart" in space or "office/excel" in space):
            return lambda attributes: self._collect(name, attributes, self._formula)
        if local.startswith("Fmla"):
            return lambda attributes: self._collect(name, attributes, self._formula)
        if local == "cacheSource":
            return self._cache_source
        if space not in _WORD:
            return None
        if local == "fldChar":
            return lambda attributes: self._fields.mark(_value(attributes, "fldCharType"))
        if local == "fldSimple":
            return lambda attributes: self._fields.simple(_value(attributes, "instr"))
        if local in ("instrText", "delInstrText"):
            return lambda attributes: self._collect(name, attributes, self._fields.text)
        if local in ("t", "delText"):
            return lambda attributes: self._words(name, attributes)
        return None

    def _rule(self, name: str) -> Callable[[str], bool] | None:
        local = name.rpartition(" ")[2]
        if name in _FETCHED or _EVENTS.match(local):
            return _is_nothing
        return _ATTRIBUTES.get(local)

    def _collect(self, name: str, attributes: list[str], then: Callable[[str], None]) -> None:
        """The text up to the end of this element, for `then`. Only there expat calls back for text and ends: a sheet
        has a million."""
        defined = _value(attributes, "name") if name.endswith(" definedName") else ""
        if automatic(defined):
            self._find(f"a name that runs by itself ({shown(defined)})")
        if self._inside:
            return
        self._inside, self._text = name, []

        def end(ended: str) -> None:
            if ended == name:
                self._inside = ""
                self._parser.CharacterDataHandler = None
                self._parser.EndElementHandler = None
                then("".join(self._text))

        self._parser.CharacterDataHandler = self._text.append
        self._parser.EndElementHandler = end

    def _words(self, name: str, attributes: list[str]) -> None:
        if self._fields.instructing:
            self._collect(name, attributes, self._fields.text)

    def _formula(self, text: str) -> None:
        for what in formula(text):
            self._find(what)

    def _cache_source(self, attributes: list[str]) -> None:
        if _value(attributes, "type") not in ("worksheet", "consolidation"):
            self._find("a pivot table of data from elsewhere")


def _value(attributes: list[str], local: str) -> str:
    for at in range(0, len(attributes), 2):
        if attributes[at].rpartition(" ")[2] == local:
            return attributes[at + 1]
    return ""
