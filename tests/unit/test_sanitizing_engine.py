"""The whole way of a file through the sanitizer's confined children."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest
import pytest_asyncio
from msoffcrypto.format.ooxml import OOXMLFile
from PIL import Image

from chat_server.decoders.helper import Helper
from chat_server.decoders.limits import Limits
from chat_server.documents.office import Office
from chat_server.sanitizing import words
from chat_server.sanitizing.cad import program as cad
from chat_server.sanitizing.engine import _WORK, Engine
from chat_server.sanitizing.policy import Policy
from chat_server.sanitizing.report import Report
from tests.unit.document_samples import SAMPLES, packed, sample
from tests.unit.photo_samples import encoded, picture
from tests.unit.photo_samples import sample as photo

pytestmark = pytest.mark.asyncio(loop_scope="module")


def sheet(rows: str) -> bytes:
    """A workbook of one sheet."""
    space = "http://schemas.openxmlformats.org"
    relation = f"{space}/officeDocument/2006/relationships"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    return packed(
        {
            "[Content_Types].xml": f'<Types xmlns="{space}/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/><Override PartName="/xl/sheet.xml" ContentType="{kind}.worksheet+xml"/></Types>',
            "_rels/.rels": f'<Relationships xmlns="{space}/package/2006/relationships"><Relationship Id="r" Type="{relation}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{space}/spreadsheetml/2006/main" xmlns:r="{relation}"><sheets><sheet name="a" sheetId="1" r:id="r"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{space}/package/2006/relationships"><Relationship Id="r" Type="{relation}/worksheet" Target="sheet.xml"/></Relationships>',
            "xl/sheet.xml": f'<worksheet xmlns="{space}/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>',
        }
    )


class Sanitizer:
    """An engine, and a folder for each file."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self._folder = folder
        self._count = 0

    async def __call__(
        self, content: bytes | Path, name: str, policy: Policy | None = None, password: str = ""
    ) -> Report:
        self._count += 1
        self.out = self._folder / str(self._count)
        self.out.mkdir()
        source = content if isinstance(content, Path) else self._folder / f"source-{self._count}"
        if isinstance(content, bytes):
            source.write_bytes(content)
        report = await self.engine.sanitize(source, name, self.out, policy or Policy(), password)
        left = {each for each in (report.output, report.preview) if each is not None}
        assert {each.name for each in self.out.iterdir()} == left, "nothing but what was released is left"
        assert report.released == (report.output is not None) == (report.sha256_after is not None)
        assert (report.reason is None) == report.released
        assert report.reason is None or report.reason in words.REASONS
        return report


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sanitizer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sanitizer]:
    folder = tmp_path_factory.mktemp("sanitizing")
    engine = Engine(workers=2, office=await Office.find(folder), helper=await Helper.find(folder, cad.BOUNDS))
    await engine.start()
    yield Sanitizer(engine, folder)
    await engine.close()


async def test_an_archive_comes_out_with_each_of_its_files_sanitized(sanitizer: Sanitizer) -> None:
    inner = packed({"写真.jpg": encoded(picture())})
    report = await sanitizer(
        packed(
            {
                "図面/一覧表.csv": "件名,式\n倒木,=1+1\n",
                "図面/写真.png": encoded(picture(), "PNG"),
                "中.zip": inner,
                "壊れ.jpg": b"\xff\xd8\xff",
            }
        ),
        "提出.zip",
    )
    assert (report.action, report.output) == ("rebuilt", "提出.zip")
    assert report.warnings == ["parts_left_out"]
    assert [(part.file, part.action, part.reason) for part in report.parts] == [
        ("図面/一覧表.csv", "rebuilt", None), ("図面/写真.png", "rebuilt", None), ("中.zip", "rebuilt", None),
        ("壊れ.jpg", "refused", "broken"),
    ]  # fmt: skip
    assert [part.file for part in report.parts[2].parts] == ["写真.jpg"]
    with zipfile.ZipFile(sanitizer.out / "提出.zip") as made:
        assert made.namelist() == ["図面/一覧表.csv", "図面/写真.png", "中.zip"]
        assert all(entry.flag_bits & 0x800 for entry in made.infolist())
        assert made.read("図面/一覧表.csv").decode() == "\ufeff件名,式\n倒木,'=1+1\n"


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"図面.txt": b"words", "setup.exe": b"MZ\x90\0"}, "executable"), ({"壊れ.jpg": b"\xff\xd8\xff"}, "broken"),
        ({"a.zip": packed({"b.zip": packed({"c.zip": packed({"d.txt": b"x"})})})}, "too_deep"), ({}, "empty"),
    ],
    ids=["program", "nothing left", "deep", "empty"],
)  # fmt: skip
async def test_an_archive_with_a_program_or_with_nothing_left_is_refused(
    sanitizer: Sanitizer, files: dict[str, bytes], reason: str
) -> None:
    assert (await sanitizer(packed(files), "a.zip")).reason == reason


