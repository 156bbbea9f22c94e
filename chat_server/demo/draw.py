"""The demonstration's photographs: drawn, developed and stored as a phone would have stored them.

They carry what photos from the field carry: a capture time (with or without its offset), a place or none, and an
orientation that the stored pixels do not have. The places are arbitrary points in uninhabited hills: no street there
looks like this, and nobody's house is meant.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from chat_server.demo.dates import japanese
from chat_server.demo.painting import finish, street, trees, water, works
from chat_server.demo.painting.noise import seeded

Scene = Callable[[], tuple[Image.Image, ...]]

_THREADS: Final = 2
"""Drawing happens in the library's C code, outside the interpreter's lock: two cores draw two scenes."""
_QUALITY: Final = 84
_ORIENTATION: Final = 0x0112
_SOFTWARE: Final = 0x0131
_EXIF: Final = 0x8769
_TAKEN: Final = 0x9003
_OFFSET: Final = 0x9011
_GPS: Final = 0x8825
_STORED: Final = {
    1: None,
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}
"""How the pixels lie for an EXIF orientation."""


@dataclass(frozen=True, slots=True)
class Shot:
    """How one photo was taken. `place`: latitude and longitude in degrees."""

    orientation: int = 1
    place: tuple[float, float] | None = None
    offset: bool = True
    """whether the phone wrote down its distance from UTC"""
    warmth: float = 0.0
    exposure: float = 1.22
    saturation: float = 0.9


@dataclass(frozen=True, slots=True)
class Drawn:
    """A photo as a phone would hand it over."""

    name: str
    file_name: str
    jpeg: bytes


_HILL: Final = (37.0481, 139.1127)
_SAKAE: Final = (37.0612, 139.0894)
_RIVER: Final = (37.0557, 139.0981)

SHOTS: Final[dict[str, Shot]] = {
    "tree-1": Shot(place=_HILL),
    "tree-2": Shot(place=(37.0481, 139.1129)),
    "tree-3": Shot(orientation=6, place=(37.0482, 139.1126)),
    "tree-4": Shot(place=(37.0480, 139.1128), offset=False),
    "tree-5": Shot(place=_HILL),
    "tree-6": Shot(orientation=6, place=(37.0483, 139.1131)),
    "pothole-1": Shot(place=_SAKAE, warmth=4, exposure=1.12),
    "pothole-2": Shot(place=_SAKAE, warmth=4, exposure=1.12),
    "guardrail-1": Shot(place=(37.0402, 139.1210), warmth=5, exposure=1.08),
    "guardrail-2": Shot(orientation=3, place=(37.0402, 139.1210), warmth=5, exposure=1.08),
    "gutter-1": Shot(orientation=6, place=(37.0618, 139.0887), exposure=1.14),
    "gutter-2": Shot(orientation=8, place=(37.0618, 139.0887), exposure=1.14),
    "manhole-1": Shot(place=(37.0666, 139.0772), warmth=2, exposure=1.16),
    "sandbags-1": Shot(exposure=1.04, saturation=0.8),
    "river-1": Shot(place=_RIVER, offset=False),
    "river-2": Shot(place=_RIVER, saturation=0.8),
    "river-3": Shot(place=_RIVER, warmth=4, exposure=1.32, saturation=0.95),
    "underpass-1": Shot(place=(37.0569, 139.0915)),
    "underpass-2": Shot(place=(37.0569, 139.0915)),
    "trench-1": Shot(place=(37.0641, 139.0843), warmth=3, exposure=1.1),
    "trench-2": Shot(place=(37.0641, 139.0843), warmth=3, exposure=1.1),
    "plough-1": Shot(exposure=0.98, saturation=0.78, offset=False),
    "shelter-1": Shot(warmth=3, exposure=0.98, saturation=0.85),
}


def _fallen_tree() -> tuple[Image.Image, ...]:
    base = trees.hill_road()
    lying = trees.fallen(base)
    return lying, trees.guarded(lying), trees.cleared(base)


SCENES: Final[tuple[tuple[tuple[str, ...], Scene], ...]] = (
    (("tree-1", "tree-4", "tree-5"), _fallen_tree),
    (("tree-2",), lambda: (trees.trunk_close(),)),
    (("tree-3",), lambda: (trees.roots_close(),)),
    (("tree-6",), lambda: (trees.marked(),)),
    (("pothole-1", "pothole-2"), street.pothole),
    (("guardrail-1", "guardrail-2"), street.guardrail),
    (("gutter-1", "gutter-2"), street.gutter),
    (("manhole-1",), lambda: (street.manhole(),)),
    (("sandbags-1",), lambda: (street.sandbags(),)),
    (("river-1",), lambda: (water.river(high=False),)),
    (("river-2",), lambda: (water.river(high=True),)),
    (("river-3",), lambda: (water.river(high=False),)),
    (("underpass-1", "underpass-2"), water.underpass),
    (("trench-1", "trench-2"), works.trench),
    (("plough-1",), lambda: (works.plough(),)),
    (("shelter-1",), lambda: (works.shelter(),)),
)
"""What is drawn together: photos from one spot share their surroundings."""


def photographs(taken: Mapping[str, int]) -> Iterator[Drawn]:
    """Draw every photo named in `taken` (UTC milliseconds of its capture). Blocks for some seconds."""
    wanted = [(names, scene) for names, scene in SCENES if any(name in taken for name in names)]
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="renraku-drawing") as pool:
        for drawn in pool.map(lambda group: _scene(group[0], group[1], taken), wanted):
            yield from drawn


def _scene(names: tuple[str, ...], scene: Scene, taken: Mapping[str, int]) -> list[Drawn]:
    pictures = zip(names, scene(), strict=True)
    return [_develop(name, picture, taken[name]) for name, picture in pictures if name in taken]


def _develop(name: str, picture: Image.Image, at: int) -> Drawn:
    shot = SHOTS[name]
    seen = finish.developed(
        picture,
        seeded("sensor", name),
        warmth=shot.warmth,
        exposure=shot.exposure,
        saturation=shot.saturation,
        portrait=picture.width < picture.height,
    )
    turn = _STORED[shot.orientation]
    stored = seen if turn is None else seen.transpose(turn)
    out = io.BytesIO()
    stored.save(out, "JPEG", quality=_QUALITY, exif=_exif(shot, at))
    return Drawn(name, f"IMG_{japanese(at):%Y%m%d_%H%M%S}.jpg", out.getvalue())


def _exif(shot: Shot, at: int) -> Image.Exif:
    exif = Image.Exif()
    exif[_ORIENTATION] = shot.orientation
    exif[_SOFTWARE] = "Renraku demo (drawn)"
    details = exif.get_ifd(_EXIF)
    details[_TAKEN] = f"{japanese(at):%Y:%m:%d %H:%M:%S}"
    if shot.offset:
        details[_OFFSET] = "+09:00"
    if shot.place is not None:
        gps = exif.get_ifd(_GPS)
        gps[1], gps[2] = "N", _degrees(shot.place[0])
        gps[3], gps[4] = "E", _degrees(shot.place[1])
    return exif


def _degrees(value: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    degrees = int(value)
    minutes = int((value - degrees) * 60)
    seconds = round(((value - degrees) * 60 - minutes) * 60 * 100)
    return IFDRational(degrees), IFDRational(minutes), IFDRational(seconds, 100)
