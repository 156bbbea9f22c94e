"""Pictures of a PDF (ISO 32000-1, 8.9.5), by what their bytes are.

- Plain samples: unpacked once, to see that they can be, and copied as they are packed; other filters than Flate become Flate.
- JPEG: see `pdf_jpeg`; fax coding: see `pdf_fax`.
- JPEG 2000 and JBIG2, whose decoders have let attackers in again and again: decoded here, in confinement, and encoded anew, so that no
  reader meets a stranger's stream.

A picture that cannot be decoded is left out, and told; the page around it stays.
"""

from __future__ import annotations

import io
import zlib
from decimal import Decimal
from typing import Final

import pikepdf
import PIL.Jpeg2KImagePlugin
import PIL.JpegImagePlugin
import PIL.TiffImagePlugin  # noqa: F401 - loaded here: a confined process can open no module
import pypdfium2
from pikepdf import Array, Dictionary, Name, Object, Stream
from PIL import Image

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.rebuild import pdf_fax, pdf_jpeg
from chat_server.sanitizing.rebuild.pdf_streams import Decoded, Streams, Unreadable, deflated, entry, said
from chat_server.sanitizing.report import Tally

Image.preinit()

PIXELS: Final = pdf_jpeg.PIXELS
_FAX: Final = {"/K": int, "/Columns": int, "/Rows": int, "/EndOfLine": bool, "/EncodedByteAlign": bool, "/BlackIs1": bool,
               "/EndOfBlock": bool}  # fmt: skip
_QUALITY: Final = 90
_SPACES: Final = {"L": Name.DeviceGray, "RGB": Name.DeviceRGB, "CMYK": Name.DeviceCMYK}


def write(source: Object, made: Object, streams: Streams, tally: Tally) -> None:
    """The picture of `source` into `made`, which has its other keys already. Raises `Refused`."""
    width, height = _whole(entry(source, "/Width")), _whole(entry(source, "/Height"))
    try:
        if width < 1 or height < 1:
            raise Unreadable
        if width * height > PIXELS:
            raise Refused("too_many_pixels")
        made["/Width"], made["/Height"] = width, height
        packed = streams.packed(source)
        if packed is not None:
            data, parameters, _ = packed
            made.write(data, filter=Name.FlateDecode, decode_parms=parameters)
            return
        _decoded(streams.decode(source), source, made, streams)
    except Unreadable:
        tally.add("image")
        _blank(made)


def _whole(value: object) -> int:
    """Some programs write 100.0; 0 for what is no number."""
    return int(value) if isinstance(value, (int, Decimal)) else 0


def _decoded(found: Decoded, source: Object, made: Object, streams: Streams) -> None:
    if found.codec is None:
        made.write(deflated(found.data), filter=Name.FlateDecode)
    elif found.codec == "dct":
        parameters = entry(found.parameters, "/ColorTransform") if found.parameters is not None else None
        detail = Dictionary(ColorTransform=parameters) if parameters in (0, 1) else None
        made.write(pdf_jpeg.rewritten(found.data), filter=Name.DCTDecode, decode_parms=detail)
    elif found.codec == "jpx":
        _jpeg2000(found.data, made)
    else:
        _two_colors(found, source, made, streams)


def _blank(made: Object) -> None:
    """One pixel, white or nothing at all."""
    for key in ("/SMask", "/Mask", "/Decode", "/Matte"):
        if key in made:
            del made[key]
    made["/Width"], made["/Height"], made["/BitsPerComponent"] = 1, 1, 8
    if entry(made, "/ImageMask") is True:
        made["/BitsPerComponent"] = 1
    else:
        made["/ColorSpace"] = Name.DeviceGray
    made.write(zlib.compress(b"\xff"), filter=Name.FlateDecode)


