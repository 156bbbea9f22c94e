"""Pictures come out of the sanitizer as they look, with nothing around their pixels."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from chat_server.decoders.outcome import Refused
from chat_server.photos.decode import prepare_libraries
from chat_server.sanitizing.order import Order
from chat_server.sanitizing.rebuild import endings, images
from chat_server.sanitizing.report import Rebuilt
from tests.unit.photo_samples import encoded, field_photo, picture, sample

prepare_libraries()


def rebuilt(data: bytes, kind: str) -> tuple[bytes, Rebuilt]:
    target = io.BytesIO()
    told = images.rebuild(io.BytesIO(data), target, Order(kind))
    return target.getvalue(), told


def removed(told: Rebuilt) -> set[str]:
    return {f"{each.object} {each.name}".strip() for each in told.removed}


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean of full scale."""
    assert one.size == other.size
    histogram = ImageChops.difference(one.convert("RGB"), other.convert("RGB")).convert("L").histogram()
    return sum(level * count for level, count in enumerate(histogram)) / (255 * one.width * one.height)


@pytest.mark.parametrize(
    ("kind", "container", "mode", "becomes"),
    [
        ("jpeg", "JPEG", "RGB", "jpeg"), ("jpeg", "JPEG", "L", "jpeg"), ("jpeg", "JPEG", "CMYK", "jpeg"),
        ("png", "PNG", "RGB", "png"), ("png", "PNG", "RGBA", "png"), ("png", "PNG", "P", "png"), ("png", "PNG", "1", "png"),
        ("gif", "GIF", "P", "gif"), ("webp", "WEBP", "RGB", "webp"), ("webp", "WEBP", "RGBA", "webp"),
        ("tiff", "TIFF", "RGB", "tiff"), ("tiff", "TIFF", "1", "tiff"), ("bmp", "BMP", "RGB", "png"),
    ],
)  # fmt: skip
def test_a_picture_stays_what_it_is_and_looks_alike(kind: str, container: str, mode: str, becomes: str) -> None:
    before = picture(mode=mode)
    data = encoded(before, container)
    made, told = rebuilt(data, kind)
    assert told == Rebuilt(becomes)
    with Image.open(io.BytesIO(made)) as after:
        assert after.format == images.CONTAINERS[becomes]
        with Image.open(io.BytesIO(data)) as read:
            assert difference(read, after) < 0.02
        if mode in ("RGBA", "P", "1") and kind != "webp":  # whose encoder leaves out a transparency that nothing has
            assert after.mode == mode


def test_a_photo_is_no_larger_afterwards_and_as_fine() -> None:
    photo = field_photo(1600, 1200)
    coarse = encoded(Image.open(io.BytesIO(photo)), "JPEG", quality=60)
    for data in (photo, coarse):
        made, _ = rebuilt(data, "jpeg")
        assert len(made) <= len(data) * 1.02
        with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(made)) as after:
            assert difference(before, after) < 0.01


def test_of_its_facts_a_photo_keeps_the_time_alone() -> None:
    made, told = rebuilt(sample("pillow/exif_gps.jpg").read_bytes(), "jpeg")
    assert removed(told) == {"metadata Exif", "place"}
    exif = Image.Exif()
    exif[0x010F] = "a camera's maker"
    exif[0x8769] = {0x9003: "2025:11:03 14:05:09", 0x9011: "+09:00", 0x927C: b"its maker's own"}
    exif[0x8825] = {1: "N", 2: (35.0, 39.0, 31.0), 3: "E", 4: (139.0, 44.0, 43.0)}
    made, told = rebuilt(encoded(picture(), exif=exif, comment=b"for nobody"), "jpeg")
    assert removed(told) == {"metadata Exif", "metadata comment", "place"}
    with Image.open(io.BytesIO(made)) as after:
        kept = after.getexif()
        assert dict(kept.get_ifd(0x8769))[0x9003] == "2025:11:03 14:05:09"
        assert not kept.get_ifd(0x8825)
        assert 0x010F not in kept
    assert b"maker" not in made
    assert b"for nobody" not in made


