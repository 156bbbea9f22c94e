"""Pictures: decoded, set upright, and written anew from their bare pixels.

Nothing is copied of what stands around the pixels but three facts that are written anew: when a photo was taken, how many dots an inch
a scan has, and a palette. The same kind comes out that went in, where it can be written; HEIC becomes JPEG and BMP becomes PNG.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import IO, Any, Final

from PIL import Image, ImageSequence

from chat_server.decoders.outcome import Refused
from chat_server.photos import exif
from chat_server.photos.color import to_srgb
from chat_server.photos.decode import blaming_the_picture, check_pixels, load, upright
from chat_server.photos.rules import LONGEST_EDGE, MAX_PIXELS
from chat_server.sanitizing.kinds import BECOMES
from chat_server.sanitizing.order import Order
from chat_server.sanitizing.rebuild import endings
from chat_server.sanitizing.report import Rebuilt, Tally, Warning_

CONTAINERS: Final = {
    "jpeg": "JPEG", "png": "PNG", "gif": "GIF", "webp": "WEBP", "tiff": "TIFF", "bmp": "BMP", "heic": "HEIF",
}  # fmt: skip
"""Pillow's names of what is opened; no other decoder is tried, whatever the content may look like to it."""
_PAGES: Final = 500
"""Of a TIFF: a scanned file of papers. All of their pixels together are bounded, too."""
_PLAIN: Final = ("1", "L", "RGB", "RGBA", "LA")
_QUALITY: Final = 90
_JFIF_UNITS: Final = (1, 2540)
"""Dots an inch that are believed."""
_METADATA: Final = (("xmp", "XMP"), ("photoshop", "IPTC"), ("comment", "comment"), ("icc_profile", "ICC"))


