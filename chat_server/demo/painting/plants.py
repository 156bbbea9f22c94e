"""Sky, hills, trees, grass: everything that grows or drifts."""

from __future__ import annotations

import random
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from chat_server.demo.painting.noise import Color, Size, Stops, clouds, colored, contrast, shaded, shifted, vertical

FINE: Stops = ((0, (92, 138, 190)), (140, (150, 186, 220)), (255, (214, 226, 234)))
OVERCAST: Stops = ((0, (140, 148, 156)), (128, (178, 184, 189)), (255, (214, 217, 219)))
STORM: Stops = ((0, (92, 100, 108)), (128, (136, 143, 149)), (255, (184, 188, 190)))

LEAVES: Stops = ((0, (18, 25, 16)), (90, (48, 62, 34)), (170, (88, 104, 58)), (255, (148, 158, 104)))
STORM_LEAVES: Stops = ((0, (14, 20, 16)), (90, (36, 50, 34)), (170, (68, 86, 56)), (255, (112, 126, 90)))
AUTUMN: Stops = ((0, (34, 22, 12)), (90, (92, 62, 28)), (170, (150, 104, 46)), (255, (196, 156, 82)))
GRASS: Stops = ((0, (48, 54, 32)), (120, (92, 101, 60)), (255, (146, 150, 98)))
STORM_GRASS: Stops = ((0, (38, 45, 30)), (120, (76, 86, 56)), (255, (118, 124, 88)))
DRY_GRASS: Stops = ((0, (74, 64, 40)), (120, (132, 120, 76)), (255, (186, 174, 122)))
EARTH: Stops = ((0, (52, 40, 28)), (128, (104, 84, 60)), (255, (158, 136, 104)))


