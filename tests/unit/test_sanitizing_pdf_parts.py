"""What is in the pages of a PDF: instructions, pictures, fonts, functions. What hides in them does not come along."""

from __future__ import annotations

import contextlib
import io
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream, String
from PIL import Image, ImageDraw

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.rebuild import pdf_fax, pdf_images, pdf_jpeg
from chat_server.sanitizing.rebuild.pdf_content import Property, rewritten
from chat_server.sanitizing.rebuild.pdf_programs import calculator
from chat_server.sanitizing.rebuild.pdf_streams import Unreadable
from tests.unit.pdf_samples import FOLDER, colored, composed, difference, names, picture, rebuilt, saved, text, told

RED, BLUE = (255, 0, 0), (0, 0, 255)


def written(data: bytes, **properties: Property) -> bytes:
    return rewritten(data, lambda name: properties.get(name[1:], Property())).data


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (b"1 0 0 rg\n0 0 9 9 re f", b"1 0 0 rg\n0 0 9 9 re\nf"),
        (b"q % hidden words (\n1 w Q", b"q\n1 w\nQ"),
        (b"1 2 foo 3 w /X exec", b"3 w"),
        (b"BT/F 9 Tf(a(b)\\)c)Tj ET", b"BT/F 9 Tf\n(a(b)\\)c) Tj\nET"),
        (b"[(a)-12<6162>]TJ", b"[(a)-12<6162>]TJ"),
        (b"[ (a(b)) % hidden\n 3 ] TJ", b"[ (a(b))  3 ] TJ"),
        (b"Q Q q q Q", b"q\nq\nQ\nQ"),
        (b"/Span <</ActualText <FEFF0041> /MCID 3 /E 1>> BDC (x) Tj EMC", b"/Span <</ActualText <FEFF0041>>> BDC\n(x) Tj\nEMC"),
        (b"/P <</MCID 0>> BDC 1 w EMC /T BMC 2 w EMC EMC /A /B DP", b"1 w\n2 w"),
        (b"/Span <</ActualText (a)>> BDC 1 w", b"/Span <</ActualText (a)>> BDC\n1 w\nEMC"),
        (b"BX 1 w EX ] > ) } { 2 w", b"1 w\n2 w"),
        (b"/A#20B Do", b"/A#20B Do"),
        (b"(never closed 1 w", b""),
        (b"1 w << /A << /B [ 1 2 >> 2 w", b"1 w\n2 w"),
    ],
)  # fmt: skip
def test_only_instructions_of_the_specification_go_out(data: bytes, kept: bytes) -> None:
    assert b" ".join(written(data).split()) == b" ".join(kept.split())


def test_content_of_a_hidden_layer_is_left_out_and_its_states_are_not() -> None:
    data = b"/OC /H BDC 1 w 0 0 9 9 re W f (a) Tj (b) ' /X Do BI /W 1 /H 1 /IM true ID \x00 EI q EMC (c) Tj Q"
    assert written(data, H=Property(False)).split() == b"1 w 0 0 9 9 re W n T* q (c) Tj Q".split()
    drawn = rewritten(data + b" /X Do /X Do", lambda _: Property(True))
    assert drawn.draws == {"/X": 3}


def test_a_name_that_is_written_in_two_ways_is_one() -> None:
    assert rewritten(b"/#58 Do /X Do", lambda _: Property()).draws == {"/X": 2}


