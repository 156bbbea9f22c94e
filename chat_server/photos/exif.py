"""When and where a photo was taken. Nothing else of its metadata leaves this module.

Tags and their forms: CIPA DC-008 (Exif 2.32), sections 4.6.5 and 4.6.6. Cameras and editing programs write them badly,
so whatever is out of range counts as absent, and no fault in here costs anybody the photo.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from PIL import Image

_EXIF_IFD: Final = 0x8769
_GPS_IFD: Final = 0x8825
_VERSION: Final = 0x9000
_DATE_TIME_ORIGINAL: Final = 0x9003
_OFFSET_ORIGINAL: Final = 0x9011
_SUBSEC_ORIGINAL: Final = 0x9291
_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE = 1, 2, 3, 4

# A camera's clock has no zone of its own and the people here carry theirs in Japan, which has had no summer time
# since 1951: a fixed offset needs no zone files, which the confined decoder could not open.
_TOKYO: Final = timezone(timedelta(hours=9))
_EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
_CLOCK_SKEW: Final = timedelta(days=2)
_DATE_TIME: Final = re.compile(r"(\d{4})[:/-](\d\d)[:/-](\d\d)[ T](\d\d):(\d\d):(\d\d)", re.ASCII)
_OFFSET: Final = re.compile(r"([+-])(\d\d):?(\d\d)", re.ASCII)
_FURTHEST_OFFSET: Final = timedelta(hours=14)


@dataclass(frozen=True, slots=True)
class Taken:
    """A capture time with its offset."""

    moment: datetime

    @property
    def utc_ms(self) -> int:
        """UTC milliseconds."""
        return (self.moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)

    def as_exif(self) -> bytes:
        """An Exif block that holds this time and nothing that came from the photo."""
        exif = Image.Exif()
        offset = f"{self.moment:%z}"
        exif[_EXIF_IFD] = {
            _VERSION: b"0232",
            _DATE_TIME_ORIGINAL: f"{self.moment:%Y:%m:%d %H:%M:%S}",
            _OFFSET_ORIGINAL: f"{offset[:3]}:{offset[3:5]}",
            _SUBSEC_ORIGINAL: f"{self.moment.microsecond // 1000:03}",
        }
        return exif.tobytes()


@dataclass(frozen=True, slots=True)
class Facts:
    """What a photo says about itself."""

    taken: Taken | None = None
    place: tuple[float, float] | None = None
    """latitude and longitude in decimal degrees, WGS 84"""


def read(image: Image.Image, now: datetime) -> Facts:
    """Time and place from an image that was opened (and loaded: PNG may carry Exif after its pixels)."""
    try:
        exif = image.getexif()
    except Exception:
        return Facts()
    return Facts(_taken(_ifd(exif, _EXIF_IFD), now), _place(_ifd(exif, _GPS_IFD)))


def tells_place(image: Image.Image) -> bool:
    """Whether it says anything of a place, believable or not."""
    try:
        return bool(_ifd(image.getexif(), _GPS_IFD))
    except Exception:
        return False


def _ifd(exif: Image.Exif, which: int) -> dict[int, Any]:
    # the parser meets offsets and types of a stranger's choice and raises whatever it runs into
    try:
        return dict(exif.get_ifd(which))
    except Exception:
        return {}


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return value.strip("\0 ") if isinstance(value, str) else ""


def _taken(tags: dict[int, Any], now: datetime) -> Taken | None:
    found = _DATE_TIME.fullmatch(_text(tags.get(_DATE_TIME_ORIGINAL)))
    if found is None:
        return None
    subsec = re.match(r"\d{1,3}", _text(tags.get(_SUBSEC_ORIGINAL)), re.ASCII)
    milliseconds = int(subsec[0].ljust(3, "0")) if subsec else 0
    try:
        moment = datetime(*map(int, found.groups()), milliseconds * 1000, tzinfo=_offset(tags))  # type: ignore[misc,arg-type]
    except ValueError:
        return None
    return Taken(moment) if _EARLIEST <= moment <= now + _CLOCK_SKEW else None


def _offset(tags: dict[int, Any]) -> timezone:
    found = _OFFSET.fullmatch(_text(tags.get(_OFFSET_ORIGINAL)))
    if found is None:
        return _TOKYO
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    if offset > _FURTHEST_OFFSET or int(found[3]) > 59:
        return _TOKYO
    return timezone(-offset if found[1] == "-" else offset)


def _place(tags: dict[int, Any]) -> tuple[float, float] | None:
    latitude = _degrees(tags.get(_LATITUDE), tags.get(_LATITUDE_REF), "NS", 90)
    longitude = _degrees(tags.get(_LONGITUDE), tags.get(_LONGITUDE_REF), "EW", 180)
    # 0° 0° is what a receiver without a fix writes
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return None
    return latitude, longitude


def _degrees(value: object, reference: object, signs: str, furthest: int) -> float | None:
    """Decimal degrees of three rationals (degrees, minutes, seconds) and a letter; None if it is not a place."""
    letter = _text(reference).upper()
    if not isinstance(value, tuple) or len(value) != 3 or len(letter) != 1 or letter not in signs:
        return None
    try:
        degrees, minutes, seconds = (float(part) for part in value)
    except (TypeError, ValueError, ArithmeticError):
        return None
    # a zero denominator arrives as nan; nan fails every comparison
    if not (0 <= degrees <= furthest and 0 <= minutes <= 60 and 0 <= seconds <= 60):
        return None
    result = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(result) or result > furthest:
        return None
    return round(-result if letter == signs[1] else result, 7)
