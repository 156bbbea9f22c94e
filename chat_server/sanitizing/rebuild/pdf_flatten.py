"""A PDF whose pages are pictures: for senders of whom the worst is expected.

The document is rebuilt first (`pdf`), so that the same is refused, told and left out, and then drawn, here and in confinement: no font,
no instruction and no coded picture of the stranger is in the file that goes out, only points of color. The price is its text: it can
be neither searched nor copied nor read aloud.
"""

from __future__ import annotations

import io
from typing import IO, BinaryIO, Final, cast

import pikepdf
import pypdfium2
from pikepdf import Array, Dictionary, Name, Object
from PIL import Image, ImageChops

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.order import Order
from chat_server.sanitizing.rebuild import pdf
from chat_server.sanitizing.report import Rebuilt

DOTS_PER_INCH: Final = 150
PIXELS: Final = 16_000_000
"""Of one page: a drawing of A1 at the full resolution, larger ones at less."""
_QUALITY: Final = 80
_GRAY: Final = 10
"""Difference of the colors, of 255, up to which a page is one without."""
_WHITE: Final = 250
_MOSTLY: Final = 0.6
"""How much of a page without colors is paper: then it is text or a drawing, and coded as such."""
_LARGEST: Final = 1e6


def flatten(source: IO[bytes], target: IO[bytes], order: Order) -> Rebuilt:
    """Raises `Refused`, as `pdf.rebuild` does."""
    rebuilt = io.BytesIO()
    report = pdf.rebuild(source, rebuilt, order)
    new = pikepdf.new()
    try:
        with pypdfium2.PdfDocument(rebuilt) as document:
            for at in range(len(document)):
                _add(new, document[at])
    except pypdfium2.PdfiumError:
        raise Refused("broken") from None
    new.save(
        cast(BinaryIO, target), compress_streams=True, stream_decode_level=pikepdf.StreamDecodeLevel.none,
        fix_metadata_version=False, preserve_pdfa=False, object_stream_mode=pikepdf.ObjectStreamMode.generate, force_version="1.7", deterministic_id=True,
    )  # fmt: skip
    return report


def _add(new: pikepdf.Pdf, page: pypdfium2.PdfPage) -> None:
    width, height = page.get_size()
    # written so that NaN is refused too
    if not (0 < width < _LARGEST and 0 < height < _LARGEST):
        raise Refused("broken")
    scale = min(DOTS_PER_INCH / 72, (PIXELS / (width * height)) ** 0.5)
    picture: Image.Image = page.render(scale=scale, rev_byteorder=True).to_pil().convert("RGB")
    page.close()
    image = _coded(new, picture)
    added = new.add_blank_page(page_size=(width, height)).obj
    added.Resources = Dictionary(XObject=Dictionary(P=image))
    added.Contents = new.make_stream(f"q {width:.4f} 0 0 {height:.4f} 0 0 cm /P Do Q".encode("ascii"))
    added.MediaBox = Array([0, 0, round(width, 4), round(height, 4)])


def _coded(new: pikepdf.Pdf, picture: Image.Image) -> Object:
    gray = _gray(picture)
    if gray:
        picture = picture.convert("L")
    keys = {"Type": Name.XObject, "Subtype": Name.Image, "Width": picture.width, "Height": picture.height}
    space = Name.DeviceGray if gray else Name.DeviceRGB
    if gray and sum(picture.histogram()[_WHITE:]) > picture.width * picture.height * _MOSTLY:
        return new.make_stream(
            _sixteen_grays(picture), Filter=Name.FlateDecode, ColorSpace=space, BitsPerComponent=4, **keys,
            DecodeParms=Dictionary(Predictor=15, Colors=1, BitsPerComponent=4, Columns=picture.width),
        )  # fmt: skip
    coded = io.BytesIO()
    picture.save(coded, "JPEG", quality=_QUALITY, subsampling=0)
    return new.make_stream(coded.getvalue(), Filter=Name.DCTDecode, ColorSpace=space, BitsPerComponent=8, **keys)


def _sixteen_grays(picture: Image.Image) -> bytes:
    """As in a PNG, whose rows a PDF knows how to read (7.4.4.4): letters stay sharp, at a third of the size."""
    coded = io.BytesIO()
    picture.point(lambda level: (level + 8) // 17).convert("P").save(coded, "PNG", bits=4, compress_level=3)
    data, at, pieces = coded.getvalue(), 8, []
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"IDAT":
            pieces.append(data[at + 8 : at + 8 + length])
        at += length + 12
    return b"".join(pieces)


def _gray(picture: Image.Image) -> bool:
    red, green, blue = picture.split()
    return all(
        cast(tuple[int, int], ImageChops.difference(green, each).getextrema())[1] <= _GRAY for each in (red, blue)
    )
