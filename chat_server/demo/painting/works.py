"""Works and preparations: a trial pit in the street, the snow plough, the gymnasium that becomes a shelter."""

from __future__ import annotations

import random

from PIL import Image, ImageDraw, ImageFilter

from chat_server.demo.painting import plants, road, street, things
from chat_server.demo.painting.camera import Camera, Point
from chat_server.demo.painting.noise import Color, Stops, clouds, colored, contrast, scaled, seeded, shaded, vertical

PIT = Camera(horizon=-0.05, eye=1.6, focal=880, middle=0.5)
YARD = Camera(horizon=0.4, eye=1.5, focal=860)
HALL = Camera(horizon=0.36, eye=1.9, focal=700)
SOIL: Stops = ((0, (44, 34, 26)), (128, (92, 74, 54)), (255, (142, 120, 92)))
ORANGE: Stops = ((0, (150, 74, 14)), (128, (204, 112, 26)), (255, (232, 148, 62)))
FLOOR: Stops = ((0, (148, 104, 58)), (128, (190, 146, 92)), (255, (220, 182, 130)))
PAPER: Stops = ((0, (176, 156, 122)), (128, (206, 188, 154)), (255, (228, 214, 186)))
GLASS: Stops = ((0, (24, 28, 32)), (128, (66, 76, 84)), (255, (140, 152, 160)))


def trench() -> tuple[Image.Image, Image.Image]:
    """The pit with two pipes in it; then filled and paved for the time being."""
    rng = seeded("trench")
    base = street.town_road(rng, PIT)
    opened, closed = base.copy(), base.copy()
    top = [PIT.see(x, 0, z) for x, z in ((-0.75, 2.3), (0.75, 2.3), (0.75, 4.1), (-0.75, 4.1))]
    low = [PIT.see(x, -0.85, z) for x, z in ((-0.75, 2.3), (0.75, 2.3), (0.75, 4.1), (-0.75, 4.1))]
    hole = Image.new("L", base.size, 0)
    ImageDraw.Draw(hole).polygon(top, fill=255)
    inside = base.copy()
    things.slab(inside, rng, [top[3], top[2], low[2], low[3]], SOIL, cell=26)
    things.slab(inside, rng, [top[0], top[3], low[3], low[0]], SOIL, cell=26)
    things.slab(inside, rng, [top[1], top[2], low[2], low[1]], SOIL, cell=26)
    bottom = things.slab(inside, rng, low, SOIL, cell=18)
    things.shadow(inside, bottom, 14, 0.45)
    _pipe(inside, rng, (-0.75, 3.45), (0.75, 3.25), -0.72, 0.055, (196, 168, 52))
    _pipe(inside, rng, (-0.2, 2.2), (0.05, 4.1), -0.82, 0.11, (146, 148, 146))
    layers = [PIT.see(x, -0.12, 4.1) for x in (-0.75, 0.75)]
    ImageDraw.Draw(inside).polygon([top[3], top[2], layers[1], layers[0]], fill=(58, 57, 56))
    opened.paste(inside, (0, 0), hole)
    rim = ImageDraw.Draw(opened)
    rim.line([*top, top[0]], fill=(44, 42, 40), width=3)
    _heap(opened, rng)
    cone = things.cone_sprite(rng)
    for x, z in ((-1.25, 4.5), (1.25, 4.6), (1.3, 2.9), (-1.3, 3.0)):
        things.stand(opened, PIT, cone, x, z, 0.7)

    square = [PIT.see(x, 0, z) for x, z in ((-0.85, 2.2), (0.85, 2.2), (0.85, 4.2), (-0.85, 4.2))]
    new = Image.new("L", closed.size, 0)
    ImageDraw.Draw(new).polygon(square, fill=255)
    surface = colored(Image.blend(clouds(closed.size, rng, 26, 4), clouds(closed.size, rng, 4, 2), 0.5), street.FRESH)
    closed.paste(surface, (0, 0), plants.ragged(new, rng, 3, 6))
    edge = Image.new("L", closed.size, 0)
    ImageDraw.Draw(edge).line([*square, square[0]], fill=220, width=5)
    closed.paste((26, 26, 28), (0, 0, *closed.size), scaled(edge.filter(ImageFilter.GaussianBlur(1)), 0.7))
    _staff(closed, rng)
    return opened, closed


