"""Pictures within a document: decoded, laid on new pixels and encoded again, so that nothing but what is seen goes on."""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
from typing import Final

import msgspec
from PIL import Image, ImageOps

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.report import Tally

_PIXELS: Final = 100_000_000
"""Of one picture."""
_ALL_PIXELS: Final = 2_500_000_000
"""Of all pictures of a document: an album of 200 photos."""
_FORMATS: Final = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")
_QUALITIES: Final = (90, 85, 78)
_SMALL: Final = 300_000
"""Pixels up to which a PNG is packed as tightly as it gets."""
_GPS: Final = 0x8825
_GREY: Final = (217, 217, 217)


class Picture(msgspec.Struct, frozen=True):
    data: bytes
    suffix: str

    @property
    def content_type(self) -> str:
        return "image/jpeg" if self.suffix == "jpeg" else "image/png"


def placeholder() -> Picture:
    """A grey point, which fills the place of a picture that is not kept: the page keeps its layout, and the gap is seen."""
    return _png(Image.new("RGB", (1, 1), _GREY))


class Pictures:
    """Encodes each picture once, however often it is shown."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._made: dict[str, Picture] = {}
        self._left = _ALL_PIXELS

    def made(self, data: bytes, name: str) -> Picture:
        """The picture anew; a placeholder where it cannot be read, which is told. `Refused` where all together are too large."""
        digest = hashlib.sha256(data).hexdigest()
        if digest not in self._made:
            if _vector(data):
                self._tally.add("vector_image", name, sha256=digest)
                self._made[digest] = placeholder()
            else:
                self._made[digest] = self._encoded(data, name, digest)
        return self._made[digest]

    def _encoded(self, data: bytes, name: str, digest: str) -> Picture:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                    pixels = image.width * image.height
                    if pixels > _PIXELS:
                        raise ValueError
                    self._left -= pixels
                    if self._left < 0:
                        raise Refused("too_many_pixels")
                    photo = image.format in ("JPEG", "MPO")  # the latter from telephones: several photos in one
                    if image.getexif().get_ifd(_GPS):
                        self._tally.add("place", name)
                    image.load()
                    return _jpeg(image, len(data)) if photo else _png(image)
        except (
            OSError, ValueError, SyntaxError, struct.error, EOFError, IndexError, KeyError, TypeError, OverflowError,
            AttributeError, ArithmeticError, Image.DecompressionBombError,
        ):  # fmt: skip
            # what a decoder raises on broken bytes; the picture is left out, never handed on
            self._tally.add("image", name, sha256=digest)
            return placeholder()


def _jpeg(image: Image.Image, before: int) -> Picture:
    upright = ImageOps.exif_transpose(image)
    colours = "L" if upright.mode == "L" else "RGB"
    fresh = Image.new(colours, upright.size)
    fresh.paste(upright.convert(colours))
    made = b""
    for quality in _QUALITIES:
        out = io.BytesIO()
        fresh.save(out, "JPEG", quality=quality, optimize=True, dpi=_density(image))
        made = out.getvalue()
        if len(made) <= before:
            break
    return Picture(made, "jpeg")


def _png(image: Image.Image) -> Picture:
    """The first frame. Palettes and transparency stay: they are what keeps diagrams small."""
    density = _density(image)
    if image.mode.startswith("I"):  # 16 bits a point, which nothing that shows documents needs
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    transparency = image.info.get("transparency")
    if image.mode in ("1", "L", "LA", "RGB", "RGBA"):
        mode = image.mode
    elif image.mode == "P" and image.palette is not None and image.palette.mode == "RGB":
        mode = "P"
    else:
        mode = "RGBA" if "A" in image.mode or "a" in image.mode or transparency is not None else "RGB"
    if mode not in ("P", image.mode):
        image = image.convert(mode)
        transparency = None
    fresh = Image.new(mode, image.size)
    if mode == "P":
        palette = image.getpalette()
        fresh.putpalette(palette if palette is not None else [])
    fresh.paste(image)
    out = io.BytesIO()
    tight = image.width * image.height <= _SMALL
    if isinstance(transparency, (int, bytes, tuple)) and mode in ("P", "L", "RGB"):
        fresh.save(out, "PNG", optimize=tight, dpi=density, transparency=transparency)
    else:
        fresh.save(out, "PNG", optimize=tight, dpi=density)
    return Picture(out.getvalue(), "png")


def _density(image: Image.Image) -> tuple[float, float]:
    """Dots per inch: programs take a picture's size on paper from it."""
    told = image.info.get("dpi")
    if (
        isinstance(told, tuple)
        and len(told) == 2
        and all(isinstance(each, (int, float)) and 10 <= each <= 10_000 for each in told)
    ):
        return float(told[0]), float(told[1])
    return 96.0, 96.0


def _vector(data: bytes) -> bool:
    """EMF (MS-EMF), WMF (MS-WMF), their packed forms, and SVG: programs that draw, and whose readers have a history."""
    if data[:2] == b"\x1f\x8b" or data[:4] == b"\xd7\xcd\xc6\x9a" or data[:4] in (b"\x01\0\x09\0", b"\x02\0\x09\0"):
        return True
    return (data[:4] == b"\x01\0\0\0" and data[40:44] == b" EMF") or b"<svg" in data[:1024]
