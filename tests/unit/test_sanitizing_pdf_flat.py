"""PDFs as pictures of their pages: they look alike, and nothing is left in them but points."""

from __future__ import annotations

import io

import pikepdf
import pytest
from pikepdf import Array, Name, Object, Pdf

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.order import Order
from chat_server.sanitizing.rebuild import pdf_flatten
from chat_server.sanitizing.report import Rebuilt
from tests.unit.pdf_samples import (
    ACTIVE,
    FOLDER,
    colored,
    composed,
    difference,
    names,
    picture,
    text,
    told,
)  # fmt: skip


def flattened(data: bytes) -> tuple[bytes, Rebuilt]:
    out = io.BytesIO()
    report = pdf_flatten.flatten(io.BytesIO(data), out, Order("pdf", flatten=True))
    return out.getvalue(), report


def test_flattened_pages_look_alike_and_have_nothing_but_points() -> None:
    before = (FOLDER / "doc_actions.pdf").read_bytes()
    after, report = flattened(before)
    assert not names(after) & (ACTIVE | {"/Font", "/Annots"})
    assert told(report)["script"] == 11
    assert text(after) == ["", "", ""]
    for at in range(3):
        assert difference(picture(before, at), picture(after, at)) < 0.01


def test_a_flattened_page_keeps_its_size_its_turn_and_its_color() -> None:
    def change(document: Pdf, page: Object) -> None:
        page.MediaBox, page.CropBox, page.Rotate = Array([-50, -50, 200, 200]), Array([0, 0, 200, 100]), 90

    before = composed(b"1 0 0 rg 0 0 100 100 re f", change)
    drawn = picture(flattened(before)[0])
    assert drawn.size == (100, 200)
    assert difference(picture(before), drawn) < 0.01
    assert colored(drawn, (255, 0, 0)) > 9_500


def test_a_flattened_photo_without_color_is_not_cut_to_sixteen_grays() -> None:
    draw = b"".join(b"%.2f g %d 0 4 200 re f " % (at / 50, 4 * at) for at in range(50))
    before = composed(draw)
    drawn = picture(flattened(before)[0])
    assert difference(picture(before), drawn) < 0.01
    assert len(set(drawn.convert("L").resize((200, 1)).tobytes())) > 40


def test_a_huge_page_is_drawn_at_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_flatten, "PIXELS", 10_000)
    with pikepdf.open(io.BytesIO(flattened(composed(b"0 0 100 100 re f"))[0])) as document:
        image = document.pages[0].obj.Resources.XObject.P
        assert (int(image.Width), int(image.Height)) == (100, 100)
        assert image.ColorSpace == Name.DeviceGray


def test_what_refuses_a_rebuild_refuses_the_pictures() -> None:
    with pytest.raises(Refused, match="encrypted"):
        flattened((FOLDER / "issue15893_reduced.pdf").read_bytes())
