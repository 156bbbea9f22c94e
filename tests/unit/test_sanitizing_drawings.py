"""Drawings become a DXF that draws the same and holds nothing else; and what the check would find."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import ezjww
import ezsxf
import pypdfium2
import pytest
from ezdxf import recover
from ezdxf.document import Drawing
from ezdxf.filemanagement import new
from ezdxf.math import Vec2
from ezdxf.render.mleader import ConnectionSide
from PIL import Image, ImageChops

from chat_server.decoders.helper import Helper
from chat_server.decoders.outcome import Refused
from chat_server.decoders.program import BUBBLEWRAP, LANDLOCK
from chat_server.sanitizing import kinds
from chat_server.sanitizing.cad import program
from chat_server.sanitizing.cad.drawing import redrawn
from chat_server.sanitizing.cad.preview import preview
from chat_server.sanitizing.cad.reading import read
from chat_server.sanitizing.check import drawings
from chat_server.sanitizing.report import Rebuilt, Tally

SAMPLES = Path(__file__).parents[1] / "data" / "drawings"
DWG, DXF = SAMPLES / "ezdwg/mtext_2004.dwg", SAMPLES / "ezdxf/images.dxf"


def jww() -> bytes:
    """A drawing of Jw_cad."""
    drawing = ezjww.new(paper_size=3)
    space = drawing.modelspace()
    space.add_line((0, 0), (100, 50))
    space.add_circle((20, 20), 5)
    space.add_text("空調機械室", (0, -10), (20, -10))
    made: bytes = drawing.to_jww_bytes()
    return made


def sxf() -> Any:
    """A drawing for the electronic delivery of public works."""
    drawing = ezsxf.new_sfc()
    drawing.add_line((0, 0), (100, 50))
    drawing.add_circle((20, 20), 5)
    drawing.add_text("歩道部", (1, 2))
    return drawing


def again(drawing: Drawing) -> tuple[Drawing, Tally]:
    """Redrawn, checked, and read once more."""
    tally = Tally()
    made = redrawn(drawing, tally)
    assert drawings.check(io.BytesIO(made)) == []
    document, auditor = recover.read(io.BytesIO(made))
    assert not auditor.errors
    return document, tally


def words(drawing: Drawing) -> list[str]:
    return [each.dxf.text for each in drawing.modelspace().query("TEXT")]


def removed(tally: Tally) -> set[tuple[str, str, int]]:
    return {(each.object, each.name, each.count) for each in tally.removed}


def test_japanese_lines_and_layers_stay() -> None:
    drawing = new("R2010", setup=True)
    drawing.layers.add("躯体", color=3)
    space = drawing.modelspace()
    space.add_line((0, 0), (10, 5), dxfattribs={"layer": "躯体", "linetype": "DASHED"})
    space.add_text("側溝\\U+65b0\\U+8a2d\u202e\x07", dxfattribs={"layer": "躯体"}).set_placement((1, 2))
    space.add_mtext("一行目\\P二行目")
    space.add_hatch(color=2).paths.add_polyline_path([(0, 0), (1, 0), (1, 1)])
    block = drawing.blocks.new("桝")
    block.add_circle((0, 0), 1)
    space.add_blockref("桝", (3, 3))
    after, tally = again(drawing)
    assert sorted(each.dxftype() for each in after.modelspace()) == ["HATCH", "INSERT", "LINE", "MTEXT", "TEXT"]
    assert words(after) == ["側溝新設"]
    assert [each.text for each in after.modelspace().query("MTEXT")] == ["一行目\\P二行目"]  # type: ignore[attr-defined]
    line = after.modelspace().query("LINE").first
    assert line is not None
    assert (line.dxf.layer, line.dxf.linetype, tuple(line.dxf.end)) == ("躯体", "DASHED", (10, 5, 0))
    assert after.layers.get("躯体").color == 3
    assert [each.dxftype() for each in after.blocks.get("桝")] == ["CIRCLE"]
    assert tally.removed == []


def test_what_lies_elsewhere_or_hides_is_left_and_told() -> None:
    drawing = new("R2010")
    drawing.appids.add("PE_URL")
    space = drawing.modelspace()
    line = space.add_line((0, 0), (1, 1))
    line.set_xdata("PE_URL", [(1000, "file://server/share/run.exe")])
    picture = drawing.add_image_def("\\\\server\\share\\a.png", (10, 10))
    space.add_image(picture, (0, 0), (1, 1))
    drawing.add_xref_def("\\\\server\\other.dwg", "OTHER")
    space.add_blockref("OTHER", (0, 0))
    drawing.styles.add("遠い", font="\\\\server\\share\\evil.shx")
    space.add_text("文字", dxfattribs={"style": "遠い"})
    space.add_mtext("{\\F//server/share/x.shx;遠い}{\\fＭＳ ゴシック|b0|i0;近い}{\\fC:\\\\server\\\\y.ttf|b0;中}")
    after, tally = again(drawing)
    assert removed(tally) == {("link", "IMAGE", 1), ("link", "XREF", 1)}
    assert [each.dxftype() for each in after.modelspace()] == ["LINE", "TEXT", "MTEXT"]
    text = after.modelspace().query("MTEXT").first
    assert text is not None
    assert text.text == "{\\Fx.shx;遠い}{\\fＭＳ ゴシック|b0|i0;近い}{\\fy.ttf|b0;中}"
    assert after.styles.get("遠い").dxf.font == "evil.shx"
    written = io.StringIO()
    after.write(written)
    assert "server" not in written.getvalue()


def test_what_draws_by_means_of_its_own_becomes_what_it_shows() -> None:
    drawing = new("R2010", setup=True)
    leader = drawing.modelspace().add_multileader_mtext("Standard")
    leader.set_content("引出線")
    leader.add_leader_line(ConnectionSide.left, [Vec2(0, 0)])
    leader.build(insert=Vec2(5, 5))
    after, tally = again(drawing)
    assert tally.removed == []
    assert {each.dxftype() for each in after.modelspace()} >= {"MTEXT"}


@pytest.mark.parametrize(
    ("data", "kind", "types", "said"),
    [
        (jww(), "jww", {"CIRCLE", "LINE"}, ["空調機械室"]), (DWG.read_bytes(), "dwg", {"MTEXT"}, []),
        (sxf().to_bytes(), "sfc", {"LINE"}, ["歩道部"]), (sxf().to_p21_bytes(), "p21", {"LINE"}, ["歩道部"]),
        (DXF.read_bytes(), "dxf", {"MTEXT", "TEXT"}, None),
    ],
    ids=["jww", "dwg", "sfc", "p21", "dxf"],
)  # fmt: skip
def test_each_kind_of_drawing_is_read(
    data: bytes, kind: str, types: set[str], said: list[str] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "drawing"
    path.write_bytes(data)
    assert kinds.found(io.BytesIO(data), "a") == kind
    after, _ = again(read(path, kind, Tally()))
    assert {each.dxftype() for each in after.modelspace()} >= types
    assert said is None or words(after) == said


@pytest.mark.parametrize("kind", ["jww", "dwg", "sfc", "p21", "dxf"])
def test_what_is_no_drawing_is_refused(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a"
    for content in (b"", b"JwwData.\0\0\0", b"AC1018" + bytes(200), jww()[:900], sxf().to_bytes()[:500]):
        path.write_bytes(content)
        with pytest.raises(Refused) as refused:
            redrawn(read(path, kind, Tally()), Tally())
        assert refused.value.reason in ("broken", "too_old", "empty")


def shown(drawing: Drawing) -> Image.Image:
    """The one page that shows it, 72 dots an inch."""
    with pypdfium2.PdfDocument(preview(drawing)) as document:
        assert len(document) == 1
        picture: Image.Image = document[0].render(scale=1).to_pil().convert("RGB")
        return picture


def inked(picture: Image.Image) -> tuple[int, int, int, int]:
    """The box around all that is not white."""
    box = ImageChops.invert(picture.convert("L")).point(lambda dot: 255 if dot > 60 else 0).getbbox()
    assert box is not None
    return box


@pytest.mark.parametrize(("right", "up", "paper"), [(200, 100, (1191, 843)), (100, 200, (596, 843))])
def test_a_drawing_is_shown_whole_on_paper_of_its_shape(right: int, up: int, paper: tuple[int, int]) -> None:
    drawing = new("R2000")
    drawing.modelspace().add_lwpolyline([(0, 0), (right, 0), (right, up), (0, up)], close=True)
    picture = shown(drawing)
    left, top, end, bottom = inked(picture)
    assert picture.size == paper
    assert abs((end - left) / (bottom - top) - right / up) < 0.02
    assert abs(left + end - paper[0]) < 6
    assert abs(top + bottom - paper[1]) < 6
    assert min(left, top) < 26 < 2 * min(left, top), "as large as it goes, with a margin"


def test_japanese_words_are_shown_and_stay_within_their_squares() -> None:
    drawing = new("R2000")
    drawing.styles.add("遠い", font="romans.shx", dxfattribs={"bigfont": "extfont2.shx"})
    space = drawing.modelspace()
    space.add_lwpolyline([(0, 0), (60, 0), (60, 40), (0, 40)], close=True, dxfattribs={"color": 5})
    space.add_text("空調機械", height=10, dxfattribs={"style": "遠い"}).set_placement((10, 15))
    picture = shown(drawing)
    black = picture.convert("L").point(lambda dot: 255 if dot < 25 else 0)
    box, frame = black.getbbox(), inked(picture)
    assert box is not None
    width = (box[2] - box[0]) / (frame[2] - frame[0]) * 60
    assert 37 < width < 41, "four kanji, ten high"
    halves = [
        black.crop((box[0] + n * (box[2] - box[0]) // 4, box[1], box[0] + (n + 1) * (box[2] - box[0]) // 4, box[3]))
        for n in (0, 1, 2, 3)
    ]
    assert len({half.tobytes() for half in halves}) == 4, "not the same sign for what a font does not have"


def test_colours_of_black_screens_are_seen_on_paper() -> None:
    drawing = new("R2000")
    for color in (2, 4, 7):
        drawing.modelspace().add_solid(
            [(color, 0), (color + 1, 0), (color, 1), (color + 1, 1)], dxfattribs={"color": color}
        )
    colours: list[Any] = shown(drawing).getcolors(1 << 20) or []
    most = sorted(colours, reverse=True)[:4]
    assert all(max(colour) < 230 or colour == (255, 255, 255) for _, colour in most)
    assert len({max(range(3), key=colour.__getitem__) for _, colour in most}) > 1, "and are still colours"


def test_a_sheet_is_shown_where_the_model_is_empty_and_nothing_is_refused() -> None:
    drawing = new("R2000")
    with pytest.raises(Refused) as refused:
        preview(drawing)
    assert refused.value.reason == "empty"
    drawing.layouts.get("Layout1").add_line((0, 0), (100, 50))
    assert inked(shown(drawing))


@pytest.mark.parametrize("means", [BUBBLEWRAP, LANDLOCK])
async def test_a_drawing_is_read_behind_each_wall(means: str, tmp_path: Path) -> None:
    helper = await Helper.find(tmp_path, program.BOUNDS, allowed=(means,))
    assert helper is not None
    source, broken = tmp_path / "a.jww", tmp_path / "broken.jww"
    source.write_bytes(jww())
    rebuilt, made = await program.redrawn(helper, source, "jww", tmp_path)
    assert rebuilt == Rebuilt("dxf")
    with made.open("rb") as file:
        assert drawings.check(file) == []
    page = await program.previewed(helper, made, tmp_path)
    with pypdfium2.PdfDocument(page) as shown:
        assert len(shown) == 1
    broken.write_bytes(jww()[:900])
    with pytest.raises(Refused):
        await program.redrawn(helper, broken, "jww", tmp_path)


@pytest.mark.parametrize(
    ("group", "found"),
    [
        ("  0\nOLE2FRAME\n", "ENTITIES: OLE2FRAME"), ("  0\nIMAGE\n", "ENTITIES: IMAGE"),
        ("  0\nLINE\n1000\nfile://x\n", "data of an application in LINE"), ("  0\nLINE\n310\nFF\n", "binary data in LINE"),
        ("  0\nLINE\n  6\n\\\\server\\x\n", "a path in LINE"), ("  0\nBLOCK\n 70\n4\n", "a block of another file"),
        ("  0\nBLOCK\n  1\nother.dwg\n", "a block with a path"), ("  0\nMTEXT\n  1\n{\\F//x/y.shx;a}\n", "a font with a path in MTEXT"),
        ("  0\nENDSEC\n  0\nSECTION\n  2\nTHUMBNAILIMAGE\n", "section THUMBNAILIMAGE"), ("  0\n", "not pairs of lines to an end"),
        ("ACAD\nLINE\n", "a group without a number"), ("  0\nTEXT\n  1\n\0\n", "too large, or binary"),
    ],
)  # fmt: skip
def test_the_check_finds_what_a_drawing_must_not_hold(group: str, found: str) -> None:
    begin, end = "  0\nSECTION\n  2\nENTITIES\n  0\nTEXT\n  1\nhttp://例.example/\n", "  0\nENDSEC\n  0\nEOF\n"
    assert drawings.check(io.BytesIO((begin + end).encode("cp932"))) == []
    assert drawings.check(io.BytesIO((begin + group + end).encode("cp932"))) == [found]
