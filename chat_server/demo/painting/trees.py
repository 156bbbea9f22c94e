"""The fallen tree on the hill road: before, during and after, from one spot, and the details beside it."""

from __future__ import annotations

import math
import random

from PIL import Image, ImageDraw

from chat_server.demo.painting import plants, road, things, wood
from chat_server.demo.painting.camera import Camera
from chat_server.demo.painting.noise import clouds, contrast, scaled, seeded
from chat_server.demo.painting.plants import STORM_LEAVES

HILL = Camera(horizon=0.40, middle=0.47, eye=1.6)


def _bend(z: float) -> float:
    return -0.3 + 0.0022 * z * z


def hill_road() -> Image.Image:
    """A wet road along a wooded slope, with a guardrail towards the valley."""
    rng = seeded("hill road")
    picture = plants.sky(HILL.size, rng, plants.STORM, HILL.horizon)
    plants.hills(picture, rng, HILL.v0 - 34, 90, (122, 131, 136), 300)
    plants.hills(picture, rng, HILL.v0 + 4, 60, (94, 106, 104), 170)
    plan = road.Plan.of(rng, plants.STORM_GRASS, 36)
    road.asphalt(plan, rng, _bend, 2.9, road.WET_ASPHALT, edge_noise=0.3)
    road.lines(plan, rng, _bend, 2.9, wear=80, centre=False)
    road.lay(picture, HILL, plan, rng, rough=0.12)
    road.puddle(picture, HILL, rng, _shine(rng), tint=(116, 122, 126), amount=0.75)
    _valley_side(picture, rng)
    _slope(picture, rng)
    return picture


def _shine(rng: random.Random) -> Image.Image:
    """Where the wet surface mirrors the sky: in streaks, most of it far away."""
    size = HILL.size
    plan = Image.new("L", size, 0)
    outline = [HILL.see(_bend(z) - 2.7, 0, z) for z in (1.8, 3, 6, 12, 24, 50)]
    outline += [HILL.see(_bend(z) + 2.7, 0, z) for z in (50, 24, 12, 6, 3, 1.8)]
    ImageDraw.Draw(plan).polygon(outline, fill=255)
    streaks = contrast(clouds(size, rng, 90, 4, stretch=3.2), 110, 220)
    return Image.composite(scaled(streaks, 0.5), Image.new("L", size, 0), plan)


def _valley_side(picture: Image.Image, rng: random.Random) -> None:
    plants.treeline(picture, rng, 800, 1100, HILL.v0 + 44, 130, STORM_LEAVES)
    grass = []
    for _ in range(900):
        z = rng.uniform(2.2, 20) if rng.random() < 0.6 else rng.uniform(2.0, 6)
        x = _bend(z) + 3.5 + abs(rng.gauss(0, 0.9))
        u, v = HILL.see(x, 0, z)
        grass.append((u, v, HILL.scale(z) * rng.uniform(0.1, 0.42)))
    grass.sort(key=lambda place: place[1])
    colors = ((58, 70, 40), (84, 94, 56), (112, 116, 74), (44, 54, 34))
    plants.blades(picture, rng, grass, colors)
    path = [(_bend(z) + 3.45, z) for z in (1.6, 2.2, 3, 4, 5.5, 7, 9, 11.5, 14.5, 18, 22, 27, 33, 40)]
    things.guardrail(picture, HILL, rng, path)


def _slope(picture: Image.Image, rng: random.Random) -> None:
    """The bank on the left: bare earth at its foot, woods above."""
    size = picture.size
    foot = [HILL.see(_bend(z) - 3.4, 0, z) for z in (1.5, 2.2, 3.2, 5, 8, 13, 20, 34, 56)]
    bank = Image.new("L", size, 0)
    top = (foot[-1][0] + 30, foot[-1][1] - 90)
    ImageDraw.Draw(bank).polygon([*foot, top, (300, 40), (0, 0), (0, size[1])], fill=255)
    plants.foliage(picture, rng, bank, STORM_LEAVES, cell=46, edge=10)
    earth = Image.new("L", size, 0)
    upper = [HILL.see(_bend(z) - 3.7, 0.7 + 0.25 * math.sin(z), z) for z in (56, 34, 20, 13, 8, 5, 3.2, 2.2, 1.5)]
    ImageDraw.Draw(earth).polygon([*foot, *upper], fill=255)
    plants.foliage(picture, rng, earth, plants.EARTH, cell=16, edge=3)
    _trunks(picture, rng)
    grass = []
    for _ in range(1300):
        z = rng.uniform(1.8, 7) if rng.random() < 0.6 else rng.uniform(4, 24)
        u, v = HILL.see(_bend(z) - 3.3 - rng.random() * 0.5, rng.random() * 0.7, z)
        grass.append((u, v, HILL.scale(z) * rng.uniform(0.08, 0.35)))
    grass.sort(key=lambda place: place[1])
    plants.blades(picture, rng, grass, ((52, 64, 36), (78, 90, 52), (104, 110, 66), (36, 46, 30), (96, 84, 56)))


