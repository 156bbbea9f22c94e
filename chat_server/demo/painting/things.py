"""What people put on a road: guardrails, cones, barriers, signs."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from chat_server.demo.painting.camera import Camera, Point
from chat_server.demo.painting.noise import Color, clouds, colored, scaled, shaded

STEEL: Final[Color] = (196, 198, 196)
CONE: Final[Color] = (206, 62, 34)
_BEAM: Final = ((0.0, 0.72), (0.12, 1.06), (0.3, 0.84), (0.44, 0.58), (0.56, 1.0), (0.74, 0.82), (0.9, 0.5), (1.0, 0.4))
"""Down a W-beam: (part of its height, brightness)."""


def guardrail(
    picture: Image.Image,
    camera: Camera,
    rng: random.Random,
    path: Sequence[tuple[float, float]],
    *,
    color: Color = STEEL,
    tops: Sequence[float] | None = None,
    posts: float = 4.0,
) -> None:
    """A W-beam along `path` (x, z in metres, near to far). `tops`: its upper edge at each point, 0.8 m if whole."""
    draw = ImageDraw.Draw(picture)
    heights = tops or [0.8] * len(path)
    travelled = posts
    for i in range(len(path) - 1, -1, -1):
        x, z = path[i]
        if i + 1 < len(path):
            travelled += abs(path[i + 1][1] - z)
        if travelled >= posts:
            travelled = 0
            _post(draw, camera, x + 0.12, z, heights[i] - 0.05, color)
    for i in range(len(path) - 1, 0, -1):
        (x0, z0), (x1, z1) = path[i - 1], path[i]
        for (part0, _), (part1, bright) in pairwise(_BEAM):
            corners = [
                camera.see(x0, heights[i - 1] - 0.35 * part0, z0),
                camera.see(x1, heights[i] - 0.35 * part0, z1),
                camera.see(x1, heights[i] - 0.35 * part1, z1),
                camera.see(x0, heights[i - 1] - 0.35 * part1, z0),
            ]
            draw.polygon(corners, fill=dim(color, bright * rng.uniform(0.96, 1.02)))


def _post(draw: ImageDraw.ImageDraw, camera: Camera, x: float, z: float, top: float, color: Color) -> None:
    half = 0.06
    for part, bright in ((-1.0, 0.55), (-0.4, 0.85), (0.2, 0.6), (0.6, 0.38)):
        left, low = camera.see(x + half * part, 0, z)
        right, high = camera.see(x + half, top, z)
        draw.rectangle((left, high, right, low), fill=dim(color, bright))


def stand(
    picture: Image.Image, camera: Camera, sprite: Image.Image, x: float, z: float, height: float, lift: float = 0.0
) -> None:
    """Put an upright picture (RGBA) of `height` metres on the ground, with its shadow where it touches."""
    u, v = camera.see(x, lift, z)
    high = max(2, round(height * camera.scale(z)))
    wide = max(2, round(high * sprite.width / sprite.height))
    shadow = Image.new("L", (wide * 2, max(4, wide // 2)), 0)
    ImageDraw.Draw(shadow).ellipse((wide * 0.3, wide * 0.08, wide * 1.8, wide * 0.42), fill=150)
    shadow = shadow.filter(ImageFilter.GaussianBlur(max(1, wide / 14)))
    ground = Image.new("RGB", shadow.size, (18, 18, 20))
    if lift == 0.0:
        picture.paste(ground, (round(u - wide), round(v - shadow.height * 0.62)), shadow)
    small = sprite.resize((wide, high), Image.Resampling.LANCZOS)
    picture.paste(small.convert("RGB"), (round(u - wide / 2), round(v - high)), small.getchannel("A"))


def cone_sprite(rng: random.Random, color: Color = CONE) -> Image.Image:
    """A traffic cone with two white bands and a black foot."""
    w, h = 150, 270
    shape = Image.new("L", (w, h), 0)
    ImageDraw.Draw(shape).polygon([(66, 4), (84, 4), (118, 238), (32, 238)], fill=255)
    body = Image.new("RGB", (w, h), color)
    draw = ImageDraw.Draw(body)
    for top, bottom in ((66, 112), (148, 192)):
        draw.rectangle((0, top, w, bottom), fill=(226, 224, 216))
    body = _round(body, rng, 0.22)
    out = Image.new("RGBA", (w, h), (0, 0, 0, 0))
    foot = ImageDraw.Draw(out)
    foot.polygon([(18, 236), (132, 236), (144, 266), (6, 266)], fill=(34, 34, 36, 255))
    foot.polygon([(22, 232), (128, 232), (134, 240), (16, 240)], fill=(60, 60, 62, 255))
    out.paste(body, (0, 0), shape.filter(ImageFilter.GaussianBlur(0.8)))
    return out


def barrier_sprite(rng: random.Random) -> Image.Image:
    """An A-shaped barrier: a board of yellow and black on two legs."""
    w, h = 360, 240
    out = Image.new("RGBA", (w, h), (0, 0, 0, 0))
    draw = ImageDraw.Draw(out)
    for x in (52, w - 52):
        draw.line([(x, 40), (x - 34, h - 4)], fill=(196, 160, 30, 255), width=11)
        draw.line([(x, 40), (x + 30, h - 10)], fill=(150, 122, 24, 255), width=9)
    board = Image.new("RGB", (w, 74), (222, 180, 34))
    stripes = ImageDraw.Draw(board)
    for x in range(-80, w, 76):
        stripes.polygon([(x, 74), (x + 38, 74), (x + 78, 0), (x + 40, 0)], fill=(32, 31, 30))
    board = shaded(board, clouds(board.size, rng, 40, 3), 0.3)
    out.paste(board, (0, 34))
    return out


def sign_sprite(rng: random.Random) -> Image.Image:
    """A closed-road sign on a stand: a red ring with a cross."""
    w, h = 260, 420
    out = Image.new("RGBA", (w, h), (0, 0, 0, 0))
    draw = ImageDraw.Draw(out)
    draw.line([(104, 230), (72, h - 4)], fill=(150, 150, 150, 255), width=9)
    draw.line([(156, 230), (188, h - 4)], fill=(122, 122, 122, 255), width=9)
    board = Image.new("RGB", (w, 270), (232, 231, 226))
    face = ImageDraw.Draw(board)
    face.ellipse((30, 22, 230, 222), fill=(190, 36, 32))
    face.ellipse((58, 50, 202, 194), fill=(230, 229, 226))
    face.line([(82, 74), (178, 170)], fill=(190, 36, 32), width=24)
    face.line([(178, 74), (82, 170)], fill=(190, 36, 32), width=24)
    face.rectangle((24, 234, 236, 258), fill=(40, 70, 140))
    board = shaded(board, clouds(board.size, rng, 70, 3), 0.22)
    out.paste(board, (0, 0))
    return out


def _round(body: Image.Image, rng: random.Random, dirt: float) -> Image.Image:
    """Light from the left on something round, with some dirt."""
    w, h = body.size
    row = Image.new("L", (w, 1))
    row.putdata([round(70 + 130 * max(0.0, 1 - abs(x / w - 0.36) * 2.1)) for x in range(w)])
    lit = shaded(body, row.resize((w, h)), 0.9)
    return shaded(lit, clouds((w, h), rng, 44, 4), dirt)


def shadow(picture: Image.Image, mask: Image.Image, blur: float, depth: float) -> None:
    """Darken what lies under `mask`."""
    box = mask.getbbox()
    if box is None:
        return
    reach = round(blur * 3)
    around = (box[0] - reach, box[1] - reach, box[2] + reach, box[3] + reach)
    soft = scaled(mask.crop(around).filter(ImageFilter.GaussianBlur(blur)), depth)
    picture.paste((14, 16, 18), around, soft)


def slab(
    picture: Image.Image,
    rng: random.Random,
    corners: Sequence[Point],
    stops: Sequence[tuple[int, Color]],
    *,
    cell: float = 30,
) -> Image.Image:
    """A flat thing with a surface, between `corners` (pixels); answers its mask."""
    mask = Image.new("L", picture.size, 0)
    ImageDraw.Draw(mask).polygon(list(corners), fill=255)
    box = mask.getbbox()
    if box is None:
        return mask
    size = (box[2] - box[0], box[3] - box[1])
    level = Image.blend(clouds(size, rng, cell, 4), Image.new("L", size, 128), 0.25).filter(
        ImageFilter.GaussianBlur(1.2)
    )
    picture.paste(colored(level, stops), box[:2], mask.crop(box))
    return mask


def dim(color: Color, factor: float) -> Color:
    """The colour in more or less light."""
    r, g, b = (min(255, max(0, round(channel * factor))) for channel in color)
    return r, g, b


def union(*masks: Image.Image) -> Image.Image:
    total = masks[0]
    for mask in masks[1:]:
        total = ImageChops.lighter(total, mask)
    return total
