"""A rebuilt PDF: pages that are drawn, and nothing that acts. Read twice: its bytes (`pdf_bytes`), and every object
that a library finds in it (here)."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import IO, Any, Final

import pikepdf

from chat_server.sanitizing.check.pdf_bytes import layout
from chat_server.sanitizing.check.telling import shown, words
from chat_server.sanitizing.check.zip_layout import archive_end

_WEB: Final = re.compile(rb"(https?://|mailto:)[^\0-\x20\x7f]+", re.IGNORECASE)
_SUBTYPES: Final = words(
    "/Type0 /Type1 /MMType1 /Type1C /CIDFontType0 /CIDFontType0C /CIDFontType2 /Type3 /TrueType /OpenType /Image "
    "/Form /Link /XML"
)
"""Fonts and their programs, pictures, forms to draw, links, metadata. Not the other annotations (12.5.6), not
PostScript (/PS, 8.8.2), not 3D (/U3D, /PRC), not what an embedded file says of itself."""
_ACTIONS: Final = words(
    "/GoToR /GoToE /GoToDp /Launch /Thread /Sound /Movie /Hide /Named /SubmitForm /ResetForm /ImportData "
    "/JavaScript /SetOCGState /Rendition /Trans /GoTo3DView /RichMediaExecute /ECMAScript"
)
"""12.6.4.1, all but /GoTo and /URI, and 13.2.4."""
_TYPES: Final = words(
    "/Filespec /F /EmbeddedFile /Sig /SigRef /SigFieldLock /DocTimeStamp /Rendition /MediaClip /MediaPlayParams "
    "/3D /3DView /RichMedia /RichMediaContent /RichMediaSettings /Collection /PS /Bead /Thread /Sound "
    "/SpiderContentSet /OPI /PieceInfo"
)
_KEYS: Final = words(
    "/JS /AA /OpenAction /XFA /AcroForm /EmbeddedFiles /EF /AF /UF /RichMediaContent /RichMediaSettings "
    "/Rendition /Collection /PieceInfo /SpiderInfo /Perms /DSS /Requirements /OPI /FFilter /FDecodeParms "
    "/DestOutputProfileRef /3DD /3DA /Movie /Sound /MediaClip /Desktop"
)
"""In a dictionary, with a value that could act. Glyphs and resources have names of their makers' choice, which may be
these: but their values are streams (fonts: dictionaries of a /Type)."""
_CATALOG: Final = words(
    "/Type /Version /Extensions /Pages /PageLabels /PageMode /PageLayout /ViewerPreferences /Outlines /Dests "
    "/Names /Lang /MarkInfo /StructTreeRoot /Metadata /OutputIntents /OCProperties"
)
_PAGE: Final = words(
    "/Type /Parent /Resources /MediaBox /CropBox /BleedBox /TrimBox /ArtBox /Rotate /Contents /Group /Tabs "
    "/UserUnit /StructParents /Annots /LastModified /Metadata /BoxColorInfo /Kids /Count"
)
_TRAILER: Final = words("/Size /Root /Info /ID /Type /W /Index /Length /Filter /DecodeParms")
_FILTERS: Final = words(
    "/FlateDecode /LZWDecode /ASCII85Decode /ASCIIHexDecode /RunLengthDecode /CCITTFaxDecode /DCTDecode "
    "/JPXDecode /JBIG2Decode"
)
_LINK: Final = frozenset(("/GoTo", "/URI"))
_MOST: Final = 20_000_000
_MOST_METADATA: Final = 4 << 20
_DECLARES: Final = re.compile(rb"<!(DOCTYPE|ENTITY)|<\?xml-stylesheet", re.IGNORECASE)


def check(source: IO[bytes]) -> list[str]:
    """See `looking.look`."""
    data = source.read()
    findings, places = layout(data)
    if archive_end(data):
        findings.append("holds the end of an archive")
    try:
        with pikepdf.open(
            io.BytesIO(data), suppress_warnings=True, attempt_recovery=False, access_mode=pikepdf.AccessMode.stream
        ) as pdf:
            if pdf.is_encrypted:
                findings.append("encrypted")
            findings += _frame(pdf)
            listed = {number: entry.offset for (number, _), entry in pdf.get_xref_table().items() if entry.type == 1}
            if listed != places:
                findings.append("a table of other objects than there are")
            for part in pdf.objects:
                findings += _object(part)
                if len(findings) > 100:
                    return findings
            if pdf.get_warnings():
                findings.append("not written as it should be")
    except pikepdf.PasswordError:
        findings.append("encrypted")
    except (pikepdf.PdfError, RecursionError):
        findings.append("cannot be read")
    return findings


def _frame(pdf: pikepdf.Pdf) -> Iterator[str]:
    """The dictionaries whose entries are all known: what is not on the list may act on opening (7.5.5, 7.7.2,
    7.7.4)."""
    for what, part, allowed in (("trailer", pdf.trailer, _TRAILER), ("catalogue", pdf.Root, _CATALOG)):
        yield from (f"more than the {what} needs: {shown(key)}" for key in part.keys() - allowed)
    names = pdf.Root.get("/Names")
    if names is not None and (not isinstance(names, pikepdf.Dictionary) or names.keys() - {"/Dests"}):
        yield "names for something else than places"
    yield from _object(pdf.trailer)
    if not len(pdf.pages):
        yield "no pages"


def _object(part: Any) -> Iterator[str]:
    """What is active in an object, down to the references to others, which come by themselves."""
    if isinstance(part, pikepdf.Stream):
        yield from _stream(part)
        part = part.stream_dict
    waiting = [part]
    count = 0
    while waiting:
        at = waiting.pop()
        count += 1
        if count > _MOST:
            yield "an object of too many parts"
            return
        if isinstance(at, pikepdf.Dictionary):
            values = list(at.items())
            yield from _dictionary(dict(values))
            children = [value for _, value in values]
        else:
            children = list(at) if isinstance(at, pikepdf.Array) else []
        for value in children:
            if isinstance(value, (pikepdf.Dictionary, pikepdf.Array)) and not value.is_indirect:
                waiting.append(value)


def _stream(stream: pikepdf.Stream) -> Iterator[str]:
    """Its data lie in the file itself (7.3.8.2: /F would take them from another), in filters that a page needs (7.4;
    not /Crypt)."""
    told = stream.stream_dict
    yield from (f"a stream from elsewhere: {key}" for key in ("/F", "/FFilter", "/FDecodeParms") if key in told)
    filters: Any = told.get("/Filter", [])
    for each in filters if isinstance(filters, (list, pikepdf.Array)) else [filters]:
        if _name(each) not in _FILTERS:
            yield f"an unusual filter: {shown(_name(each))}"
    if told.get("/Subtype") == pikepdf.Name.XML or told.get("/Type") == pikepdf.Name.Metadata:
        try:
            text = stream.read_bytes()
        except pikepdf.PdfError:
            yield "metadata that cannot be read"
        else:
            if len(text) > _MOST_METADATA or _DECLARES.search(text):
                yield "metadata with a declaration, or too long"


def _dictionary(part: dict[str, Any]) -> Iterator[str]:
    kind, subtype, action = (_name(part.get(key)) for key in ("/Type", "/Subtype", "/S"))
    if subtype and subtype not in _SUBTYPES:
        yield f"an object that is not drawn: {shown(subtype)}"
    if "/Subtype2" in part:
        yield "an object that is not drawn: a fragment of PostScript"
    if kind in _TYPES:
        yield f"an object that is not drawn: {shown(kind)}"
    if action in _ACTIONS:
        yield f"an action: {shown(action)}"
    if kind in ("/Page", "/Pages"):
        yield from (f"more than a page needs: {shown(key)}" for key in part.keys() - _PAGE)
    for key in part.keys() & _KEYS:
        if not _is_resource(part[key]):
            yield f"an active entry: {shown(key)}"
    if action == "/URI" or ("/URI" in part and not _is_resource(part["/URI"])):
        yield from _address(part.get("/URI"))
    if "/Base" in part and isinstance(part["/Base"], pikepdf.String):
        yield "an address that completes others"
    if isinstance(part.get("/F"), pikepdf.String) or (subtype == "/Form" and "/Ref" in part):
        yield "a reference to another file"
    chosen = part.get("/A")
    if isinstance(chosen, pikepdf.Dictionary) and "/S" in chosen and _name(chosen.get("/S")) not in _LINK:
        yield f"an action: {shown(_name(chosen.get('/S')))}"
    if _name(part.get("/FT")) or _name(part.get("/FS")) == "/URL":
        yield "a form field, or a file from the web"


def _name(value: Any) -> str:
    if not isinstance(value, pikepdf.Name):
        return ""
    try:
        return str(value)
    except UnicodeDecodeError:
        return "/?"  # names of fonts are in Shift_JIS now and then; those that are compared here are not


def _is_resource(value: Any) -> bool:
    """A glyph, a form, a picture; a font; a pattern or state without anything in it that acts is of these too."""
    if isinstance(value, pikepdf.Stream):
        return "/S" not in value.stream_dict
    if isinstance(value, pikepdf.Name):  # of a kind of structure, which its maker calls so
        return True
    return isinstance(value, pikepdf.Dictionary) and _name(value.get("/Type")) in ("/Font", "/ExtGState", "/Pattern")


def _address(value: Any) -> Iterator[str]:
    """12.6.4.7: to the web, or to somebody's mail; whole, since a base could complete it to anything."""
    if not isinstance(value, pikepdf.String) or not _WEB.fullmatch(bytes(value)):
        told = bytes(value) if isinstance(value, pikepdf.String) else b""
        yield f"a link that leads elsewhere than to the web: {shown(told)}"