def test_a_turned_photo_stands_upright() -> None:
    made, _ = rebuilt(sample("pillow/hopper_orientation_6.jpg").read_bytes(), "jpeg")
    with Image.open(io.BytesIO(made)) as after, Image.open(sample("pillow/hopper_orientation_6.jpg")) as before:
        assert after.size == before.size[::-1]
        assert difference(before.transpose(Image.Transpose.ROTATE_270), after) < 0.02
        assert 0x0112 not in after.getexif()


def test_what_hangs_behind_a_picture_is_told_and_left() -> None:
    for kind, container in (("jpeg", "JPEG"), ("png", "PNG"), ("webp", "WEBP")):
        made, told = rebuilt(encoded(picture(), container) + b"PK\3\4 and more", kind)
        assert [(each.object, each.sha256 is not None) for each in told.removed] == [("trailing", True)]
        assert b"PK\3\4 and more" not in made
        assert endings.after(io.BytesIO(made), kind) == b""


def test_a_scan_keeps_its_pages_and_its_scale() -> None:
    pages = [picture(60 + 10 * number, 90, "1") for number in range(3)]
    target = io.BytesIO()
    pages[0].save(target, "TIFF", save_all=True, append_images=pages[1:], compression="group4", dpi=(400, 400))
    made, told = rebuilt(target.getvalue(), "tiff")
    assert told == Rebuilt("tiff")
    with Image.open(io.BytesIO(made)) as after:
        assert after.n_frames == 3  # type: ignore[attr-defined]
        for number, before in enumerate(pages):
            after.seek(number)
            assert after.info["dpi"] == (400, 400)
            assert after.tobytes() == before.tobytes()


def test_of_a_moving_picture_the_first_is_kept_and_that_is_said() -> None:
    target = io.BytesIO()
    frames = [picture(), picture().transpose(Image.Transpose.ROTATE_180)]
    frames[0].save(target, "GIF", save_all=True, append_images=frames[1:])
    made, told = rebuilt(target.getvalue(), "gif")
    assert told.warnings == ["animation_gone"]
    with Image.open(io.BytesIO(made)) as after:
        assert getattr(after, "n_frames", 1) == 1
        assert difference(after, frames[0]) < 0.02


@pytest.mark.parametrize(("name", "kind"), [("L_exif_xmp_iptc.heic", "heic"), ("RGB_8_chroma444.heif", "heic")])
def test_a_picture_of_a_phone_becomes_a_jpeg(name: str, kind: str) -> None:
    made, told = rebuilt(sample(f"pillow-heif/{name}").read_bytes(), kind)
    assert told.kind == "jpeg"
    with Image.open(io.BytesIO(made)) as after:
        assert after.format == "JPEG"
        assert not {"xmp", "photoshop", "icc_profile"} & set(after.info)


@pytest.mark.parametrize(
    ("path", "kind", "reason"),
    [
        ("pillow/truncated_jpeg.jpg", "jpeg", "broken"), ("pillow/decompression_bomb.gif", "gif", "too_many_pixels"),
        ("pillow-heif/truncated.heic", "heic", "broken"),
    ],
)  # fmt: skip
def test_what_cannot_be_decoded_is_refused(path: str, kind: str, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        rebuilt(sample(path).read_bytes(), kind)
    assert refused.value.reason == reason


def test_a_tiff_of_too_many_pages_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "many.tiff"
    page = Image.new("1", (8, 8))
    page.save(target, "TIFF", save_all=True, append_images=[page] * 500)
    with pytest.raises(Refused) as refused:
        rebuilt(target.read_bytes(), "tiff")
    assert refused.value.reason == "too_many"


def test_no_other_decoder_looks_at_it_than_its_kind_says() -> None:
    with pytest.raises(Refused) as refused:
        rebuilt(encoded(picture(), "PNG"), "jpeg")
    assert refused.value.reason == "broken"
