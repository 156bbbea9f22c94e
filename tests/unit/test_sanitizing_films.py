"""Films come out with their pictures and their sound, and with nothing else."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

import pytest

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing import kinds
from chat_server.sanitizing.check import films as check
from chat_server.sanitizing.order import Order
from chat_server.sanitizing.rebuild import films
from chat_server.sanitizing.rebuild.film_boxes import box, full
from chat_server.sanitizing.report import Rebuilt

HERE = full("url ", 0, 1)
PICTURE = b"\0" * 6 + b"\0\1" + bytes(34) + b"\x0aan encoder" + bytes(21) + bytes(4)
AVC = box("avc1", PICTURE, box("avcC", b"configuration"), box("evil", b"unknown"))
SOUND = box("mp4a", bytes(6) + b"\0\1" + bytes(20), box("esds", b"configuration"))


def track(
    kind: str, samples: Sequence[bytes], place: int, *, entry: bytes = AVC, reference: bytes = HERE, extra: bytes = b""
) -> bytes:
    """One chunk of all samples at `place`."""
    sizes = [len(each) for each in samples]
    stbl = box(
        "stbl",
        full("stsd", 0, 0, struct.pack(">I", 1), entry),
        full("stts", 0, 0, struct.pack(">III", 1, len(samples), 40)),
        full("stsc", 0, 0, struct.pack(">IIII", 1, 1, len(samples), 1)),
        full("stsz", 0, 0, struct.pack(f">II{len(sizes)}I", 0, len(sizes), *sizes)),
        full("stco", 0, 0, struct.pack(">II", 1, place)),
    )
    media = box(
        "mdia",
        full("mdhd", 0, 0, struct.pack(">IIIIHH", 3_900_000_000, 3_900_000_000, 1000, 80, 0x55C4, 0)),
        full("hdlr", 0, 0, struct.pack(">I4s3I", 0, kind.encode(), 0, 0, 0), b"A camera's maker\0"),
        box(
            "minf", full("vmhd", 0, 1, bytes(8)), box("dinf", full("dref", 0, 0, struct.pack(">I", 1), reference)), stbl
        ),
    )
    head = struct.pack(
        ">IIIII2I4H9III",
        3_900_000_000,
        3_900_000_000,
        1,
        0,
        80,
        0,
        0,
        0,
        0,
        0,
        0,
        *(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000),
        320 << 16,
        180 << 16,
    )
    edits = box("edts", full("elst", 0, 0, struct.pack(">IIII", 1, 80, 20, 0x10000)))
    return box("trak", full("tkhd", 0, 3, head), edits, media, extra)


def film(
    *, brand: bytes = b"isom", between: bytes = b"hidden", top: bytes = b"", also: bytes = b"", **options: bytes
) -> bytes:
    """Two samples of pictures, something hidden, one sample of sound."""
    ftyp = box("ftyp", brand + b"\0\0\2\0" + brand)
    body = box("mdat", b"picture one", b"picture two", between, b"sound")
    place = len(ftyp) + 8
    moov = box(
        "moov",
        full(
            "mvhd",
            0,
            0,
            struct.pack(
                ">IIIIIHH2I9I6II",
                3_900_000_000,
                3_900_000_000,
                1000,
                80,
                0x10000,
                0x100,
                0,
                0,
                0,
                *(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000),
                *(0,) * 6,
                3,
            ),
        ),
        track("vide", [b"picture one", b"picture two"], place, **options),
        track("soun", [b"sound"], place + 22 + len(between), entry=SOUND),
        also,
    )
    return ftyp + body + top + moov


def rebuilt(data: bytes) -> tuple[bytes, Rebuilt]:
    target = io.BytesIO()
    told = films.rebuild(io.BytesIO(data), target, Order("mp4"))
    assert check.check(target) == []
    return target.getvalue(), told


def test_the_samples_stay_and_nothing_around_them() -> None:
    place = box("udta", box("\xa9xyz", b"+35.6895+139.6917/"))
    made, told = rebuilt(
        film(top=box("uuid", bytes(16) + b"<x:xmpmeta/>"), also=place, extra=box("meta", b"a maker's"))
    )
    assert made.endswith(struct.pack(">I4sQ", 1, b"mdat", 16 + 27) + b"picture onepicture twosound")
    assert sorted((each.object, each.name) for each in told.removed) == [
        ("metadata", "meta"),
        ("metadata", "udta"),
        ("metadata", "uuid"),
    ]
    for gone in (b"hidden", b"maker", b"139.69", b"xmpmeta", b"an encoder", b"evil", struct.pack(">I", 3_900_000_000)):
        assert gone not in made
    assert b"avcC" + b"configuration" in made
    assert struct.pack(">II", 320 << 16, 180 << 16) in made
    assert full("elst", 0, 0, struct.pack(">IIII", 1, 80, 20, 0x10000)) in made


def test_a_rebuilt_film_is_rebuilt_to_the_same() -> None:
    made, _ = rebuilt(film())
    assert rebuilt(made) == (made, Rebuilt("mp4"))


def test_a_track_that_is_neither_pictures_nor_sound_is_left_and_told() -> None:
    data = film(also=track("meta", [b"gps"], 0))
    made, told = rebuilt(data)
    assert [(each.object, each.name) for each in told.removed] == [("metadata", "meta")]
    assert made.count(b"trak") == 2


def test_quicktime_becomes_mp4() -> None:
    data = film(brand=b"qt  ")
    assert kinds.found(io.BytesIO(data), "a.mov") == "mov"
    made, told = rebuilt(data)
    assert told.kind == "mp4"
    assert kinds.found(io.BytesIO(made), "a") == "mp4"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (film(reference=full("url ", 0, 0, b"file:///etc/passwd\0")), "external"), (film(entry=box("encv", PICTURE)), "protected"),
        (film(entry=box("xxxx", PICTURE)), "unknown"), (film() + box("moov"), "ambiguous"), (film()[:-9], "broken"),
        (film(also=box("mvex")), "unknown"), (box("ftyp", b"isom"), "broken"), (b"", "broken"),
        (film().replace(struct.pack(">II", 1, 28), struct.pack(">II", 1, 1 << 30)), "broken"),
        (film().replace(struct.pack(">IIII", 1, 1, 2, 1), struct.pack(">IIII", 1, 1, 1, 1)), "broken"),
    ],
    ids=["elsewhere", "protected", "codec", "two headers", "cut", "fragments", "no header", "empty", "beyond", "count"],
)  # fmt: skip
def test_a_film_that_is_not_what_it_seems_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        rebuilt(data)
    assert refused.value.reason == reason


def test_a_table_is_believed_no_further_than_it_goes() -> None:
    data = film()
    at = data.index(b"stsz")
    for count in (0xFFFFFFFF, 19_000_000):
        with pytest.raises(Refused):
            rebuilt(data[: at + 12] + struct.pack(">I", count) + data[at + 16 :])


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda data: data + box("udta", b"x"), "a box that is not expected: 'udta'"), (lambda data: data + b"PK\3\4", "a cut-off box in the file"),
        (lambda data: data.replace(b"url \0\0\0\1", b"url \0\0\0\0"), "samples in another file"),
        (lambda data: data.replace(b"vide", b"meta"), "a track that is neither pictures nor sound"),
        (lambda data: data.replace(b"avc1", b"encv"), "samples that are protected or lie elsewhere"),
        (lambda data: data.replace(b"stco", b"free"), "a box that is not expected: 'free'"),
        (lambda data: data[:-43], "not one header and one body"), (lambda data: data + data, "not one header and one body"),
    ],
)  # fmt: skip
def test_the_check_finds_what_a_film_must_not_hold(change, found: str) -> None:  # type: ignore[no-untyped-def]
    made, _ = rebuilt(film())
    assert found in check.check(io.BytesIO(change(made)))
