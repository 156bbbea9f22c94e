"""Damaged photos through the whole way: whatever arrives, the pool answers with a photo or with a number, and lives on.

The HEIC library does die of some of them (pi-heif 1.4.0, its last release, dereferences NULL for an item type that is not
UTF-8; pillow_heif mended it in its pull request 478): that is what the children and their confinement are for. A decoder
of another format that dies is a failure here.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

from chat_server.decoders.limits import Limits
from chat_server.domain.errors import Problem
from chat_server.photos.workers import PhotoDecoders
from tests.unit.photo_samples import encoded, exif_block, picture, sample, swapped_profile

PLACE: dict[str, Any] = {
    "latitude": ((35, 1), (41, 1), (2222, 100)),
    "longitude": ((139, 1), (41, 1), (3012, 100)),
}
# A flipped bit can make a header of 88 megapixels, which is a photo (`MAX_PIXELS` is 100 million): Pillow warns from half of its limit.
pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
# RENRAKU_FUZZ_EXAMPLES=20000 for a night's run
EXAMPLES = int(os.environ.get("RENRAKU_FUZZ_EXAMPLES", "600"))


def seeds() -> list[bytes]:
    block = exif_block(taken="2026:05:01 12:00:00", offset="+09:00", orientation=6, maker="camera", **PLACE)
    frames = [Image.new("RGB", (24, 16), color) for color in ("blue", "lime")]
    files = [
        "pillow/exif_gps.jpg",
        "pillow/decompression_bomb.gif",
        "pillow/hopper_orientation_6.jpg",
        "pillow/truncated_jpeg.jpg",
        "pillow-heif/RGB_8_chroma444.heif",
        "pillow-heif/truncated.heic",
        "pillow-heif/L_exif_xmp_iptc.heic",
    ]
    return [
        *(sample(name).read_bytes() for name in files),
        encoded(picture(48, 32), exif=block, icc_profile=swapped_profile(), comment=b"words"),
        encoded(picture(48, 32), progressive=True, exif=block),
        encoded(picture(48, 32, "CMYK"), exif=block),
        encoded(picture(48, 32), "MPO", save_all=True, append_images=frames),
        encoded(picture(48, 32, "RGBA"), "PNG", exif=block, icc_profile=swapped_profile()),
        encoded(picture(48, 32, "P"), "PNG", transparency=3),
        encoded(Image.new("I;16", (48, 32), 4000), "PNG"),
        encoded(picture(24, 16), "GIF", save_all=True, append_images=frames),
        encoded(picture(24, 16, "RGBA"), "WEBP", exif=block, icc_profile=swapped_profile(), lossless=True),
        encoded(picture(24, 16), "WEBP", save_all=True, append_images=frames),
    ]


class Damaged(bytes):
    """A file as Hypothesis shows it: it lies in the temporary folder, where a failing test leaves it."""

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


@st.composite
def damaged(draw: st.DrawFn, sources: list[bytes]) -> Damaged:
    """A file with bytes changed, cut out, doubled, or cut off; most of them near the head, where the structure is."""
    data = bytearray(draw(st.sampled_from(sources)))
    for _ in range(draw(st.integers(1, 6))):
        if not data:
            break
        last = len(data) - 1
        at = draw(st.integers(0, last) | st.integers(0, min(last, 600)))
        match draw(st.sampled_from(("flip", "set", "extreme", "cut", "double", "end"))):
            case "flip":
                data[at] ^= 1 << draw(st.integers(0, 7))
            case "set":
                data[at] = draw(st.integers(0, 255))
            case "extreme":
                width = draw(st.sampled_from((2, 4)))
                data[at : at + width] = draw(st.sampled_from((b"\0", b"\xff", b"\x7f"))) * width
            case "cut":
                del data[at : at + draw(st.integers(1, 64))]
            case "double":
                data[at:at] = data[at : at + draw(st.integers(1, 64))]
            case "end":
                del data[at:]
    return Damaged(data)


class Deaths(logging.Handler):
    """Counts what the pool reports."""

    count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += "died" in record.getMessage()


@pytest.fixture(scope="module")
def attempt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[bytes], None]]:
    """Sends bytes through one pool that lives for all of the test."""
    folder = tmp_path_factory.mktemp("fuzz")
    numbers = itertools.count()
    pool = PhotoDecoders(1, limits=Limits(memory_bytes=1 << 30, wall_seconds=10))
    deaths = Deaths()
    logging.getLogger("chat_server.decoders.pool").addHandler(deaths)

    def send(data: bytes) -> None:
        source, out = folder / "photo", folder / str(next(numbers))
        source.write_bytes(data)
        out.mkdir()
        pids = pool.pids
        try:
            photo = runner.run(pool.prepare(source, out))
        except Problem as problem:
            # 8003 would be a decoder that died, hung, or met a fault of ours
            assert problem.fault.code in (5002, 5003, 5004), f"{problem}: {source}"  # noqa: PT017 - a photo is as good
        else:
            for made in photo.renditions:
                with Image.open(made.path) as image:
                    image.load()
                    assert image.size == (made.width, made.height)
                made.path.unlink()
        assert pool.pids == pids, f"the decoder died of {source}"
        if deaths.count:
            deaths.count = 0
            assert data[4:8] == b"ftyp", f"its child died of {source}"
        out.rmdir()

    with asyncio.Runner() as runner:
        runner.run(pool.start())
        yield send
        runner.run(pool.close())
    logging.getLogger("chat_server.decoders.pool").removeHandler(deaths)


def test_every_seed_gets_an_answer(attempt: Callable[[bytes], None]) -> None:
    for seed in seeds():
        attempt(seed)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=damaged(seeds()))
def test_damaged_photos_get_an_answer(attempt: Callable[[bytes], None], data: Damaged) -> None:
    attempt(data)


@settings(max_examples=EXAMPLES // 5, deadline=None)
@given(head=st.sampled_from([seed[:24] for seed in seeds()]), tail=st.binary(max_size=400))
def test_a_good_beginning_with_noise_behind_gets_an_answer(
    attempt: Callable[[bytes], None], head: bytes, tail: bytes
) -> None:
    attempt(head + tail)
