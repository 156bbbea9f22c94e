"""The drawn photographs are what phones hand over: turned, dated, placed; and the same every time."""

from __future__ import annotations

import io
from datetime import datetime

import pytest
from PIL import Image, ImageChops, ImageOps, ImageStat

from chat_server.demo import draw
from chat_server.demo.dates import JAPAN, millis

TAKEN = millis(datetime(2026, 11, 22, 7, 28, 5, tzinfo=JAPAN))
NAMES = ["gutter-1", "gutter-2", "pothole-1", "pothole-2", "tree-3"]


@pytest.fixture(scope="module")
def drawn() -> dict[str, draw.Drawn]:
    return {photo.name: photo for photo in draw.photographs(dict.fromkeys(NAMES, TAKEN))}


def test_only_what_is_asked_for_is_drawn(drawn: dict[str, draw.Drawn]) -> None:
    assert sorted(drawn) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_stored_pixels_need_their_orientation(drawn: dict[str, draw.Drawn], name: str) -> None:
    with Image.open(io.BytesIO(drawn[name].jpeg)) as stored:
        orientation = stored.getexif()[0x0112]
        upright = ImageOps.exif_transpose(stored)
    assert orientation == draw.SHOTS[name].orientation
    expected = (1200, 1600) if name.startswith(("gutter", "tree")) else (1600, 1200)
    assert upright.size == expected
    assert stored.size == (expected if orientation in (1, 3) else expected[::-1])


def test_turned_photos_come_out_the_right_way_up(drawn: dict[str, draw.Drawn]) -> None:
    """Leaves near the camera are larger and more: the lower half of the blocked gutter is the browner one."""
    with Image.open(io.BytesIO(drawn["gutter-1"].jpeg)) as stored:
        upright = ImageOps.exif_transpose(stored)
    height = upright.height
    brown = [_brown(upright.crop((0, top, upright.width, top + height // 3))) for top in (0, height - height // 3)]
    assert brown[1] > brown[0]


def _brown(picture: Image.Image) -> float:
    red, _, blue = picture.split()
    return float(ImageStat.Stat(ImageChops.subtract(red, blue)).mean[0])


def test_time_and_place_are_in_the_file(drawn: dict[str, draw.Drawn]) -> None:
    photo = drawn["pothole-1"]
    assert photo.file_name == "IMG_20261122_072805.jpg"
    with Image.open(io.BytesIO(photo.jpeg)) as stored:
        exif = stored.getexif()
        details, gps = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
    assert details[0x9003] == "2026:11:22 07:28:05"
    assert details[0x9011] == "+09:00"
    degrees, minutes, seconds = gps[2]
    place = draw.SHOTS["pothole-1"].place
    assert place is not None
    assert float(degrees) + float(minutes) / 60 + float(seconds) / 3600 == pytest.approx(place[0], abs=1e-5)
    assert (gps[1], gps[3]) == ("N", "E")


def test_before_and_after_are_seen_from_the_same_spot(drawn: dict[str, draw.Drawn]) -> None:
    pictures = []
    for name in ("pothole-1", "pothole-2"):
        with Image.open(io.BytesIO(drawn[name].jpeg)) as stored:
            pictures.append(stored.convert("L").reduce(8))
    before, after = pictures
    corner = (0, 0, before.width // 4, before.height // 4)
    middle = (before.width // 3, before.height // 2, before.width * 2 // 3, before.height * 2 // 3)
    difference = ImageChops.difference(before, after)
    assert ImageStat.Stat(difference.crop(corner)).mean[0] < 3
    assert ImageStat.Stat(difference.crop(middle)).mean[0] > 15


def test_the_same_is_drawn_every_time(drawn: dict[str, draw.Drawn]) -> None:
    """An interrupted first start draws again: the bytes kept before must be the bytes kept now."""
    again = list(draw.photographs({"tree-3": TAKEN}))
    assert again[0].jpeg == drawn["tree-3"].jpeg
