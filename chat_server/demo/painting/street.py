"""Ordinary days in town: a pothole, a bent guardrail, a blocked gutter, a sunken manhole, sandbags."""

from __future__ import annotations

import math
import random

from PIL import Image, ImageDraw, ImageFilter

from chat_server.demo.painting import plants, road, things
from chat_server.demo.painting.camera import Camera, Point
from chat_server.demo.painting.noise import Stops, clouds, colored, contrast, scaled, seeded, shaded

LOOKING_DOWN = Camera(horizon=-0.16, eye=1.6, focal=900, middle=0.5)
CURVE = Camera(horizon=0.36, eye=1.55, focal=860, middle=0.78)
KERB = Camera(width=768, height=1024, horizon=-0.06, eye=1.5, focal=960, middle=0.5)
GRAVEL: Stops = ((0, (40, 37, 34)), (128, (88, 83, 76)), (255, (150, 144, 134)))
FRESH: Stops = ((0, (22, 22, 24)), (128, (42, 42, 44)), (255, (78, 78, 80)))
CONCRETE: Stops = ((0, (112, 110, 104)), (128, (156, 153, 145)), (255, (194, 190, 180)))
IRON: Stops = ((0, (40, 40, 42)), (128, (82, 82, 82)), (255, (128, 126, 122)))
CLOTH: Stops = ((0, (104, 100, 88)), (128, (150, 146, 130)), (255, (190, 186, 170)))


def town_road(rng: random.Random, camera: Camera, stops: Stops = road.OLD_ASPHALT) -> Image.Image:
    """A sunny street: asphalt with a kerb and houses' hedges behind."""
    picture = Image.new("RGB", camera.size, (120, 120, 118))
    plan = road.Plan.of(rng, plants.GRASS, 40)
    road.asphalt(plan, rng, _aside, 3.2, stops, edge_noise=0.05)
    plan.paint(plan.strip(_aside, -3.24, -2.98), colored(clouds(plan.image.size, rng, 20, 3), CONCRETE))
    road.lines(plan, rng, _aside, 2.9, wear=90, centre=False)
    road.cracks(plan, rng, (-0.5, 3.3), 1.7, 7)
    road.lay(picture, camera, plan, rng, rough=0.17)
    grass = []
    for _ in range(900):
        z = rng.uniform(2.4, 9)
        u, v = camera.see(_aside(z) - 3.3 - abs(rng.gauss(0, 0.5)), 0, z)
        grass.append((u, v, camera.scale(z) * rng.uniform(0.05, 0.16)))
    plants.blades(picture, rng, sorted(grass, key=lambda p: p[1]), ((92, 104, 58), (120, 126, 76), (70, 82, 46)))
    # A tree beyond the frame throws its shadow over the far part.
    shade = plants.blobs(camera.size, [(rng.uniform(500, 1100), rng.uniform(-30, 120), 120, 34) for _ in range(26)])
    things.shadow(picture, plants.ragged(shade, rng, 6, 26), 3, 0.42)
    return picture


def _aside(_: float) -> float:
    return 0.9


def _ring(camera: Camera, x: float, z: float, rx: float, rz: float, rng: random.Random, rough: float) -> list[Point]:
    points = []
    for step in range(40):
        angle = step / 40 * math.tau
        wobble = 1 + rng.uniform(-rough, rough)
        points.append(camera.see(x + math.cos(angle) * rx * wobble, 0, z + math.sin(angle) * rz * wobble))
    return points