def rebuild(source: IO[bytes], target: IO[bytes], order: Order) -> Rebuilt:
    """See the package. Raises `Refused`: "broken", "too_many_pixels", "too_many"; OSError with an errno where the disk failed."""
    tally = Tally()
    kind = BECOMES.get(order.kind, order.kind)
    with blaming_the_picture(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if order.kind == "tiff":
            return _papers(source, target, tally)
        image = load(source, CONTAINERS[order.kind])
        _tell(image, source, order.kind, tally)
        remarks = _remarks(image)
        facts = exif.read(image, datetime.now(UTC))
        options = _options(image, source, order.kind)
        _save(_bare(upright(image), kind), target, kind, facts.taken, options)
    return Rebuilt(kind, tally.removed, remarks)


def _papers(source: IO[bytes], target: IO[bytes], tally: Tally) -> Rebuilt:
    """All pages of a TIFF, as it comes from a scanner or a fax."""
    source.seek(0)
    image = Image.open(source, formats=["TIFF"])
    count = getattr(image, "n_frames", 1)
    if count > _PAGES:
        raise Refused("too_many")
    _tell(image, source, "tiff", tally)

    def pages() -> Iterator[Image.Image]:
        pixels = 0
        for frame in ImageSequence.Iterator(image):
            check_pixels(frame.size)
            pixels += frame.width * frame.height
            if pixels > 4 * MAX_PIXELS:
                raise Refused("too_many_pixels")
            dots = _dots(frame)
            page = _bare(upright(frame.copy()), "tiff")
            page.encoderinfo = {"compression": "group4" if page.mode == "1" else "tiff_adobe_deflate"} | dots
            yield page

    every = pages()
    first = next(every)
    options: dict[str, Any] = first.encoderinfo
    # the writer of several pages reads again what it wrote, which the confined child's output does not allow
    whole = io.BytesIO()
    first.save(whole, "TIFF", save_all=True, append_images=every, **options)
    target.write(whole.getbuffer())
    return Rebuilt("tiff", tally.removed)


def _tell(image: Image.Image, source: IO[bytes], kind: str, tally: Tally) -> None:
    """What the picture had besides pixels."""
    for key, name in _METADATA:
        if image.info.get(key):
            tally.add("metadata", name)
    if image.info.get("exif") or (kind == "tiff" and 0x8769 in image.getexif()):
        tally.add("metadata", "Exif")
    if exif.tells_place(image):
        tally.add("place")
    texts = sum(isinstance(value, str) for value in getattr(image, "text", {}).values())
    tally.add("metadata", "text", texts)
    extra = endings.after(source, kind)
    if extra:
        tally.add("trailing", "", 1, hashlib.sha256(extra).hexdigest())


def _remarks(image: Image.Image) -> list[Warning_]:
    return ["animation_gone"] if getattr(image, "n_frames", 1) > 1 and image.format != "MPO" else []


def _bare(image: Image.Image, kind: str) -> Image.Image:
    """The pixels on a new canvas, in a mode that `kind` can hold. Colours are brought to sRGB, so that no profile has to be kept."""
    if max(image.size) > LONGEST_EDGE:
        raise Refused("too_many_pixels")
    if image.mode == "P" and kind in ("png", "gif") and "transparency" not in image.info:
        palette = image.getpalette("RGB")
        canvas = Image.frombytes("P", image.size, image.tobytes())
        canvas.putpalette(palette or [])
        return canvas
    if image.has_transparency_data and kind in ("png", "webp", "tiff", "gif"):
        layer = image.convert("RGBA")
        return Image.frombytes("RGBA", layer.size, layer.tobytes())
    if image.mode in _PLAIN and not image.info.get("icc_profile") and (kind != "jpeg" or image.mode in ("L", "RGB")):
        return Image.frombytes(image.mode, image.size, image.tobytes())
    flat = to_srgb(image)
    return Image.frombytes("RGB", flat.size, flat.tobytes())


def _options(image: Image.Image, source: IO[bytes], kind: str) -> dict[str, Any]:
    """How it was encoded, so that it is neither larger nor coarser afterwards."""
    options: dict[str, Any] = _dots(image)
    if kind == "jpeg":
        options |= _as_fine(image)
    elif kind == "webp":
        source.seek(0)
        options["lossless"] = source.read(16)[12:16] == b"VP8L"
    return options


def _as_fine(image: Image.Image) -> dict[str, Any]:
    """The quantization of a JPEG: numbers from 1 to 255, which the encoder takes as such."""
    tables = getattr(image, "quantization", {})
    fit = all(len(table) == 64 and all(1 <= step <= 255 for step in table) for table in tables.values())
    if image.mode not in ("RGB", "L") or not fit or not 1 <= len(tables) <= 2:
        return {"quality": _QUALITY}
    sampling = {1: "4:4:4", 2: "4:2:0"}.get(getattr(image, "layer", [(0, 1)])[0][1], "4:2:0")
    return {"qtables": [list(table) for table in tables.values()], "subsampling": sampling}


def _dots(image: Image.Image) -> dict[str, Any]:
    """How large it is on paper: a scanned drawing has a scale."""
    dots = image.info.get("dpi")
    try:
        across, down = (round(float(each)) for each in dots)  # type: ignore[union-attr]
    except (TypeError, ValueError, OverflowError):
        return {}
    low, high = _JFIF_UNITS
    return {"dpi": (across, down)} if low <= across <= high and low <= down <= high else {}


def _save(
    picture: Image.Image, target: IO[bytes], kind: str, taken: exif.Taken | None, options: dict[str, Any]
) -> None:
    time = taken.as_exif() if taken else b""
    match kind:
        case "jpeg":
            fine = options if "qtables" in options else {"quality": _QUALITY} | options
            picture.save(target, "JPEG", optimize=True, exif=time, **fine)
        case "png":
            picture.save(target, "PNG", exif=time or None, **options)
        case "webp":
            picture.save(target, "WEBP", quality=_QUALITY, exif=time, lossless=options.get("lossless", False))
        case _:
            picture.save(target, CONTAINERS[kind])
