"""Time and place out of Exif blocks as cameras, phones and attackers write them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from PIL import Image

from chat_server.photos import exif
from tests.unit.photo_samples import Rational, encoded, exif_block, picture, sample

NOW = datetime(2026, 11, 22, tzinfo=UTC)
TOKYO_NOON = 1_777_604_400_000  # 2026-05-01 12:00:00 +09:00


def facts(**tags: Any) -> exif.Facts:
    return exif.read(Image.open(io.BytesIO(encoded(picture(), exif=exif_block(**tags)))), NOW)


def taken_at(**tags: Any) -> int | None:
    taken = facts(**tags).taken
    return taken.utc_ms if taken else None


def dms(degrees: Rational, minutes: Rational = (0, 1), seconds: Rational = (0, 1)) -> Sequence[Rational]:
    return degrees, minutes, seconds


def test_the_epoch_of_the_expected_value() -> None:
    assert datetime(2026, 5, 1, 3, tzinfo=UTC).timestamp() * 1000 == TOKYO_NOON


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"taken": "2026:05:01 12:00:00"}, TOKYO_NOON),
        ({"taken": "2026:05:01 12:00:00", "offset": "+09:00"}, TOKYO_NOON),
        ({"taken": "2026:05:01 03:00:00", "offset": "+00:00"}, TOKYO_NOON),
        ({"taken": "2026:04:30 23:00:00", "offset": "-04:00"}, TOKYO_NOON),
        ({"taken": "2026:05:01 08:30:00", "offset": "+05:30"}, TOKYO_NOON),
        ({"taken": "2026-05-01 12:00:00"}, TOKYO_NOON),
        ({"taken": "2026:05:01 12:00:00", "subsec": "641"}, TOKYO_NOON + 641),
        ({"taken": "2026:05:01 12:00:00", "subsec": "5"}, TOKYO_NOON + 500),
        ({"taken": "2026:05:01 12:00:00", "subsec": "064199"}, TOKYO_NOON + 64),
        # nonsense beside a good time counts as absent
        ({"taken": "2026:05:01 12:00:00", "subsec": "x"}, TOKYO_NOON),
        ({"taken": "2026:05:01 12:00:00", "offset": "+99:99"}, TOKYO_NOON),
        ({"taken": "2026:05:01 12:00:00", "offset": "JST"}, TOKYO_NOON),
        # no time at all
        ({}, None),
        ({"taken": "0000:00:00 00:00:00"}, None),
        ({"taken": "    :  :     :  :  "}, None),
        ({"taken": "2026:02:30 12:00:00"}, None),
        ({"taken": "2026:05:01 24:00:00"}, None),
        ({"taken": "2026:05:01"}, None),
        ({"taken": "2026:05:01 12:00:00; DROP TABLE"}, None),
        ({"taken": "２０２６:05:01 12:00:00"}, None),
        # outside of what a photo handed in today can be
        ({"taken": "1980:01:01 00:00:00"}, None),
        ({"taken": "2026:11:26 00:00:00"}, None),
        ({"taken": "9999:12:31 23:59:59", "offset": "-14:00"}, None),
        ({"taken": "0001:01:01 00:00:00", "offset": "+14:00"}, None),
    ],
)
def test_capture_time(tags: dict[str, Any], expected: int | None) -> None:
    assert taken_at(**tags) == expected


def test_a_clock_that_is_a_little_fast_is_believed() -> None:
    assert taken_at(taken="2026:11:22 20:00:00") is not None


GOOD = {"latitude": dms((35, 1), (41, 1), (2222, 100)), "longitude": dms((139, 1), (41, 1), (3012, 100))}


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (GOOD, (35.6895056, 139.6917)),
        (GOOD | {"north": "S"}, (-35.6895056, 139.6917)),
        (GOOD | {"east": "W"}, (35.6895056, -139.6917)),
        (
            {"latitude": dms((35, 1), (413703, 10000)), "longitude": dms((139, 1), (415020, 10000))},
            (35.689505, 139.6917),
        ),
        ({"latitude": dms((35689505, 1000000)), "longitude": dms((1396917, 10000))}, (35.689505, 139.6917)),
        ({"latitude": dms((0, 1)), "longitude": dms((139, 1))}, (0, 139)),
        # a receiver without a fix
        ({"latitude": dms((0, 1)), "longitude": dms((0, 1))}, None),
        # the halves of a place are no place
        ({"latitude": GOOD["latitude"]}, None),
        ({"longitude": GOOD["longitude"]}, None),
        (GOOD | {"north": None}, None),
        (GOOD | {"east": "E2"}, None),
        (GOOD | {"east": "N"}, None),
        # rationals with a zero below, and without a zero that is a number
        (GOOD | {"latitude": dms((35, 0))}, None),
        (GOOD | {"latitude": dms((0, 0))}, None),
        (GOOD | {"latitude": dms((35, 1), (41, 1), (1, 0))}, None),
        # off the globe
        (GOOD | {"latitude": dms((91, 1))}, None),
        (GOOD | {"latitude": dms((90, 1), (0, 1), (1, 1))}, None),
        (GOOD | {"longitude": dms((181, 1))}, None),
        (GOOD | {"longitude": dms((4294967295, 1))}, None),
        (GOOD | {"longitude": dms((139, 1), (61, 1))}, None),
        # another number of parts
        (GOOD | {"latitude": ((35, 1),)}, None),
        (GOOD | {"latitude": ((35, 1), (1, 1), (1, 1), (1, 1))}, None),
    ],
)
def test_place(tags: dict[str, Any], expected: tuple[float, float] | None) -> None:
    assert facts(**tags).place == (pytest.approx(expected, abs=1e-7) if expected else None)


def test_a_real_photo_with_wrong_values_has_neither() -> None:
    # its GPSLatitude is one rational of 4294967295 without a longitude, its time stands in 2099
    with Image.open(sample("pillow/exif_gps.jpg")) as image:
        assert exif.read(image, NOW) == exif.Facts()


def test_the_rewritten_time_says_the_same_and_nothing_else() -> None:
    found = facts(taken="2026:05:01 08:30:00", offset="+05:30", subsec="641", maker="secret", **GOOD)
    assert found.taken is not None
    again = encoded(picture(), exif=found.taken.as_exif())
    with Image.open(io.BytesIO(again)) as image:
        assert dict(image.getexif()).keys() == {0x8769}
        assert image.getexif().get_ifd(0x8769) == {
            0x9000: b"0232",
            0x9003: "2026:05:01 08:30:00",
            0x9011: "+05:30",
            0x9291: "641",
        }
        assert exif.read(image, NOW) == exif.Facts(found.taken, None)