def pothole() -> tuple[Image.Image, Image.Image]:
    """Before and after the patch, from one spot."""
    rng = seeded("pothole")
    street = town_road(rng, LOOKING_DOWN)
    hole, patched = street.copy(), street.copy()
    outline = _ring(LOOKING_DOWN, -0.35, 2.75, 0.44, 0.4, rng, 0.16)
    crumbs = [
        (outline[0][0] + rng.gauss(-150, 150), outline[0][1] + rng.gauss(0, 60), rng.uniform(1, 4)) for _ in range(240)
    ]
    plants.debris(hole, rng, crumbs, GRAVEL)
    edge = Image.new("L", hole.size, 0)
    ImageDraw.Draw(edge).polygon(outline, fill=255)
    things.shadow(hole, edge.filter(ImageFilter.MaxFilter(9)), 4, 0.35)
    mask = things.slab(hole, rng, outline, GRAVEL, cell=18)
    deep = things.union(mask, mask).copy()
    deep.paste(0, (0, 0), _moved(mask, 8, 22))
    things.shadow(hole, deep, 5, 0.8)
    rim = Image.new("L", hole.size, 0)
    ImageDraw.Draw(rim).line([*outline[20:40], outline[0]], fill=200, width=3)
    hole.paste(
        Image.new("RGB", hole.size, (186, 182, 174)), (0, 0), scaled(rim.filter(ImageFilter.GaussianBlur(1)), 0.5)
    )

    square = [LOOKING_DOWN.see(x, 0, z) for x, z in ((-0.95, 2.3), (0.3, 2.28), (0.32, 3.3), (-0.97, 3.34))]
    new = Image.new("L", patched.size, 0)
    ImageDraw.Draw(new).polygon(square, fill=255)
    surface = colored(Image.blend(clouds(patched.size, rng, 26, 4), clouds(patched.size, rng, 4, 2), 0.5), FRESH)
    patched.paste(shaded(surface, clouds(patched.size, rng, 120, 3), 0.3), (0, 0), plants.ragged(new, rng, 4, 6))
    return hole, patched


def _moved(mask: Image.Image, dx: int, dy: int) -> Image.Image:
    moved = Image.new("L", mask.size, 0)
    moved.paste(mask, (dx, dy))
    return moved


def guardrail() -> tuple[Image.Image, Image.Image]:
    """Bent at a curve, and the same fenced off with cones."""
    rng = seeded("guardrail")
    picture = plants.sky(CURVE.size, rng, plants.FINE, CURVE.horizon)
    plants.hills(picture, rng, CURVE.v0 - 10, 130, (138, 154, 160), 320)
    plants.hills(picture, rng, CURVE.v0 + 6, 70, (100, 118, 100), 170)
    plants.treeline(picture, rng, -60, 360, CURVE.v0 + 36, 190, plants.LEAVES)

    def bend(z: float) -> float:
        return 0.2 + 0.0065 * z * z

    plan = road.Plan.of(rng, plants.DRY_GRASS, 40)
    road.asphalt(plan, rng, bend, 2.9, road.OLD_ASPHALT)
    road.lines(plan, rng, bend, 2.9, wear=70)
    road.lay(picture, CURVE, plan, rng)
    grass = []
    for _ in range(1400):
        z = rng.uniform(2.2, 16)
        u, v = CURVE.see(bend(z) - 3.5 - abs(rng.gauss(0, 1.2)), 0, z)
        grass.append((u, v, CURVE.scale(z) * rng.uniform(0.1, 0.4)))
    plants.blades(picture, rng, sorted(grass, key=lambda p: p[1]), ((118, 108, 66), (96, 100, 58), (150, 138, 88)))
    zs = (2.4, 3.2, 4.2, 5.0, 5.8, 6.6, 7.4, 8.4, 9.6, 11, 13, 15.5, 19, 24)
    dent = (0, 0, 0.1, 0.5, 1.0, 1.3, 0.9, 0.36, 0.08, 0, 0, 0, 0, 0)
    sag = (0.8, 0.8, 0.78, 0.62, 0.42, 0.36, 0.52, 0.7, 0.79, 0.8, 0.8, 0.8, 0.8, 0.8)
    path = [(bend(z) - 3.25 - d, z) for z, d in zip(zs, dent, strict=True)]
    things.guardrail(picture, CURVE, rng, path, tops=sag, posts=2.0)
    _scratches(picture, rng, path, sag)
    crumbs = []
    for _ in range(90):
        u, v = CURVE.see(bend(6) - 2.7 + rng.gauss(0, 0.4), 0, 6 + rng.gauss(0, 0.9))
        crumbs.append((u, v, rng.uniform(0.8, 2.2)))
    plants.debris(picture, rng, crumbs, ((0, (30, 30, 30)), (128, (210, 210, 206)), (255, (160, 30, 30))))
    fenced = picture.copy()
    cone = things.cone_sprite(rng)
    for x, z in ((-2.5, 9.4), (-2.25, 7.9), (-2.15, 6.6), (-2.2, 5.4), (-2.35, 4.4), (-2.6, 3.6)):
        things.stand(fenced, CURVE, cone, bend(z) + x, z, 0.7)
    return picture, fenced


