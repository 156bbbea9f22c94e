"""PDF (ISO 32000-1): a new document, composed of what draws the pages and of nothing else.

Of a page are copied its size, its rotation, its instructions and what these refer to, each by an allow-list (`pdf_shapes`,
`pdf_objects`, `pdf_content`, `pdf_images`); what lies on it becomes part of it (`pdf_annotations`); links to its own pages and to the web,
and the titles of the outline, are written anew (`pdf_links`). Scripts, actions, forms, attached files, films, metadata, tags and earlier
versions have no way into the new file, known or not.

A page that cannot be copied as a whole refuses the document: half a quotation is worse than none. The owner's restrictions of a document
that opens without a password are not carried over; the copy has no password.

What stays a threat: flaws in the font machine and the JPEG decoder of the reader, and words that deceive. `pdf_flatten` meets the former.
"""

from __future__ import annotations

import codecs
from typing import IO, BinaryIO, Final, cast

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf, String

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.order import Order
from chat_server.sanitizing.rebuild import pdf_annotations, pdf_draws, pdf_pages, pdf_told
from chat_server.sanitizing.rebuild.pdf_layers import Layers
from chat_server.sanitizing.rebuild.pdf_links import Links
from chat_server.sanitizing.rebuild.pdf_objects import Copier
from chat_server.sanitizing.rebuild.pdf_page import PageWriter
from chat_server.sanitizing.rebuild.pdf_streams import Streams, limited, said
from chat_server.sanitizing.report import Rebuilt, Tally, Warning_

_SHIFT_JIS: Final = codecs.lookup("cp932")
"""Looked up here: a confined process can open no module."""
_LAYOUTS: Final = frozenset(
    ("/SinglePage", "/OneColumn", "/TwoColumnLeft", "/TwoColumnRight", "/TwoPageLeft", "/TwoPageRight")
)
_HEAD: Final = 1024
_LOST: Final = (
    "unable to find trailer", "Pages tree includes", "treating stream as empty", "kid ", "too many errors", "treating unknown",
)  # fmt: skip
"""What qpdf warns of when it mended a file by leaving something out. A wrong table of contents alone is not among it."""


def rebuild(source: IO[bytes], target: IO[bytes], order: Order) -> Rebuilt:
    """Raises `Refused`: `encrypted`, `wrong_password`, `protected`, `broken`, `empty`, `too_many`, `too_large`, `too_many_pixels`."""
    try:
        with limited():
            return _rebuilt(source, target, order)
    except pikepdf.PasswordError:
        raise Refused("wrong_password" if order.password else "encrypted") from None
    except MemoryError:
        raise Refused("too_large") from None
    except (pikepdf.PdfError, pikepdf.exceptions.QpdfRuntimeError, pikepdf.exceptions.DataDecodingError) as error:
        raise Refused("too_large" if "limit exceeded" in str(error) else "broken") from error


def _rebuilt(source: IO[bytes], target: IO[bytes], order: Order) -> Rebuilt:
    tally, streams = Tally(), Streams()
    _ends(source, tally)
    document = opened(source, order.password)
    _whole(document)
    pages = pdf_pages.pages(document.Root)
    pdf_told.tell(document, pages, streams, tally)
    looks = pdf_annotations.Looks(document, pages)
    new = pikepdf.new()
    layers = Layers(document.Root)
    copier = Copier(new, layers, streams, tally)
    made = [new.make_indirect(Dictionary(Type=Name.Page, Parent=new.Root.Pages)) for _ in pages]
    places = {page.node.objgen: copy for page, copy in zip(pages, made, strict=True) if page.node.is_indirect}
    links = Links(document, new, places)
    writer = PageWriter(copier, layers, links, looks)
    known: dict[tuple[pdf_draws.Number, pdf_draws.Number], tuple[int, int]] = {}
    for at, (page, copy) in enumerate(zip(pages, made, strict=True)):
        writer.write(at, page, copy)
        pdf_draws.check(copy, copier.draws, known)
    new.Root.Pages.Kids, new.Root.Pages.Count = Array(made), len(made)
    _whole(document)
    _catalog(document.Root, new, links, tally)
    tally.add("layer", "", layers.count)
    new.save(
        cast(BinaryIO, target), compress_streams=True, stream_decode_level=pikepdf.StreamDecodeLevel.none, fix_metadata_version=False, preserve_pdfa=False,
        object_stream_mode=pikepdf.ObjectStreamMode.generate, force_version="1.7", deterministic_id=True, encryption=False,
    )  # fmt: skip
    return Rebuilt("pdf", tally.removed, _warnings(tally, copier, layers, writer))


def opened(source: IO[bytes], password: str) -> Pdf:
    """Raises `Refused`, `pikepdf.PasswordError`, `pikepdf.PdfError`. A document that opens without a password does so, whatever was
    given. Passwords of older documents are bytes of the machine that made them: for Japanese ones that is Shift_JIS."""
    tries: list[str | bytes] = ["", password]
    if not password.isascii():
        tries.append(_SHIFT_JIS.encode(password, "replace")[0])
    for at, each in enumerate(tries):
        source.seek(0)
        try:
            return pikepdf.open(cast(BinaryIO, source), password=each, inherit_page_attributes=False)
        except pikepdf.PasswordError:
            if at == len(tries) - 1:
                raise
        except pikepdf.PdfError as error:
            if "unsupported encryption" in str(error):
                raise Refused("protected") from None
            raise
    raise AssertionError


def _whole(document: Pdf) -> None:
    """Raises `Refused` where the file was cut off or mended with a loss: half a document is none."""
    if any(sign in str(warning) for warning in document.get_warnings() for sign in _LOST):
        raise Refused("broken")


def _ends(source: IO[bytes], tally: Tally) -> None:
    """Earlier versions that a saved change left in the file (7.5.6); one written for the web has two ends of its own (annex F)."""
    source.seek(0)
    head = source.read(_HEAD)
    count, before = 0, head
    while before:
        more = source.read(1 << 20)
        count += before.count(b"startxref")
        before = before[-8:] + more if more else b""
    tally.add("history", "", count - 1 - (b"/Linearized" in head))


def _catalog(old: Object, new: Pdf, links: Links, tally: Tally) -> None:
    """What of the catalog (7.7.2) says how to show the document."""
    outline, dropped = links.outline(old)
    tally.add("action", "Outlines", dropped)
    if outline is not None:
        new.Root.Outlines = outline
    if said(old.get("/PageLayout")) in _LAYOUTS:
        new.Root.PageLayout = Name(said(old.get("/PageLayout")))
    preferences = old.get("/ViewerPreferences")
    if isinstance(preferences, Dictionary) and said(preferences.get("/Direction")) == "/R2L":
        # vertical Japanese: the second page lies to the left
        new.Root.ViewerPreferences = Dictionary(Direction=Name.R2L)
    language = old.get("/Lang")
    if isinstance(language, String) and str(language).replace("-", "").isalnum() and len(str(language)) < 36:
        new.Root.Lang = String(str(language))


def _warnings(tally: Tally, copier: Copier, layers: Layers, writer: PageWriter) -> list[Warning_]:
    found: list[Warning_] = []
    if "signature" in tally:
        found.append("signature_void")
    if "form" in tally or writer.widgets:
        found.append("forms_fixed")
    if layers.count:
        found.append("layers_fixed")
    if "link" in tally:
        found.append("links_gone")
    if copier.fonts_lost:
        found.append("fonts_replaced")
    return found
