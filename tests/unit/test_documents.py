"""Documents through their decoders, as far as a pool without a helper goes: pictures of PDFs, text of everything."""

from __future__ import annotations

import asyncio
import io
import itertools
import zipfile
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image

from chat_server.decoders.limits import Limits
from chat_server.decoders.outcome import Busy
from chat_server.decoders.pool import Pool
from chat_server.decoders.task import Decoder
from chat_server.documents.answer import parse_words
from chat_server.documents.rules import TEXT_BYTES
from chat_server.documents.workers import LIMITS, MODULES, DocumentDecoders, spelled
from chat_server.domain.previews import PDF
from chat_server.photos.workers import PhotoDecoders
from chat_server.ports import Document
from tests.unit import photo_samples
from tests.unit.document_samples import COMPOUND, docx, package, packed, pages, pdf, sample, stream, words

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
TXT = "text/plain"
SMALL = Limits(cpu_seconds=1, wall_seconds=90, descriptors=LIMITS.descriptors)


async def no_helper() -> None:
    """What a machine without LibreOffice finds."""


class Reader:
    """Documents in, what was made of them out."""

    def __init__(self, pool: Pool, folder: Path) -> None:
        self.pool = pool
        self._folder = folder
        self._numbers = itertools.count()
        self._documents = DocumentDecoders(pool, no_helper)

    async def read(self, content: bytes | Path, media_type: str) -> Document:
        folder = self._folder / str(next(self._numbers))
        folder.mkdir()
        source = content if isinstance(content, Path) else folder / "source"
        if isinstance(content, bytes):
            source.write_bytes(content)
        out = folder / "out"
        out.mkdir()
        before = self.pool.pids
        async with asyncio.timeout(100):
            document = await self._documents.prepare(source, out, media_type)
        assert self.pool.pids == before, "the process that forks must outlive every document"
        return document

    async def text(self, content: bytes | Path, media_type: str) -> str:
        document = await self.read(content, media_type)
        (made,) = (each for each in document.renditions if each.kind == "text")
        return made.path.read_text(encoding="utf-8")


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Reader]:
    """One pool for all of them: it lives through everything."""
    pool = Pool("documents", MODULES, 1, limits=SMALL)
    await pool.start()
    yield Reader(pool, tmp_path_factory.mktemp("documents"))
    await pool.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def patient(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Reader]:
    """With the limits of the product: a slow machine needs more than a second for what is large and honest."""
    pool = Pool("documents", MODULES, 1, limits=LIMITS)
    await pool.start()
    yield Reader(pool, tmp_path_factory.mktemp("patient"))
    await pool.close()


def kinds(document: Document) -> list[str]:
    return [each.kind for each in document.renditions]


# ------------------------------------------------------------------------------------------------------------- PDF


async def test_a_pdf_becomes_pictures_and_text(reader: Reader) -> None:
    document = await reader.read(pages(*(words(f"page {each}") for each in range(1, 8))), PDF)
    assert kinds(document) == ["thumbnail", "preview", "preview-2", "preview-3", "preview-4", "preview-5", "text"]
    assert document.failed == {}
    assert document.pages == 7
    for made in document.renditions[:-1]:
        with Image.open(made.path) as image:
            assert image.get_format_mimetype() == made.media_type
            assert image.size == (made.width, made.height) == ((213, 320) if made.kind == "thumbnail" else (1067, 1600))
            assert sum(image.convert("L").histogram()[:100]) > 20, "the words are drawn"
    (text,) = document.renditions[-1:]
    assert text.path.read_text().split("\n\n") == [f"page {each}" for each in range(1, 8)]


async def test_japanese_is_drawn_in_a_font_of_this_machine(reader: Reader) -> None:
    document = await reader.read(sample("noembed-sjis.pdf"), PDF)
    assert document.renditions[-1].path.read_text() == "あいうえお"
    with Image.open(document.renditions[1].path) as image:
        # あいうえお in 36 points at the top left; the fonts that pdfium carries have none of it
        dark = image.convert("L").crop((130, 90, 380, 160)).histogram()[:100]
    assert sum(dark) > 1000


