"""A road and its verges, drawn from above in metres and laid into the view."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from chat_server.demo.painting.camera import Camera
from chat_server.demo.painting.noise import Color, Stops, clouds, colored, contrast, grain, scaled, shaded, vertical

PER_METRE: Final = 24
NEAR: Final = 1.2
FAR: Final = 62.0
LEFT: Final = -13.0
RIGHT: Final = 13.0

ASPHALT: Stops = ((0, (70, 71, 73)), (128, (112, 112, 111)), (255, (156, 155, 151)))
OLD_ASPHALT: Stops = ((0, (96, 95, 92)), (128, (136, 134, 129)), (255, (176, 173, 166)))
WET_ASPHALT: Stops = ((0, (38, 41, 45)), (128, (66, 70, 75)), (255, (104, 109, 114)))
WHITE: Final[Color] = (222, 221, 214)

Curve = Callable[[float], float]
"""Distance in metres → how far the road's middle lies to the right."""


def straight(_: float) -> float:
    return 0.0


@dataclass(slots=True)
class Plan:
    """A picture of the ground from above."""

    image: Image.Image

    @classmethod
    def of(cls, rng: random.Random, stops: Stops, cell: float = 70) -> Plan:
        size = (int((RIGHT - LEFT) * PER_METRE), int((FAR - NEAR) * PER_METRE))
        return cls(colored(Image.blend(clouds(size, rng, cell, 6), grain(size, rng), 0.12), stops))

    def at(self, x: float, z: float) -> tuple[float, float]:
        """Metres to pixels of the plan."""
        return (x - LEFT) * PER_METRE, (FAR - z) * PER_METRE

    def strip(self, curve: Curve, left: float, right: float, near: float = NEAR, far: float = FAR) -> Image.Image:
        """A mask between two lines beside the curve."""
        zs = [near + (far - near) * i / 60 for i in range(61)]
        outline = [self.at(curve(z) + left, z) for z in zs] + [self.at(curve(z) + right, z) for z in reversed(zs)]
        mask = Image.new("L", self.image.size, 0)
        ImageDraw.Draw(mask).polygon(outline, fill=255)
        return mask

    def patch(self, points: Sequence[tuple[float, float]]) -> Image.Image:
        """A mask of a polygon in metres."""
        mask = Image.new("L", self.image.size, 0)
        ImageDraw.Draw(mask).polygon([self.at(x, z) for x, z in points], fill=255)
        return mask

    def paint(self, mask: Image.Image, paint: Image.Image | Color) -> None:
        layer = paint if isinstance(paint, Image.Image) else Image.new("RGB", self.image.size, paint)
        self.image.paste(layer, (0, 0), mask)

    def worn(self, mask: Image.Image, rng: random.Random, wear: int) -> Image.Image:
        """Paint that has come off in places; `wear` 0–255."""
        noise = Image.blend(clouds(mask.size, rng, 60, 4), grain(mask.size, rng), 0.35)
        return ImageChops.multiply(mask, contrast(noise, wear - 30, wear + 60))


def asphalt(
    plan: Plan, rng: random.Random, curve: Curve, half: float, stops: Stops, *, edge_noise: float = 0.12
) -> None:
    """The carriageway with wheel tracks and a crumbling edge."""
    size = plan.image.size
    shape = plan.strip(curve, -half, half)
    soft = shape.filter(ImageFilter.GaussianBlur(edge_noise * PER_METRE))
    shape = contrast(Image.blend(soft, clouds(size, rng, 16, 3), 0.25), 100, 140)
    level = Image.blend(clouds(size, rng, 150, 4, stretch=0.4), grain(size, rng).filter(ImageFilter.BoxBlur(0.6)), 0.5)
    tracks = Image.new("L", size, 128)
    for middle in (-half * 0.72, -half * 0.28, half * 0.28, half * 0.72):
        tracks.paste(116, (0, 0), plan.strip(curve, middle - 0.28, middle + 0.28))
    surface = shaded(colored(contrast(level, 10, 245), stops), tracks.filter(ImageFilter.GaussianBlur(9)), 1.4)
    plan.paint(shape, surface)