def _trunks(picture: Image.Image, rng: random.Random) -> None:
    draw = ImageDraw.Draw(picture)
    lumps: list[tuple[float, float, float, float]] = []
    for x, y, top, radius in ((70, 470, -30, 13), (182, 400, -20, 10), (262, 392, 10, 7), (322, 360, 60, 5)):
        lean = rng.uniform(-14, 26)
        wood.limb(draw, rng, [(x, y, radius), (x + lean * 0.5, y / 2, radius * 0.8), (x + lean, top, radius * 0.6)],
                  (70, 64, 56), light=0.4)  # fmt: skip
        lumps += plants.crown(rng, x + lean, max(30, top + 50), 84)
    plants.foliage(picture, rng, plants.blobs(picture.size, lumps), STORM_LEAVES, cell=36)


def fallen(picture: Image.Image) -> Image.Image:
    """The tree, from the slope across the left lane to the middle of the road."""
    rng = seeded("fallen tree")
    picture = picture.copy()
    start, length, angle = (96.0, 392.0), 520.0, -0.30
    trunk = wood.grow(rng, start, angle, length, 31, wander=0.05)
    lumps: list[tuple[float, float, float, float]] = []
    limbs: list[list[wood.Joint]] = []
    for i in range(26):
        x, y, radius = wood.along(trunk, 0.34 + 0.66 * (i / 26) ** 0.8)
        side = 1 if i % 2 else -1
        branch = wood.grow(rng, (x, y), angle + side * rng.uniform(0.5, 1.15), rng.uniform(90, 190), radius * 0.42)
        limbs.append(branch)
        for place in (0.45, 0.7, 0.9, 1.0):
            u, v, _ = wood.along(branch, place)
            lumps.append((u, v, rng.uniform(22, 46), rng.uniform(15, 30)))
        twig = wood.grow(rng, branch[3][:2], angle + side * rng.uniform(0.1, 0.9), 70, 3.2)
        limbs.append(twig)
        lumps.append((twig[-1][0], twig[-1][1], 26, 18))
    crown = plants.blobs(picture.size, lumps)
    body = plants.blobs(picture.size, [(x, y + r * 0.9, r * 1.5, r) for x, y, r in trunk])
    ground = things.union(crown.transform(crown.size, Image.Transform.AFFINE, (1, 0, -16, 0, 1, -26)), body)
    things.shadow(picture, ground, 13, 0.62)
    _litter(picture, rng, 900)
    behind = plants.blobs(picture.size, lumps[::2])
    plants.foliage(picture, rng, behind, STORM_LEAVES, cell=15, edge=6)
    draw = ImageDraw.Draw(picture)
    for branch in limbs:
        wood.limb(draw, rng, branch, wood.WET_BARK)
    wood.limb(draw, rng, trunk, wood.WET_BARK)
    front = plants.blobs(picture.size, [(x, y + 4, w * 0.74, h * 0.7) for x, y, w, h in lumps[1::2]])
    plants.foliage(picture, rng, front, STORM_LEAVES, cell=13, edge=5)
    _roots(picture, rng, start)
    return picture


def _roots(picture: Image.Image, rng: random.Random, at: tuple[float, float]) -> None:
    """The root plate, torn out of the bank."""
    x, y = at
    plate = plants.blobs(picture.size, [(x - 44, y + 10, 46, 70), (x - 62, y + 56, 84, 34), (x - 34, y - 36, 26, 34)])
    plants.foliage(picture, rng, plate, plants.EARTH, cell=15, edge=5)
    draw = ImageDraw.Draw(picture)
    for _ in range(30):
        root = wood.grow(rng, (x - 30 + rng.uniform(-22, 16), y + rng.uniform(-70, 70)), rng.uniform(1.2, 5.2),
                         rng.uniform(30, 84), rng.uniform(1.2, 4.0), wander=0.5)  # fmt: skip
        wood.limb(draw, rng, root, (96, 78, 58))