@pytest.mark.parametrize(
    "pattern", [b"(", b"[", b"<<", b"[[", b"<", b"((", b"1 ", b"/A ", b"BI ", b"BI /W 1 ID ", b"%\n", b"q ", b"[1 ", b"\\("]
)  # fmt: skip
def test_no_input_costs_more_than_its_length(pattern: bytes) -> None:
    data = pattern * (300_000 // len(pattern))
    start = time.process_time()
    with contextlib.suppress(Refused):
        written(data)
    assert time.process_time() - start < 10


def test_pictures_within_the_contents() -> None:
    raw = b"\xff\x00\x00" * 4
    plain = b"q 50 0 0 50 0 0 cm BI /Width 2 /H 2 /BPC 8 /CS /RGB /Secret (x) ID " + raw + b" EI Q"
    packed = zlib.compress(raw)
    flate = b"q 50 0 0 50 50 0 cm BI /W 2 /H 2 /BPC 8 /CS /RGB /F /Fl ID " + packed + b"\nEI Q"
    # the data of this one contains what looks like its end
    tricky = b"q 50 0 0 50 100 0 cm BI /W 4 /H 1 /BPC 8 /CS /G ID \x00\nEI\n EI Q"
    before = composed(plain + b" " + flate + b" " + tricky + b" 0 0 1 rg 0 100 10 10 re f")
    after, report = rebuilt(before)
    assert difference(picture(before), picture(after)) == 0
    assert colored(picture(after), RED) >= 4900
    assert colored(picture(after), BLUE) == 100
    with pikepdf.open(io.BytesIO(after)) as document:
        assert b"Secret" not in document.pages[0].Contents.read_bytes()
    assert not report.removed


def test_a_picture_within_the_contents_in_another_coding_is_left_out() -> None:
    assert written(b"1 w BI /W 1 /H 1 /F /DCT ID xxxx EI 2 w").split() == b"1 w 2 w".split()


def pictured(make: Callable[[Pdf], Object]) -> bytes:
    """A document that shows that picture at its full size."""

    def change(document: Pdf, page: Object) -> None:
        image = make(document)
        image.Type, image.Subtype = Name.XObject, Name.Image
        page.Resources.XObject = Dictionary(I=image)

    return composed(b"200 0 0 200 0 0 cm /I Do", change)


def first_image(data: bytes) -> tuple[dict[str, Any], bytes]:
    with pikepdf.open(io.BytesIO(data)) as document:
        (image,) = (
            each for each in document.objects if isinstance(each, Stream) and each.get("/Subtype") == Name.Image
        )
        filter_ = image.get("/Filter")
        return {"filter": str(filter_), "keys": set(image.keys()), "width": int(image.Width)}, image.read_raw_bytes()


def photo() -> Image.Image:
    image = Image.new("RGB", (64, 64), RED)
    ImageDraw.Draw(image).rectangle((16, 16, 48, 48), fill=BLUE)
    return image


def jpeg(**options: Any) -> bytes:
    out = io.BytesIO()
    photo().save(out, "JPEG", quality=95, **options)
    return out.getvalue()


def of_jpeg(data: bytes, **keys: Any) -> bytes:
    return pictured(lambda document: document.make_stream(
        data, Filter=Name.DCTDecode, Width=64, Height=64, ColorSpace=Name.DeviceRGB, BitsPerComponent=8, **keys
    ))  # fmt: skip


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}])
def test_a_jpeg_keeps_its_picture_and_loses_the_rest(options: dict[str, Any]) -> None:
    exif = Image.Exif()
    exif[0x010E] = "place and name"
    before = of_jpeg(
        jpeg(exif=exif, comment=b"comment", **options) + b"PK\x03\x04 behind", Alternates=Array(), OPI=Dictionary()
    )
    after, report = rebuilt(before)
    assert picture(after).tobytes() == picture(before).tobytes()
    _, data = first_image(after)
    assert not any(secret in data for secret in (b"place", b"comment", b"behind", b"Exif", b"JFIF"))
    assert told(report) == {"image": 1, "external_data": 1}


def test_a_jpeg_in_cmyk_keeps_how_its_colors_are_meant() -> None:
    out = io.BytesIO()
    photo().convert("CMYK").save(out, "JPEG")
    longer = (
        out.getvalue()
        .replace(b"\xff\xee\x00\x0eAdobe", b"\xff\xee\x00\x14Adobe")
        .replace(b"\xff\xdb", b"hidden\xff\xdb", 1)
    )
    before = pictured(lambda document: document.make_stream(
        longer, Filter=Name.DCTDecode, Width=64, Height=64, ColorSpace=Name.DeviceCMYK, BitsPerComponent=8
    ))  # fmt: skip
    after, report = rebuilt(before)
    assert not report.removed
    assert picture(after).tobytes() == picture(before).tobytes()
    assert b"Adobe" in first_image(after)[1]
    assert b"hidden" not in after