def _jpeg2000(data: bytes, made: Object) -> None:
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG2000",)) as opened:
            if opened.width * opened.height > PIXELS:
                raise Refused("too_many_pixels")
            opened.load()
            picture = opened.copy()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise Unreadable from None
    if picture.mode in ("LA", "PA", "RGBA"):
        picture = picture.convert("L" if picture.mode == "LA" else "RGB")
    elif picture.mode not in _SPACES:
        picture = picture.convert("L" if picture.mode.startswith("I") else "RGB")
    space = made.get("/ColorSpace")
    indexed = isinstance(space, Array) and said(space[0]) == "/Indexed"
    if not indexed or picture.mode != "L":
        made["/ColorSpace"] = _SPACES[picture.mode]
        indexed = False
    made["/Width"], made["/Height"], made["/BitsPerComponent"] = picture.width, picture.height, 8
    if indexed or picture.mode == "CMYK":
        made.write(deflated(picture.tobytes()), filter=Name.FlateDecode)
        return
    output = io.BytesIO()
    picture.save(output, "JPEG", quality=_QUALITY, subsampling=0)
    made.write(output.getvalue(), filter=Name.DCTDecode)


def _two_colors(found: Decoded, source: Object, made: Object, streams: Streams) -> None:
    """Fax and JBIG2, by way of a page of its own that has nothing but the picture."""
    width, height = int(made["/Width"]), int(made["/Height"])
    plain = _plain_group4(found, width)
    if plain is not None and pdf_fax.is_group4(found.data, width, height):
        made.write(found.data, filter=Name.CCITTFaxDecode, decode_parms=plain)
        return
    alone = pikepdf.new()
    picture = alone.make_stream(found.data)
    detail = _parameters(found, alone, streams)
    picture.write(
        found.data, filter=Name.CCITTFaxDecode if found.codec == "ccitt" else Name.JBIG2Decode, decode_parms=detail
    )
    picture.Type, picture.Subtype, picture.ColorSpace = Name.XObject, Name.Image, Name.DeviceGray
    picture.Width, picture.Height, picture.BitsPerComponent = width, height, 1
    page = alone.add_blank_page(page_size=(100, 100))
    page.obj.Resources = Dictionary(XObject=Dictionary(I=picture))
    page.obj.Contents = alone.make_stream(b"100 0 0 100 0 0 cm /I Do")
    written = io.BytesIO()
    alone.save(
        written, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none, preserve_pdfa=False,
        fix_metadata_version=False,
    )  # fmt: skip
    bits = _drawn(written)
    made.write(
        pdf_fax.group4(bits), filter=Name.CCITTFaxDecode,
        decode_parms=Dictionary(K=-1, Columns=bits.width, Rows=bits.height, BlackIs1=True),
    )  # fmt: skip
    made["/Width"], made["/Height"], made["/BitsPerComponent"] = bits.width, bits.height, 1


def _parameters(found: Decoded, alone: pikepdf.Pdf, streams: Streams) -> Dictionary | None:
    if found.parameters is None:
        return None
    if found.codec == "ccitt":
        values = {key: entry(found.parameters, key) for key in _FAX}
        return Dictionary({key: value for key, value in values.items() if type(value) is _FAX[key]})
    shared = found.parameters.get("/JBIG2Globals")
    if not isinstance(shared, Stream):
        return None
    return Dictionary(JBIG2Globals=alone.make_stream(streams.read(shared)))


def _plain_group4(found: Decoded, width: int) -> Dictionary | None:
    """The parameters of Group 4 as scans have it, rows not padded; None where it is another coding."""
    if found.codec != "ccitt" or found.parameters is None:
        return None
    coding, columns, black = (entry(found.parameters, key) for key in ("/K", "/Columns", "/BlackIs1"))
    if (
        not isinstance(coding, int)
        or coding >= 0
        or columns != width
        or entry(found.parameters, "/EncodedByteAlign") is True
    ):
        return None
    return Dictionary(K=-1, Columns=width, BlackIs1=black is True)


def _drawn(written: io.BytesIO) -> Image.Image:
    try:
        with pypdfium2.PdfDocument(written) as document:
            (only,) = document[0].get_objects(filter=(pypdfium2.raw.FPDF_PAGEOBJ_IMAGE,))
            picture: Image.Image = only.get_bitmap(render=False).to_pil()
    except (pypdfium2.PdfiumError, ValueError):
        raise Unreadable from None
    return picture.convert("L").point(lambda level: 255 if level > 127 else 0, "1")
