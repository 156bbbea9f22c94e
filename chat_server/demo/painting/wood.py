"""Trunks, branches and roots: strokes laid side by side, lit from above."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Final

from PIL import ImageDraw

from chat_server.demo.painting.noise import Color

BARK: Final[Color] = (112, 96, 78)
WET_BARK: Final[Color] = (84, 74, 64)
CUT: Final[Color] = (214, 182, 132)

Joint = tuple[float, float, float]
"""(x, y, radius) in pixels."""


def limb(
    draw: ImageDraw.ImageDraw, rng: random.Random, path: Sequence[Joint], color: Color, light: float = -0.55
) -> None:
    """A round limb along `path`. `light`: where across it the light falls, -1 its upper (left) side."""
    widest = max(joint[2] for joint in path)
    strokes = max(3, int(widest * 1.5))
    normals = _normals(path)
    for stroke in range(strokes + 1):
        across = -1 + 2 * stroke / strokes
        bright = 0.3 + 0.75 * max(0.0, math.cos((across - light) * 1.25))
        shade = bright * rng.uniform(0.78, 1.16)
        fill = _times(color, shade)
        points = [
            (x + nx * r * across + rng.uniform(-0.5, 0.5), y + ny * r * across + rng.uniform(-0.5, 0.5))
            for (x, y, r), (nx, ny) in zip(path, normals, strict=True)
        ]
        draw.line(points, fill=fill, width=max(1, round(widest / strokes * 2 + 0.8)), joint="curve")
    _bark(draw, rng, path, normals, color, strokes)


def _bark(
    draw: ImageDraw.ImageDraw,
    rng: random.Random,
    path: Sequence[Joint],
    normals: Sequence[tuple[float, float]],
    color: Color,
    strokes: int,
) -> None:
    """Short dark furrows along the limb."""
    if strokes < 9:
        return
    for _ in range(strokes * 14):
        place = rng.uniform(0, len(path) - 1.001)
        i = int(place)
        part = place - i
        (x0, y0, r0), (x1, y1, r1) = path[i], path[i + 1]
        nx, ny = normals[i]
        across = rng.uniform(-0.92, 0.92)
        r = r0 + (r1 - r0) * part
        x, y = x0 + (x1 - x0) * part + nx * r * across, y0 + (y1 - y0) * part + ny * r * across
        length = rng.uniform(0.02, 0.09)
        end = (x + (x1 - x0) * length, y + (y1 - y0) * length)
        draw.line([(x, y), end], fill=_times(color, rng.choice((0.3, 0.45, 1.25))), width=1)


def grow(
    rng: random.Random, start: tuple[float, float], angle: float, length: float, radius: float, wander: float = 0.25
) -> list[Joint]:
    """A limb that tapers and wanders: `angle` in radians, 0 to the right and rising against the clock."""
    joints: list[Joint] = []
    x, y = start
    steps = 7
    for step in range(steps + 1):
        joints.append((x, y, radius * (1 - 0.8 * step / steps) + 0.4))
        angle += rng.uniform(-wander, wander)
        x, y = x + math.cos(angle) * length / steps, y - math.sin(angle) * length / steps
    return joints


def along(path: Sequence[Joint], place: float) -> Joint:
    """The joint at `place` (0–1) of the path."""
    exact = place * (len(path) - 1)
    i = min(len(path) - 2, int(exact))
    part = exact - i
    a, b = path[i], path[i + 1]
    return a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part, a[2] + (b[2] - a[2]) * part


def cut_face(draw: ImageDraw.ImageDraw, rng: random.Random, x: float, y: float, rx: float, ry: float) -> None:
    """A fresh cut across a trunk, with its rings."""
    draw.ellipse((x - rx, y - ry, x + rx, y + ry), fill=_times(CUT, 0.62))
    for ring in range(9, 0, -1):
        part = ring / 9 * 0.93
        draw.ellipse(
            (x - rx * part, y - ry * part, x + rx * part, y + ry * part), fill=_times(CUT, rng.uniform(0.8, 1))
        )


def _normals(path: Sequence[Joint]) -> list[tuple[float, float]]:
    found = []
    for i in range(len(path)):
        a, b = path[max(0, i - 1)], path[min(len(path) - 1, i + 1)]
        dx, dy = b[0] - a[0], b[1] - a[1]
        size = math.hypot(dx, dy) or 1.0
        # The side that is "up" in the picture comes first.
        nx, ny = dy / size, -dx / size
        found.append((-nx, -ny) if ny > 0 else (nx, ny))
    return [(-nx, -ny) for nx, ny in found]


def _times(color: Color, factor: float) -> Color:
    return (
        min(255, round(color[0] * factor)),
        min(255, round(color[1] * factor)),
        min(255, round(color[2] * factor)),
    )