def _pipe(
    picture: Image.Image, rng: random.Random, start: Point, end: Point, y: float, radius: float, color: Color
) -> None:
    draw = ImageDraw.Draw(picture)
    steps = 22
    for k in range(steps + 1):
        across = -1 + 2 * k / steps
        bright = 0.35 + 0.8 * max(0.0, 1 - abs(across + 0.3)) * rng.uniform(0.94, 1.06)
        a = PIT.see(start[0], y - radius * across, start[1])
        b = PIT.see(end[0], y - radius * across, end[1])
        shift = radius * across * 0.5
        a, b = (
            PIT.see(start[0] + shift, y - radius * across, start[1]),
            PIT.see(end[0] + shift, y - radius * across, end[1]),
        )
        draw.line([a, b], fill=things.dim(color, bright), width=4)


def _heap(picture: Image.Image, rng: random.Random) -> None:
    u, v = PIT.see(1.75, 0.0, 3.6)
    heap = plants.blobs(picture.size, [(u, v - 20, 130, 74), (u + 60, v + 14, 150, 60), (u + 10, v - 60, 70, 50)])
    things.shadow(picture, plants.blobs(picture.size, [(u, v + 56, 190, 26)]), 12, 0.55)
    plants.foliage(picture, rng, heap, SOIL, cell=18, edge=8)
    crumbs = [(u + rng.gauss(-60, 110), v + rng.gauss(50, 30), rng.uniform(1, 4)) for _ in range(200)]
    plants.debris(picture, rng, crumbs, SOIL)


def _staff(picture: Image.Image, rng: random.Random) -> None:
    """A measuring staff across the joint: red and white."""
    draw = ImageDraw.Draw(picture)
    for k in range(20):
        x0, x1 = -1.1 + k * 0.11, -1.1 + (k + 1) * 0.11
        corners = [PIT.see(x, 0.02, z) for x, z in ((x0, 2.72), (x1, 2.72), (x1, 2.79), (x0, 2.79))]
        color = (198, 40, 36) if k % 2 else (228, 226, 220)
        draw.polygon(corners, fill=things.dim(color, rng.uniform(0.92, 1.04)))


def plough() -> Image.Image:
    """A snow plough in front of its shed."""
    rng = seeded("plough")
    picture = plants.sky(YARD.size, rng, plants.FINE, YARD.horizon)
    plants.hills(picture, rng, YARD.v0 - 40, 120, (120, 138, 146), 280)
    shed = [(-20, 60), (700, 96), (700, 470), (-20, 500)]
    things.slab(picture, rng, shed, ((0, (150, 156, 158)), (255, (204, 208, 208))), cell=160)
    draw = ImageDraw.Draw(picture)
    for k in range(26):
        y = 128 + k * 14
        draw.line([(60, y), (620, y + 6)], fill=(122, 130, 134), width=2)
    plan = road.Plan.of(rng, street.CONCRETE, 70)
    road.cracks(plan, rng, (1.4, 4.0), 3, 5)
    road.lay(picture, YARD, plan, rng, rough=0.13)
    things.shadow(picture, plants.blobs(picture.size, [(540, 690, 420, 34)]), 16, 0.75)
    _truck(picture, rng)
    _blade(picture, rng)
    return picture


def _truck(picture: Image.Image, rng: random.Random) -> None:
    draw = ImageDraw.Draw(picture)
    things.slab(
        picture,
        rng,
        [(620, 150), (860, 190), (860, 520), (620, 520)],
        ((0, (150, 92, 30)), (255, (196, 126, 52))),
        cell=120,
    )
    for x in (300, 720):
        draw.rounded_rectangle((x, 470, x + 92, 690), radius=26, fill=(24, 24, 26))
        draw.rounded_rectangle((x + 22, 520, x + 60, 660), radius=14, fill=(58, 58, 60))
    things.slab(picture, rng, [(300, 120), (770, 120), (790, 540), (286, 540)], ORANGE, cell=240)
    _sheen(picture, (286, 120, 790, 540))
    things.slab(picture, rng, [(330, 160), (742, 160), (756, 330), (318, 330)], GLASS, cell=200)
    glare = Image.new("L", picture.size, 0)
    ImageDraw.Draw(glare).polygon([(350, 162), (470, 162), (400, 328), (320, 328)], fill=110)
    picture.paste((196, 206, 212), (0, 0, *picture.size), glare.filter(ImageFilter.GaussianBlur(9)))
    draw.line([(330, 330), (480, 210)], fill=(22, 22, 24), width=4)
    draw.line([(540, 330), (690, 210)], fill=(22, 22, 24), width=4)
    draw.rectangle((318, 350, 758, 378), fill=(44, 44, 46))
    for x in (316, 700):
        draw.rounded_rectangle((x, 404, x + 66, 446), radius=10, fill=(222, 222, 212))
        draw.ellipse((x + 14, 408, x + 50, 442), fill=(250, 248, 236))
    draw.rectangle((400, 400, 676, 452), fill=(60, 58, 56))
    for y in range(404, 450, 8):
        draw.line([(404, y), (672, y)], fill=(104, 100, 96), width=2)
    draw.rounded_rectangle((284, 478, 792, 530), radius=8, fill=(206, 206, 204))
    for x in (268, 800):
        draw.rounded_rectangle((x - 24, 210, x + 10, 300), radius=6, fill=(34, 34, 36))
    draw.rounded_rectangle((440, 84, 640, 122), radius=10, fill=(226, 150, 30))
    draw.rounded_rectangle((452, 92, 540, 112), radius=6, fill=(250, 214, 120))