def _litter(picture: Image.Image, rng: random.Random, count: int, middle: float = -0.6, spread: float = 1.9) -> None:
    places = []
    for _ in range(count):
        z = abs(rng.gauss(6.2, 2.6)) + 1.9
        u, v = HILL.see(_bend(z) + rng.gauss(middle, spread), 0, z)
        places.append((u, v, HILL.scale(z) * rng.uniform(0.01, 0.034)))
    plants.debris(picture, rng, places, STORM_LEAVES)


def guarded(picture: Image.Image) -> Image.Image:
    """With cones and a sign in front of it."""
    rng = seeded("guarded")
    picture = picture.copy()
    cone, sign = things.cone_sprite(rng), things.sign_sprite(rng)
    for x, z in ((0.9, 6.6), (0.35, 5.4), (-2.3, 4.6)):
        things.stand(picture, HILL, cone, _bend(z) + x, z, 0.7)
    things.stand(picture, HILL, sign, _bend(4.2) - 0.95, 4.2, 1.25)
    things.stand(picture, HILL, cone, _bend(3.7) + 0.25, 3.7, 0.7)
    return picture


def cleared(picture: Image.Image) -> Image.Image:
    """After the work: sawdust, some twigs, a wet trace, the stump's hole in the bank."""
    rng = seeded("cleared")
    picture = picture.copy()
    dust = Image.new("L", picture.size, 0)
    draw = ImageDraw.Draw(dust)
    for x, z in ((-1.5, 6.4), (-0.5, 5.8), (0.3, 6.9)):
        u, v = HILL.see(_bend(z) + x, 0, z)
        draw.ellipse((u - 70, v - 10, u + 70, v + 11), fill=255)
    dust = scaled(plants.ragged(dust, rng, 7, 8), 0.62)
    picture.paste(Image.new("RGB", picture.size, (178, 156, 116)), (0, 0), dust)
    _litter(picture, rng, 260)
    hole = plants.blobs(picture.size, [(40, 412, 70, 44), (92, 436, 40, 22)])
    plants.foliage(picture, rng, hole, plants.EARTH, cell=18, edge=6)
    things.shadow(picture, plants.blobs(picture.size, [(60, 430, 60, 20)]), 14, 0.5)
    wood.cut_face(ImageDraw.Draw(picture), rng, 104, 416, 11, 15)
    return picture


NEARBY = Camera(horizon=0.30, middle=0.55, eye=1.5, focal=980)


def trunk_close() -> Image.Image:
    """The trunk across the lane, from a few steps away."""
    rng = seeded("trunk close")
    picture = plants.sky(NEARBY.size, rng, plants.STORM, NEARBY.horizon)
    wall = plants.blobs(picture.size, [(150, 120, 420, 190), (880, 110, 300, 130), (520, 150, 300, 90)])
    plants.foliage(picture, rng, wall, STORM_LEAVES, cell=40)
    plan = road.Plan.of(rng, plants.STORM_GRASS, 36)
    road.asphalt(plan, rng, road.straight, 2.9, road.WET_ASPHALT, edge_noise=0.3)
    road.lines(plan, rng, road.straight, 2.9, wear=80, centre=False)
    road.lay(picture, NEARBY, plan, rng, rough=0.14)
    trunk = wood.grow(rng, (-40.0, 420.0), -0.06, 1180, 66, wander=0.03)
    trunk = [(x, y, r * 0.4 + 40) for x, y, r in trunk]
    under = plants.blobs(picture.size, [(x, y + r * 1.15, r * 2.2, r * 0.8) for x, y, r in trunk])
    things.shadow(picture, under, 16, 0.7)
    places = [(rng.gauss(620, 260), rng.uniform(430, 760), rng.uniform(2, 8)) for _ in range(520)]
    plants.debris(picture, rng, places, STORM_LEAVES)
    draw = ImageDraw.Draw(picture)
    lumps = []
    for i in range(13):
        x, y, r = wood.along(trunk, 0.25 + 0.055 * i)
        up = rng.choice((1, 1, -1))
        branch = wood.grow(rng, (x, y), up * rng.uniform(0.6, 1.4), rng.uniform(150, 300), r * rng.uniform(0.14, 0.3))
        wood.limb(draw, rng, branch, wood.WET_BARK)
        lumps += [(*wood.along(branch, place)[:2], rng.uniform(34, 70), rng.uniform(22, 44)) for place in (0.7, 0.9, 1)]
    wood.limb(draw, rng, trunk, wood.WET_BARK)
    plants.foliage(picture, rng, plants.blobs(picture.size, lumps), STORM_LEAVES, cell=24, edge=7)
    return picture


