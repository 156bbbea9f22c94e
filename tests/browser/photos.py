"""Photos as a phone would make them, drawn: with a capture time and a place."""

from __future__ import annotations

import io
from typing import Any, Final

from PIL import Image, ImageDraw

_EXIF_IFD: Final = 0x8769
_GPS_IFD: Final = 0x8825
_TAKEN: Final = 36867
_OFFSET: Final = 36881


def photo(number: int, width: int = 1600, height: int = 1200, *, grain: bool = False) -> dict[str, Any]:
    """A file for the browser. Each number has a colour and a minute of its own: 9:28 JST is number 0.

    `grain` makes it as heavy as a real one.
    """
    picture = Image.new("RGB", (width, height), (150 + number * 9, 180 - number * 6, 200))
    draw = ImageDraw.Draw(picture)
    draw.polygon([(0, height * 0.5), (width, height * 0.35), (width, height), (0, height)], (85 + number * 6, 100, 60))
    if grain:
        picture = Image.blend(picture, Image.effect_noise((width, height), 90).convert("RGB"), 0.5)
    exif = Image.Exif()
    exif.get_ifd(_EXIF_IFD).update({_TAKEN: f"2026:11:22 09:{28 + number}:00", _OFFSET: "+09:00"})
    exif.get_ifd(_GPS_IFD).update({1: "N", 2: (35.0, 40.0, 52.5), 3: "E", 4: (139.0, 46.0, 1.2)})
    target = io.BytesIO()
    picture.save(target, "JPEG", exif=exif, quality=88)
    return {"name": f"現場{number + 1}.jpg", "mimeType": "image/jpeg", "buffer": target.getvalue()}
