"""Notes on paper: what people wrote stays words; the process that typesets them has nothing to reach for (security.md, 30)."""

from __future__ import annotations

import asyncio
import math
import shutil
from pathlib import Path

import pypdfium2
import pytest
from pypdfium2 import raw

from chat_server.domain.errors import Problem
from chat_server.domain.printed import Job, Part, Picture
from chat_server.printing import printer as printing
from chat_server.printing.page import markdown, page
from chat_server.printing.printer import Printer
from chat_server.services.scratch import clear_scratch
from tests.unit.photo_samples import encoded, picture


def job(*parts: Part, title: str = "倒木の撤去") -> Job:
    return Job(title, "高橋 健", ("みどり野市　道路課 現場連絡",), parts, ("課長", "係長", "担当"))


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("# 経過\n**太字**と*斜体*", "<h2>経過</h2><p><b>太字</b>と<i>斜体</i></p>"),
        ("1. 通行止め\n2. 撤去", "<ol><li>通行止め</li><li>撤去</li></ol>"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ('<img src="file:///etc/passwd">', "<p>&lt;img src=&quot;file:///etc/passwd&quot;&gt;</p>"),
        ("![秘密](https://example.jp/x.png)", "<p>［秘密］</p>"),
        ("[様式](https://example.jp/a?b=1&c=2)", "<p>様式（https://example.jp/a?b=1&amp;c=2）</p>"),
        ("[悪](javascript:alert(1))", "<p>[悪](javascript:alert(1))</p>"),
        ("| 時刻 | 対応 |\n|---|---|\n| 8:42 | <b>発見 |", None),
        ("```\n<b>\n```", "<pre>&lt;b&gt;\n</pre>"),
        ("一行目\n二行目", "<p>一行目<br>二行目</p>"),
    ],
)
def test_markdown_becomes_the_tags_of_the_house_and_nothing_else(written: str, shown: str | None) -> None:
    if shown is None:
        assert "<td>&lt;b&gt;発見</td>" in markdown(written)
    else:
        assert markdown(written) == shown


def test_nothing_that_people_wrote_is_markup() -> None:
    bad = '"><script>x</script>'
    made = page(
        Job(bad, bad, (bad,), (
            Part("entry", bad, bad, bad, bad, (Picture(bad), Picture(bad, None, bad)), (bad,)), Part("markdown", bad),
            Part("pair", pictures=(Picture(bad, 0), Picture(bad))),
        ), (bad,))
    )  # fmt: skip
    assert "<script" not in made
    assert bad not in made


