"""What the sanitizer costs, what it keeps, and what it lets through: on files that others made and on ones made here."""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import pypdfium2
from PIL import Image, ImageChops

from bench.inspecting import active
from bench.plan import Plan
from bench.processes import BUILD, ROOT
from bench.report import Figure, figure, spread
from chat_server.decoders.helper import Helper
from chat_server.documents.office import Office
from chat_server.sanitizing.cad import program as cad
from chat_server.sanitizing.engine import Engine
from chat_server.sanitizing.policy import Policy
from chat_server.sanitizing.report import Report
from tests.unit import document_samples
from tests.unit.photo_samples import encoded, field_photo

CORPUS: Final = ROOT / "tests" / "data"
TIMES: Final = 12
"""How often each kind is timed; the figure is the slowest but none of them for 95 in 100."""
_CONTROLS: Final = (
    "documents/noembed-sjis.pdf", "documents/digitally-signed.pdf", "documents/TwoSheetsOneHidden.xlsx",
    "documents/with_japanese.pptx", "documents/oletools/harmless-clean.docx", "documents/oletools/harmless-clean.doc",
    "photos/pillow/hopper_orientation_6.jpg", "photos/pillow-heif/L_exif_xmp_iptc.heic",
    "photos/pillow-heif/RGB_8_chroma444.heif", "drawings/ezdwg/mtext_2004.dwg", "staff/staff-cp932.csv", "staff/staff-utf8.csv",
    "archives/libarchive/test_read_format_zip_filename_cp932.zip",
    "archives/libarchive/test_read_format_zip_filename_utf8_jp.zip",
)  # fmt: skip
"""Files of others with nothing active in them, that nobody damaged."""
_SKIPPED: Final = (".md", "")
Sanitize = Callable[[Path], Awaitable[tuple[Report, Path]]]


def run(plan: Plan) -> list[Figure]:
    """`sanitize.*`"""
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as name:
        return asyncio.run(_measured(Path(name)))


async def _measured(folder: Path) -> list[Figure]:
    office, helper = await Office.find(folder), await Helper.find(folder, cad.BOUNDS)
    engine = Engine(workers=2, office=office, helper=helper)
    await engine.start()
    count = 0

    async def sanitize(source: Path) -> tuple[Report, Path]:
        nonlocal count
        count += 1
        out = folder / f"out-{count}"
        out.mkdir()
        return await engine.sanitize(source, source.name, out, Policy()), out

    try:
        made = await _made(folder)
        return [
            *await _corpus(sanitize),
            *await _kept(sanitize, made["pdf"]),
            await _slowest("sanitize.photo_s", sanitize, made["photo"], "A JPEG of 12 megapixels"),
            await _slowest("sanitize.pdf_s", sanitize, made["pdf"], "A PDF of 50 pages with words and photos"),
            await _slowest("sanitize.office_s", sanitize, made["docx"], "A docx of 50 pages with pictures"),
            await _slowest("sanitize.legacy_s", sanitize, made["doc"], "The same as doc, through LibreOffice", times=4),
            await _beside_bombs(sanitize, made),
        ]
    finally:
        await engine.close()


def _p95(times: Sequence[float]) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * 0.95))]


async def _slowest(name: str, sanitize: Sanitize, source: Path, what: str, *, times: int = TIMES) -> Figure:
    took: list[float] = []
    size = 0
    for _ in range(times):
        report, _ = await sanitize(source)
        if not report.released:
            raise RuntimeError(f"{source.name} was refused: {report.reason}")
        took.append(report.seconds)
        size = report.size_before
    return figure(
        name, _p95(took), "s", f"{what}, {size / 1e6:.1f} MB, one after the other, {times} times: {spread(took, 2)} s."
    )


async def _beside_bombs(sanitize: Sanitize, made: dict[str, Path]) -> Figure:
    """One photo after the other, with a moment between, while one bomb after the other is in work."""
    running = True

    async def bombs() -> None:
        while running:
            for name in ("zip bomb", "pixel bomb", "xml bomb", "pages"):
                report, _ = await sanitize(made[name])
                if report.released:
                    raise RuntimeError(f"{name} was released")

    working = asyncio.create_task(bombs())
    took = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        await sanitize(made["photo"])
        took.append(time.perf_counter() - begun)
        await asyncio.sleep(0.2)
    running = False
    await working
    how = (
        f"A photo of 12 megapixels, {TIMES} times, while a zip bomb, a pixel bomb, an XML bomb and a PDF of 11,000 pages are"
        f" in work one after the other: {spread(took, 2)} s."
    )
    return figure("sanitize.beside_bombs_s", _p95(took), "s", how)


async def _corpus(sanitize: Sanitize) -> list[Figure]:
    files = sorted(
        each
        for each in CORPUS.rglob("*")
        if each.is_file() and each.suffix not in _SKIPPED and "LICENSE" not in each.name
    )
    found: list[str] = []
    delivered, ratios, refused = [], [], []
    for path in files:
        report, out = await sanitize(path)
        name = str(path.relative_to(CORPUS))
        if report.output is None:
            refused.append(name)
            if report.reason is None:
                found.append(f"{name}: refused without a reason")
        else:
            found += [f"{name}: {what}" for what in active(out / report.output)]
            ratios.append((report.size_after or 0) / report.size_before)
        if name in _CONTROLS:
            delivered.append(report.released)
    told = "; ".join(found[:5]) or "none"
    return [
        figure(
            "sanitize.active", len(found), "findings",
            f"{len(files)} files that others made, {len(refused)} refused; what is active in the rest by an inspection of its own: {told}.",
        ),
        figure(
            "sanitize.delivered", sum(delivered) / len(delivered), "of 1",
            f"{len(delivered)} files of others with nothing active in them.",
        ),
        figure("sanitize.size_ratio", statistics.median(ratios), "×", f"Of {len(ratios)} released files, after against before: {spread(ratios, 2)}."),
    ]  # fmt: skip