def roots_close() -> Image.Image:
    """Where it stood: washed earth and torn roots (upright picture, turned by the camera)."""
    rng = seeded("roots close")
    camera = Camera(width=768, height=1024, horizon=0.16, eye=1.5, focal=860)
    picture = plants.sky(camera.size, rng, plants.STORM, camera.horizon)
    bank = Image.new("L", picture.size, 0)
    ImageDraw.Draw(bank).polygon([(0, 90), (300, 30), (768, 150), (768, 1024), (0, 1024)], fill=255)
    plants.foliage(picture, rng, bank, STORM_LEAVES, cell=38)
    scar = plants.blobs(picture.size, [(380, 560, 270, 300), (300, 760, 300, 230), (520, 380, 150, 150)])
    plants.foliage(picture, rng, scar, plants.EARTH, cell=34, edge=14)
    hole = plants.blobs(picture.size, [(400, 640, 170, 120)])
    things.shadow(picture, hole, 34, 0.8)
    draw = ImageDraw.Draw(picture)
    for i in range(46):
        start = (400 + rng.gauss(0, 90), 470 + rng.gauss(0, 80))
        root = wood.grow(rng, start, rng.uniform(0, 6.28), rng.uniform(120, 330), rng.uniform(2, 13), wander=0.42)
        wood.limb(draw, rng, root, (112, 88, 62) if i % 3 else (84, 66, 48))
    wood.limb(draw, rng, [(392, 480, 78), (480, 380, 70), (620, 270, 62), (800, 170, 58)], wood.WET_BARK)
    places = [(rng.uniform(0, 768), rng.uniform(560, 1010), rng.uniform(3, 10)) for _ in range(380)]
    plants.debris(picture, rng, places, STORM_LEAVES)
    grass = [(rng.uniform(0, 768), rng.uniform(860, 1030), rng.uniform(24, 80)) for _ in range(700)]
    plants.blades(picture, rng, sorted(grass, key=lambda p: p[1]), ((60, 74, 42), (90, 102, 60), (44, 54, 34)))
    return picture


def marked() -> Image.Image:
    """The second tree, with two turns of red tape."""
    rng = seeded("marked")
    camera = Camera(width=768, height=1024, horizon=0.5, eye=1.5, focal=860)
    picture = plants.sky(camera.size, rng, plants.STORM, camera.horizon)
    plants.treeline(picture, rng, -100, 900, 660, 560, STORM_LEAVES)
    bank = Image.new("L", picture.size, 0)
    ImageDraw.Draw(bank).polygon([(0, 560), (768, 700), (768, 1024), (0, 1024)], fill=255)
    plants.foliage(picture, rng, bank, plants.EARTH, cell=30)
    draw = ImageDraw.Draw(picture)
    trunk = [(330.0, 900.0, 86.0), (352.0, 700.0, 70.0), (400.0, 400.0, 62.0), (470.0, 60.0, 54.0), (490, -40, 52)]
    for angle in (3.4, 3.9, 4.4, 5.0, 5.6, 6.0):
        root = wood.grow(rng, (330, 880), angle, rng.uniform(120, 230), 30, wander=0.2)
        wood.limb(draw, rng, root, wood.WET_BARK)
    things.shadow(picture, plants.blobs(picture.size, [(300, 930, 190, 40)]), 22, 0.6)
    wood.limb(draw, rng, trunk, wood.WET_BARK, light=-0.3)
    for place in (0.44, 0.49):
        x, y, r = wood.along(trunk, place)
        for row in range(22):
            bright = 0.75 + 0.3 * math.sin(row / 4)
            draw.line([(x - r - 2, y + row - 3), (x, y + row + 7), (x + r + 2, y + row - 6)],
                      fill=things.dim((196, 30, 34), bright), width=2)  # fmt: skip
    grass = [(rng.uniform(0, 768), rng.uniform(720, 1030), rng.uniform(24, 90)) for _ in range(900)]
    plants.blades(picture, rng, sorted(grass, key=lambda p: p[1]), ((60, 74, 42), (90, 102, 60), (44, 54, 34)))
    return picture
