"""What lies on a page (annotations and form fields, ISO 32000-1, 12.5 and 12.7) becomes part of it: its look stays, what it does goes.

The appearance that the document carries is drawn behind the contents, as readers do (12.5.5); of those that carry none, pdfium
draws one (`Looks`), so that what was filled in is seen. Hidden ones stay unseen, and so are not handed on.
"""

from __future__ import annotations

import io
import warnings
from typing import Final, NamedTuple

import pikepdf
import pypdfium2
from pikepdf import Array, Dictionary, Object, Pdf, Stream, StreamDecodeLevel

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.rebuild import pdf_pages
from chat_server.sanitizing.rebuild.pdf_layers import Layers
from chat_server.sanitizing.rebuild.pdf_pages import Page
from chat_server.sanitizing.rebuild.pdf_streams import entry, said

MOST: Final = 20_000
"""On one page."""
IN_ALL: Final = 100_000
"""Pages may share them, so that a small file has billions."""
_HIDDEN: Final = 2 | 32
"""Hidden, NoView (table 165)."""
NEVER_DRAWN: Final = frozenset(("/Popup", "/Link"))
_DRAWN_BY_PDFIUM: Final = frozenset(
    ("/Widget", "/Highlight", "/Underline", "/StrikeOut", "/Squiggly", "/Square", "/Circle", "/Ink", "/Text")
)


class Placed(NamedTuple):
    """`matrix`: six numbers that bring the appearance to its place on the page."""

    appearance: Object
    matrix: tuple[float, ...]


def listed(page: Object) -> list[Object]:
    """The annotations of a page. Raises `Refused`."""
    found = page.get("/Annots")
    if not isinstance(found, Array):
        return []
    if len(found) > MOST:
        raise Refused("too_many")
    return [each for each in found if isinstance(each, Dictionary)]


def shown(annotation: Object, layers: Layers) -> bool:
    flags = entry(annotation, "/F")
    return not (isinstance(flags, int) and flags & _HIDDEN) and layers.shows(annotation.get("/OC"))


def appearance(annotation: Object) -> Object | None:
    """The stream of the normal appearance, in the state that the annotation is in."""
    looks = annotation.get("/AP")
    normal = looks.get("/N") if isinstance(looks, Dictionary) else None
    if isinstance(normal, Stream):
        return normal
    if not isinstance(normal, Dictionary):
        return None
    state = said(annotation.get("/AS")) or said(annotation.get("/V")) or "/Off"
    found = normal.get(state)
    return found if isinstance(found, Stream) else None


def placed(annotation: Object, look: Object) -> Placed | None:
    """Algorithm 8.1 of 12.5.5. None where there is nothing to be seen."""
    area, box, matrix = (
        _numbers(annotation.get("/Rect"), 4),
        _numbers(look.get("/BBox"), 4),
        _numbers(look.get("/Matrix"), 6),
    )
    if area is None or box is None:
        return None
    a, b, c, d, e, f = matrix or (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    corners = [(a * x + c * y + e, b * x + d * y + f) for x in (box[0], box[2]) for y in (box[1], box[3])]
    left, right = min(x for x, _ in corners), max(x for x, _ in corners)
    low, high = min(y for _, y in corners), max(y for _, y in corners)
    if right - left <= 0 or high - low <= 0:
        return None
    across = (max(area[0], area[2]) - min(area[0], area[2])) / (right - left)
    up = (max(area[1], area[3]) - min(area[1], area[3])) / (high - low)
    place = (across, 0.0, 0.0, up, min(area[0], area[2]) - left * across, min(area[1], area[3]) - low * up)
    return Placed(look, place) if all(abs(number) < 1e6 for number in place) else None


def _numbers(value: object, count: int) -> list[float] | None:
    if not isinstance(value, Array) or len(value) != count:
        return None
    try:
        return [float(each) for each in value]
    except (TypeError, ValueError):
        return None


def kind(annotation: Object) -> str:
    return said(annotation.get("/Subtype"))


def field_type(field: Object) -> str:
    """Of a form field; it may stand above the widget (12.7.3.1)."""
    node: object = field
    for _ in range(20):
        if not isinstance(node, Dictionary):
            return ""
        found = said(node.get("/FT"))
        if found:
            return found
        node = node.get("/Parent")
    return ""


def lacks_look(annotation: Object, all_fields: bool) -> bool:
    """Whether readers draw it themselves. `all_fields`: the document asks them to, for fields with words in them (12.7.2)."""
    of = kind(annotation)
    if of not in _DRAWN_BY_PDFIUM:
        return False
    look = annotation.get("/AP")
    if not isinstance(look, Dictionary) or "/N" not in look:
        return True
    return all_fields and of == "/Widget" and field_type(annotation) in ("/Tx", "/Ch")


class Looks:
    """Appearances of those annotations that lack one. They belong to another document than the annotations."""

    def __init__(self, document: Pdf, pages: list[Page]) -> None:
        """Raises `Refused`."""
        if sum(len(listed(page.node)) for page in pages) > IN_ALL:
            raise Refused("too_many")
        form = document.Root.get("/AcroForm")
        asked = isinstance(form, Dictionary) and entry(form, "/NeedAppearances") is True
        lacking = [
            (at, number)
            for at, page in enumerate(pages)
            for number, annotation in enumerate(listed(page.node))
            if lacks_look(annotation, asked)
        ]
        self._found: dict[tuple[int, int], Object] = {}
        if not lacking:
            return
        self._drawn = pikepdf.open(
            _with_appearances(document, pages, sorted({at for at, _ in lacking})), inherit_page_attributes=False
        )
        others = [listed(page.node) for page in pdf_pages.pages(self._drawn.Root)]
        for at, number in lacking:
            same = others[at][number] if at < len(others) and number < len(others[at]) else None
            look = appearance(same) if same is not None else None
            if look is not None:
                self._found[at, number] = look

    def get(self, page: int, number: int) -> Object | None:
        """By the numbers of the page and of the annotation on it."""
        return self._found.get((page, number))


def _with_appearances(document: Pdf, pages: list[Page], which: list[int]) -> io.BytesIO:
    """The same document, without its password, with an appearance for each annotation of `which` pages. Raises `Refused`."""
    for page in pages:
        found = page.node.get("/Annots")
        for at, each in enumerate(found if isinstance(found, Array) else ()):
            if isinstance(each, Dictionary) and not each.is_indirect:
                # pdfium gives an appearance only to what it can refer to
                page.node.Annots[at] = document.make_indirect(each)
    plain, written = io.BytesIO(), io.BytesIO()
    with warnings.catch_warnings():
        # of fields that belong to no form: they are drawn all the same
        warnings.simplefilter("ignore", pikepdf.exceptions.PikepdfWarning)
        # the metadata are not looked at: they are a stranger's XML
        document.save(
            plain, encryption=False, compress_streams=False, stream_decode_level=StreamDecodeLevel.none, preserve_pdfa=False,
            fix_metadata_version=False,
        )  # fmt: skip
    try:
        with pypdfium2.PdfDocument(plain) as opened:
            opened.init_forms()
            for at in which:
                page = opened[at]
                # drawing is what makes them; the picture is not needed
                page.render(scale=0.01).close()
                page.close()
            opened.save(written)
    except pypdfium2.PdfiumError:
        raise Refused("broken") from None
    written.seek(0)
    return written
