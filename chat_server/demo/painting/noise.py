"""Grain, clouds and the colours they become: what keeps a drawn surface from looking drawn."""

from __future__ import annotations

import random
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageOps

Color = tuple[int, int, int]
Size = tuple[int, int]
Stops = Sequence[tuple[int, Color]]
"""(level 0–255, colour), rising."""


def seeded(*parts: object) -> random.Random:
    """A generator of its own for each use: drawing one thing more does not change its neighbours."""
    return random.Random("/".join(map(str, parts)))  # noqa: S311 - pictures, not secrets


def grain(size: Size, rng: random.Random) -> Image.Image:
    """White noise, one byte a pixel."""
    return Image.frombytes("L", size, rng.randbytes(size[0] * size[1]))


def clouds(size: Size, rng: random.Random, cell: float, octaves: int = 4, stretch: float = 1.0) -> Image.Image:
    """Fractal noise over the whole range. `cell`: pixels of the coarsest feature; `stretch`: wider than high."""
    total = grain((2, 2), rng)
    for octave in range(octaves):
        feature = max(1.0, cell / 2 ** (octave + 1))
        # Each octave is added at its own coarseness: only the last one is as large as the picture.
        wide = size[0] if octave == octaves - 1 else max(2, int(size[0] / (feature * stretch)) + 1)
        high = size[1] if octave == octaves - 1 else max(2, int(size[1] / feature) + 1)
        total = total.resize((wide, high), Image.Resampling.BICUBIC)
        if feature > 1 and octave == octaves - 1:
            small = (int(wide / (feature * stretch)) + 2, int(high / feature) + 2)
            layer = grain(small, rng).resize((wide, high), Image.Resampling.BILINEAR)
        else:
            layer = grain((wide, high), rng)
        total = layer if octave == 0 else Image.blend(total, layer, 0.38)
    return ImageOps.autocontrast(total, cutoff=0.5)


def ramp(stops: Stops) -> list[list[int]]:
    """Three tables of 256, one a channel, straight between the stops."""
    tables: list[list[int]] = []
    for channel in range(3):
        table = []
        for level in range(256):
            table.append(_between(stops, level, channel))
        tables.append(table)
    return tables


def _between(stops: Stops, level: int, channel: int) -> int:
    before = stops[0]
    for stop in stops:
        if stop[0] >= level:
            span = stop[0] - before[0]
            part = (level - before[0]) / span if span else 0.0
            return round(before[1][channel] + (stop[1][channel] - before[1][channel]) * part)
        before = stop
    return before[1][channel]


def colored(levels: Image.Image, stops: Stops) -> Image.Image:
    """Grey levels as colours."""
    return Image.merge("RGB", [levels.point(table) for table in ramp(stops)])


def contrast(levels: Image.Image, low: int, high: int) -> Image.Image:
    """What is at `low` becomes 0, at `high` 255: a soft threshold."""
    span = max(1, high - low)
    return levels.point([max(0, min(255, (level - low) * 255 // span)) for level in range(256)])


def scaled(levels: Image.Image, factor: float, offset: float = 0.0) -> Image.Image:
    """Each level times `factor` plus `offset`, kept within 0–255."""
    return levels.point([max(0, min(255, round(level * factor + offset))) for level in range(256)])


def vertical(size: Size, top: int, bottom: int) -> Image.Image:
    """A grey ramp from `top` to `bottom`."""
    column = Image.new("L", (1, 256))
    column.putdata([round(top + (bottom - top) * y / 255) for y in range(256)])
    return column.resize(size, Image.Resampling.BILINEAR)


def shaded(picture: Image.Image, light: Image.Image, strength: float = 1.0) -> Image.Image:
    """Darker and lighter by `light` (128 leaves it as it is)."""
    half = light.point([max(0, min(255, round(128 + (level - 128) * strength))) for level in range(256)])
    gray = Image.merge("RGB", [half] * 3)
    return ImageChops.overlay(picture, gray)


def shifted(levels: Image.Image, dx: int, dy: int) -> Image.Image:
    """Moved by some pixels; what was outside stays as it is (`ImageChops.offset` would wrap around)."""
    moved = levels.copy()
    moved.paste(levels, (dx, dy))
    return moved
