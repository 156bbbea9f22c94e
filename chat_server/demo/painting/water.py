"""Rain: the underpass under water and afterwards, the river twice."""

from __future__ import annotations

import math
import random

from PIL import Image, ImageDraw, ImageFilter

from chat_server.demo.painting import plants, road, things
from chat_server.demo.painting.camera import Camera
from chat_server.demo.painting.noise import Stops, clouds, colored, contrast, scaled, seeded, shaded, vertical
from chat_server.demo.painting.street import CONCRETE

UNDER = Camera(horizon=0.46, eye=1.7, focal=760)
BRIDGE = Camera(horizon=0.3, eye=6.5, focal=760)
MUD: Stops = ((0, (58, 48, 34)), (128, (104, 88, 64)), (255, (156, 138, 108)))


def _underpass(rng: random.Random) -> Image.Image:
    """A road that dips under a railway between two walls."""
    picture = plants.sky(UNDER.size, rng, plants.STORM, UNDER.horizon)
    plants.treeline(picture, rng, -60, 1090, UNDER.v0 - 96, 120, plants.STORM_LEAVES)
    plan = road.Plan.of(rng, CONCRETE, 60)
    road.asphalt(plan, rng, road.straight, 3.3, road.WET_ASPHALT, edge_noise=0.02)
    road.lines(plan, rng, road.straight, 3.3, wear=100)
    road.lay(picture, UNDER, plan, rng, rough=0.12)
    for side in (-1, 1):
        _wall(picture, rng, side)
    _portal(picture, rng)
    return picture


def _wall(picture: Image.Image, rng: random.Random, side: int) -> None:
    x = 4.1 * side
    near, far = 1.9, 19.0
    corners = [UNDER.see(x, 1.2, near), UNDER.see(x, 4.4, far), UNDER.see(x, 0, far), UNDER.see(x, 0, near)]
    things.slab(picture, rng, corners, CONCRETE, cell=90)
    mask = Image.new("L", picture.size, 0)
    ImageDraw.Draw(mask).polygon(corners, fill=255)
    stains = contrast(clouds(picture.size, rng, 60, 4, stretch=0.3), 120, 220)
    dark = Image.composite(scaled(stains, 0.5), Image.new("L", picture.size, 0), mask)
    picture.paste(Image.new("RGB", picture.size, (48, 50, 46)), (0, 0), dark)
    draw = ImageDraw.Draw(picture)
    for z in (2.5, 3.4, 4.6, 6.2, 8.4, 11.4, 15):
        draw.line(
            [UNDER.see(x, 1.2 + (z - near) * 3.2 / (far - near), z), UNDER.see(x, 0, z)], fill=(96, 94, 90), width=2
        )


def _portal(picture: Image.Image, rng: random.Random) -> None:
    z = 19.0
    hole = [UNDER.see(-4.1, 3.6, z), UNDER.see(4.1, 3.6, z), UNDER.see(4.1, 0, z), UNDER.see(-4.1, 0, z)]
    things.slab(picture, rng, hole, ((0, (12, 13, 15)), (255, (36, 38, 42))), cell=80)
    way_out = [UNDER.see(x, y, 40) for x, y in ((-4.0, 3.5), (4.0, 3.5), (4.0, 1.1), (-4.0, 1.1))]
    things.slab(picture, rng, way_out, ((0, (96, 106, 104)), (255, (150, 158, 158))), cell=30)
    ramp = [UNDER.see(x, y, 40) for x, y in ((-2.2, 1.1), (2.2, 1.1), (4.0, 0), (-4.0, 0))]
    things.slab(picture, rng, ramp, ((0, (58, 62, 66)), (255, (96, 100, 104))), cell=30)
    deck = [UNDER.see(-9, 5.6, z), UNDER.see(9, 5.6, z), UNDER.see(9, 3.6, z), UNDER.see(-9, 3.6, z)]
    things.slab(picture, rng, deck, ((0, (92, 96, 100)), (128, (128, 132, 134)), (255, (156, 160, 160))), cell=70)
    draw = ImageDraw.Draw(picture)
    left, right = UNDER.see(-4.1, 3.6, z), UNDER.see(4.1, 3.2, z)
    for k in range(22):
        x = left[0] + (right[0] - left[0]) * k / 22
        step = (right[0] - left[0]) / 22
        draw.polygon([(x, right[1]), (x + step / 2, right[1]), (x + step, left[1]), (x + step / 2, left[1])],
                     fill=(206, 172, 40) if k % 2 else (36, 36, 36))  # fmt: skip
    for x in (-8, -4, 0, 4, 8):
        draw.line([UNDER.see(x, 5.6, z), UNDER.see(x, 7.0, z)], fill=(96, 100, 104), width=3)
    draw.line([UNDER.see(-9, 6.6, z), UNDER.see(9, 6.6, z)], fill=(96, 100, 104), width=3)


