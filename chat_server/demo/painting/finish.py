"""From a painting to what a phone would have stored: lens, light, sensor."""

from __future__ import annotations

import random
from typing import Final

from PIL import Image, ImageChops, ImageFilter

from chat_server.demo.painting.noise import Color, grain, scaled

SIZE: Final = (1600, 1200)


def fog(picture: Image.Image, distance: Image.Image, color: Color) -> Image.Image:
    """`distance`: 0 near, 255 lost in the haze."""
    return Image.composite(Image.new("RGB", picture.size, color), picture, distance)


def developed(
    picture: Image.Image,
    rng: random.Random,
    *,
    warmth: float = 0,
    exposure: float = 1.22,
    saturation: float = 0.92,
    noise: float = 0.05,
    blur: float = 0.55,
    portrait: bool = False,
) -> Image.Image:
    """Vignette, white balance, a touch of softness and sensor noise, at the phone's size."""
    size = (SIZE[1], SIZE[0]) if portrait else SIZE
    out = picture.filter(ImageFilter.BoxBlur(blur)).convert("RGB", _grade(warmth, exposure, saturation))
    corner = scaled(Image.radial_gradient("L").resize(out.size), -0.32, 262)
    out = ImageChops.multiply(out, Image.merge("RGB", [corner] * 3))
    glow = out.reduce(8).filter(ImageFilter.BoxBlur(3)).point([v * v // 1280 for v in range(256)] * 3)
    out = ImageChops.screen(out, glow.resize(out.size, Image.Resampling.BILINEAR))
    out = out.resize(size, Image.Resampling.BICUBIC)
    # Sensor noise: mostly of the light, a little and coarser of the colours.
    half = (size[0] // 2, size[1] // 2)
    tables = [[round(level * noise) for level in range(256)]] * 3
    coarse = Image.merge("RGB", [grain(half, rng) for _ in range(3)]).resize(size, Image.Resampling.BILINEAR)
    speckle = Image.blend(Image.merge("RGB", [grain(size, rng)] * 3), coarse, 0.5).point([v for t in tables for v in t])
    return ImageChops.add(out, speckle, 1.0, -round(128 * noise))


def _grade(warmth: float, exposure: float, saturation: float) -> tuple[float, ...]:
    """A colour matrix: exposure and saturation, `warmth` in levels from blue to red."""
    grey = (0.299, 0.587, 0.114)
    rows: list[float] = []
    for channel, shift in enumerate((warmth, 0.0, -warmth)):
        mixed = [(1 - saturation) * part * exposure for part in grey]
        mixed[channel] += saturation * exposure
        rows += [*mixed, shift]
    return tuple(rows)