def words(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    return [document[number].get_textpage().get_text_range() for number in range(len(document))]


async def printed(folder: Path, one: Job, *pictures: bytes) -> bytes:
    paths = []
    for number, data in enumerate(pictures):
        paths.append(folder / f"picture-{number}")
        paths[-1].write_bytes(data)
    return await Printer(folder).print(one, paths)


async def test_a_note_is_printed_with_its_words_and_pictures_and_its_own_fonts(tmp_path: Path) -> None:
    photos = [encoded(picture(800, 600)), encoded(picture(600, 800))]
    pdf = await printed(
        tmp_path,
        job(
            Part("markdown", "# 経過\n髙﨑さんの報告"),
            Part(
                "entry", "倒木を確認", "令和8年11月27日(金) 8:42", "高橋 健（道路課 主事）", "", (Picture("写真1", 0),)
            ),
            Part("pair", pictures=(Picture("着手前", 0), Picture("着手後", 1))),
        ),
        *photos,
    )
    [text] = words(pdf)
    for told in (
        "倒木の撤去",
        "課長",
        "髙﨑さんの報告",
        "令和8年11月27日(金) 8:42",
        "高橋 健（道路課 主事）",
        "着手後",
        "1 / 1",
    ):
        assert told in text.replace("\u00a0", " "), told
    document = pypdfium2.PdfDocument(pdf)
    assert document[0].get_size() == pytest.approx((595.3, 841.9), abs=0.2), "A4"
    kinds = [one.type for one in document[0].get_objects()]
    assert kinds.count(raw.FPDF_PAGEOBJ_IMAGE) == 3
    fonts = [raw.FPDFTextObj_GetFont(one.raw) for one in document[0].get_objects() if one.type == raw.FPDF_PAGEOBJ_TEXT]
    assert fonts
    assert all(raw.FPDFFont_GetIsEmbedded(font) == 1 for font in fonts), "they travel with it"


async def test_a_photo_stays_with_its_words(tmp_path: Path) -> None:
    """What stands before it leaves room for the words alone: they go with the photo to the next page."""
    before = "\n\n".join(f"経過{number}" for number in range(24))
    entry = Part("entry", "倒木を確認", "8:42", "高橋 健", "", (Picture("写真1", 0),))
    pdf = await printed(tmp_path, job(Part("markdown", before), entry), encoded(picture(800, 600)))
    first, second = words(pdf)
    assert "経過23" in first
    assert "高橋 健" not in first
    assert all(told in second.replace("\u00a0", " ") for told in ("高橋 健", "倒木を確認", "写真1"))


async def test_the_process_reads_nothing_but_its_job(tmp_path: Path) -> None:
    """As if the page had been talked into it: the fetcher refuses, and behind it the kernel."""
    secret = tmp_path / "secret.txt"
    secret.write_text("合言葉", encoding="utf-8")
    script = f"""
import sys
from pathlib import Path
from chat_server.printing import child
folder = Path(sys.argv[1])
child._typeset("<p>x</p>", folder)
child._confine(folder)
for url in ("file://{secret}", "http://127.0.0.1:9/", "picture:../secret.txt", "data:,x", "picture:"):
    try:
        child._Pictures(folder).fetch(url)
    except ValueError:
        continue
    raise SystemExit(1)
import socket
for number, forbidden in enumerate((
    lambda: open("{secret}").read(),
    lambda: open(folder / "0", "r+b"),
    lambda: (folder / "0").unlink(),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
)):
    try:
        forbidden()
    except OSError:
        continue
    raise SystemExit(10 + number)
(folder / "out" / "note.pdf").write_bytes(b"x")
assert (folder / "0").read_bytes() == b"picture"
"""
    folder = tmp_path / "job-folder"
    (folder / "out").mkdir(parents=True)
    (folder / "0").write_bytes(b"picture")
    status = await printing._run(["-c", script, str(folder)], 60)
    assert status == 0


async def test_what_cannot_be_printed_is_refused_and_the_next_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing, "SECONDS", 0.05)
    with pytest.raises(Problem) as refused:
        await printed(tmp_path, job(Part("markdown", "長い\n\n" * 2000)))
    assert refused.value.fault.code == 4038
    monkeypatch.undo()
    broken = await printed(tmp_path, job(Part("photos", pictures=(Picture("壊れた写真", 0),))), b"no picture")
    assert "壊れた写真" in words(broken)[0]
    left = await asyncio.to_thread(lambda: [one for one in tmp_path.iterdir() if one.is_dir()])
    assert left == [], "nothing stays behind"


async def test_it_works_below_a_folder_whose_name_has_a_space(tmp_path: Path) -> None:
    folder = tmp_path / "連絡 data"
    folder.mkdir()
    assert (await printed(folder, job())).startswith(b"%PDF-")


async def test_what_a_kill_left_is_cleared_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[Path] = []

    async def killed(arguments: list[str], seconds: float) -> int:
        if not left:
            [folder] = await asyncio.to_thread(lambda: list(tmp_path.iterdir()))
            left.append(tmp_path / f"{folder.name}-left")
            await asyncio.to_thread(shutil.copytree, folder, left[0])
        return 0

    monkeypatch.setattr(printing, "_run", killed)
    with pytest.raises(Problem):
        await Printer(tmp_path).print(job(), ())
    assert left
    await asyncio.to_thread(clear_scratch, tmp_path, math.inf)
    assert await asyncio.to_thread(lambda: [one.exists() for one in left]) == [False]


def test_one_that_takes_for_ever_shuts_out_nobody_who_waits_behind_it() -> None:
    assert printing.PATIENCE > printing.SECONDS


async def test_those_who_wait_too_long_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "PATIENCE", 0.05)
    one = Printer(tmp_path)
    first = asyncio.create_task(one.print(job(), ()))
    await asyncio.sleep(0)
    with pytest.raises(Problem) as busy:
        await one.print(job(), ())
    assert busy.value.fault.code == 8008
    assert (await first).startswith(b"%PDF-")