@pytest.mark.parametrize(
    ("name", "count"), [("doc_actions.pdf", 3), ("issue17846.pdf", 1), ("issue18823.pdf", 1)], ids=str
)
async def test_what_a_pdf_would_do_when_opened_is_not_done(reader: Reader, name: str, count: int) -> None:
    document = await reader.read(sample(name), PDF)
    assert document.pages == count
    assert "preview" in kinds(document)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (sample("issue15893_reduced.pdf"), "encrypted"),
        (sample("poppler-742-0-fuzzed.pdf"), "broken"),
        (b"%PDF-1.7\n", "broken"),
        (b"", "broken"),
        (pages(words("cut off"))[:200], "broken"),
        (pages(words("no size"), box=b"0 0 0 0"), ""),
        (pages(words("upside down"), box=b"0 0 nan -inf"), ""),
        (pdf({1: b"<</Type/Catalog/Pages 2 0 R>>", 2: b"<</Type/Pages/Count 0/Kids[]>>"}), "broken"),
        (pdf({1: b"<</Type/Catalog/Pages 2 0 R>>", 2: b"<</Type/Pages/Count 9/Kids[2 0 R]>>"}), ""),
    ],
    ids=["encrypted", "fuzzed", "head", "nothing", "cut", "no size", "no numbers", "no pages", "a circle"],
)
async def test_a_pdf_that_cannot_be_read_says_why(reader: Reader, content: bytes | Path, reason: str) -> None:
    document = await reader.read(content, PDF)
    if reason:
        assert document.failed == dict.fromkeys(("preview", "thumbnail", "text"), reason)
        assert document.renditions == ()


async def test_a_huge_page_is_drawn_small(reader: Reader) -> None:
    document = await reader.read(pages(words("poster"), box=b"0 0 900000 20"), PDF)
    assert [(each.width, each.height) for each in document.renditions[:2]] == [(320, 1), (1600, 1)]


async def test_ten_thousand_pages_are_counted_and_not_drawn(reader: Reader) -> None:
    document = await reader.read(pages(*[words("page")] * 10_000), PDF)
    assert document.pages == 10_000
    assert len(kinds(document)) == 7


def _image(width: int, height: int) -> bytes:
    return stream(
        bytes(64 << 20),
        b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceRGB" % (width, height),
    )


def _nested(depth: int) -> bytes:
    data = bytes(100 << 20)
    filters = b"/FlateDecode" * depth
    for _ in range(depth):
        data = zlib.compress(data, 9)
    return b"<</Type/ObjStm/N 1/First 5/Length %d/Filter[%s]>>stream\n%s\nendstream" % (len(data), filters, data)


def _endless() -> dict[int, bytes]:
    """A form that draws the next one ten times, twenty levels deep."""
    return {
        number: stream(
            b"/X Do " * 10,
            b"/Type/XObject/Subtype/Form/BBox[0 0 100 100]/Resources<</XObject<</X %d 0 R>>>>" % (number + 1),
        )
        for number in range(1000, 1020)
    }


BOMBS = {
    "pixels": lambda: pages(b"q 200 0 0 300 0 0 cm /X Do Q", more={1000: _image(60_000, 60_000)}),
    "more pixels": lambda: pages(b"q 200 0 0 300 0 0 cm /X Do Q", more={1000: _image(2_000_000_000, 2_000_000_000)}),
    "object stream": lambda: pages(words("a"), more={1000: _nested(3)}),
    "content": lambda: pages(b"0 0 m 100 100 l S\n" * 4_000_000),
    "endless form": lambda: pages(b"/X Do " * 10, more=_endless()),
    "pattern": lambda: pages(
        b"/Pattern cs /P scn 0 0 200 300 re f " * 1000,
    ),
    "deep": lambda: pages(b"q " * 2_000_000 + words("a")),
    "arrays": lambda: pages(words("a"), more={1000: b"[" * 1_000_000}),
}


@pytest.mark.parametrize("bomb", BOMBS)
async def test_bombs_cost_themselves_alone(reader: Reader, bomb: str, tmp_path: Path) -> None:
    """Whatever comes of it: an answer, in bounded time and memory, and photos go on meanwhile."""
    photo = tmp_path / "photo"
    photo.write_bytes(photo_samples.encoded(photo_samples.picture()))
    photos = PhotoDecoders(1)
    try:
        await photos.start()
        task = asyncio.create_task(reader.read(BOMBS[bomb](), PDF))
        for each in range(5):
            out = tmp_path / f"photo{each}"
            out.mkdir()
            assert (await photos.prepare(photo, out)).width == 96
        document = await task
    finally:
        await photos.close()
    for kind in ("preview", "thumbnail", "text"):
        assert (kind in kinds(document)) != (kind in document.failed)
    assert await reader.text(pages(words("next")), PDF) == "next"