def _sheen(picture: Image.Image, box: tuple[int, int, int, int]) -> None:
    size = (box[2] - box[0], box[3] - box[1])
    light = Image.blend(vertical(size, 190, 70), Image.linear_gradient("L").rotate(90).resize(size), 0.35)
    picture.paste(shaded(picture.crop(box), light, 0.55), box[:2])


def _blade(picture: Image.Image, rng: random.Random) -> None:
    """The blade: curved steel, lighter where it bulges, a new cutting edge, striped corners."""
    draw = ImageDraw.Draw(picture)
    left, right = 170, 906
    for row in range(176):
        part = row / 176
        bright = 0.72 + 0.42 * (1 - abs(part - 0.38) * 1.8)
        color = things.dim((216, 132, 34), bright * rng.uniform(0.98, 1.02))
        draw.line([(left - part * 14, 510 + row), (right + part * 14, 510 + row)], fill=color, width=2)
    for x in (310, 480, 650, 800):
        draw.line([(x, 512), (x - 4, 684)], fill=(150, 88, 24), width=5)
    for side in (left - 14, right - 70):
        for k in range(5):
            y = 520 + k * 32
            draw.polygon([(side, y + 26), (side + 84, y), (side + 84, y + 16), (side, y + 42)], fill=(30, 30, 30))
    things.slab(picture, rng, [(left - 16, 684), (right + 16, 684), (right + 18, 716), (left - 18, 716)],
                ((0, (120, 124, 128)), (255, (206, 210, 212))), cell=60)  # fmt: skip
    for x in range(left, right, 92):
        draw.ellipse((x, 692, x + 10, 702), fill=(62, 64, 66))
    dirt = contrast(clouds(picture.size, rng, 60, 5, stretch=2), 150, 230)
    area = Image.new("L", picture.size, 0)
    ImageDraw.Draw(area).rectangle((left - 16, 590, right + 16, 700), fill=255)
    picture.paste(
        (96, 84, 70), (0, 0, *picture.size), Image.composite(scaled(dirt, 0.5), Image.new("L", picture.size, 0), area)
    )


def shelter() -> Image.Image:
    """The gymnasium: mats in rows, the first partitions standing."""
    rng = seeded("shelter")
    picture = Image.new("RGB", HALL.size, (206, 202, 192))
    back, high = 24.0, 8.5
    wall = [HALL.see(x, y, back) for x, y in ((-9, high), (9, high), (9, 0), (-9, 0))]
    things.slab(
        picture, rng, [(0, 0), (1024, 0), wall[1], wall[0]], ((0, (120, 118, 112)), (255, (176, 172, 164))), cell=200
    )
    for side in (-9, 9):
        edge = 0 if side < 0 else 1024
        near = [(edge, -300), HALL.see(side, high, back), HALL.see(side, 0, back), (edge, 900)]
        things.slab(picture, rng, near, ((0, (168, 160, 146)), (255, (214, 208, 196))), cell=160)
    things.slab(picture, rng, wall, ((0, (186, 178, 164)), (255, (222, 216, 204))), cell=120)
    draw = ImageDraw.Draw(picture)
    for k in range(6):
        x = -8 + k * 2.75
        a, b = HALL.see(x, 7.6, back), HALL.see(x + 2.2, 5.4, back)
        draw.rectangle((*a, *b), fill=(226, 232, 234))
    for k in range(4):
        z = 5 + k * 5
        for x in (-5, 0, 5):
            a, b = HALL.see(x - 0.9, high - 0.4, z), HALL.see(x + 0.9, high - 0.6, z)
            draw.rectangle((*a, *b), fill=(248, 248, 242))
    stage = [HALL.see(x, y, back - 0.1) for x, y in ((-5, 4.4), (5, 4.4), (5, 1.0), (-5, 1.0))]
    things.slab(picture, rng, stage, ((0, (70, 24, 26)), (255, (122, 46, 44))), cell=40)
    plan = road.Plan.of(rng, FLOOR, 60)
    _planks(plan, rng)
    _mats(plan, rng)
    road.lay(picture, HALL, plan, rng, rough=0.04)
    gloss = Image.new("L", picture.size, 0)
    gloss.paste(vertical((1024, 150), 90, 0), (0, int(HALL.see(0, 0, back)[1])))
    picture.paste((236, 232, 222), (0, 0, *picture.size), gloss)
    for distance, cells in ((12.0, 3), (8.6, 4)):
        for k in range(cells):
            _partition(picture, rng, -5.2 + k * 2.3, distance)
    return picture