def lines(plan: Plan, rng: random.Random, curve: Curve, half: float, *, wear: int = 60, centre: bool = True) -> None:
    """White lines at both sides and broken ones in the middle."""
    mask = Image.new("L", plan.image.size, 0)
    for side in (-half + 0.35, half - 0.35):
        mask = ImageChops.lighter(mask, plan.strip(curve, side - 0.075, side + 0.075))
    if centre:
        z = NEAR
        while z < FAR:
            mask = ImageChops.lighter(mask, plan.strip(curve, -0.075, 0.075, z, min(FAR, z + 5)))
            z += 10
    plan.paint(plan.worn(mask, rng, wear), WHITE)


def cracks(plan: Plan, rng: random.Random, around: tuple[float, float], reach: float, count: int) -> None:
    """Cracks that wander outwards from a place, in metres."""
    mask = Image.new("L", plan.image.size, 0)
    draw = ImageDraw.Draw(mask)
    for _ in range(count):
        x, z = around
        dx, dz = rng.uniform(-1, 1), rng.uniform(-1, 1)
        for _ in range(int(reach * 9)):
            nx, nz = x + dx * 0.12 + rng.uniform(-0.08, 0.08), z + dz * 0.12 + rng.uniform(-0.08, 0.08)
            draw.line([plan.at(x, z), plan.at(nx, nz)], fill=255, width=1)
            x, z = nx, nz
    plan.paint(scaled(mask.filter(ImageFilter.GaussianBlur(0.5)), 0.9), (40, 39, 38))


def lay(picture: Image.Image, camera: Camera, plan: Plan, rng: random.Random, rough: float = 0.16) -> None:
    """Lay the plan into the view; close by, where the plan is too coarse, grain stands for the stones."""
    seen, mask = camera.ground(plan.image, LEFT, NEAR, PER_METRE)
    size = camera.size
    beyond = plan.image.crop((0, 0, 40, 400)).resize((1, 1), Image.Resampling.BOX).resize(size)
    beyond = shaded(beyond, clouds(size, rng, 30, 3, stretch=6), 0.14)
    land = Image.new("L", size, 0)
    land.paste(255, (0, max(0, int(camera.v0) + 1), *size))
    picture.paste(beyond, (0, 0), land)
    top = max(0, int(camera.v0))
    close = vertical((size[0], size[1] - top), 0 if camera.v0 >= 0 else 90, 255)
    weight = Image.new("L", size, 0)
    weight.paste(scaled(close, 1.5, -60), (0, top))
    stones = Image.blend(
        grain(size, rng).filter(ImageFilter.GaussianBlur(0.8)),
        clouds(size, rng, 6, 2, stretch=1.7),
        0.45,
    )
    detailed = shaded(seen, contrast(stones, 60, 196), rough * 2.2)
    picture.paste(Image.composite(detailed, seen, weight), (0, 0), mask)


def puddle(
    picture: Image.Image,
    camera: Camera,
    rng: random.Random,
    mask: Image.Image,
    *,
    tint: Color,
    amount: float = 0.6,
    rough: float = 0.16,
) -> None:
    """Water within `mask`: the upper half of the picture upside down, blurred and rippled, in the water's colour."""
    height = picture.height - int(camera.v0)
    above = picture.crop((0, max(0, int(camera.v0) - height), picture.width, int(camera.v0)))
    flipped = above.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize((picture.width, height))
    flipped = flipped.filter(ImageFilter.GaussianBlur(3))
    water = picture.copy()
    water.paste(Image.blend(Image.new("RGB", flipped.size, tint), flipped, amount), (0, int(camera.v0)))
    ripples = clouds(picture.size, rng, 22, 4, stretch=6).filter(ImageFilter.GaussianBlur(0.8))
    water = shaded(water, contrast(ripples, 40, 216), rough)
    picture.paste(water, (0, 0), mask)