def test_a_jpeg_that_cannot_be_read_is_left_out_and_told() -> None:
    for data in (jpeg()[:200], b"\xff\xd8\xff\xd9", b"MZ not a picture", jpeg().replace(b"\xff\xc0", b"\xff\xc3")):
        after, report = rebuilt(of_jpeg(data))
        assert told(report) == {"image": 1}
        found, _ = first_image(after)
        assert found["width"] == 1


def test_a_jpeg_of_endless_scans_is_none() -> None:
    data = jpeg(progressive=True)
    at = data.rindex(b"\xff\xda")
    with pytest.raises(Unreadable):
        pdf_jpeg.rewritten(data[:-2] + data[at:-2] * 300 + data[-2:])


def two_colors() -> Image.Image:
    image = Image.new("1", (64, 64), 1)
    ImageDraw.Draw(image).rectangle((8, 8, 30, 50), fill=0)
    return image


def jbig2() -> bytes:
    """One page with one region, in fax coding (ITU-T T.88, 7.4.6 with MMR)."""
    coded = pdf_fax.group4(two_colors().point(lambda bit: 255 - bit))
    region = struct.pack(">IIIIBB", 64, 64, 0, 0, 0, 1) + coded
    page = struct.pack(">IIIIBH", 64, 64, 0, 0, 0, 0)
    return b"".join(
        struct.pack(">IBBBI", number, kind, 0, 1, len(body)) + body
        for number, (kind, body) in enumerate(((48, page), (38, region)))
    )


def of_bits(data: bytes, filter_: Name, **parameters: Any) -> bytes:
    return pictured(lambda document: document.make_stream(
        data, Filter=filter_, Width=64, Height=64, ColorSpace=Name.DeviceGray, BitsPerComponent=1, DecodeParms=Dictionary(**parameters)
    ))  # fmt: skip


def test_a_jbig2_is_encoded_anew() -> None:
    before = of_bits(jbig2(), Name.JBIG2Decode)
    assert colored(picture(before), (0, 0, 0)) > 5_000
    after, report = rebuilt(before)
    assert picture(after).tobytes() == picture(before).tobytes()
    assert first_image(after)[0]["filter"] == "/CCITTFaxDecode"
    assert not report.removed


def test_fax_is_copied_where_it_is_group_4_and_encoded_anew_where_not() -> None:
    coded = pdf_fax.group4(two_colors())
    out = io.BytesIO()
    two_colors().save(out, "TIFF", compression="group3", tiffinfo={278: 64})
    tags = Image.open(out).tag_v2  # type: ignore[attr-defined]
    old = out.getvalue()[tags[273][0] : tags[273][0] + tags[279][0]]
    four = of_bits(coded, Name.CCITTFaxDecode, K=-1, Columns=64, BlackIs1=True, Unknown=1)
    three = of_bits(old, Name.CCITTFaxDecode, K=0, Columns=64, Rows=64, BlackIs1=True)
    for before, same in ((four, True), (three, False)):
        assert colored(picture(before), (0, 0, 0)) > 5_000
        after, _ = rebuilt(before)
        assert picture(after).tobytes() == picture(before).tobytes()
        found, data = first_image(after)
        assert found["filter"] == "/CCITTFaxDecode"
        assert data == coded if same else data != old
        assert "/Unknown" not in names(after)


def test_group_4_is_known_by_its_decoder() -> None:
    coded = pdf_fax.group4(two_colors())
    assert pdf_fax.is_group4(coded, 64, 64)
    assert not pdf_fax.is_group4(b"", 64, 64)
    assert not pdf_fax.is_group4(coded, 0, 0)


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
def test_a_jpeg_2000_is_encoded_anew(mode: str) -> None:
    out = io.BytesIO()
    photo().convert(mode).save(out, "JPEG2000")
    before = pictured(lambda document: document.make_stream(out.getvalue(), Filter=Name.JPXDecode, Width=64, Height=64))
    after, _ = rebuilt(before)
    assert first_image(after)[0]["filter"] == "/DCTDecode"
    assert difference(picture(before), picture(after)) < 0.005


