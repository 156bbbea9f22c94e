"""A stranger's photo to renditions: pure work on open files, run inside a confined decoder process.

Decoded at full size, to sRGB, upright, for `sanitized`; `preview` is made from that or from a decoding at less, and
`thumbnail` from the preview. What leaves is encoded from bare pixels: of the received bytes nothing is copied.
"""

from __future__ import annotations

import importlib
import io
import math
import struct
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Final

import pi_heif  # type: ignore[import-untyped]
from PIL import Image, ImageFile

from chat_server.decoders.outcome import Refused
from chat_server.photos import exif
from chat_server.photos.color import to_srgb
from chat_server.photos.rules import (
    LONGEST_EDGE,
    MAX_PIXELS,
    PREVIEW_EDGE,
    THUMBNAIL_EDGE,
    Kind,
    MediaType,
)

_HEIC_BRANDS: Final = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}
_AVIF_BRANDS: Final = {b"avif", b"avis"}
# for EXIF's orientations 2 to 8
_UPRIGHT: Final = (
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.ROTATE_180,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """What was found; sizes in pixels, upright."""

    media_type: MediaType
    width: int
    height: int
    color: str
    taken_at: int | None
    place: tuple[float, float] | None
    sizes: dict[Kind, tuple[int, int]]


def prepare_libraries() -> None:
    """Load and set up the libraries: a confined process can import nothing any more."""
    Image.preinit()
    for plugin in ("Gif", "Jpeg", "Mpo", "Png", "WebP"):
        importlib.import_module(f"PIL.{plugin}ImagePlugin")
    # pi-heif starts four threads a photo unless told; extra pictures inside the file are of no use here
    pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    # Pillow only warns up to twice this number and refuses above: with the half of it, it refuses exactly above ours
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2


def decode(source: IO[bytes], outputs: Mapping[Kind, IO[bytes]], now: datetime) -> Decoded:
    """Write the renditions of the photo in `source` (seekable) into `outputs`.

    Raises: `Refused`; OSError with an errno where the disk failed, not the photo.
    """
    media_type, container = identify(source)
    lossless = container in ("PNG", "GIF")
    # screenshots and drawings: halving the colour resolution would blur red text
    subsampling = "4:4:4" if lossless else "4:2:0"
    with warnings.catch_warnings(), ThreadPoolExecutor(1) as beside:
        warnings.simplefilter("ignore")  # what Pillow remarks about strangers' files is of no use to anybody
        ahead = beside.submit(_small_copies_of_jpeg, source.read(), outputs) if container == "JPEG" else None
        source.seek(0)
        picture, facts = _read(source, container, now)
        taken = facts.taken.as_exif() if facts.taken else b""
        picture.save(outputs["sanitized"], "JPEG", quality=88, subsampling=subsampling, exif=taken)
        small = (ahead.result() if ahead else None) or _small_copies(picture, outputs, subsampling)
    return Decoded(
        media_type=media_type,
        width=picture.width,
        height=picture.height,
        color=small.color,
        taken_at=facts.taken.utc_ms if facts.taken else None,
        place=facts.place,
        sizes={"sanitized": picture.size, "preview": small.preview, "thumbnail": small.thumbnail},
    )


@dataclass(frozen=True, slots=True)
class _Small:
    """Sizes of the small copies, and their mean colour."""

    preview: tuple[int, int]
    thumbnail: tuple[int, int]
    color: str


def _small_copies(picture: Image.Image, outputs: Mapping[Kind, IO[bytes]], subsampling: str) -> _Small:
    for kind in ("preview", "thumbnail"):
        outputs[kind].seek(0)
        outputs[kind].truncate()
    preview = _fit(picture, PREVIEW_EDGE)
    preview.save(outputs["preview"], "JPEG", quality=82, subsampling=subsampling)
    thumbnail = _fit(preview, THUMBNAIL_EDGE)
    thumbnail.save(outputs["thumbnail"], "WEBP", quality=75)
    red, green, blue = thumbnail.resize((1, 1), Image.Resampling.BOX).tobytes()
    return _Small(preview.size, thumbnail.size, f"#{red:02x}{green:02x}{blue:02x}")


def _small_copies_of_jpeg(data: bytes, outputs: Mapping[Kind, IO[bytes]]) -> _Small | None:
    """While the large one is made, in a thread of its own (Pillow works without the interpreter's lock): a JPEG can be
    decoded at a half or a quarter right away, which takes no longer than making the large one smaller afterwards.

    None where that is no gain or does not go well: then they come from the large one, whose faults are the photo's.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=["JPEG"])
        check_pixels(image.size)
        scale = PREVIEW_EDGE / max(image.size)
        if scale > 0.5:
            return None
        image.draft(None, (math.ceil(image.width * scale), math.ceil(image.height * scale)))
        image.load()
        return _small_copies(to_srgb(upright(image)), outputs, "4:2:0")
    except Exception:
        return None


def identify(source: IO[bytes]) -> tuple[MediaType, str]:
    """Media type and Pillow's name of the format, from the content alone. Raises `Refused`."""
    head = source.read(64)
    source.seek(0)
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg", "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png", "PNG"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif", "GIF"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp", "WEBP"
    if head[4:8] == b"ftyp":
        length = int.from_bytes(head[:4], "big")
        brands = {head[at : at + 4] for at in (8, *range(16, min(length, 64), 4))}
        if brands & _HEIC_BRANDS and not brands & _AVIF_BRANDS:
            return "image/heic", "HEIF"
    raise Refused("not_a_photo")


@contextmanager
def blaming_the_picture() -> Iterator[None]:
    """Whatever goes wrong within is the picture's fault, but for memory and the disk. Raises `Refused`, MemoryError, OSError with an
    errno."""
    try:
        yield
    except (Refused, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise Refused("too_many_pixels") from None
    except OSError as error:
        # with a number it is the disk's fault; Pillow's own carry a text alone
        if error.errno is not None:
            raise
        raise Refused("broken") from None
    except Exception:
        # the parsers raise whatever they stumble over: struct.error, IndexError, zlib.error, …
        raise Refused("broken") from None


def _read(source: IO[bytes], container: str, now: datetime) -> tuple[Image.Image, exif.Facts]:
    """The first frame upright in sRGB, and its facts. Raises as `decode`."""
    with blaming_the_picture():
        image = load(source, container)
        facts = exif.read(image, now)
        # the same name again frees what was there: 400 MB each at the pixel limit
        image = upright(image)
        image = to_srgb(image)
        return _fit(image, LONGEST_EDGE), facts


def load(source: IO[bytes], container: str) -> Image.Image:
    """The first frame, decoded; `container` by Pillow's name. Raises `Refused`, and whatever Pillow stumbles over."""
    if container == "HEIF":
        _check_boxes(source)
    # the pixel count is checked from the header, before memory is asked for
    image = Image.open(source, formats=[container])
    check_pixels(image.size)
    if container == "HEIF" and image.mode.startswith("I"):
        # pi-heif 1.4.0 believes a header that says "grey, over 8 bits" and writes past the pixels of a picture that
        # has 8 (found by tests/fuzz; 1.4.0 is its last release). No camera here makes such pictures.
        raise Refused("not_a_photo")
    image.load()
    # a HEIC header may understate what its picture holds
    check_pixels(image.size)
    return image


def check_pixels(size: tuple[int, int]) -> None:
    """Raises `Refused`."""
    if size[0] * size[1] > MAX_PIXELS:
        raise Refused("too_many_pixels")


def _check_boxes(source: IO[bytes]) -> None:
    """Every top-level box of a HEIF file is there to its end (ISO/IEC 14496-12, 4.2).

    The library shows a cut-off file as long as the cut spares the main picture's own bytes.
    """
    end = source.seek(0, 2)
    at = 0
    while at < end:
        source.seek(at)
        head = source.read(16)
        if len(head) < 8:
            raise Refused("broken")
        length = struct.unpack(">I", head[:4])[0]
        if length == 1 and len(head) == 16:
            length = struct.unpack(">Q", head[8:])[0]
        elif length == 0:  # "to the end of the file"
            break
        if length < 8 or at + length > end:
            raise Refused("broken")
        at += length
    source.seek(0)


def upright(image: Image.Image) -> Image.Image:
    """With the orientation baked in. HEIC arrives upright from its library, which resets the tag."""
    try:
        orientation = image.getexif().get(0x0112)
    except Exception:  # as in exif.py: broken metadata is no reason to refuse a photo
        return image
    if isinstance(orientation, int) and 2 <= orientation <= 8:
        return image.transpose(_UPRIGHT[orientation - 2])
    return image


def _fit(picture: Image.Image, edge: int) -> Image.Image:
    """Within a square of `edge` pixels; never enlarged."""
    longest = max(picture.size)
    if longest <= edge:
        return picture
    size = max(1, round(picture.width * edge / longest)), max(1, round(picture.height * edge / longest))
    return picture.resize(size, Image.Resampling.HAMMING, reducing_gap=1.0)