async def test_a_bomb_delays_nobody_else_and_costs_itself_alone(sanitizer: Sanitizer) -> None:
    pids = sanitizer.engine.pids
    assert (await sanitizer(photo("pillow/decompression_bomb.gif"), "a.gif")).reason == "too_many_pixels"
    assert (await sanitizer(packed({"bomb": bytes(512 << 20)}, level=9), "a.zip")).reason == "too_large"
    assert (await sanitizer(encoded(picture()), "a.jpg")).action == "rebuilt"
    assert sanitizer.engine.pids == pids


async def test_the_name_is_only_a_claim(sanitizer: Sanitizer) -> None:
    report = await sanitizer(encoded(picture(), "PNG"), "../請求書\u202egpj.exe")
    assert (report.kind_claimed, report.kind_found, report.output) == (None, "png", "請求書gpj.png")
    assert (await sanitizer(b"\x7fELF\2\1\1", "図面.pdf")).reason == "executable"


async def test_policy_refuses_a_kind(sanitizer: Sanitizer) -> None:
    assert (await sanitizer(b"words", "a.txt", Policy({"text": "refuse"}))).reason == "by_policy"
    only_photos = Policy({"jpeg": "rebuild"}, others="refuse")
    assert (await sanitizer(encoded(picture()), "a.jpg", only_photos)).released
    assert (await sanitizer(encoded(picture(), "PNG"), "a.jpg", only_photos)).reason == "by_policy"


async def test_without_a_helper_old_documents_are_refused(tmp_path: Path) -> None:
    engine = Engine(workers=1)
    await engine.start()
    try:
        report = await engine.sanitize(sample("oletools/harmless-clean.doc"), "a.doc", tmp_path, Policy())
    finally:
        await engine.close()
    assert report.reason == "no_helper"


async def test_what_takes_too_long_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    engine = Engine(workers=1, limits=Limits(cpu_seconds=1, wall_seconds=30, output_bytes=1 << 30, descriptors=24))
    await engine.start()
    source = tmp_path / "many.zip"
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for number in range(100):
            made.writestr(f"{number}.bin", os.urandom(1000) + bytes(7 << 20))
    source.write_bytes(target.getvalue())
    out = tmp_path / "out"
    out.mkdir()
    try:
        report = await engine.sanitize(source, "many.zip", out, Policy())
    finally:
        await engine.close()
    assert report.reason == "takes_too_long"
    assert list(out.iterdir()) == []


async def test_without_confinement_nothing_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(workers=1)
    await engine.start()
    monkeypatch.setattr(
        "chat_server.decoders.pool.Pool.confined", ["no_new_privs", "rlimits", "capabilities", "seccomp"]
    )
    source = tmp_path / "a.txt"
    source.write_text("words")
    try:
        report = await engine.sanitize(source, "a.txt", tmp_path, Policy())
    finally:
        await engine.close()
    assert (report.reason, report.kind_found) == ("not_confined", None)


