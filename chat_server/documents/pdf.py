"""Opening a PDF inside a confined decoder."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Final

import pypdfium2
from pypdfium2 import raw

from chat_server.decoders.outcome import Refused
from chat_server.documents.fonts import Fonts

_ERRORS: Final = {raw.FPDF_ERR_PASSWORD: "encrypted", raw.FPDF_ERR_SECURITY: "encrypted"}
_ready: list[Fonts] = []


@contextmanager
def opened(source: IO[bytes]) -> Iterator[pypdfium2.PdfDocument]:
    """Raises `Refused`."""
    try:
        document = pypdfium2.PdfDocument(source)
    except pypdfium2.PdfiumError as error:
        raise Refused(_ERRORS.get(getattr(error, "err_code", None), "broken")) from None
    try:
        # fields of a form are drawn with what was filled in; the scripts of the form are not run, there is no engine for them
        with suppress(pypdfium2.PdfiumError):
            document.init_forms()
        yield document
    finally:
        document.close()


def prepare() -> None:
    """Fonts, and one page that asks for one: pdfium sets up the rest at first use."""
    if _ready:
        return
    fonts = Fonts()
    fonts.setup()
    _ready.append(fonts)
    with opened(io.BytesIO(sample())) as document:
        page = document[0]
        page.render(scale=0.1).to_pil().close()
        page.get_textpage().get_text_bounded()


def sample(text: str = "あ表") -> bytes:
    """A small PDF with words in a Japanese font that it does not carry."""
    shown = text.encode("cp932").hex()
    stream = zlib.compress(f"BT /F 40 Tf 20 120 Td <{shown}> Tj ET".encode())
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 300]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type0/BaseFont/MS-Gothic/Encoding/90ms-RKSJ-H/DescendantFonts[6 0 R]>>",
        b"<</Type/Font/Subtype/CIDFontType2/BaseFont/MS-Gothic/CIDSystemInfo 8 0 R/FontDescriptor 7 0 R>>",
        b"<</Type/FontDescriptor/FontName/MS-Gothic/Flags 4/FontBBox[0 -137 1000 859]/ItalicAngle 0/Ascent 859>>",
        b"<</Registry(Adobe)/Ordering(Japan1)/Supplement 2>>",
    ]
    return written(objects)


def written(objects: list[bytes]) -> bytes:
    """A PDF of these objects; the first is the catalog."""
    data = b"%PDF-1.7\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj%s endobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(data)
    return data + b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1, table, len(objects) + 1, start,
    )  # fmt: skip