def _scratches(
    picture: Image.Image, rng: random.Random, path: list[tuple[float, float]], tops: tuple[float, ...]
) -> None:
    draw = ImageDraw.Draw(picture)
    for _ in range(46):
        i = rng.randrange(3, 7)
        (x0, z0), (x1, z1) = path[i], path[i + 1]
        part = rng.random()
        y = tops[i] - rng.uniform(0.02, 0.32)
        a = CURVE.see(x0 + (x1 - x0) * part, y, z0 + (z1 - z0) * part)
        draw.line([a, (a[0] + rng.uniform(5, 34), a[1] + rng.uniform(-4, 2))],
                  fill=rng.choice(((70, 66, 62), (120, 70, 50), (40, 40, 42))), width=1)  # fmt: skip


def gutter() -> tuple[Image.Image, Image.Image]:
    """A grating under leaves, and the same swept clean (upright pictures)."""
    rng = seeded("gutter")
    plan = road.Plan.of(rng, CONCRETE, 46)
    road.asphalt(plan, rng, lambda _: 3.4, 3.2, road.OLD_ASPHALT, edge_noise=0.02)
    joints = Image.new("L", plan.image.size, 0)
    draw = ImageDraw.Draw(joints)
    for k in range(60):
        draw.line([plan.at(-2.6, 1.6 + k * 0.6), plan.at(-0.32, 1.6 + k * 0.6)], fill=150, width=1)
    plan.paint(joints, (70, 68, 64))
    base = Image.new("RGB", KERB.size, (120, 118, 112))
    road.lay(base, KERB, plan, rng, rough=0.15)
    for z in (2.1, 4.3, 6.6):
        _grating(base, rng, z)
    blocked = base.copy()
    heap = []
    for _ in range(7600):
        z = 1.3 + rng.random() ** 1.7 * 7.5
        u, v = KERB.see(rng.gauss(-0.12, 0.24), 0, z)
        heap.append((u, v, KERB.scale(z) * rng.uniform(0.011, 0.028)))
    heap.sort(key=lambda p: p[1])
    plants.debris(blocked, rng, heap, plants.AUTUMN)
    plants.debris(base, rng, heap[::60], plants.AUTUMN)
    wet = plants.blobs(
        base.size, [(*KERB.see(-0.1, 0, z), KERB.scale(z) * 0.5, KERB.scale(z) * 0.4) for z in (2.0, 2.6, 3.2)]
    )
    things.shadow(base, plants.ragged(wet, rng, 14, 30), 4, 0.34)
    return blocked, base


def _grating(picture: Image.Image, rng: random.Random, z: float) -> None:
    left, right, deep = -0.36, 0.12, 0.62
    outline = [KERB.see(x, 0, d) for x, d in ((left, z), (right, z), (right, z + deep), (left, z + deep))]
    things.slab(picture, rng, outline, ((0, (10, 10, 11)), (255, (34, 34, 36))), cell=20)
    draw = ImageDraw.Draw(picture)
    for k in range(15):
        d = z + deep * k / 14
        a, b = KERB.see(left, 0, d), KERB.see(right, 0, d)
        draw.line(
            [a, b], fill=things.dim((122, 118, 110), rng.uniform(0.8, 1.1)), width=max(1, round(KERB.scale(d) * 0.012))
        )
    draw.line([*outline, outline[0]], fill=(132, 128, 120), width=max(2, round(KERB.scale(z) * 0.018)))