async def test_what_has_pages_can_be_had_as_pictures(sanitizer: Sanitizer) -> None:
    flat = Policy(others="flatten")
    for path in (
        sample("noembed-sjis.pdf"),
        sample("oletools/harmless-clean.docx"),
        sample("oletools/harmless-clean.doc"),
    ):
        report = await sanitizer(path, path.name, flat)
        assert (report.action, report.output) == ("flattened", f"{path.stem}.pdf")
        assert "pages_are_pictures" in report.warnings
        with pypdfium2.PdfDocument(sanitizer.out / str(report.output)) as made:
            page = made[0]
            assert page.get_textpage().get_text_bounded().strip() == ""
            # the first has its words in a font of this machine alone
            assert sum(page.render(scale=1).to_pil().convert("L").histogram()[:128]) > 100
    assert (await sanitizer(encoded(picture()), "a.jpg", flat)).action == "rebuilt"


@pytest.mark.parametrize(
    ("name", "action", "output"),
    [
        ("SimpleMacro.xlsm", "rebuilt", "SimpleMacro.xlsx"), ("PPTWithAttachments.pptm", "rebuilt", "PPTWithAttachments.pptx"),
        ("oletools/dde-test.docx", "rebuilt", "dde-test.docx"), ("oletools/excel4_sample_macro.xls", "converted", "excel4_sample_macro.xlsx"),
        ("oletools/sample_with_vba.ppt", "converted", "sample_with_vba.pptx"), ("doc_actions.pdf", "rebuilt", "doc_actions.pdf"),
        ("attachment_msg_pdf.msg", "converted", "attachment_msg_pdf.zip"),
    ],
)  # fmt: skip
async def test_documents_that_others_made_come_out_rebuilt(
    sanitizer: Sanitizer, name: str, action: str, output: str
) -> None:
    report = await sanitizer(sample(name), sample(name).name, None)
    assert (report.action, report.output, report.reason) == (action, output, None)


async def test_a_drawing_comes_out_as_dxf(sanitizer: Sanitizer) -> None:
    report = await sanitizer(SAMPLES.parent / "drawings/ezdxf/images.dxf", "図面.dxf")
    assert (report.action, report.output) == ("rebuilt", "図面.dxf")
    assert [(each.object, each.count) for each in report.removed] == [("link", 60)]
    assert (report.preview, report.warnings) == ("図面.pdf", [])
    with pypdfium2.PdfDocument(sanitizer.out / "図面.pdf") as page:
        assert [round(side / 72 * 25.4) for side in page[0].get_size()] == [420, 297]


async def test_a_drawing_without_a_page_is_released_and_says_so(
    sanitizer: Sanitizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cad, "PREVIEW", "nothing")
    report = await sanitizer(SAMPLES.parent / "drawings/ezdwg/mtext_2004.dwg", "図面.dwg")
    assert (report.output, report.preview, report.warnings) == ("図面.dxf", None, ["no_preview"])


async def test_a_drawing_in_an_archive_has_its_page_beside_it(sanitizer: Sanitizer) -> None:
    drawing = (SAMPLES.parent / "drawings/ezdwg/mtext_2004.dwg").read_bytes()
    report = await sanitizer(packed({"図/一.dwg": drawing, "図/一.pdf": b"%PDF-"}), "提出.zip")
    assert report.warnings == ["parts_left_out"]
    assert [(each.object, each.count) for each in report.removed] == [("file", 1)]
    with zipfile.ZipFile(sanitizer.out / "提出.zip") as made:
        assert made.namelist() == ["図/一.dxf", "図/一.pdf"]


async def test_an_svg_comes_out_as_png_without_its_links(sanitizer: Sanitizer) -> None:
    report = await sanitizer(
        b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><image href='file:///etc/passwd'/></svg>",
        "地図.svg",
    )
    assert (report.kind_found, report.action, report.output) == ("svg", "converted", "地図.png")
    assert [(each.object, each.name) for each in report.removed] == [("link", "image")]
    assert report.warnings == ["links_gone"]
    with Image.open(sanitizer.out / "地図.png", formats=["PNG"]) as made:
        assert made.size == (72, 72)


