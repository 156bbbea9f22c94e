"""What a decoder wrote is looked at before it is called a rendition."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat_server.decoders.files import BadRendition, TaskFiles
from chat_server.photos.answer import Done
from chat_server.photos.rules import KINDS, Kind
from chat_server.photos.workers import PHOTO, photo_of
from tests.unit.photo_samples import encoded, picture

DONE = Done(
    media_type="image/png",
    width=96,
    height=64,
    color="#000000",
    taken_at=None,
    latitude=None,
    longitude=None,
    sizes=dict.fromkeys(KINDS, (96, 64)),
)
JPEG, WEBP = encoded(picture()), encoded(picture(), "WEBP")
GOOD: dict[Kind, bytes] = {"sanitized": JPEG, "preview": JPEG, "thumbnail": WEBP}


@pytest.fixture
def files(tmp_path: Path) -> Iterator[TaskFiles]:
    source = tmp_path / "source"
    source.write_bytes(JPEG)
    out = tmp_path / "out"
    out.mkdir()
    opened = TaskFiles.open(source, out, PHOTO.outputs)
    yield opened
    opened.close()


def write(files: TaskFiles, contents: dict[Kind, bytes]) -> None:
    for descriptor, kind in zip(files.descriptors[1:], KINDS, strict=True):
        os.write(descriptor, contents[kind])


def test_good_files_are_renditions(files: TaskFiles) -> None:
    write(files, GOOD)
    assert [(each.kind, each.size, each.path.read_bytes()) for each in photo_of(DONE, files, 1 << 20).renditions] == [
        (kind, len(GOOD[kind]), GOOD[kind]) for kind in KINDS
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xd8", b"<html>", encoded(picture(), "PNG"), b"RIFF\0\0\0\0WAVE", JPEG + bytes(1 << 20)],
    ids=["nothing", "cut", "html", "png", "wave", "too large"],
)
def test_anything_else_is_not(files: TaskFiles, kind: Kind, content: bytes) -> None:
    write(files, GOOD | {kind: content})
    with pytest.raises(BadRendition, match=kind):
        photo_of(DONE, files, 1 << 20)


def test_files_that_exist_are_not_overwritten(tmp_path: Path) -> None:
    source, taken = tmp_path / "source", tmp_path / "preview.jpg"
    source.write_bytes(JPEG)
    taken.write_bytes(b"somebody's")
    with pytest.raises(FileExistsError):
        TaskFiles.open(source, tmp_path, PHOTO.outputs)
    assert taken.read_bytes() == b"somebody's"
    assert {path.name for path in tmp_path.iterdir()} == {"source", "preview.jpg"}
