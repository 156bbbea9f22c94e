"""Photos for tests: those that others made (tests/data/photos), and ones drawn here."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, ImageDraw

SAMPLES = Path(__file__).parents[1] / "data" / "photos"
Rational = tuple[int, int]


def sample(name: str) -> Path:
    """A photo that others made, by its place in tests/data/photos."""
    return SAMPLES / name


def picture(width: int = 96, height: int = 64, mode: str = "RGB") -> Image.Image:
    """A drawing without any symmetry, so that every wrong turn shows."""
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width // 3, height // 3), fill=(220, 30, 30))
    draw.rectangle((width // 2, height // 2, width, height), fill=(30, 60, 220))
    draw.rectangle((0, height * 2 // 3, width // 4, height), fill=(40, 200, 60))
    return image.convert(mode)


def encoded(image: Image.Image, container: str = "JPEG", **options: Any) -> bytes:
    """The bytes of a file."""
    target = io.BytesIO()
    image.save(target, container, **options)
    return target.getvalue()


def field_photo(width: int = 4032, height: int = 3024) -> bytes:
    """A JPEG of 12 megapixels (unless told) with the grain and the detail of a photo: about 2.5 MB."""
    coarse = Image.effect_noise((width // 16, height // 16), 90).resize((width, height), Image.Resampling.BICUBIC)
    down = Image.linear_gradient("L").resize((width, height))
    round_ = Image.radial_gradient("L").resize((width, height))
    scene = Image.merge("RGB", (coarse, Image.blend(down, coarse, 0.5), Image.blend(round_, coarse, 0.3)))
    grain = Image.effect_noise((width, height), 12).convert("RGB")
    return encoded(Image.blend(scene, grain, 0.15), quality=90)


def exif_block(
    *,
    taken: str | None = None,
    offset: str | None = None,
    subsec: str | None = None,
    orientation: int | None = None,
    latitude: Sequence[Rational] | None = None,
    north: str | None = "N",
    longitude: Sequence[Rational] | None = None,
    east: str | None = "E",
    maker: str | None = None,
) -> bytes:
    """An Exif block written by hand, so that it may be as wrong as those of real cameras. For Pillow's `exif=`."""
    ascii_, short, rational = 2, 3, 5
    first: list[tuple[int, int, int, bytes]] = []
    if maker is not None:
        first.append((0x010F, ascii_, len(maker) + 1, maker.encode() + b"\0"))
    if orientation is not None:
        first.append((0x0112, short, 1, struct.pack("<H", orientation)))
    texts = ((0x9003, taken), (0x9011, offset), (0x9291, subsec))
    exif = [(tag, ascii_, len(text) + 1, text.encode() + b"\0") for tag, text in texts if text is not None]
    gps: list[tuple[int, int, int, bytes]] = []
    for tag, letter, parts in ((1, north, latitude), (3, east, longitude)):
        if parts is None:
            continue
        if letter is not None:
            gps.append((tag, ascii_, len(letter) + 1, letter.encode() + b"\0"))
        gps.append((tag + 1, rational, len(parts), b"".join(struct.pack("<II", *part) for part in parts)))
    return b"Exif\0\0" + _tiff(first, exif, gps)


def _tiff(first: list[tuple[int, int, int, bytes]], exif: list[Any], gps: list[Any]) -> bytes:
    entries = [*first, (0x8769, 4, 1, b"????"), (0x8825, 4, 1, b"????")]
    exif_at = 8 + _ifd_size(entries)
    gps_at = exif_at + _ifd_size(exif)
    entries[-2] = (0x8769, 4, 1, struct.pack("<I", exif_at))
    entries[-1] = (0x8825, 4, 1, struct.pack("<I", gps_at))
    return b"II*\0" + struct.pack("<I", 8) + _ifd(entries, 8) + _ifd(exif, exif_at) + _ifd(gps, gps_at)


def _ifd_size(entries: list[Any]) -> int:
    return 6 + 12 * len(entries) + sum(len(data) for _, _, _, data in entries if len(data) > 4)


def _ifd(entries: list[Any], at: int) -> bytes:
    table, heap = struct.pack("<H", len(entries)), b""
    heap_at = at + 6 + 12 * len(entries)
    for tag, kind, count, data in entries:
        if len(data) > 4:
            value = struct.pack("<I", heap_at + len(heap))
            heap += data
        else:
            value = data.ljust(4, b"\0")
        table += struct.pack("<HHI", tag, kind, count) + value
    return table + struct.pack("<I", 0) + heap


def swapped_profile() -> bytes:
    """An RGB profile whose red is sRGB's blue and the other way round: nobody can miss whether it was applied."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", data, 128)[0]
    entry = {bytes(data[at : at + 4]): at for at in range(132, 132 + 12 * count, 12)}
    red, blue = entry[b"rXYZ"], entry[b"bXYZ"]
    data[red + 4 : red + 12], data[blue + 4 : blue + 12] = data[blue + 4 : blue + 12], data[red + 4 : red + 12]
    return bytes(data).replace("sRGB built-in".encode("utf-16-be"), "swapped color".encode("utf-16-be"))


def scan_bomb(edge: int = 4000, scans: int = 400) -> bytes:
    """A progressive JPEG of a few KB that repeats a scan over all of its pixels hundreds of times."""
    data = encoded(Image.new("L", (edge, edge)), progressive=True)
    start = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)  # the second scan
    # with the table that it uses, up to the next segment
    table = data.rindex(b"\xff\xc4", 0, start)
    end = data.index(b"\xff\xc4", start)
    return data[:end] + data[table:end] * scans + data[end:]
