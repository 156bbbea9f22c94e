"""A pinhole camera over a flat ground: metres to pixels, and pictures of the ground laid into the view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from chat_server.demo.painting.noise import Size

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Camera:
    """Looks along +z. `x` to the right, `y` up, `z` away, in metres; pixels of the picture otherwise.

    A tilt is a shift of the horizon: right enough for a phone that is held almost level.
    """

    width: int = 1024
    height: int = 768
    eye: float = 1.5
    focal: float = 800.0
    horizon: float = 0.42
    """as a part of the height"""
    middle: float = 0.5
    """where straight ahead is, as a part of the width"""

    @property
    def size(self) -> Size:
        return self.width, self.height

    @property
    def v0(self) -> float:
        return self.height * self.horizon

    def see(self, x: float, y: float, z: float) -> Point:
        """Where a point in space lies in the picture."""
        return self.width * self.middle + self.focal * x / z, self.v0 + self.focal * (self.eye - y) / z

    def scale(self, z: float) -> float:
        """Pixels of a metre at distance `z`."""
        return self.focal / z

    def ground(self, plan: Image.Image, left: float, near: float, per_metre: float) -> tuple[Image.Image, Image.Image]:
        """Lay `plan` (seen from above, its bottom edge at distance `near`) on the ground: (picture, mask)."""
        far = near + plan.height / per_metre
        u0, s = self.width * self.middle, per_metre
        # tex_x = s((u - u0)·eye - left(v - v0)) / (v - v0); tex_y = s(far(v - v0) - focal·eye) / (v - v0)
        rows = (
            s * self.eye, -s * left, s * (left * self.v0 - u0 * self.eye),
            0.0, s * far, -s * (far * self.v0 + self.focal * self.eye),
            0.0, 1.0, -self.v0,
        )  # fmt: skip
        data = tuple(value / rows[8] for value in rows[:8])
        seen = plan.convert("RGBA").transform(self.size, Image.Transform.PERSPECTIVE, data, Image.Resampling.BILINEAR)
        # Above the horizon the same formula shows the plan again, from below.
        edge = max(0, int(self.v0 + self.focal * self.eye / far) + 1)
        mask = seen.getchannel("A")
        mask.paste(0, (0, 0, self.width, edge))
        return seen.convert("RGB"), mask


def into_quad(picture: Image.Image, size: Size, corners: Sequence[Point]) -> Image.Image:
    """`picture` stretched so that its corners (left top, right top, right bottom, left bottom) lie at `corners`."""
    w, h = picture.size
    source = ((0.0, 0.0), (float(w), 0.0), (float(w), float(h)), (0.0, float(h)))
    data = _homography(corners, source)
    return picture.convert("RGBA").transform(size, Image.Transform.PERSPECTIVE, data, Image.Resampling.BICUBIC)


def _homography(here: Sequence[Point], there: Sequence[Point]) -> list[float]:
    """Eight coefficients that take `here` to `there` (four points each), by Gauss's elimination."""
    rows: list[list[float]] = []
    for (u, v), (x, y) in zip(here, there, strict=True):
        rows.append([u, v, 1, 0, 0, 0, -x * u, -x * v, x])
        rows.append([0, 0, 0, u, v, 1, -y * u, -y * v, y])
    count = len(rows)
    for column in range(count):
        pivot = max(range(column, count), key=lambda row: abs(rows[row][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        head = rows[column][column]
        rows[column] = [value / head for value in rows[column]]
        for row in range(count):
            if row != column and rows[row][column]:
                factor = rows[row][column]
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[column], strict=True)]
    return [row[count] for row in rows]