async def test_a_page_that_breaks_its_decoder_leaves_the_first_one(reader: Reader) -> None:
    document = await reader.read(pages(words("one"), b"/X Do " * 10, more=_endless()), PDF)
    assert kinds(document)[:2] == ["thumbnail", "preview"]
    assert "preview-2" not in kinds(document)
    assert document.pages == 2


# ------------------------------------------------------------------------------------------------------ text files


TEXTS = "国土交通省、①②③ ～髙﨑~ 表\n二行目 ソ能\n"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (TEXTS.encode(), TEXTS),
        (TEXTS.encode("utf-8-sig"), TEXTS),
        (TEXTS.encode("cp932"), TEXTS),
        (TEXTS.encode("utf-16"), TEXTS),
        (TEXTS.encode("utf-16-le"), TEXTS),
        ("ascii and 表".encode("utf-16-be"), "ascii and 表"),
        (b"\xff\xfe\0\0" + TEXTS.encode("utf-32-le"), TEXTS),
        ("道路の占用許可について、お知らせします。\n".encode("euc_jp") * 3, "道路の占用許可について、お知らせします。\n" * 3),
        ("道路の占用許可".encode("iso2022_jp"), "道路の占用許可"),
        (b"a\r\nb\rc", "a\nb\nc"),
        (b"\x1b[31mred\x07\x08", "[31mred"),
        ("invoice\u202egpj.exe \u2066hidden\u2069\ufeff".encode(), "invoicegpj.exe hidden"),
        ("が".encode(), "が"),
        (b"a\n\n\n\n \n\nb", "a\n\nb"),
    ],
    ids=[
        "utf-8", "utf-8 mark", "cp932", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "euc-jp", "iso-2022-jp", "line ends",
        "controls", "bidi", "nfc", "empty lines",
    ],
)  # fmt: skip
async def test_a_text_file_in_any_encoding(reader: Reader, content: bytes, expected: str) -> None:
    assert await reader.text(content, TXT) == expected.strip("\n")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x00\x01\x02\x03" * 100, "not_text"),
        (b"\xff\xfe\x00\xd8\x00\x00", "not_text"),
        (bytes(range(1, 256)) * 4, "not_text"),
        (b"\xef\xbb\xbf\xff\xff", "not_text"),
        (b"", "empty"),
        (b" \n\n\t\n", "empty"),
    ],
    ids=["binary", "half a character", "every byte", "a mark that lies", "nothing", "blank"],
)
async def test_what_is_no_text_says_so(reader: Reader, content: bytes, reason: str) -> None:
    document = await reader.read(content, TXT)
    assert document.failed == {"text": reason}


