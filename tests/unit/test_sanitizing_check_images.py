"""The check of rebuilt pictures: for each way of carrying more than a picture one that is found, and plain ones that
may pass."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from chat_server.sanitizing.check.looking import look
from tests.unit.photo_samples import encoded, exif_block, picture

ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
PROGRAM = b"<?php system($_GET['c']); ?>"
SMALL_ZIP = b"PK\5\6" + bytes(18)


def found(data: bytes, kind: str) -> list[str]:
    return look(io.BytesIO(data), kind)


def taken() -> bytes:
    exif = Image.Exif()
    exif[0x0132] = "2026:04:01 09:30:00"
    exif.get_ifd(0x8769)[0x9003] = "2026:04:01 09:30:00"
    exif.get_ifd(0x8769)[0x9011] = "+09:00"
    exif.get_ifd(0x8769)[0x9291] = "123"
    return exif.tobytes()


JPEG = encoded(picture(), quality=90)
PNG = encoded(picture(), "PNG")
GIF = encoded(picture(), "GIF")
WEBP = encoded(picture(), "WEBP")
TIFF = encoded(picture(), "TIFF")
BMP = encoded(picture(), "BMP")


def interlaced() -> bytes:
    """A black picture of 5 by 3 in the seven passes of Adam7, of which two have no pixels."""
    body = b"IHDR" + struct.pack(">IIBBBBB", 5, 3, 8, 0, 0, 0, 1)
    sizes = [(1, 1), (1, 1), (2, 0), (1, 1), (3, 1), (2, 2), (5, 1)]
    data = b"IDAT" + zlib.compress(b"".join(bytes(1 + width) * height for width, height in sizes))
    chunks = (
        struct.pack(">I", len(each) - 4) + each + struct.pack(">I", zlib.crc32(each)) for each in (body, data, b"IEND")
    )
    return PNG[:8] + b"".join(chunks)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK"])
@pytest.mark.parametrize("kind", ["jpeg", "png", "gif", "webp", "tiff", "bmp"])
def test_a_plain_picture_may_pass(kind: str, mode: str) -> None:
    try:
        data = encoded(picture(mode=mode), kind.upper())
    except (OSError, ValueError):
        data = encoded(picture(), kind.upper())  # that format has no such pixels
    assert found(data, kind) == []


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff"])
def test_the_time_of_capture_and_the_colours_may_stay(kind: str) -> None:
    assert found(encoded(picture(), kind.upper(), exif=taken(), icc_profile=ICC), kind) == []


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (encoded(picture(640, 480), quality=88, progressive=True), "jpeg"),
        (encoded(picture(640, 480), quality=88, subsampling="4:4:4", dpi=(300, 300), restart_marker_rows=2), "jpeg"),
        (JPEG[:20] + b"\xff" + JPEG[20:], "jpeg"),
        (encoded(Image.new("RGB", (1500, 1500)), "PNG"), "png"),
        (interlaced(), "png"),
        (encoded(picture(mode="LA"), "PNG", dpi=(72, 72)), "png"),
        (encoded(picture().convert("L").convert("I;16"), "PNG"), "png"),
        (encoded(picture(mode="RGBA"), "WEBP", lossless=True), "webp"),
        (encoded(picture(), "TIFF", compression="tiff_lzw"), "tiff"),
        (encoded(picture(), "TIFF", compression="jpeg"), "tiff"),
        (encoded(picture(mode="1"), "TIFF", compression="group4", dpi=(400, 400)), "tiff"),
    ],
)  # fmt: skip
def test_the_variants_of_an_encoder_may_pass(data: bytes, kind: str) -> None:
    assert found(data, kind) == []


def segment(marker: int, body: bytes) -> bytes:
    return JPEG[:2] + struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body + JPEG[2:]


def profiled(icc: bytes) -> bytes:
    return segment(0xE2, b"ICC_PROFILE\0\1\1" + icc)


def thumbnail() -> bytes:
    block = bytearray(taken())
    exif = block.index(b"Exif\0\0") + 6 if b"Exif\0\0" in block else 0
    first = exif + struct.unpack_from("<I" if block[exif : exif + 2] == b"II" else ">I", block, exif + 4)[0]
    order = "<" if block[exif : exif + 2] == b"II" else ">"
    count = struct.unpack_from(order + "H", block, first)[0]
    struct.pack_into(order + "I", block, first + 2 + 12 * count, first - exif)
    return bytes(block)


@pytest.mark.parametrize(
    ("data", "finding"),
    [
        (PNG, "not jpeg"),
        (JPEG + b"PK\3\4", "bytes behind the end"),
        (JPEG + JPEG, "bytes behind the end"),
        (JPEG[:-2], "no end of the picture"),
        (JPEG[:200], "cut off"),
        (JPEG[:20] + b"more" + JPEG[20:], "bytes between the segments"),
        (segment(0xFE, PROGRAM), "a segment that no picture needs: 0xfe"),
        (segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>"), "a segment that no picture needs: 0xe1"),
        (segment(0xE2, b"MPF\0II*\0"), "a segment that no picture needs: 0xe2"),
        (segment(0xED, b"Photoshop 3.0\0"), "a segment that no picture needs: 0xed"),
        (segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\1\1abc"), "a segment that no picture needs: 0xe0"),
        (segment(0xE3, b"JFIF\0\1\1\0\0\1\0\1\0\0"), "a segment that no picture needs: 0xe3"),
        (segment(0xE0, b"JFXX\0\1\1\0\0\1\0\1\0\0"), "a segment that no picture needs: 0xe0"),
        (segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0more"), "a segment that no picture needs: 0xe0"),
        (segment(0xE3, taken()), "a segment that no picture needs: 0xe3"),
        (segment(0xE3, b"Adobe\0\x64\0\0\0\0\0"), "a segment that no picture needs: 0xe3"),
        (segment(0xEE, b"Other\0\x64\0\0\0\0\0"), "a segment that no picture needs: 0xee"),
        (segment(0xEE, b"Adobe\0\x64\0\0\0\0\0more"), "a segment that no picture needs: 0xee"),
        (JPEG[:20] + b"\xff\xd0" + JPEG[20:], "a marker out of its place"),
        (JPEG[: JPEG.index(b"\xff\xda")] + b"\xff\xd9", "not exactly one picture"),
        (segment(0xE2, b"ICC_PROFILE\0\1\1" + ICC + b"more"), "a colour profile that is none"),
        (profiled(ICC[:36] + b"pdfs" + ICC[40:]), "a colour profile that is none"),
        (profiled(ICC[:128] + b"\0\0\xff\xff" + ICC[132:]), "a colour profile that cannot be read"),
        (profiled(ICC[:136] + b"\0\1\0\0" + ICC[140:]), "a colour profile that cannot be read"),
        (profiled((100).to_bytes(4, "big") + ICC[4:100]), "a colour profile that is none"),
        (segment(0xE1, b"Exif\0\0XX*\0" + taken()[-100:]), "EXIF that cannot be read"),
        (segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\1\0\x32\1\2\0\x14\0\0\0\0\0\1\0\0\0\0\0"), "EXIF that cannot be read"),
        (segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(60)), "EXIF that cannot be read"),
        (segment(0xC0, JPEG[JPEG.index(b"\xff\xc0") + 4 :][:15]), "not exactly one picture"),
        (segment(0xDB, PROGRAM), "holds <?php"),
        (segment(0xDB, b"<ScRiPt>"), "holds <script"),
        (encoded(picture(), exif=exif_block(latitude=[(35, 1)] * 3, longitude=[(139, 1)] * 3)), "(0x8825)"),
        (encoded(picture(), exif=exif_block(maker="a camera")), "(0x010f)"),
        (encoded(picture(), exif=exif_block(orientation=6)), "(0x0112)"),
        (encoded(picture(), exif=exif_block(taken="somebody was here")), "a time that is none (0x9003)"),
        (encoded(picture(), exif=thumbnail()), "a second directory (a thumbnail)"),
        (encoded(picture(), exif=taken() + PROGRAM), "bytes that belong to nothing"),
        (segment(0xE1, b"Exif\0\0II*\0"), "EXIF that cannot be read"),
        (
            JPEG.replace(b"\xff\xc0\0\x11\x08\0\x40\0\x60", b"\xff\xc0\0\x11\x08\xff\xff\xff\xff"),
            "more than 100 megapixels",
        ),
        (JPEG[: JPEG.index(b"\xff\xdb")] + JPEG[JPEG.index(b"\xff\xc0") :], "cannot be decoded"),
    ],
)
def test_a_jpeg_that_is_more_than_a_picture_is_found(data: bytes, finding: str) -> None:
    assert any(finding in each for each in found(data, "jpeg")), found(data, "jpeg")


def chunk(name: bytes, body: bytes, before: bytes = b"IDAT") -> bytes:
    at = PNG.index(before) - 4
    return PNG[:at] + struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) + PNG[at:]


def rows(change: Callable[[bytes], bytes], packed: Callable[[bytes], bytes] = zlib.compress) -> bytes:
    """The PNG, its rows changed, packed anew."""
    at = PNG.index(b"IDAT")
    size = struct.unpack_from(">I", PNG, at - 4)[0]
    body = packed(change(zlib.decompress(PNG[at + 4 : at + 4 + size])))
    new = struct.pack(">I", len(body)) + b"IDAT" + body + struct.pack(">I", zlib.crc32(b"IDAT" + body))
    return PNG[: at - 4] + new + PNG[at + 8 + size :]


def head(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">II", width, height) + PNG[24:29]
    return PNG[:12] + body + struct.pack(">I", zlib.crc32(body)) + PNG[33:]


def text() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "from whom", zip=True)
    return info


@pytest.mark.parametrize(
    ("data", "finding"),
    [
        (JPEG, "not png"),
        (PNG + b"more", "bytes behind the end"),
        (PNG[:-12], "no beginning or no end"),
        (PNG[:8] + PNG[33:], "no beginning or no end"),
        (PNG[:33] + PNG[8:], "a chunk that stands twice: 'IHDR'"),
        (chunk(b"pHYs", bytes(9), before=b"IEND")[:-12] + rows(bytes)[33:], "a chunk that stands twice: 'IDAT'"),
        (PNG[:100], "cut off"),
        (PNG[:-14] + b"\0\0" + PNG[-12:], "a chunk whose checksum is wrong"),
        (encoded(picture(), "PNG", pnginfo=text()), "a chunk that no picture needs: 'zTXt'"),
        (chunk(b"tEXt", b"Comment\0" + PROGRAM), "a chunk that no picture needs: 'tEXt'"),
        (chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x/>"), "a chunk that no picture needs: 'iTXt'"),
        (chunk(b"prVt", b"anything"), "a chunk that no picture needs: 'prVt'"),
        (chunk(b"acTL", bytes(8)), "a chunk that no picture needs: 'acTL'"),
        (chunk(b"eXIf", exif_block(maker="a camera")[6:]), "(0x010f)"),
        (chunk(b"iCCP", b"a\0\0" + zlib.compress(ICC) + b"more"), "a colour profile with something behind it"),
        (chunk(b"iCCP", b"a\0\0" + zlib.compress(ICC)[:-4]), "a colour profile with something behind it"),
        (chunk(b"iCCP", b"a\0\0" + zlib.compress(ICC[:-4])), "a colour profile that is none"),
        (chunk(b"IDAT", b"more", before=b"IEND"), "pixel data that are not those of the rows"),
        (rows(lambda pixels: pixels + pixels), "pixel data that are not those of the rows"),
        (rows(lambda pixels: pixels[:-1]), "pixel data that are not those of the rows"),
        (rows(bytes, lambda pixels: zlib.compress(pixels) + PROGRAM), "pixel data that are not those of the rows"),
        (rows(bytes, lambda pixels: b"none"), "pixel data that are not those of the rows"),
        (rows(lambda pixels: PROGRAM + pixels[len(PROGRAM) :], lambda pixels: zlib.compress(pixels, 0)), "holds <?php"),
        (head(20_000, 20_000), "more than 100 megapixels"),
        (rows(lambda pixels: b"\x09" + pixels[1:]), "cannot be decoded"),
    ],
)
def test_a_png_that_is_more_than_a_picture_is_found(data: bytes, finding: str) -> None:
    assert any(finding in each for each in found(data, "png")), found(data, "png")


def replaced(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


LOSSLESS = encoded(picture(), "WEBP", lossless=True)
MORE = [picture(mode="L")]


@pytest.mark.parametrize(
    ("data", "kind", "finding"),
    [
        (PNG, "gif", "not gif"),
        (GIF + b"more", "gif", "bytes behind it"),
        (GIF[:-1], "gif", "cut off|no end of the picture"),
        (GIF[:300], "gif", "cut off|no end of the picture"),
        (encoded(picture(), "GIF", comment=b"from whom"), "gif", "an extension that no picture needs: 0xfe"),
        (encoded(picture(), "GIF", save_all=True, append_images=MORE), "gif", "not exactly one picture"),
        (encoded(picture(), "GIF", save_all=True, append_images=MORE, loop=0), "gif", "an extension that no picture needs: 0xff"),
        (GIF[:-1] + b"more;", "gif", "bytes between the blocks"),
        (replaced(GIF, 6, b"\xff\xff\xff\xff"), "gif", "more than 100 megapixels"),
        (PNG, "webp", "not webp"),
        (WEBP + b"more", "webp", "not as long as its head says"),
        (replaced(WEBP, 4, struct.pack("<I", len(WEBP) + 4)) + b"more" * 3, "webp", "a chunk that no picture needs: 'more'"),
        (encoded(picture(), "WEBP", xmp=b"<x/>"), "webp", "a chunk that no picture needs: 'XMP '"),
        (encoded(picture(), "WEBP", save_all=True, append_images=MORE), "webp", "a chunk that no picture needs: 'ANIM'"),
        (encoded(picture(), "WEBP", exif=exif_block(maker="a camera")), "webp", "(0x010f)"),
        (replaced(WEBP, 26, b"\xff\x3f\xff\x3f"), "webp", "more than 100 megapixels"),
        (WEBP[:200], "webp", "cut off"),
        (replaced(LOSSLESS, 21, b"\xff\xff\xff\x0f"), "webp", "more than 100 megapixels"),
        (replaced(encoded(picture(), "WEBP", exif=taken()), 24, b"\xff\xff\0\xff\xff\0"), "webp", "more than 100 megapixels"),
        (encoded(picture(), "WEBP", icc_profile=ICC[:-4]), "webp", "a colour profile that is none"),
        (WEBP[:4] + struct.pack("<I", len(WEBP) * 2 - 20) + WEBP[8:] + WEBP[12:], "webp", "a chunk that no picture needs: 'VP8 '"),
        (WEBP[:4] + struct.pack("<I", len(WEBP) + len(LOSSLESS) - 20) + WEBP[8:] + LOSSLESS[12:], "webp", "not exactly one picture"),
        (replaced(GIF, GIF.index(b",\0\0\0\0\x60\0\x40\0") + 1, b"\0\0\0\0\xff\xff\xff\xff"), "gif", "more than 100 megapixels"),
        (PNG, "tiff", "not tiff"),
        (encoded(picture(), "TIFF", description="from whom"), "tiff", "a tag that no picture needs: 270"),
        (encoded(picture(), "TIFF", software="a program"), "tiff", "a tag that no picture needs: 305"),
        (TIFF + b"hidden", "tiff", "bytes that belong to nothing"),
        (TIFF[:100], "tiff", "tags that cannot be read|bytes that belong"),
        (replaced(TIFF, TIFF.index(b"\0\1\4\0\1\0\0\0", 8) + 8, b"\xff\xff\xff\x7f"), "tiff", "more than 100 megapixels"),
        (PNG, "bmp", "not bmp"),
        (BMP + b"more", "bmp", "bytes that belong to nothing"),
        (replaced(BMP, 2, b"\0\0\0\1"), "bmp", "bytes that belong to nothing"),
        (replaced(BMP, 10, b"\x40"), "bmp", "bytes that belong to nothing"),
        (replaced(BMP, 22, b"\x20"), "bmp", "bytes that belong to nothing"),
        (replaced(BMP, 18, struct.pack("<ii", 20_000, 20_000)), "bmp", "bytes that belong to nothing, or too few"),
        (replaced(BMP, 14, b"\x7c"), "bmp", "a head that is not that of a plain bitmap"),
        (replaced(BMP, 30, b"\1"), "bmp", "a head that is not that of a plain bitmap"),
        (replaced(BMP, 54, b"%PDF-1.7"), "bmp", "holds the head of a PDF"),
        (replaced(BMP, 200, b"<HTML>"), "bmp", "holds <html"),
        (BMP[:-22] + SMALL_ZIP, "bmp", "holds the end of an archive"),
        (BMP[:40], "bmp", "cut off"),
    ],
)  # fmt: skip
def test_a_picture_that_is_more_than_one_is_found(data: bytes, kind: str, finding: str) -> None:
    findings = found(data, kind)
    assert any(part in each for each in findings for part in finding.split("|")), findings


def test_words_across_the_border_of_two_windows_are_found() -> None:
    data = bytearray(encoded(Image.new("RGB", (2000, 1000)), "BMP"))
    data[(1 << 22) - 3 : (1 << 22) + 4] = b"<script"
    assert found(bytes(data), "bmp") == ["holds <script"]