def sky(size: Size, rng: random.Random, stops: Stops, horizon: float) -> Image.Image:
    """Brighter towards the horizon, with layers of cloud that flatten there."""
    high = clouds((size[0] // 2, size[1] // 2), rng, size[1] / 2, 5, stretch=2.2)
    high = high.filter(ImageFilter.GaussianBlur(3)).resize(size, Image.Resampling.BICUBIC)
    haze = vertical((size[0], max(1, int(size[1] * horizon))), 40, 225)
    light = Image.new("L", size, 225)
    light.paste(haze, (0, 0))
    return colored(Image.blend(high, light, 0.55), stops)


def ridge(width: int, rng: random.Random, level: float, rise: float, cell: float) -> list[tuple[float, float]]:
    """The outline of far hills: (x, y) from left to right."""
    points = max(4, int(width / cell))
    heights = [level - rise * rng.random() for _ in range(points + 2)]
    outline = []
    for x in range(0, width + 8, 8):
        place = x / width * points
        i = int(place)
        part = place - i
        smooth = part * part * (3 - 2 * part)
        outline.append((float(x), heights[i] + (heights[i + 1] - heights[i]) * smooth))
    return outline


def hills(picture: Image.Image, rng: random.Random, level: float, rise: float, color: Color, cell: float = 260) -> None:
    """Wooded hills: a ragged edge and a little texture, in the haze's `color`."""
    size = picture.size
    outline = ridge(size[0], rng, level, rise, cell)
    shape = Image.new("L", size, 0)
    ImageDraw.Draw(shape).polygon([*outline, (size[0], size[1]), (0, size[1])], fill=255)
    shape = ragged(shape, rng, 5, 9).filter(ImageFilter.GaussianBlur(0.7))
    relief = clouds(size, rng, 34, 3, stretch=1.5).filter(ImageFilter.GaussianBlur(1.6))
    surface = shaded(Image.new("RGB", size, color), relief, 0.3)
    picture.paste(surface, (0, 0), shape)


def ragged(shape: Image.Image, rng: random.Random, blur: float, cell: float) -> Image.Image:
    """A shape whose edge is broken up by noise, as leaves and grass break it."""
    soft = shape.filter(ImageFilter.GaussianBlur(blur))
    noise = clouds(shape.size, rng, cell, 3)
    return contrast(Image.blend(soft, noise, 0.42), 112, 140)


def foliage(
    picture: Image.Image,
    rng: random.Random,
    shape: Image.Image,
    stops: Stops,
    *,
    cell: float = 40,
    light_from: tuple[int, int] = (8, 20),
    edge: float = 9,
) -> None:
    """Leaves within `shape`: clumps with light on their upper side, holes and a broken edge."""
    box = _around(shape, round(edge * 3))
    if box is None:
        return
    shape = shape.crop(box)
    size = shape.size
    mask = ragged(shape, rng, edge, cell * 0.5)
    fine = clouds(size, rng, cell, 5)
    clumps = clouds(size, rng, cell * 2.2, 3)
    relief = ImageChops.subtract(clumps, shifted(clumps, *light_from), 1.0, 128)
    level = Image.blend(Image.blend(fine, clumps, 0.35), relief, 0.38)
    body = shape.filter(ImageFilter.BoxBlur(edge * 4))
    level = Image.blend(level, ImageChops.subtract(body, shifted(body, 0, round(edge * 5)), 1.0, 104), 0.3)
    picture.paste(colored(contrast(level, 60, 200), stops), box[:2], mask)


def _around(shape: Image.Image, margin: int) -> tuple[int, int, int, int] | None:
    """What `shape` covers, with a margin, within the picture; None if nothing."""
    box = shape.getbbox()
    if box is None:
        return None
    left, top = max(0, box[0] - margin), max(0, box[1] - margin)
    return left, top, min(shape.width, box[2] + margin), min(shape.height, box[3] + margin)


def blobs(size: Size, places: Sequence[tuple[float, float, float, float]]) -> Image.Image:
    """A mask of ellipses (x, y, half width, half height)."""
    shape = Image.new("L", size, 0)
    draw = ImageDraw.Draw(shape)
    for x, y, rx, ry in places:
        draw.ellipse((x - rx, y - ry, x + rx, y + ry), fill=255)
    return shape


def crown(rng: random.Random, x: float, y: float, r: float, count: int = 9) -> list[tuple[float, float, float, float]]:
    """The lumps of one tree's crown around (x, y)."""
    lumps = [(x, y, r * 0.75, r * 0.65)]
    for _ in range(count):
        lumps.append((x + rng.uniform(-0.7, 0.7) * r, y + rng.uniform(-0.6, 0.5) * r, r * 0.45, r * 0.38))
    return lumps


def treeline(
    picture: Image.Image, rng: random.Random, left: float, right: float, base: float, height: float, stops: Stops
) -> None:
    """A row of trees and bushes standing on `base`, from `left` to `right`."""
    lumps: list[tuple[float, float, float, float]] = []
    x = left
    while x < right:
        tall = height * rng.uniform(0.55, 1.0)
        lumps += crown(rng, x, base - tall * 0.55, tall * 0.55, 7)
        lumps.append((x, base - tall * 0.15, tall * 0.45, tall * 0.3))
        x += height * rng.uniform(0.3, 0.55)
    foliage(picture, rng, blobs(picture.size, lumps), stops, cell=max(10.0, height * 0.2), edge=max(3, height * 0.05))


def blades(
    picture: Image.Image, rng: random.Random, places: Sequence[tuple[float, float, float]], colors: Sequence[Color]
) -> None:
    """Single blades of grass: (x, y, length), leaning a little."""
    draw = ImageDraw.Draw(picture)
    for x, y, length in places:
        lean = rng.uniform(-0.5, 0.5) * length
        width = 1 if length < 16 else 2
        middle = (x + lean * 0.3, y - length * 0.6)
        draw.line([(x, y), middle, (x + lean, y - length)], fill=rng.choice(list(colors)), width=width)


def debris(
    picture: Image.Image, rng: random.Random, places: Sequence[tuple[float, float, float]], stops: Stops
) -> None:
    """Fallen leaves and twigs: (x, y, size)."""
    draw = ImageDraw.Draw(picture)
    colors = [stop[1] for stop in stops[1:]]
    for x, y, size in places:
        wide, flat = size * rng.uniform(0.5, 1.2), size * rng.uniform(0.2, 0.45)
        color = rng.choice(colors[:2])
        if rng.random() < 0.25:
            draw.line((x - wide * 1.4, y, x + wide * 1.4, y + rng.uniform(-1, 1) * wide), fill=(52, 42, 32), width=1)
        else:
            draw.ellipse((x - wide, y - flat, x + wide, y + flat), fill=color)
