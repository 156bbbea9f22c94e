"""What a photo becomes, and which files are no photos. `decode` is called directly; the processes have tests of their own."""

from __future__ import annotations

import errno
import io
import struct
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from chat_server.decoders.outcome import Refused
from chat_server.photos.decode import Decoded, decode, prepare_libraries
from chat_server.photos.rules import KINDS, Kind
from tests.unit.photo_samples import encoded, exif_block, field_photo, picture, sample, swapped_profile

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PLACE: dict[str, Any] = {
    "latitude": ((35, 1), (41, 1), (2222, 100)),
    "longitude": ((139, 1), (41, 1), (3012, 100)),
}


@pytest.fixture(scope="module", autouse=True)
def _libraries() -> None:
    prepare_libraries()


@dataclass
class Made:
    found: Decoded
    data: dict[Kind, bytes]

    def image(self, kind: Kind = "sanitized") -> Image.Image:
        return Image.open(io.BytesIO(self.data[kind]))


def made_of(source: bytes) -> Made:
    outputs: dict[Kind, io.BytesIO] = {kind: io.BytesIO() for kind in KINDS}
    found = decode(io.BytesIO(source), outputs, NOW)
    return Made(found, {kind: output.getvalue() for kind, output in outputs.items()})


def refusal(source: bytes) -> str:
    with pytest.raises(Refused) as refused:
        made_of(source)
    return refused.value.reason


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of a channel, 0 to 255."""
    assert one.size == other.size
    return max(ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean)


def shown(source: bytes) -> Image.Image:
    """The first frame as Pillow shows it."""
    return Image.open(io.BytesIO(source))


# ------------------------------------------------------------------------------------------------- fidelity


def test_orientation_of_a_real_photo_is_baked_in() -> None:
    path = sample("pillow/hopper_orientation_6.jpg")
    made = made_of(path.read_bytes())
    with Image.open(path) as raw:
        assert difference(made.image(), raw.transpose(Image.Transpose.ROTATE_270)) < 4
        assert difference(made.image(), raw) > 20
    assert made.image().getexif() == {}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_shows_the_same_upright_picture(orientation: int) -> None:
    # what a viewer has to do for each value (CIPA DC-008, 4.6.5.1), undone to make the stored picture
    turned = {
        1: [],
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }[orientation]
    stored = picture(400, 300)
    for turn in turned:
        stored = stored.transpose(turn)
    made = made_of(encoded(stored, quality=95, exif=exif_block(orientation=orientation)))
    assert (made.found.width, made.found.height) == (400, 300)
    assert difference(made.image(), picture(400, 300)) < 4
    assert difference(made.image("thumbnail"), picture(400, 300).resize((320, 240))) < 6


def test_an_orientation_that_does_not_exist_is_ignored() -> None:
    source = encoded(picture(), exif=exif_block(orientation=9))
    assert difference(made_of(source).image(), shown(source)) < 4


@pytest.mark.parametrize("name", ["pillow-heif/L_exif_xmp_iptc.heic", "pillow-heif/RGB_8_chroma444.heif"])
def test_heic_is_shown_as_jpeg(name: str) -> None:
    data = sample(name).read_bytes()
    made = made_of(data)
    assert made.found.media_type == "image/heic"
    assert made.image().format == "JPEG"
    with Image.open(io.BytesIO(data)) as original:
        assert difference(made.image(), original) < 4


def test_a_real_heic_has_its_time_and_loses_the_rest() -> None:
    data = sample("pillow-heif/L_exif_xmp_iptc.heic").read_bytes()
    made = made_of(data)
    assert made.found.taken_at == datetime(2020, 9, 14, 16, 9, 34, 641000, tzinfo=UTC).timestamp() * 1000
    assert b"SONY" in data
    assert not any(b"SONY" in rendition or b"24-70mm" in rendition for rendition in made.data.values())


def test_a_field_photo_has_three_renditions_that_fit() -> None:
    made = made_of(field_photo())
    assert (made.found.width, made.found.height) == (4032, 3024)
    assert {kind: made.image(kind).size for kind in KINDS} == made.found.sizes
    assert made.found.sizes == {"sanitized": (4032, 3024), "preview": (1600, 1200), "thumbnail": (320, 240)}
    assert {kind: made.image(kind).format for kind in KINDS} == {
        "sanitized": "JPEG",
        "preview": "JPEG",
        "thumbnail": "WEBP",
    }
    # all of them show the same
    small = made.image().resize((320, 240))
    assert difference(small, made.image("preview").resize((320, 240))) < 3
    # (WebP is hard on grain; turned by half it differs by more than 40)
    assert difference(small, made.image("thumbnail")) < 20
    assert difference(small.transpose(Image.Transpose.ROTATE_180), made.image("thumbnail")) > 40


def test_a_small_photo_is_not_blown_up() -> None:
    assert set(made_of(encoded(picture(96, 64))).found.sizes.values()) == {(96, 64)}


def test_one_pixel_and_a_very_long_strip() -> None:
    assert made_of(encoded(Image.new("RGB", (1, 1)), "PNG")).found.sizes["thumbnail"] == (1, 1)
    # longer than JPEG can say
    strip = made_of(encoded(Image.new("RGB", (70_000, 20), "red"), "PNG"))
    assert (strip.found.width, strip.found.height) == (65_500, 19)
    assert strip.image().size == (65_500, 19)
    assert strip.found.sizes["thumbnail"] == (320, 1)


def test_average_color() -> None:
    assert made_of(encoded(Image.new("RGB", (500, 400), (136, 153, 170)), "PNG")).found.color in ("#8899aa", "#8799aa")


@pytest.mark.parametrize(
    ("mode", "container", "fill", "expected"),
    [
        ("RGBA", "PNG", (255, 0, 0, 0), (255, 255, 255)),  # nothing but transparency is white, whatever lies below
        ("RGBA", "PNG", (255, 0, 0, 128), (255, 127, 127)),
        ("RGBA", "WEBP", (0, 0, 255, 255), (0, 0, 255)),
        ("LA", "PNG", (0, 128), (127, 127, 127)),
        ("L", "JPEG", 90, (90, 90, 90)),
        ("1", "PNG", 1, (255, 255, 255)),
        ("P", "PNG", 0, (0, 0, 0)),
        ("I;16", "PNG", 0x8000, (128, 128, 128)),  # Pillow alone would clip it to white
        ("CMYK", "JPEG", (0, 255, 255, 0), (255, 0, 0)),
    ],
)
def test_every_mode_becomes_the_color_it_means(
    mode: str, container: str, fill: int | tuple[int, ...], expected: tuple[int, int, int]
) -> None:
    made = made_of(encoded(Image.new(mode, (40, 30), fill), container))
    assert difference(made.image(), Image.new("RGB", (40, 30), expected)) < 4


def test_a_palette_with_a_transparent_entry_becomes_white_there() -> None:
    image = Image.new("P", (40, 30), 0)
    image.putpalette([200, 0, 0, 0, 0, 200])
    made = made_of(encoded(image, "PNG", transparency=0))
    assert difference(made.image(), Image.new("RGB", (40, 30), "white")) < 4


def test_a_16_bit_grey_with_a_transparent_value_is_still_a_photo() -> None:
    data = encoded(Image.new("I;16", (40, 30), 0x8000), "PNG")
    head = data.index(b"IDAT") - 4
    chunk = b"tRNS" + struct.pack(">H", 0x8000)
    made = made_of(data[:head] + struct.pack(">I", 2) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[head:])
    assert difference(made.image(), Image.new("RGB", (40, 30), (128, 128, 128))) < 4


@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP"])
def test_a_color_profile_is_applied_and_gone(container: str) -> None:
    red_stored = Image.new("RGB", (40, 30), (255, 0, 0))
    made = made_of(encoded(red_stored, container, icc_profile=swapped_profile()))
    assert difference(made.image(), Image.new("RGB", (40, 30), (0, 0, 255))) < 8
    assert all(made.image(kind).info.get("icc_profile") is None for kind in KINDS)


@pytest.mark.parametrize("profile", [b"x" * 200, swapped_profile()[:300]])
def test_a_broken_profile_costs_nothing_but_itself(profile: bytes) -> None:
    source = encoded(picture(), icc_profile=profile)
    assert difference(made_of(source).image(), shown(source)) < 4


@pytest.mark.parametrize(("container", "options"), [("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {})])
def test_of_an_animation_the_first_frame_alone_is_shown(container: str, options: dict[str, bool]) -> None:
    later = [Image.new("RGB", (40, 30), color) for color in ("blue", "lime")]
    data = encoded(Image.new("RGB", (40, 30), "red"), container, save_all=True, append_images=later, **options)
    made = made_of(data)
    assert difference(made.image(), Image.new("RGB", (40, 30), "red")) < 4
    assert all(getattr(made.image(kind), "n_frames", 1) == 1 for kind in KINDS)


def test_a_phone_jpeg_with_a_second_picture_in_it_is_a_jpeg() -> None:
    data = encoded(picture(), "MPO", save_all=True, append_images=[Image.new("RGB", (96, 64), "blue")])
    made = made_of(data)
    assert made.found.media_type == "image/jpeg"
    assert difference(made.image(), shown(data)) < 4
    assert made.image().format == "JPEG"


# -------------------------------------------------------------------------------------------------- privacy


def jpeg_segments(data: bytes) -> list[int]:
    """Markers up to the pixels."""
    at, found = 2, []
    while data[at + 1] != 0xDA:
        assert data[at] == 0xFF
        found.append(data[at + 1])
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return found


def webp_chunks(data: bytes) -> list[bytes]:
    at, found = 12, []
    while at < len(data):
        found.append(data[at : at + 4])
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    return found


@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("profile", [None, swapped_profile()], ids=["no profile", "profile"])
def test_place_and_time_are_found_and_leave_the_bytes(container: str, profile: bytes | None) -> None:
    block = exif_block(taken="2026:05:01 12:00:00", offset="+09:00", maker="secret-camera", orientation=1, **PLACE)
    options = {"comment": b"secret-comment"} if container == "JPEG" else {}
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">secret-xmp</x:xmpmeta>'
    if container != "PNG":
        options["xmp"] = xmp
    source = encoded(picture(400, 300), container, exif=block, icc_profile=profile, **options)
    assert b"secret-camera" in source

    made = made_of(source)
    assert made.found.taken_at == 1_777_604_400_000
    assert made.found.place == pytest.approx((35.6895056, 139.6917), abs=1e-6)

    latitude = struct.pack("<II", 35, 1) + struct.pack("<II", 41, 1)
    for kind, data in made.data.items():
        image = made.image(kind)
        assert image.getexif().get_ifd(0x8825) == {}
        assert b"secret" not in data
        assert latitude not in data
        assert latitude[::-1] not in data
        # the rewritten time stands in `sanitized` alone
        assert (b"2026:05:01 12:00:00" in data) == (kind == "sanitized")
    # not only what was looked for: there is no place left where anything else could stand
    assert set(jpeg_segments(made.data["sanitized"])) == {0xE0, 0xE1, 0xDB, 0xC0, 0xC4}
    assert set(jpeg_segments(made.data["preview"])) == {0xE0, 0xDB, 0xC0, 0xC4}
    assert webp_chunks(made.data["thumbnail"]) == [b"VP8 "]


def test_what_follows_the_picture_in_the_file_is_gone() -> None:
    made = made_of(encoded(picture()) + b"secret: a film of the same moment, as some phones append it")
    assert not any(b"secret" in data for data in made.data.values())


def test_broken_metadata_is_no_reason_to_refuse() -> None:
    block = exif_block(orientation=6, taken="2026:05:01 12:00:00", **PLACE)
    for at in range(6, len(block)):
        source = encoded(picture(), exif=block[:at] + bytes([block[at] ^ 0xFF]) + block[at + 1 :])
        assert made_of(source).found.color


# -------------------------------------------------------------------------------------------------- refusals


def test_real_truncated_files_are_refused() -> None:
    assert refusal(sample("pillow/truncated_jpeg.jpg").read_bytes()) == "broken"
    assert refusal(sample("pillow-heif/truncated.heic").read_bytes()) == "broken"


@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP", "GIF", "HEIF"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_cut_upload_is_refused(container: str, part: float) -> None:
    whole = (
        sample("pillow-heif/RGB_8_chroma444.heif").read_bytes()
        if container == "HEIF"
        else encoded(field_image(), container, **({"save_all": False} if container == "GIF" else {}))
    )
    assert made_of(whole).found.color
    assert refusal(whole[: int(len(whole) * part)]) == "broken"


def field_image() -> Image.Image:
    return Image.effect_noise((200, 150), 60).convert("RGB")


def heic_as(brand: bytes, *compatible: bytes) -> bytes:
    brands = brand + bytes(4) + b"".join(compatible)
    return struct.pack(">I", 8 + len(brands)) + b"ftyp" + brands + bytes(100)


@pytest.mark.parametrize(
    "disguised",
    [
        b"8BPS\x00\x01" + bytes(6) + struct.pack(">HIIHH", 3, 64, 64, 8, 3) + bytes(64 * 64 * 3),
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        encoded(picture(), "TIFF"),
        encoded(picture(), "BMP"),
        encoded(picture(), "AVIF"),
        encoded(picture(), "JPEG2000"),
        encoded(picture(), "ICO"),
        encoded(picture(), "PDF"),
        encoded(picture(), "PPM"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        heic_as(b"isom", b"mp42"),
        heic_as(b"mif1", b"avif", b"mif1"),
        b"RIFF\x24\x00\x00\x00WAVEfmt ",
        b"MZ\x90\x00",
        b"\xff",
        b"",
    ],
    ids=lambda data: repr(data[:12]),
)
def test_other_formats_are_refused_by_their_content(disguised: bytes) -> None:
    assert refusal(disguised) == "not_a_photo"


def png_header(width: int, height: int) -> bytes:
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = b"IDAT" + zlib.compress(b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(each) - 4) + each + struct.pack(">I", zlib.crc32(each)) for each in (chunk, pixels)
    )


def jpeg_header(width: int, height: int) -> bytes:
    data = bytearray(encoded(Image.new("RGB", (8, 8))))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def webp_header(width: int, height: int) -> bytes:
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes([2, 0, 0, 0]) + canvas
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(
    "bomb",
    [
        png_header(10_001, 10_000),
        png_header(2_000_000_000, 2),
        jpeg_header(65_500, 65_500),
        webp_header(16_000, 16_000),
    ],
    ids=["png", "png wide", "jpeg", "webp"],
)
def test_too_many_pixels_are_refused_by_the_header_alone(bomb: bytes) -> None:
    # the pixels themselves are not there: whoever tries to decode them says "broken"
    assert refusal(bomb) == "too_many_pixels"


def test_a_real_gif_bomb_is_refused() -> None:
    assert refusal(sample("pillow/decompression_bomb.gif").read_bytes()) == "too_many_pixels"


def test_just_at_the_limit_the_pixels_are_looked_for() -> None:
    assert refusal(png_header(10_000, 10_000)) == "broken"


@pytest.mark.parametrize("claimed", [(1, 1), (20_000, 20_000), (0, 0)])
def test_a_heic_header_that_lies_about_its_size_is_no_way_in(claimed: tuple[int, int]) -> None:
    data = bytearray(sample("pillow-heif/RGB_8_chroma444.heif").read_bytes())
    extent = data.index(b"ispe") + 8
    assert struct.unpack_from(">II", data, extent) == (64, 100)
    data[extent : extent + 8] = struct.pack(">II", *claimed)
    try:
        made = made_of(bytes(data))
    except Refused:
        return
    assert made.image().size == (made.found.width, made.found.height)
    assert made.found.width <= 64


def test_a_grey_heic_that_claims_more_depth_than_it_has_is_not_decoded() -> None:
    """It overflowed a buffer of the HEIC library."""
    data = bytearray(sample("pillow-heif/L_exif_xmp_iptc.heic").read_bytes())
    # the HEVC configuration (ISO/IEC 14496-15, 8.3.3.1): byte 17 ends in bitDepthLumaMinus8
    depth = data.index(b"hvcC") + 4 + 17
    assert data[depth] & 7 == 0
    data[depth] |= 5
    assert refusal(bytes(data)) == "not_a_photo"


class FailingDisk(io.BytesIO):
    """Reads its beginning only."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > 600:
            raise OSError(errno.EIO, "Input/output error")
        return super().read(size)


def test_a_disk_that_cannot_be_read_is_not_the_photos_fault() -> None:
    with pytest.raises(OSError, match="Input/output error"):
        decode(FailingDisk(field_photo(400, 300)), {kind: io.BytesIO() for kind in KINDS}, NOW)


def test_a_full_disk_is_not_the_photos_fault() -> None:
    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(OSError, match="No space left"):
        decode(io.BytesIO(encoded(picture())), dict.fromkeys(KINDS, full), NOW)