def underpass() -> tuple[Image.Image, Image.Image]:
    """Under water and closed; then drained, with mud and branches."""
    rng = seeded("underpass")
    base = _underpass(rng)
    flooded, drained = base.copy(), base
    shore = [UNDER.see(-4.1, 0, 4.6), UNDER.see(-2.0, 0, 4.15), UNDER.see(0.6, 0, 4.0), UNDER.see(4.1, 0, 4.5)]
    pool = Image.new("L", base.size, 0)
    far = [UNDER.see(4.1, 0.35, 34), UNDER.see(-4.1, 0.35, 34)]
    ImageDraw.Draw(pool).polygon([*shore, *far], fill=255)
    pool = pool.filter(ImageFilter.GaussianBlur(2))
    road.puddle(flooded, UNDER, rng, pool, tint=(112, 100, 78), amount=0.68, rough=0.2)
    rim = Image.new("L", base.size, 0)
    ImageDraw.Draw(rim).line(shore, fill=150, width=4)
    flooded.paste(
        Image.new("RGB", base.size, (176, 172, 160)), (0, 0), scaled(rim.filter(ImageFilter.GaussianBlur(2.5)), 0.6)
    )
    rain(flooded, rng, 240)
    barrier, cone, sign = things.barrier_sprite(rng), things.cone_sprite(rng), things.sign_sprite(rng)
    for x in (-1.9, -0.55):
        things.stand(flooded, UNDER, barrier, x, 3.7, 0.85)
    things.stand(flooded, UNDER, sign, 1.0, 3.6, 1.3)
    for x, z in ((-3.0, 3.7), (2.1, 3.6)):
        things.stand(flooded, UNDER, cone, x, z, 0.7)

    mud = Image.new("L", base.size, 0)
    outline = [
        UNDER.see(-3.9, 0, 4.4),
        UNDER.see(1.2, 0, 3.7),
        UNDER.see(3.9, 0, 5.4),
        UNDER.see(3.9, 0, 19),
        UNDER.see(-3.9, 0, 19),
    ]
    ImageDraw.Draw(mud).polygon(outline, fill=255)
    patches = contrast(clouds(base.size, rng, 80, 5, stretch=3.4), 104, 190)
    layer = colored(clouds(base.size, rng, 30, 4, stretch=2), MUD)
    drained.paste(layer, (0, 0), Image.composite(scaled(patches, 0.8), Image.new("L", base.size, 0), mud))
    litter = []
    for _ in range(260):
        z = rng.uniform(3.2, 13)
        u, v = UNDER.see(rng.gauss(0.6, 1.9), 0, z)
        litter.append((u, v, UNDER.scale(z) * rng.uniform(0.015, 0.06)))
    plants.debris(drained, rng, litter, plants.AUTUMN)
    shine = contrast(clouds(base.size, rng, 60, 3, stretch=4), 140, 220)
    road.puddle(
        drained,
        UNDER,
        rng,
        Image.composite(scaled(shine, 0.55), Image.new("L", base.size, 0), mud),
        tint=(124, 118, 104),
    )
    return flooded, drained


def river(high: bool) -> Image.Image:
    """From the bridge: a wide flood bed, the water within its bed or near the grass."""
    rng = seeded("river", high)
    picture = plants.sky(BRIDGE.size, rng, plants.STORM if high else plants.OVERCAST, BRIDGE.horizon)
    plants.hills(picture, rng, BRIDGE.v0 - 16, 70, (126, 136, 140), 300)
    plan = road.Plan.of(rng, plants.STORM_GRASS, 50)
    half = 8.4 if high else 5.2

    def course(z: float) -> float:
        return 1.4 - 0.0016 * z * z + 0.9 * math.sin(z / 7.0)

    bed = plan.strip(course, -half, half)
    edge = contrast(Image.blend(bed.filter(ImageFilter.GaussianBlur(14)), clouds(bed.size, rng, 20, 3), 0.4), 70, 120)
    plan.paint(edge, colored(clouds(bed.size, rng, 20, 4), MUD))
    road.lay(picture, BRIDGE, plan, rng, rough=0.05)
    _flow(picture, rng, bed, high)
    far = BRIDGE.see(0, 0, road.FAR)[1]
    plants.treeline(picture, rng, -80, 1100, far + 3, 62, plants.STORM_LEAVES)
    plants.treeline(picture, rng, -80, 300, far + 44, 110, plants.STORM_LEAVES)
    plants.treeline(picture, rng, 800, 1120, far + 36, 120, plants.STORM_LEAVES)
    reeds = []
    for _ in range(1500):
        z = rng.uniform(11, 40)
        side = rng.choice((-1, 1))
        u, v = BRIDGE.see(course(z) + side * (half + 0.3 + abs(rng.gauss(0, 1.4))), 0, z)
        reeds.append((u, v, BRIDGE.scale(z) * rng.uniform(0.2, 0.7)))
    plants.blades(picture, rng, sorted(reeds, key=lambda p: p[1]), ((70, 80, 50), (98, 102, 66), (52, 60, 40)))
    _railing(picture, rng)
    if high:
        rain(picture, rng, 120)
    return picture