async def test_a_document_opens_with_its_password(sanitizer: Sanitizer) -> None:
    locked = io.BytesIO()
    OOXMLFile(io.BytesIO(sample("oletools/harmless-clean.docx").read_bytes())).encrypt("合言葉", locked)
    report = await sanitizer(locked.getvalue(), "a.docx", password="合言葉")
    assert (report.kind_found, report.action) == ("docx", "rebuilt")
    assert (await sanitizer(locked.getvalue(), "a.docx", password="他")).reason == "wrong_password"


@pytest.mark.parametrize("lie", ["archive", "shape", "words", "members", "silent"])
async def test_a_child_in_strange_hands_releases_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lie: str
) -> None:
    module = "tests.unit.lying_sandbox"
    monkeypatch.setattr("chat_server.sanitizing.engine.MODULE", module)
    monkeypatch.setattr("chat_server.sanitizing.engine._WORK", replace(_WORK, module=module))
    engine = Engine(workers=1)
    await engine.start()
    source, out = tmp_path / "source", tmp_path / "out"
    source.write_text(lie)
    out.mkdir()
    try:
        report = await engine.sanitize(source, "a.pdf", out, Policy())
    finally:
        await engine.close()
    assert report.reason == "busy"
    assert list(out.iterdir()) == []


async def test_a_scan_comes_out_with_all_its_pages(sanitizer: Sanitizer) -> None:
    pages = [picture(60 + 10 * number, 90, "1") for number in range(3)]
    report = await sanitizer(
        encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:], dpi=(400, 400)), "図面.tif"
    )
    assert report.action == "rebuilt"
    with Image.open(sanitizer.out / str(report.output)) as made:
        assert (made.n_frames, made.info["dpi"]) == (3, (400, 400))  # type: ignore[attr-defined]


async def test_a_name_of_any_length_and_encoding_is_written(sanitizer: Sanitizer) -> None:
    long = "長い名前の図面" * 20
    report = await sanitizer(packed({f"{long}.txt": b"words", "a.txt": b"words"}), f"{long}.zip")
    assert [part.action for part in report.parts] == ["rebuilt", "rebuilt"]
    assert (
        await sanitizer(b"words", "株式.txt".encode("cp932").decode("utf-8", "surrogateescape"))
    ).output == "株式.txt"


async def test_archives_in_archives_have_one_budget(sanitizer: Sanitizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat_server.sanitizing.engine._ALL_FILES", 5)
    inner = packed({f"{number}.txt": b"words" for number in range(2)})
    assert (await sanitizer(packed({"a.zip": inner}), "a.zip")).released
    assert (await sanitizer(packed({"a.zip": inner, "b.zip": inner}), "a.zip")).reason == "too_many"


async def test_a_small_file_has_little_time(sanitizer: Sanitizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat_server.sanitizing.engine._SECONDS", 1)
    monkeypatch.setattr("chat_server.sanitizing.engine._PER_BYTES", 1 << 30)
    rows = "".join(f'<row r="{number}"><c r="A{number}"><f>A1</f><v>1</v></c></row>' for number in range(1, 500_000))
    assert (await sanitizer(sheet(rows), "a.xlsx")).reason == "takes_too_long"


async def test_mail_of_japanese_programs_is_read(sanitizer: Sanitizer) -> None:
    head = "Subject: =?shift_jis?B?i+CKeg==?=\nFrom: a@example.jp\nContent-Type: text/plain; charset="
    for charset, encoding in (
        ("shift_jis", "cp932"),
        ("x-sjis", "cp932"),
        ("iso-2022-jp", "iso2022_jp_ext"),
        ("unknown-8bit", "cp932"),
    ):
        report = await sanitizer(f"{head}{charset}\n\n".encode() + "①号棟の見積\n".encode(encoding, "replace"), "a.eml")
        with zipfile.ZipFile(sanitizer.out / str(report.output)) as made:
            said = made.read("本文.txt").decode()
        assert said.startswith("件名: 金額\n")
        assert "号棟の見積" in said
        assert "①" in said or charset == "iso-2022-jp"
