"""What a PDF had that its copy has not: looked for in the catalog, at the pages and in what lies on them, for the report only.

Nothing depends on it. What is not found here is left behind all the same, because only what is allowed is copied.
"""

from __future__ import annotations

import hashlib
from typing import Final

from pikepdf import Array, Dictionary, Object, Pdf, Stream, String

from chat_server.sanitizing.rebuild.pdf_pages import Page
from chat_server.sanitizing.rebuild.pdf_streams import Streams, Unreadable, entry, keys, said
from chat_server.sanitizing.report import Object as Kind
from chat_server.sanitizing.report import Tally

_ACTIONS: Final[dict[str, Kind]] = {
    "/JavaScript": "script", "/URI": "link", "/Launch": "action", "/GoToR": "link", "/GoToE": "link", "/SubmitForm": "action",
    "/ImportData": "action", "/ResetForm": "action", "/Hide": "action", "/Named": "action", "/Thread": "action",
    "/Trans": "action", "/SetOCGState": "action", "/GoTo3DView": "multimedia", "/RichMediaExecute": "multimedia",
    "/Sound": "multimedia", "/Movie": "multimedia", "/Rendition": "multimedia",
}  # fmt: skip
_ANNOTATIONS: Final[dict[str, Kind]] = {
    "/Screen": "multimedia", "/RichMedia": "multimedia", "/Sound": "multimedia", "/Movie": "multimedia", "/3D": "multimedia",
    "/FileAttachment": "attachment", "/TrapNet": "printer_settings", "/PrinterMark": "printer_settings",
}  # fmt: skip
_NOT_HERE: Final = frozenset(
    (
        "/Pages",
        "/Parent",
        "/P",
        "/Dest",
        "/StructTreeRoot",
        "/OCProperties",
        "/Metadata",
        "/AP",
        "/DR",
        "/Prev",
        "/Last",
        "/D",
    )
)
_MOST: Final = 200_000
"""Objects looked at. A report of a larger file is shorter, not its sanitizing."""


def tell(document: Pdf, pages: list[Page], streams: Streams, tally: Tally) -> None:
    """Raises `Refused` where there is more to unpack than allowed."""
    root = document.Root
    information = document.trailer.get("/Info")
    if isinstance(information, Dictionary) and len(information.keys()):
        tally.add("metadata", "Info")
    for key, kind in (("/Metadata", "metadata"), ("/PieceInfo", "custom_data"), ("/Collection", "part")):
        if key in root:
            tally.add(kind, key.strip("/"))  # type: ignore[arg-type]
    if "/OpenAction" in root and not isinstance(root.get("/OpenAction"), Array):
        tally.add("action", "OpenAction")
    addresses = root.get("/URI")
    if isinstance(addresses, Dictionary) and "/Base" in addresses:
        tally.add("link", "URI Base")
    _form(root, tally)
    _Walk(streams, tally).run([root, *(page.node for page in pages)])


def _form(root: Object, tally: Tally) -> None:
    form = root.get("/AcroForm")
    if not isinstance(form, Dictionary):
        return
    if "/XFA" in form:
        tally.add("form", "XFA")
    fields = form.get("/Fields")
    if isinstance(fields, Array) and len(fields):
        tally.add("form")


class _Walk:
    def __init__(self, streams: Streams, tally: Tally) -> None:
        self._streams = streams
        self._tally = tally

    def run(self, starts: list[Object]) -> None:
        waiting: list[object] = list(starts)
        seen: set[tuple[int, int]] = set()
        tops = {start.objgen for start in starts}
        for _ in range(_MOST):
            if not waiting:
                return
            item = waiting.pop()
            if isinstance(item, Array):
                if not item.is_indirect or item.objgen not in seen:
                    seen.add(item.objgen)
                    waiting.extend(list(item)[:_MOST])
            elif isinstance(item, (Dictionary, Stream)):
                if item.is_indirect:
                    if item.objgen in seen:
                        continue
                    seen.add(item.objgen)
                if said(item.get("/Type")) == "/Page":
                    if item.objgen in tops:
                        self._page(item, waiting)
                    continue
                self._look(item)
                waiting.extend(entry(item, key) for key in keys(item) if key not in _NOT_HERE)

    def _page(self, page: Object, waiting: list[object]) -> None:
        for key, kind in (
            ("/Thumb", "thumbnail"),
            ("/PieceInfo", "custom_data"),
            ("/Metadata", "metadata"),
            ("/AF", "attachment"),
        ):
            if key in page:
                self._tally.add(kind)  # type: ignore[arg-type]
        waiting.extend((page.get("/Annots"), page.get("/AA")))

    def _look(self, item: Object) -> None:
        action = said(item.get("/S"))
        if action in _ACTIONS and action != "/URI":
            self._tally.add(_ACTIONS[action], action.strip("/"))
        elif "/JS" in item:
            self._tally.add("script")
        if "/EF" in item:
            self._attachment(item)
        if said(item.get("/FT")) == "/Sig" and "/V" in item:
            self._tally.add("signature")
        subtype = said(item.get("/Subtype"))
        if "/Rect" in item and subtype not in ("", "/Link", "/Widget", "/Popup", "/FileAttachment"):
            self._tally.add(_ANNOTATIONS.get(subtype, "annotation"), subtype.strip("/"))

    def _attachment(self, item: Object) -> None:
        files = item.get("/EF")
        name = item.get("/UF", item.get("/F"))
        data = None
        if isinstance(files, Dictionary):
            data = next((files.get(key) for key in ("/UF", "/F") if isinstance(files.get(key), Stream)), None)
        digest = None
        if data is not None:
            try:
                digest = hashlib.sha256(self._streams.read(data)).hexdigest()
            except Unreadable:
                digest = None
        self._tally.add("attachment", str(name) if isinstance(name, String) else "", 1, digest)
