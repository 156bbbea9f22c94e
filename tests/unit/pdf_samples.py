"""PDFs for the tests of their rebuilder, and ways to look at what came out."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream
from PIL import Image, ImageChops, ImageStat

from chat_server.sanitizing.order import Order
from chat_server.sanitizing.rebuild import pdf
from chat_server.sanitizing.report import Rebuilt

FOLDER = Path(__file__).parent.parent / "data" / "documents"
ACTIVE = frozenset(
    [
        "/JS",
        "/JavaScript",
        "/AA",
        "/OpenAction",
        "/Launch",
        "/EmbeddedFile",
        "/EmbeddedFiles",
        "/EF",
        "/RichMedia",
        "/RichMediaContent",
        "/XFA",
        "/AcroForm",
        "/SubmitForm",
        "/ImportData",
        "/GoToR",
        "/GoToE",
        "/SetOCGState",
        "/Rendition",
        "/Movie",
        "/Sound",
        "/Screen",
        "/Names",
        "/Metadata",
        "/Info",
        "/PieceInfo",
        "/OCProperties",
        "/OC",
        "/StructTreeRoot",
        "/Perms",
        "/Base",
        "/Widget",
        "/FileAttachment",
        "/Alternates",
        "/OPI",
        "/PS",
        "/Thumb",
        "/ResetForm",
        "/Hide",
        "/Named",
        "/3D",
        "/Collection",
    ]
)
"""Keys and names of which a rebuilt document may have none."""


def saved(document: Pdf, **options: Any) -> bytes:
    out = io.BytesIO()
    document.save(out, **options)
    return out.getvalue()


def composed(draw: bytes = b"", change: Callable[[Pdf, Object], None] | None = None, **resources: Any) -> bytes:
    """A document of one page of 200 by 200 points, with Helvetica as `/F`; `change` gets it and its page."""
    document = pikepdf.new()
    page = document.add_blank_page(page_size=(200, 200)).obj
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, Encoding=Name.WinAnsiEncoding)
    page.Resources = Dictionary(Font=Dictionary(F=document.make_indirect(font)), **resources)
    page.Contents = document.make_stream(draw)
    if change is not None:
        change(document, page)
    return saved(document)


def rebuilt(data: bytes, password: str = "") -> tuple[bytes, Rebuilt]:
    """Raises `Refused`."""
    out = io.BytesIO()
    report = pdf.rebuild(io.BytesIO(data), out, Order("pdf", password=password))
    return out.getvalue(), report


def told(report: Rebuilt) -> dict[str, int]:
    """How many of each kind were removed."""
    counts: dict[str, int] = {}
    for each in report.removed:
        counts[each.object] = counts.get(each.object, 0) + each.count
    return counts


def names(data: bytes) -> set[str]:
    """Every key and every name in every object of a document, its trailer included."""
    found: set[str] = set()
    with pikepdf.open(io.BytesIO(data)) as document:
        waiting: list[object] = [*document.objects, document.trailer]
        while waiting:
            item = waiting.pop()
            if isinstance(item, Name):
                found.add(str(item))
            elif isinstance(item, (Dictionary, Stream)):
                found.update(item.keys())
                waiting.extend(each for each in map(item.get, item.keys()) if not _elsewhere(each))
            elif isinstance(item, Array):
                waiting.extend(each for each in item if not _elsewhere(each))
    return found


def _elsewhere(item: object) -> bool:
    """Referred to: it is looked at by itself."""
    return isinstance(item, Object) and item.is_indirect


def text(data: bytes, password: str = "") -> list[str]:
    """Of each page."""
    with pypdfium2.PdfDocument(io.BytesIO(data), password=password or None) as document:
        return [page.get_textpage().get_text_bounded() for page in document]


def picture(data: bytes, at: int = 0, password: str = "", forms: bool = True) -> Image.Image:
    with pypdfium2.PdfDocument(io.BytesIO(data), password=password or None) as document:
        if forms:
            document.init_forms()
        drawn: Image.Image = document[at].render(scale=1).to_pil().convert("RGB")
        return drawn


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean, of full scale."""
    assert one.size == other.size
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3 / 255


def colored(
    image: Image.Image, color: tuple[int, int, int], area: tuple[int, int, int, int] = (0, 0, 10_000, 10_000)
) -> int:
    """Points of about that color, in that area."""
    part = image.crop((area[0], area[1], min(area[2], image.width), min(area[3], image.height)))
    near = ImageChops.difference(part, Image.new("RGB", part.size, color)).convert("RGB")
    red, green, blue = (each.point(lambda level: 255 if level < 40 else 0) for each in near.split())
    return ImageChops.multiply(ImageChops.multiply(red, green), blue).histogram()[255]