def _planks(plan: road.Plan, rng: random.Random) -> None:
    seams = Image.new("L", plan.image.size, 0)
    draw = ImageDraw.Draw(seams)
    for k in range(150):
        x = road.LEFT + k * 0.18
        draw.line([plan.at(x, road.NEAR), plan.at(x, road.FAR)], fill=rng.randrange(20, 70), width=1)
    plan.paint(seams, (92, 62, 34))
    for x, color in ((-6.5, (60, 84, 150)), (6.5, (60, 84, 150)), (0.0, (196, 60, 48))):
        plan.paint(plan.strip(road.straight, x - 0.04, x + 0.04, far=23.6), color)
    for z in (4.0, 12.0, 20.0):
        plan.paint(plan.patch([(-6.5, z), (6.5, z), (6.5, z + 0.08), (-6.5, z + 0.08)]), (60, 84, 150))
    plan.paint(
        plan.patch([(road.LEFT, 23.6), (road.RIGHT, 23.6), (road.RIGHT, road.FAR), (road.LEFT, road.FAR)]),
        (206, 198, 184),
    )


def _mats(plan: road.Plan, rng: random.Random) -> None:
    green, blue = Image.new("L", plan.image.size, 0), Image.new("L", plan.image.size, 0)
    for row in range(4):
        z = 3.1 + row * 2.5
        for k in range(5):
            x = 0.4 + k * 1.35 if row > 1 else -3.6 + k * 1.5
            corners = [plan.at(a, b) for a, b in ((x, z), (x + 1.0, z), (x + 1.0, z + 2.0), (x, z + 2.0))]
            ImageDraw.Draw(rng.choice((green, blue))).polygon(corners, fill=255)
    things.shadow(plan.image, things.union(green, blue), 4, 0.4)
    folds = clouds(plan.image.size, rng, 40, 3)
    for mask, color in ((green, (76, 108, 94)), (blue, (70, 98, 116))):
        plan.paint(mask, shaded(Image.new("RGB", mask.size, color), folds, 0.25))


def _partition(picture: Image.Image, rng: random.Random, x: float, z: float) -> None:
    """A cardboard cell: back and side walls of 1.4 m."""
    back = [HALL.see(a, y, z + 2) for a, y in ((x, 1.4), (x + 2.1, 1.4), (x + 2.1, 0), (x, 0))]
    side = [HALL.see(x, 1.4, z), HALL.see(x, 1.4, z + 2), HALL.see(x, 0, z + 2), HALL.see(x, 0, z)]
    front = [HALL.see(a, y, z) for a, y in ((x, 1.4), (x + 0.8, 1.4), (x + 0.8, 0), (x, 0))]
    things.shadow(
        picture,
        plants.blobs(picture.size, [(*HALL.see(x + 1, 0, z), HALL.scale(z) * 1.2, HALL.scale(z) * 0.14)]),
        8,
        0.4,
    )
    things.slab(picture, rng, back, PAPER, cell=60)
    dark: Stops = tuple((level, things.dim(color, 0.8)) for level, color in PAPER)
    things.slab(picture, rng, side, dark, cell=60)
    things.slab(picture, rng, front, PAPER, cell=60)
    draw = ImageDraw.Draw(picture)
    draw.line([*front, front[0]], fill=(150, 130, 98), width=2)