def manhole() -> Image.Image:
    """A cover with the asphalt sunk around it."""
    rng = seeded("manhole")
    picture = town_road(rng, LOOKING_DOWN, road.ASPHALT)
    x, z = 0.1, 2.7
    sunk = Image.new("L", picture.size, 0)
    ImageDraw.Draw(sunk).polygon(_ring(LOOKING_DOWN, x, z, 0.62, 0.58, rng, 0.08), fill=255)
    things.shadow(picture, sunk, 18, 0.6)
    frame = _ring(LOOKING_DOWN, x, z, 0.4, 0.4, rng, 0.004)
    things.slab(picture, rng, frame, IRON, cell=16)
    draw = ImageDraw.Draw(picture)
    draw.line([*frame, frame[0]], fill=(28, 28, 30), width=9)
    draw.line(frame[2:19], fill=(168, 165, 158), width=2)
    for ring in (0.34, 0.29):
        inner = _ring(LOOKING_DOWN, x, z, ring, ring, rng, 0.004)
        draw.line([*inner, inner[0]], fill=(48, 48, 50), width=3)
    for row in range(-4, 5):
        for column in range(-4, 5):
            cx, cz = x + column * 0.055 + (row % 2) * 0.027, z + row * 0.055
            if math.hypot(cx - x, cz - z) < 0.26:
                spot = _ring(LOOKING_DOWN, cx, cz, 0.019, 0.019, rng, 0.02)
                draw.polygon(spot, fill=things.dim((120, 118, 114), rng.uniform(0.85, 1.1)))
                draw.line(spot[:20], fill=(172, 170, 164), width=1)
    crumbs = [(rng.gauss(560, 190), rng.gauss(560, 90), rng.uniform(1, 3)) for _ in range(160)]
    plants.debris(picture, rng, crumbs, GRAVEL)
    return picture


def sandbags() -> Image.Image:
    """A pallet of sandbags in the yard."""
    rng = seeded("sandbags")
    camera = Camera(horizon=0.34, eye=1.5, focal=820)
    picture = plants.sky(camera.size, rng, plants.OVERCAST, camera.horizon)
    wall = [(0, 60), (1024, 20), (1024, 430), (0, 400)]
    things.slab(picture, rng, wall, ((0, (128, 134, 138)), (128, (158, 163, 166)), (255, (184, 188, 190))), cell=220)
    draw = ImageDraw.Draw(picture)
    for k in range(0, 1024, 22):
        draw.line([(k, 30), (k + 2, 430)], fill=(132, 138, 142), width=2)
    plan = road.Plan.of(rng, CONCRETE, 60)
    road.cracks(plan, rng, (0.6, 3.2), 2, 4)
    road.lay(picture, camera, plan, rng, rough=0.16)
    floor = camera.see(0, 0, 3.2)
    things.shadow(picture, plants.blobs(picture.size, [(floor[0], floor[1] + 4, 330, 26)]), 14, 0.75)
    for k in range(5):
        a, b = camera.see(-1.1 + k * 0.48, 0.13, 3.2), camera.see(-0.82 + k * 0.48, 0.0, 3.2)
        draw.rectangle((*a, *b), fill=(132, 108, 78))
    a, b = camera.see(-1.14, 0.17, 3.2), camera.see(1.16, 0.12, 3.2)
    draw.rectangle((*a, *b), fill=(150, 124, 90))
    for layer in range(6):
        count = 6 - (layer % 2)
        for row in (1, 0):
            for k in range(count):
                x = -1.12 + (k + 0.5) * 2.3 / count + rng.uniform(-0.04, 0.04)
                u, v = camera.see(x, 0.24 + layer * 0.155, 3.2 + row * 0.45)
                _bag(picture, rng, u, v, camera.scale(3.2) * 0.215, camera.scale(3.2) * 0.1)
    return picture


def _bag(picture: Image.Image, rng: random.Random, u: float, v: float, rx: float, ry: float) -> None:
    size = (int(rx * 2.4), int(ry * 2.9))
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((rx * 0.18, ry * 0.3, rx * 2.2, ry * 2.4), radius=ry * 0.8, fill=255)
    mask = mask.filter(ImageFilter.GaussianBlur(2.2))
    weave = colored(Image.blend(clouds(size, rng, 30, 4), clouds(size, rng, 3, 1), 0.3), CLOTH)
    light = Image.radial_gradient("L").resize(size).point([max(0, min(255, 236 - level)) for level in range(256)])
    body = shaded(weave, light, 0.9)
    fold = ImageDraw.Draw(body)
    for _ in range(4):
        x = rng.uniform(0.3, 2.1) * rx
        fold.line([(x, ry * 0.5), (x + rng.uniform(-14, 14), ry * 2.2)], fill=(132, 128, 116), width=1)
    things.shadow(picture, plants.blobs(picture.size, [(u, v + ry * 0.95, rx, ry * 0.3)]), 5, 0.45)
    picture.paste(body, (round(u - size[0] / 2), round(v - size[1] / 2)), contrast(mask, 90, 190))