@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "utf-16"])
async def test_the_first_part_of_a_long_text_is_kept(patient: Reader, encoding: str) -> None:
    text = await patient.text(("表" * 3_000_000).encode(encoding), TXT)
    assert text == "表" * (TEXT_BYTES // 3)


# ------------------------------------------------------------------------------------------------ office documents


async def test_words_of_a_docx(reader: Reader) -> None:
    ruby = "<w:p><w:r><w:ruby><w:rt><w:r><w:t>とうきょう</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>東京</w:t></w:r></w:rubyBase></w:ruby></w:r><w:r><w:t>都</w:t></w:r></w:p>"
    hidden = "<w:p><w:r><w:delText>gone</w:delText><w:instrText>DDEAUTO c:\\\\cmd</w:instrText><w:tab/><w:t>left</w:t></w:r></w:p>"
    content = docx("道路占用許可申請書", "<tag> & more", body=ruby + hidden)
    document = await reader.read(content, DOCX)
    assert document.renditions[0].path.read_text() == "道路占用許可申請書\n<tag> & more\n東京都\n\tleft"
    assert document.failed == {"preview": "no_helper", "thumbnail": "no_helper"}


async def test_cells_and_slides(reader: Reader) -> None:
    assert await reader.text(sample("TwoSheetsOneHidden.xlsx"), XLSX) == "Sheet1A1\t\n\nSheet2A1\t"
    assert "30.0" in await reader.text(sample("link-external-workbook-b.xlsx"), XLSX)
    assert "ゾルゲと尾崎" in await reader.text(sample("with_japanese.pptx"), PPTX)


async def test_entities_are_not_resolved(reader: Reader, tmp_path: Path) -> None:
    assert "root:" not in await reader.text(sample("xxe_in_schema.xlsx"), XLSX)


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
CELLS = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"


def _lying(content: bytes) -> bytes:
    """The sizes of the first part say one byte."""
    data = bytearray(content)
    place = data.rindex(b"PK\x01\x02")
    data[place + 24 : place + 28] = b"\1\0\0\0"
    return bytes(data)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lambda: docx("a", before="<!DOCTYPE d>"), "broken"),
        (lambda: docx("&l9;", before=f'<!DOCTYPE d [<!ENTITY l0 "ha">{LAUGHS}]>'), "broken"),
        (lambda: docx("a", before='<!DOCTYPE d SYSTEM "file:///etc/passwd">'), "broken"),
        (lambda: package(CELLS, b'<?xml version="1.0" encoding="UTF-9"?><a/>'), "broken"),
        (lambda: docx("a", body="<a>" * 100_000), "too_large"),
        (lambda: docx("a" * (30 << 20)), ""),
        (lambda: docx("", body="<w:r/>" * 12_000_000), "too_large crashed"),
        (lambda: package(CELLS, "<s>" + '<c t="s"><v>1</v></c>' * 100 + "</s>" + " " * (40 << 20)), "too_large"),
        (lambda: packed({str(number): b"" for number in range(20_001)}), "too_large"),
        (lambda: sample("duplicate-filename.xlsx").read_bytes(), "broken"),
        (lambda: sample("crash-517626e815e0afa9decd0ebb6d1dee63fb9907dd.docx").read_bytes(), "broken"),
        (
            lambda: sample(
                "clusterfuzz-testcase-minimized-POIXSLFFuzzer-6254434927378432.pptx"
            ).read_bytes(),
            "broken",
        ),
        (lambda: sample("stress012.docx").read_bytes(), "empty"),
        (lambda: COMPOUND, "encrypted"),
        (lambda: b"PK\x03\x04", "broken"),
        (lambda: b"", "broken"),
        (lambda: packed({"a": b"b"}), "broken"),
        (lambda: docx("a")[:-30], "broken"),
        (lambda: _lying(docx("words " * 100)), "broken"),
    ],
    ids=[
        "doctype", "billion laughs", "external", "no encoding", "depth", "words", "elements", "blanks", "entries", "duplicate", "fuzzed docx",
        "fuzzed pptx", "no words", "encrypted", "head", "nothing", "no package", "cut", "lying",
    ],
)  # fmt: skip
async def test_bad_packages_say_why(reader: Reader, content: object, reason: str) -> None:
    assert callable(content)
    document = await reader.read(content(), DOCX)
    if reason:
        assert document.failed["text"] in reason.split()
    assert await reader.text(docx("next"), DOCX) == "next"


def _flagged(content: bytes) -> Iterator[int]:
    """Every part marked as encrypted (APPNOTE.TXT, 4.4.4)."""
    data = bytearray(content)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := data.find(mark, at + 1)) >= 0:
            data[at + offset] |= 1
    return iter(data)


async def test_a_package_whose_parts_are_encrypted(reader: Reader) -> None:
    content = bytes(_flagged(docx("secret")))
    with pytest.raises(RuntimeError), zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.read("word/document.xml")
    assert (await reader.read(content, DOCX)).failed["text"] == "encrypted"


async def test_a_fault_of_a_decoder_is_logged_without_what_it_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"somebody's words")
    broken = Decoder("tests.unit.broken_decoder", ("text.txt",), parse_words, spelled)
    pool = Pool("broken", [broken.module], 1)
    try:
        with pytest.raises(Busy, match="ValueError at work"):
            await pool.run(broken, source, tmp_path)
    finally:
        await pool.close()
    (line,) = (record for record in caplog.records if record.getMessage() == "decoder_failed")
    assert "somebody" not in repr(vars(line))
    assert not (tmp_path / "text.txt").exists()


async def test_the_old_formats_need_the_helper(reader: Reader) -> None:
    document = await reader.read(sample("46670_http.xls"), "application/vnd.ms-excel")
    assert document.failed == dict.fromkeys(("preview", "thumbnail", "text"), "no_helper")


async def test_archives_and_the_unknown_are_left_alone(reader: Reader) -> None:
    for media_type in ("application/zip", "application/octet-stream", "image/svg+xml"):
        document = await reader.read(b"PK\x03\x04", media_type)
        assert (document.renditions, document.failed) == ((), {})
