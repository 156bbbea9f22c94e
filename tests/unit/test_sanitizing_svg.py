"""SVG becomes a picture of what it draws; what it tries besides is told, and what would take for ever ends."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from lxml import etree
from PIL import Image

from chat_server.decoders.helper import Helper
from chat_server.decoders.outcome import Refused
from chat_server.decoders.program import BUBBLEWRAP, LANDLOCK
from chat_server.sanitizing import kinds
from chat_server.sanitizing.cad import program as cad
from chat_server.sanitizing.report import Tally
from chat_server.sanitizing.svg import program
from chat_server.sanitizing.svg.plain import plain
from chat_server.sanitizing.svg.size import size
from tests.unit.photo_samples import encoded, picture, sample

NAMES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def svg(inner: str, root: str = 'width="200" height="100"') -> bytes:
    return f"<svg {NAMES} {root}>{inner}</svg>".encode()


def carried(data: bytes, media_type: str = "image/png") -> str:
    return f'<image width="9" height="9" href="data:{media_type};base64,{base64.b64encode(data).decode()}"/>'


def cut(data: bytes) -> tuple[str, list[tuple[str, str, int]]]:
    """What is painted, and what was left out."""
    tally = Tally()
    root = plain(data, tally)
    return etree.tostring(root, encoding="unicode"), [(each.object, each.name, each.count) for each in tally.removed]


TOWER = (
    '<g id="u0"><rect width="9" height="9"/></g>'
    + "".join(f'<g id="u{n}">' + f'<use href="#u{n - 1}"/>' * 10 + "</g>" for n in range(1, 11))
    + '<use href="#u10"/>'
)
SPOKEN = svg(
    '<rect width="200" height="100" fill="red"/><text x="10" y="60" font-size="40" font-family="ＭＳ 明朝">案内図</text>'
)
"""Words on red."""


def test_what_is_drawn_stays() -> None:
    drawn = (
        '<style>.a{fill:url(#g)}</style><defs><linearGradient id="g"><stop offset="0"/></linearGradient></defs>'
        '<rect class="a" style="fill: url( \'#g\' )"/><text xml:space="preserve">案<tspan>内</tspan> 図</text><use xlink:href="#b"/>'
    )
    made, removed = cut(svg(drawn))
    assert made.partition(">")[2] == drawn + "</svg>"
    assert removed == []


@pytest.mark.parametrize(
    ("inner", "told"),
    [
        ("<script>alert(1)</script>", ("script", "script", 1)), ('<g onload="alert(1)"/>', ("script", "onload", 1)),
        ('<g ONCLICK="a()"/>', ("script", "ONCLICK", 1)), ('<a href="javascript:a()"><text>a</text></a>', ("link", "a", 1)),
        ('<image href="file:///etc/passwd"/>', ("link", "image", 1)), ('<image xlink:href="http://e.example/a.png"/>', ("link", "image", 1)),
        ('<filter><feImage href="//e.example/a.png"/></filter>', ("link", "feImage", 1)), ('<use href="other.svg#a"/>', ("link", "use", 1)),
        ("<style>@import 'http://e.example/a.css'; a{}</style>", ("link", "style", 1)),
        ("<style>@font-face{src:url(http://e.example/f)} a{}</style>", ("link", "style", 1)),
        ('<rect fill="url(http://e.example/#p)"/>', ("link", "rect", 1)), ('<rect style="mask: URL(\'file:///m\')"/>', ("link", "rect", 1)),
        ('<foreignObject><b xmlns="http://www.w3.org/1999/xhtml">e.example</b></foreignObject>', ("embedded", "foreignObject", 1)),
        (carried(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"), ("embedded", "image", 1)),
        (carried(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), ("embedded", "image", 1)),
        (carried(b"GIF89a"), ("embedded", "image", 1)), ('<image href="data:image/png;base64,!"/>', ("image", "image", 1)),
        ('<animate attributeName="href" to="http://e.example/"/>', ("action", "animate", 1)),
        ("<metadata>e.example</metadata>", ("metadata", "metadata", 1)), ("<!-- e.example -->", ("comment", "", 1)),
        ('<e xmlns="http://e.example/"/>', ("metadata", "e", 1)), ("<unheard/>", ("element", "unheard", 1)),
        ("<text>金額\u202e100\u200b</text>", ("characters", "", 2)),
    ],
)  # fmt: skip
def test_what_acts_or_lies_elsewhere_is_left_and_told(inner: str, told: tuple[str, str, int]) -> None:
    made, removed = cut(svg(inner))
    assert removed == [told]
    assert not any(
        word in made.replace(NAMES.partition(" ")[0], "") for word in ("e.example", "file:", "alert", "javascript")
    )
    assert "\u202e" not in made


def test_a_style_sheet_of_the_file_around_it_is_told() -> None:
    assert cut(b'<?xml version="1.0"?><?xml-stylesheet href="http://e.example/a.css"?>' + svg(""))[1] == [
        ("link", "xml-stylesheet", 1)
    ]


def test_what_is_written_after_something_left_out_stays() -> None:
    assert "甲乙丙</text>" in cut(svg("<text>甲<!-- -->乙<script/>丙</text>"))[0]


def test_a_picture_in_it_is_called_what_it_is() -> None:
    made, removed = cut(svg(carried(encoded(picture()), "image/svg+xml")))
    assert "data:image/jpeg;base64," in made
    assert removed == []


def test_pictures_in_it_are_together_no_larger_than_one_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    one = carried(encoded(picture()))
    width, height = picture().size
    monkeypatch.setattr("chat_server.sanitizing.svg.pictures.MAX_PIXELS", 2 * width * height)
    plain(svg(one * 2), Tally())
    with pytest.raises(Refused) as refused:
        plain(svg(one * 3), Tally())
    assert refused.value.reason == "too_many_pixels"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>' + svg("<text>&b;</text>"), "declares"),
        (b"<!DOCTYPE svg><!DOCTYPE svg>" + svg(""), "declares"), (b'<!DOCTYPE svg SYSTEM "a" [ ]>' + svg(""), "declares"),
        ("<!DOCTYPE svg SYSTEM 'http://e.example/'><svg/>".encode("utf-16"), "declares"),
        (svg("<text>&#1;</text>"), "broken"), (svg("<text>\x01</text>"), "broken"), (svg("<g>" * 1000 + "</g>" * 1000), "broken"),
        (b"<svg/>", "broken"), (svg("")[:-3], "broken"), (svg("<g/>" * 100), "too_large"),
        (svg(carried(sample("pillow/decompression_bomb.gif").read_bytes())), "too_many_pixels"),
    ],
    ids=["laughs", "two", "subset", "utf-16", "reference", "control", "deep", "no svg", "cut", "many", "picture"],
)  # fmt: skip
def test_what_cannot_be_read_or_is_too_much_is_refused(
    data: bytes, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat_server.sanitizing.svg.plain._ELEMENTS", 100)
    with pytest.raises(Refused) as refused:
        plain(data, Tally())
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("root", "dots"),
    [
        ('width="24" height="12"', (192, 96)), ('width="210mm" height="297mm"', (2122, 3000)),
        ('width="5000px" height="10"', (5000, 10)), ('viewBox="0 0 400 100"', (3000, 750)),
        ('width="100%" height="100%" viewBox="0,0,100,400"', (200 * 3.75, 3000)), ('height="1in" viewBox="0 0 2 1"', (1536, 768)),
        ("", (3000, 3000)), ('width="-5" height="nan"', (3000, 3000)),
        ('width="100000" height="100000"', None), ('viewBox="0 0 1e9 1e9"', None), ('width="70000" height="1"', None),
        ('width="1e99" height="1e99"', None),
    ],
)  # fmt: skip
def test_how_large_it_is_painted_is_bounded(root: str, dots: tuple[int, int] | None) -> None:
    if dots is not None:
        assert size(etree.fromstring(svg("", root))) == dots
        return
    with pytest.raises(Refused) as refused:
        size(etree.fromstring(svg("", root)))
    assert refused.value.reason == "too_many_pixels"


@pytest.mark.parametrize(
    "head",
    [
        "<!DOCTYPE svg>",
        '<?xml version="1.0"?>\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">',
    ],
)
def test_a_document_type_that_declares_nothing_is_passed_over(head: str) -> None:
    assert len(plain(head.encode() + svg("<g/>"), Tally())) == 1


@pytest.mark.parametrize("head", ["", '<?xml version="1.0"?>\n', "<!DOCTYPE svg>"])
def test_it_is_known_by_its_content(head: str) -> None:
    assert kinds.found(io.BytesIO(head.encode() + svg("")), "a.png") == "svg"
    assert kinds.outcomes("svg") == {"png"}


@pytest.mark.parametrize("means", [BUBBLEWRAP, LANDLOCK])
async def test_it_is_painted_with_its_japanese_words_behind_each_wall(means: str, tmp_path: Path) -> None:
    helper = await Helper.find(tmp_path, cad.BOUNDS, allowed=(means,))
    assert helper is not None
    source = tmp_path / "a"
    source.write_bytes(SPOKEN)
    rebuilt, made = await program.painted(helper, source, tmp_path)
    assert (rebuilt.kind, rebuilt.removed, rebuilt.warnings) == ("png", [], [])
    with Image.open(made, formats=["PNG"]) as painted:
        assert painted.size == (1600, 800)
        colours = {colour: count for count, colour in painted.convert("RGB").getcolors(1 << 20) or []}
    assert colours[255, 0, 0] > 1_000_000
    assert colours[0, 0, 0] > 10_000, "words, on a ground of their own"


@pytest.mark.parametrize(
    ("inner", "reasons"),
    [
        (TOWER, {"broken"}),
        (
            '<filter id="f"><feTurbulence baseFrequency="0.01" numOctaves="100000000"/></filter><rect filter="url(#f)" width="99" height="99"/>',
            {"takes_too_long"},
        ),
        ('<g opacity="0.5">' * 240 + '<rect width="2000" height="2000"/>' + "</g>" * 240, {"crashed"}),
    ],
    ids=["use", "filter", "layers"],
)
async def test_what_would_take_for_ever_or_all_memory_ends(
    inner: str, reasons: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "_SECONDS", 4)
    helper = await Helper.find(tmp_path, cad.BOUNDS)
    assert helper is not None
    source = tmp_path / "a"
    source.write_bytes(svg(inner, 'width="2000" height="2000"'))
    with pytest.raises(Refused) as refused:
        await program.painted(helper, source, tmp_path)
    assert refused.value.reason in reasons
