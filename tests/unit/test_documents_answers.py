"""What a decoder of documents says and writes is not believed: it may be a stranger's by then."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from chat_server.decoders.files import BadRendition, TaskFiles
from chat_server.documents.answer import Pages, Words, parse_pages, parse_words
from chat_server.documents.workers import PDF_PAGES, PLAIN, drawn, spelled
from tests.unit.photo_samples import encoded, picture

PAGES = '{"type":"done","pages":2,"color":"#ffffff","sizes":[[226,320],[1131,1600],[1131,1600]]}'
WORDS = '{"type":"done","size":3,"encoding":"cp932"}'
JPEG, WEBP = encoded(picture()), encoded(picture(), "WEBP")


def test_the_good_answers_are_good() -> None:
    assert isinstance(parse_pages(PAGES.encode()), Pages)
    assert isinstance(parse_words(WORDS.encode()), Words)


@pytest.mark.parametrize(
    "answer",
    [
        PAGES.replace('"pages":2', '"pages":0'),
        PAGES.replace('"pages":2', '"pages":1'),
        PAGES.replace("#ffffff", "#ffffff;"),
        PAGES.replace("[226,320]", "[226,321]"),
        PAGES.replace("[1131,1600]", "[1131,1601]"),
        PAGES.replace("[1131,1600]", "[0,1600]"),
        PAGES.replace("[[226,320],[1131,1600],[1131,1600]]", "[[226,320]]"),
        PAGES.replace("[1131,1600]]", "[1131,1600]" + ",[1,1]" * 5 + "]").replace('"pages":2', '"pages":9'),
        PAGES.replace('"type":"done"', '"type":"done","html":"<script>"'),
        '{"type":"refused","reason":"not_a_photo"}',
        WORDS,
        "",
    ],
)
def test_other_answers_about_pages_are_refused(answer: str) -> None:
    with pytest.raises(msgspec.MsgspecError):
        parse_pages(answer.encode())


@pytest.mark.parametrize(
    "answer",
    [
        WORDS.replace("3", "0"),
        WORDS.replace("3", str((2 << 20) + 1)),
        WORDS.replace("cp932", "<script>"),
        WORDS.replace('"encoding":"cp932"', '"encoding":"cp932","text":"words"'),
        '{"type":"refused","reason":"because"}',
        PAGES,
    ],
)
def test_other_answers_about_words_are_refused(answer: str) -> None:
    with pytest.raises(msgspec.MsgspecError):
        parse_words(answer.encode())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "source").write_bytes(b"")
    (tmp_path / "out").mkdir()
    return tmp_path


@pytest.fixture
def pictures(folder: Path) -> Iterator[TaskFiles]:
    opened = TaskFiles.open(folder / "source", folder / "out", PDF_PAGES.outputs)
    yield opened
    opened.close()


@pytest.fixture
def text(folder: Path) -> Iterator[TaskFiles]:
    opened = TaskFiles.open(folder / "source", folder / "out", PLAIN.outputs)
    yield opened
    opened.close()


def test_pictures_are_looked_at(pictures: TaskFiles) -> None:
    done = Pages(pages=2, color="#ffffff", sizes=[(9, 9), (9, 9), (9, 9)])
    for descriptor, content in zip(pictures.descriptors[1:], (WEBP, JPEG, b"<html>"), strict=False):
        os.write(descriptor, content)
    with pytest.raises(BadRendition, match="preview-2"):
        drawn(done, pictures, 1 << 20)
    with pytest.raises(BadRendition, match="thumbnail"):
        drawn(done, pictures, 10)
    os.pwrite(pictures.descriptors[3], JPEG, 0)
    assert [each.kind for each in drawn(done, pictures, 1 << 20)] == ["thumbnail", "preview", "preview-2"]


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (b"abc", 4),
        (b"abc", 2),
        (b"\xff\xfe", 2),
        (b"a\0b", 3),
        (b"a\x1b[31m", 6),
        ("a\u202eb".encode(), 5),
        ("\u2066".encode(), 3),
        ("\ufeff".encode(), 3),
        (b"a\rb", 3),
    ],
    ids=["shorter", "longer", "no utf-8", "nul", "escape", "override", "isolate", "mark", "line end"],
)
def test_text_is_looked_at(text: TaskFiles, content: bytes, size: int) -> None:
    os.write(text.descriptors[1], content)
    with pytest.raises(BadRendition):
        spelled(Words(size=size, encoding=None), text, 1 << 20)


def test_good_text_is_text(text: TaskFiles) -> None:
    content = "表\tと\n一覧".encode()
    os.write(text.descriptors[1], content)
    made = spelled(Words(size=len(content), encoding="utf_8"), text, 1 << 20)
    assert (made.kind, made.size, made.path.read_bytes()) == ("text", len(content), content)