def test_plain_samples_are_copied_without_what_hides_behind_them() -> None:
    packed = zlib.compress(photo().tobytes())

    def make(document: Pdf) -> Object:
        keys: dict[str, Any] = {"Width": 64, "Height": 64, "ColorSpace": Name.DeviceRGB, "BitsPerComponent": 8}
        mask = document.make_stream(packed[:-9], Filter=Name.FlateDecode, Subtype=Name.Image, **keys)
        mask.ColorSpace, mask.Unknown = Name.DeviceGray, 1
        mask.write(zlib.compress(b"\xff" * 4096) + b"hidden", filter=Name.FlateDecode)
        return document.make_stream(packed + b"hidden", Filter=Name.FlateDecode, SMask=mask, **keys)

    before = pictured(make)
    assert b"hidden" in before
    after, _ = rebuilt(before)
    assert b"hidden" not in after
    assert picture(after).tobytes() == picture(before).tobytes()


@pytest.mark.parametrize(
    "more",
    [
        {"Decode": Array([1, 0] * 3)},
        {"Mask": Array([250, 255, 0, 5, 0, 5])},
        {"Interpolate": True},
        {"Intent": Name.Perceptual},
    ],
    ids=["inverted", "masked", "smoothed", "intended"],
)
def test_how_samples_are_meant_is_kept(more: dict[str, Any]) -> None:
    keys: dict[str, Any] = {"Width": 64, "Height": 64, "ColorSpace": Name.DeviceRGB, "BitsPerComponent": 8, **more}
    before = pictured(lambda document: document.make_stream(photo().tobytes(), **keys))
    after, _ = rebuilt(before)
    assert picture(after).tobytes() == picture(before).tobytes()
    assert {f"/{key}" for key in more} <= first_image(after)[0]["keys"]


def test_samples_that_are_predicted_are_copied_with_their_predictor() -> None:
    rows = b"".join(b"\x02" + bytes(192) if at else b"\x00" + b"\xff\x00\x00" * 64 for at in range(64))
    keys: dict[str, Any] = {"Width": 64, "Height": 64, "ColorSpace": Name.DeviceRGB, "BitsPerComponent": 8}
    detail = Dictionary(Predictor=15, Colors=3, BitsPerComponent=8, Columns=64, Unknown=1)
    before = pictured(
        lambda document: document.make_stream(zlib.compress(rows), Filter=Name.FlateDecode, DecodeParms=detail, **keys)
    )
    after, _ = rebuilt(before)
    assert colored(picture(after), RED) == 40_000
    assert "/Unknown" not in names(after)


def test_a_picture_in_other_filters_becomes_flate() -> None:
    keys: dict[str, Any] = {"Width": 64, "Height": 64, "ColorSpace": Name.DeviceRGB, "BitsPerComponent": 8}
    raw = zlib.compress(photo().tobytes()).hex().encode() + b">"
    before = pictured(
        lambda document: document.make_stream(raw, Filter=Array([Name.ASCIIHexDecode, Name.FlateDecode]), **keys)
    )
    after, _ = rebuilt(before)
    assert first_image(after)[0]["filter"] == "/FlateDecode"
    assert picture(after).tobytes() == picture(before).tobytes()


def test_pictures_of_too_many_points_are_refused() -> None:
    large = pictured(
        lambda document: document.make_stream(b"", Width=20_000, Height=20_000, ColorSpace=Name.DeviceGray)
    )
    with pytest.raises(Refused, match="too_many_pixels"):
        rebuilt(large)


def test_a_huge_jpeg_behind_a_small_size_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_jpeg, "PIXELS", 4_000)
    with pytest.raises(Refused, match="too_many_pixels"):
        rebuilt(of_jpeg(jpeg()))
    assert pdf_images.PIXELS == 100_000_000


def test_a_font_that_is_none_is_left_out_and_told() -> None:
    def change(document: Pdf, page: Object) -> None:
        detail = Dictionary(
            Type=Name.FontDescriptor, FontName=Name.Helvetica, Flags=32, FontFile2=document.make_stream(b"MZ\x90 run")
        )
        page.Resources.Font.F.FontDescriptor = document.make_indirect(detail)

    after, report = rebuilt(composed(b"BT /F 20 Tf (words) Tj ET", change))
    assert told(report) == {"font": 1}
    assert report.warnings == ["fonts_replaced"]
    assert text(after) == ["words"]