async def _kept(sanitize: Sanitize, made: Path) -> list[Figure]:
    """Text and looks of PDF: those of the corpus that are released, and the one made here."""
    text, looks = [], []
    for path in (*sorted((CORPUS / "documents").glob("*.pdf")), made):
        report, out = await sanitize(path)
        if report.output is not None:
            before, after = pypdfium2.PdfDocument(path), pypdfium2.PdfDocument(out / report.output)
            # what stood in layers that nobody saw is meant to be gone
            if not any(each.object == "layer" for each in report.removed):
                text.append(_text_kept(before, after))
            looks.append(_difference(before[0], after[0]))
    return [
        figure("sanitize.pdf_text", min(text), "of 1", f"Of the words of {len(text)} PDFs without hidden layers, the least: {spread(text, 4)}."),
        figure("sanitize.page_difference", max(looks), "of 1", f"First pages as pictures, mean of full scale, the worst of {len(looks)}: {spread(looks, 5)}."),
    ]  # fmt: skip


def _text_kept(before: pypdfium2.PdfDocument, after: pypdfium2.PdfDocument) -> float:
    """Of the characters before, in the order of each page, the part that is there afterwards."""
    words = [[page.get_textpage().get_text_bounded().split() for page in document] for document in (before, after)]
    whole = sum(len(word) for page in words[0] for word in page)
    if whole == 0:
        return 1.0
    kept = 0
    for one, other in zip(words[0], words[1], strict=True):
        left = list(other)
        for word in one:
            if word in left:
                left.remove(word)
                kept += len(word)
    return kept / whole


def _difference(before: pypdfium2.PdfPage, after: pypdfium2.PdfPage) -> float:
    pictures = [page.render(scale=1.0).to_pil().convert("RGB") for page in (before, after)]
    if pictures[0].size != pictures[1].size:
        return 1.0
    histogram = ImageChops.difference(*pictures).convert("L").histogram()
    width, height = pictures[0].size
    return float(sum(level * count for level, count in enumerate(histogram)) / (255 * width * height))


async def _made(folder: Path) -> dict[str, Path]:
    """Files like those that are handed in, and those that nobody should hand in."""
    chance = random.Random(7)
    photo = folder / "photo.jpg"
    photo.write_bytes(field_photo())
    large = Image.open(photo)
    pages = []
    for number in range(50):
        (folder / f"small-{number}.jpg").write_bytes(encoded(_cut(large, number), "JPEG", quality=80))
        words = "".join(
            chance.choice("道路側溝補修工事施工延長幅員舗装厚仮設交通規制発注設計変更数量計算書の、。に")
            for _ in range(900)
        )
        pages.append(
            f'<h1>第{number + 1}章</h1><p>{words}</p><p><img src="small-{number}.jpg" width="300"></p><p style="page-break-after:always"></p>'
        )
    html = folder / "report.html"
    html.write_text(f"<html><meta charset=utf-8><body>{''.join(pages)}</body></html>", encoding="utf-8")
    await _converted(folder, html, "docx:MS Word 2007 XML")
    await _converted(folder, folder / "report.docx", "doc:MS Word 97")
    await _converted(folder, folder / "report.docx", "pdf:writer_pdf_Export")
    bombs = {
        "zip bomb": (folder / "bomb.zip", document_samples.packed({"bomb.txt": bytes(600 << 20)}, level=9)),
        "pixel bomb": (folder / "bomb.gif", (CORPUS / "photos/pillow/decompression_bomb.gif").read_bytes()),
        "xml bomb": (folder / "bomb.docx", document_samples.docx("a", before=_ENTITIES)),
        "pages": (folder / "pages.pdf", _many_pages(11_000)),
    }
    for path, data in bombs.values():
        path.write_bytes(data)
    return {
        "photo": photo, "pdf": folder / "report.pdf", "docx": folder / "report.docx", "doc": folder / "report.doc",
        **{name: path for name, (path, _) in bombs.items()},
    }  # fmt: skip


def _cut(picture: Image.Image, number: int) -> Image.Image:
    """Another part of it for each page, as large as photos in reports are."""
    left, top = number * 40, number * 25
    return picture.crop((left, top, left + 1600, top + 1200)).resize((1200, 900))


_ENTITIES: Final = (
    "<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'>" + "".join(f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9)) + "]>"
)  # fmt: skip


async def _converted(folder: Path, source: Path, into: str) -> None:
    process = await asyncio.create_subprocess_exec(
        "soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", into, "--outdir", str(folder),
        str(source), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    await process.wait()


def _many_pages(count: int) -> bytes:
    objects = {1: b"<</Type/Catalog/Pages 2 0 R>>"}
    objects[2] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (count, b" ".join(b"%d 0 R" % (3 + n) for n in range(count)))
    for number in range(count):
        objects[3 + number] = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>"
    return document_samples.pdf(objects)