def _flow(picture: Image.Image, rng: random.Random, bed: Image.Image, high: bool) -> None:
    """Water over the bed (a mask of the plan): it mirrors the sky far away, shows its own colour close by."""
    size = picture.size
    top = int(BRIDGE.v0)
    seen, _ = BRIDGE.ground(Image.merge("RGB", [bed] * 3), road.LEFT, road.NEAR, road.PER_METRE)
    shore = clouds(size, rng, 26, 4, stretch=3)
    wet = contrast(Image.blend(seen.getchannel("R").filter(ImageFilter.GaussianBlur(4)), shore, 0.2), 96, 150)
    below = vertical((size[0], size[1] - top), 10, 255)
    depth = Image.new("L", size, 255)
    depth.paste(below.point([round(255 * (level / 255) ** 0.6) for level in range(256)]), (0, top))
    near, far = ((88, 76, 58), (146, 140, 126)) if high else ((70, 76, 66), (150, 156, 156))
    water = Image.composite(Image.new("RGB", size, near), Image.new("RGB", size, far), depth)
    # Waves are longer close by: bands of noise, each finer than the one below it.
    for begin, cell in ((0, 5), (40, 9), (110, 18), (230, 32)):
        waves = clouds(size, rng, cell, 3, stretch=7).filter(ImageFilter.GaussianBlur(0.7))
        band = Image.new("L", size, 0)
        band.paste(255, (0, top + begin, *size))
        light = Image.composite(waves, Image.new("L", size, 128), scaled(band.filter(ImageFilter.BoxBlur(20)), 0.7))
        water = shaded(water, light, 0.34 if high else 0.24)
    if high:
        foam = Image.merge("RGB", [contrast(clouds(bed.size, rng, 40, 5, stretch=0.1), 168, 216)] * 3)
        lines, _ = BRIDGE.ground(foam, road.LEFT, road.NEAR, road.PER_METRE)
        water.paste((196, 182, 152), (0, 0, *size), scaled(lines.getchannel("R"), 0.36))
    picture.paste(water, (0, 0), wet)


def _railing(picture: Image.Image, rng: random.Random) -> None:
    draw = ImageDraw.Draw(picture)
    for y, width in ((640, 16), (716, 9)):
        for row in range(width):
            bright = 1.05 - row / width * 0.6
            draw.line(
                [(0, y + row), (1024, y + row - 14)],
                fill=things.dim((158, 164, 160), bright * rng.uniform(0.97, 1.02)),
                width=2,
            )
    for x in (150, 520, 890):
        for column in range(20):
            bright = 0.5 + 0.6 * (1 - abs(column - 6) / 14)
            draw.line([(x + column, 632), (x + column, 768)], fill=things.dim((150, 156, 152), bright), width=1)


def rain(picture: Image.Image, rng: random.Random, drops: int) -> None:
    """Streaks of rain across the lens."""
    mask = Image.new("L", picture.size, 0)
    draw = ImageDraw.Draw(mask)
    for _ in range(drops):
        x, y, length = rng.uniform(0, picture.width), rng.uniform(0, picture.height), rng.uniform(14, 52)
        draw.line([(x, y), (x - length * 0.16, y + length)], fill=rng.randrange(30, 90), width=1)
    picture.paste(Image.new("RGB", picture.size, (214, 218, 220)), (0, 0), mask.filter(ImageFilter.GaussianBlur(0.6)))
    soft = shaded(picture, Image.new("L", picture.size, 138), 0.4)
    picture.paste(soft, (0, 0))