def test_the_same_font_is_one_also_for_what_lies_on_the_page() -> None:
    program = bytes(range(256)) * 20

    def change(document: Pdf, page: Object) -> None:
        def font() -> Object:
            detail = Dictionary(
                FontName=Name.Helvetica, Flags=32, FontFile=document.make_stream(b"%!PS-Adobe" + program, Length1=9)
            )
            return document.make_indirect(
                Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, FontDescriptor=detail)
            )

        page.Resources.Font = Dictionary(F=font(), G=font())
        field = Dictionary(
            Subtype=Name.Widget,
            FT=Name.Tx,
            V=String("x"),
            T=String("a"),
            Rect=Array([0, 0, 90, 20]),
            DA=String("/F 9 Tf"),
        )
        page.Annots = Array([document.make_indirect(field)])
        document.Root.AcroForm = Dictionary(Fields=page.Annots, DR=Dictionary(Font=page.Resources.Font))

    after, report = rebuilt(composed(b"BT /F 20 Tf (words) Tj ET", change))
    with pikepdf.open(io.BytesIO(after)) as document:
        programs = [each for each in document.objects if isinstance(each, Stream) and "/Length1" in each]
        assert len(programs) == 1
        assert programs[0].read_bytes().endswith(program)
    assert "fonts_replaced" not in report.warnings


def test_what_an_object_says_that_it_is_comes_from_a_list() -> None:
    def change(document: Pdf, page: Object) -> None:
        page.Resources.Font.F.Subtype = Name.RichMedia
        page.Group = Dictionary(S=Name.JavaScript, I=True)

    after, _ = rebuilt(composed(b"BT /F 20 Tf (words) Tj ET", change))
    assert not names(after) & {"/RichMedia", "/JavaScript"}
    assert "/I" in names(after)
    assert text(after) == ["words"]


def test_names_in_shift_jis_stay_as_they_are() -> None:
    data = composed(b"BT /#82l 20 Tf (words) Tj ET")
    data = data.replace(b"/BaseFont /Helvetica", b"/BaseFont /#82l#82r").replace(b"/Font << /F ", b"/Font << /#82l ")
    assert data.count(b"#82l") == 2
    after, _ = rebuilt(data)
    assert text(after) == ["words"]
    with pikepdf.open(io.BytesIO(after)) as document:
        (font,) = (document.pages[0].Resources.Font[key] for key in document.pages[0].Resources.Font.keys())  # noqa: SIM118
        assert b"/BaseFont /#82l#82r" in font.unparse(resolved=True)


def test_names_and_words_that_are_objects_of_their_own() -> None:
    def change(document: Pdf, page: Object) -> None:
        font = page.Resources.Font.F
        font.BaseFont = document.make_indirect(Name.Courier)
        font.Encoding = document.make_indirect(Dictionary(BaseEncoding=document.make_indirect(Name.WinAnsiEncoding)))
        font.FontDescriptor = Dictionary(
            FontName=Name.Courier, FontFamily=document.make_indirect(String("Courier")), Flags=33
        )

    before = composed(b"BT /F 20 Tf 10 10 Td (words) Tj ET", change)
    after, _ = rebuilt(before)
    assert text(after) == ["words"]
    assert picture(after).tobytes() == picture(before).tobytes()


def test_functions_calculate_and_do_nothing_else() -> None:
    assert (
        calculator(b"{ dup 0.5 gt { pop 1 } { 2 mul } ifelse } % hidden"[:-9])
        == b"{ dup 0.5 gt { pop 1 } { 2 mul } ifelse }"
    )
    for program in (b"{ (x) run }", b"{ currentfile }", b"{ 1 % hidden\n }"):
        with pytest.raises(Refused, match="broken"):
            calculator(program)


def test_colors_shadings_and_patterns_look_as_they_did() -> None:
    def change(document: Pdf, page: Object) -> None:
        tint = document.make_stream(b"{ dup 0 exch }", FunctionType=4, Domain=Array([0, 1]), Range=Array([0, 1] * 3))
        spot = Array([Name.Separation, Name("/Spot#20color"), Name.DeviceRGB, tint])
        blend = Dictionary(FunctionType=2, Domain=Array([0, 1]), C0=Array([1, 0, 0]), C1=Array([0, 0, 1]), N=1)
        shading = Dictionary(ShadingType=2, ColorSpace=Name.DeviceRGB, Coords=Array([0, 0, 200, 0]), Function=blend)
        tile = document.make_stream(
            b"0 0 5 5 re f", PatternType=1, PaintType=1, TilingType=1, BBox=Array([0, 0, 10, 10]), XStep=10, YStep=10,
            Resources=Dictionary(),
        )  # fmt: skip
        indexed = Array([Name.Indexed, Name.DeviceRGB, 1, String(b"\xff\x00\x00\x00\x00\xff")])
        page.Resources.ColorSpace = Dictionary(S=spot, I=indexed)
        page.Resources.Shading = Dictionary(H=shading)
        page.Resources.Pattern = Dictionary(T=tile)
        page.Resources.ExtGState = Dictionary(G=Dictionary(ca=0.5, BM=Name.Multiply, Unknown=Name.X))

    before = composed(
        b"q 0 0 200 50 re W n /H sh Q /S cs 0.8 scn 0 60 50 50 re f /Pattern cs /T scn 60 60 100 50 re f /I cs 1 sc 0 120 50 50 re f "
        b"/G gs 1 0 0 rg 20 100 100 60 re f",
        change,
    )
    after, _ = rebuilt(before)
    assert picture(after).tobytes() == picture(before).tobytes()
    assert "/Unknown" not in names(after)


def test_pages_go_on_sharing_what_they_shared() -> None:
    with pikepdf.open(FOLDER / "noembed-sjis.pdf") as document:
        for _ in range(20):
            document.pages.append(document.pages[0])
        before = saved(document)
    after, _ = rebuilt(before)
    with pikepdf.open(io.BytesIO(after)) as document:
        fonts = {font.objgen for page in document.pages for _, font in page.obj.Resources.Font.items()}
        assert len(fonts) == 1
        assert len({page.obj.Contents.objgen for page in document.pages}) == 1
    assert text(after) == text(before)


def test_nothing_is_opened_or_imported_while_it_works() -> None:
    """A confined process cannot: what is needed is loaded with the modules."""
    out = io.BytesIO()
    photo().save(out, "JPEG2000")
    documents = [
        pictured(lambda document: document.make_stream(out.getvalue(), Filter=Name.JPXDecode, Width=64, Height=64)),
        of_bits(jbig2(), Name.JBIG2Decode),
        of_bits(pdf_fax.group4(two_colors()), Name.CCITTFaxDecode, K=-1, Columns=64, BlackIs1=True),
        of_jpeg(jpeg()),
        *(path.read_bytes() for path in sorted(FOLDER.glob("*.pdf")) if path.name[0] in "dm"),
    ]
    program = (
        "import io, sys\n"
        "from chat_server.sanitizing.order import Order\n"
        "from chat_server.sanitizing.rebuild import pdf, pdf_flatten\n"
        "documents = [bytes.fromhex(line) for line in sys.stdin]\n"
        "seen = []\n"
        "sys.addaudithook(lambda event, args: seen.append((event, args[0])) if event in ('open', 'import') else None)\n"
        "for data in documents:\n"
        "    pdf.rebuild(io.BytesIO(data), io.BytesIO(), Order('pdf', password='表'))\n"
        "    pdf_flatten.flatten(io.BytesIO(data), io.BytesIO(), Order('pdf'))\n"
        "sys.exit(repr(seen) if seen else 0)\n"
    )
    lines = "\n".join(data.hex() for data in documents)
    ended = subprocess.run([sys.executable, "-c", program], input=lines, text=True, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_a_size_whose_numbers_are_objects_of_their_own() -> None:
    data = composed().replace(b"/MediaBox [ 0 0 200 200 ]", b"/MediaBox [ 0 0 9 0 R 130 ]")
    data = data.replace(b"xref\n", b"9 0 obj 120 endobj\nxref\n", 1)
    assert b"9 0 R" in data
    assert picture(rebuilt(data)[0]).size == (120, 130)
