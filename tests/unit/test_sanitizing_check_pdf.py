"""The check of rebuilt PDF: for each way to act, or to hold what is not shown, one that is found, and plain ones that
may pass."""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping

import pikepdf
import pytest

from chat_server.sanitizing.check.looking import look
from tests.unit.document_samples import pdf, stream, words


def document(
    catalog: bytes = b"", page: bytes = b"", more: Mapping[int, bytes] | None = None, content: bytes = words("text")
) -> bytes:
    """A PDF of one page. `catalog`, `page`: more of their entries; `more`: objects from 10 on."""
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R%s>>" % catalog,
        2: b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 300]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>%s>>" % page,
        4: stream(content),
        5: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    }
    return pdf(objects | dict(more or {}))


def linking(action: bytes) -> bytes:
    """A page with a link that does that."""
    return document(page=b"/Annots[<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A%s>>]" % action)


def annotated(subtype: bytes, more: bytes = b"") -> bytes:
    return document(page=b"/Annots[<</Type/Annot/Subtype/%s/Rect[0 0 9 9]%s>>]" % (subtype, more))


def saved(data: bytes, **options: object) -> bytes:
    """The same, written by a library."""
    target = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as opened:
        opened.save(target, **options)  # type: ignore[arg-type]
    return target.getvalue()


def found(data: bytes) -> list[str]:
    return look(io.BytesIO(data), "pdf")


PLAIN = document()
GENERATE = pikepdf.ObjectStreamMode.generate
CHARACTERS = (
    b"<</Type/Font/Subtype/Type3/FontBBox[0 0 1 1]/FontMatrix[1 0 0 1 0 0]/FirstChar 65/LastChar 66/Widths[1 1]"
    b"/Encoding<</Type/Encoding/Differences[65/AA/URI/JS]>>/CharProcs<</AA 11 0 R/JS 11 0 R/EF 11 0 R/F 11 0 R>>>>"
)


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        saved(PLAIN),
        saved(PLAIN, object_stream_mode=GENERATE),
        saved(PLAIN, static_id=True, compress_streams=False),
        linking(b"<</S/URI/URI(https://www.city.example.jp/)>>"),
        linking(b"<</S/URI/URI(mailto:a@example.jp)>>"),
        linking(b"<</S/GoTo/D[3 0 R/Fit]>>"),
        document(b"/Outlines 10 0 R", more={10: b"<</Type/Outlines/First 11 0 R/Last 11 0 R/Count 1>>",
                                            11: b"<</Title(about /JavaScript and /Launch)/Parent 10 0 R/Dest[3 0 R/Fit]>>"}),
        saved(document(b"/Outlines 10 0 R", more={10: b"<</Type/Outlines/Title(about \\(/JavaScript\\) and /Launch)>>"}),
              object_stream_mode=GENERATE),
        PLAIN.replace(b"trailer<<", b"trailer<</ID[(a\\)>>(b))(c)]"),
        document(b"/Names<</Dests<</Names[(a)[3 0 R/Fit]]>>>>/Lang(ja)/PageMode/UseOutlines"),
        document(b"/Metadata 10 0 R", more={10: stream(b"<?xpacket?><x:xmpmeta/>", b"/Type/Metadata/Subtype/XML")}),
        document(page=b"/Group<</S/Transparency/CS/DeviceRGB>>/Rotate 90"),
        document(b"/StructTreeRoot<</Type/StructTreeRoot/K<</S/P/A<</O/Layout/Placement/Block>>>>>>"),
        document(b"/StructTreeRoot<</RoleMap<</Movie/Figure/Collection/Sect>>>>"),
        document(more={10: b"<</\x82l\x82r 5 0 R/BaseFont/\x82l\x82r#83S/S/\x82l>>"}),  # Shift_JIS
        document(content=b"BT (<!DOCTYPE html>) Tj ET"),
        document(content=b"BT (a \\(b\\) \\\\ /JavaScript) Tj ET"),
    ],
)  # fmt: skip
def test_a_plain_document_may_pass(data: bytes) -> None:
    assert found(data) == []


def test_glyphs_and_resources_may_be_called_like_actions() -> None:
    data = document(
        page=b"/Tabs/S",
        more={10: CHARACTERS, 11: stream(b"0 0 m"), 12: b"<</AA 5 0 R/URI 11 0 R/Movie 11 0 R/Base 11 0 R>>"},
    )
    assert found(data) == []


@pytest.mark.parametrize(
    ("data", "finding"),
    [
        (document(b"/OpenAction[3 0 R/Fit]"), "more than the catalogue needs: '/OpenAction'"),
        (document(b"/AA<</WC<</S/JavaScript/JS(app.alert\\(1\\))>>>>"), "an action: '/JavaScript'"),
        (document(b"/AcroForm<</Fields[]>>"), "more than the catalogue needs: '/AcroForm'"),
        (document(b"/Names<</JavaScript<</Names[]>>>>"), "names for something else than places"),
        (document(b"/Names<</EmbeddedFiles<</Names[]>>>>"), "an active entry: '/EmbeddedFiles'"),
        (document(b"/Names 10 0 R", more={10: b"[]"}), "names for something else than places"),
        (document(b"/URI<</Base(file:///c:/)>>"), "more than the catalogue needs: '/URI'"),
        (document(b"/Collection<</View/D>>"), "an active entry: '/Collection'"),
        (document(b"/Perms<<>>"), "an active entry: '/Perms'"),
        (document(b"/Extensionz<<>>"), "more than the catalogue needs: '/Extensionz'"),
        (document(page=b"/AA<</O<</S/Named/N/Print>>>>"), "an active entry: '/AA'"),
        (document(page=b"/PieceInfo<<>>"), "an active entry: '/PieceInfo'"),
        (document(page=b"/AF[]"), "an active entry: '/AF'"),
        (document(page=b"/Thumb 4 0 R"), "more than a page needs: '/Thumb'"),
        (linking(b"<</S/JavaScript/JS(x)>>"), "an action: '/JavaScript'"),
        (linking(b"<</S/JavaScript/JS 4 0 R>>"), "an action: '/JavaScript'"),
        (linking(b"<</S/Launch/F(cmd.exe)>>"), "an action: '/Launch'"),
        (linking(b"<</S/SubmitForm/F<</FS/URL/F(https://example.com/)>>>>"), "an action: '/SubmitForm'"),
        (linking(b"<</S/ImportData/F(a.fdf)>>"), "an action: '/ImportData'"),
        (linking(b"<</S/GoToR/F(b.pdf)/D[0/Fit]>>"), "an action: '/GoToR'"),
        (linking(b"<</S/GoToE/T<</R/C>>>>"), "an action: '/GoToE'"),
        (linking(b"<</S/Rendition/OP 0>>"), "an action: '/Rendition'"),
        (linking(b"<</S/SetOCGState/State[]>>"), "an action: '/SetOCGState'"),
        (linking(b"<</S/Named/N/SaveAs>>"), "an action: '/Named'"),
        (linking(b"<</S/Hide/T(a)>>"), "an action: '/Hide'"),
        (linking(b"<</S/Unknown>>"), "an action: '/Unknown'"),
        (linking(b"<</S/GoTo/D[3 0 R/Fit]/Next<</S/Launch/F(a)>>>>"), "an action: '/Launch'"),
        (linking(b"<</S 10 0 R/JS(x)>>").replace(b"xref\n", b"10 0 obj/JavaScript endobj\nxref\n"), "JavaScript"),
        (linking(b"<</S/Java#53cript/J#53(x)>>"), "an active entry: '/JS'"),
        (linking(b"<</S/#4a#61vaScript>>"), "an action: '/JavaScript'"),
        (linking(b"<</S/URI/URI(file:///c:/windows/system32/calc.exe)>>"), "a link that leads elsewhere than to the web"),
        (linking(b"<</S/URI/URI(javascript:alert\\(1\\))>>"), "a link that leads elsewhere than to the web"),
        (linking(b"<</S/URI/URI(\\\\\\\\host\\\\share)>>"), "a link that leads elsewhere than to the web"),
        (linking(b"<</S/URI/URI(ms-msdt:/id)>>"), "a link that leads elsewhere than to the web"),
        (linking(b"<</S/URI/URI(a.txt)>>"), "a link that leads elsewhere than to the web: 'a.txt'"),
        (linking(b"<</S/URI/URI(https://example.jp/\\nfile:)>>"), "a link that leads elsewhere than to the web"),
        (linking(b"<</S/URI/URI 4 0 R>>"), "a link that leads elsewhere than to the web"),
        (linking(b"<</S/URI>>"), "a link that leads elsewhere than to the web"),
        (annotated(b"Screen"), "an object that is not drawn: '/Screen'"),
        (annotated(b"Movie"), "an object that is not drawn: '/Movie'"),
        (annotated(b"Sound", b"/Sound 4 0 R"), "an object that is not drawn: '/Sound'"),
        (annotated(b"RichMedia", b"/RichMediaContent<<>>"), "an active entry: '/RichMediaContent'"),
        (annotated(b"3D", b"/3DD 4 0 R"), "an object that is not drawn: '/3D'"),
        (annotated(b"FileAttachment", b"/FS<</Type/Filespec/F(a)>>"), "an object that is not drawn: '/Filespec'"),
        (annotated(b"Widget", b"/FT/Tx"), "a form field"),
        (annotated(b"Text"), "an object that is not drawn: '/Text'"),
        (annotated(b"Link", b"/AA<</E<</S/GoTo/D[3 0 R/Fit]>>>>"), "an active entry: '/AA'"),
        (document(more={10: b"<</Type/Filespec/UF(a)>>"}), "an active entry: '/UF'"),
        (document(more={10: b"<</F(a)>>"}), "a reference to another file"),
        (document(more={10: stream(b"MZ", b"/Type/EmbeddedFile")}), "an object that is not drawn: '/EmbeddedFile'"),
        (document(more={10: stream(b"", b"/Subtype/PS")}), "an object that is not drawn: '/PS'"),
        (document(more={10: b"<</URI(file:///a)>>"}), "a link that leads elsewhere than to the web"),
        (document(more={10: b"<</FS/URL>>"}), "a file from the web"),
        (document(more={10: stream(b"", b"/Subtype/Form/BBox[0 0 1 1]/Ref<</F 5 0 R>>")}), "a reference to another file"),
        (document(more={10: stream(b"<!ENTITY a SYSTEM 'a'>", b"/Type/Metadata")}), "metadata with a declaration"),
        (document(more={10: stream(b"<?xml-stylesheet?>", b"/Subtype/XML")}), "metadata with a declaration"),
        (document(more={10: stream(bytes(5 << 20), b"/Subtype/XML")}), "or too long"),
        (document(more={10: stream(b"", b"/Subtype/XML").replace(b"\nx", b"\n0")}), "metadata that cannot be read"),
        (document(more={10: stream(b"", b"/Subtype/Form/Subtype2/PS")}), "a fragment of PostScript"),
        (document(more={10: b"<</Subtype/\x82l>>"}), "an object that is not drawn: '/?'"),
        (document(more={10: stream(b"", b"/Subtype/U3D")}), "an object that is not drawn: '/U3D'"),
        (document(more={10: stream(b"", b"/Subtype/Form/BBox[0 0 1 1]/Ref<</F(a.pdf)/Page 0>>")}), "a reference to another file"),
        (document(more={10: stream(b"", b"/F(a)")}), "a stream from elsewhere: /F"),
        (document(more={10: stream(b"", b"/F 4 0 R/FFilter/FlateDecode")}), "a stream from elsewhere: /FFilter"),
        (document(more={10: b"<</Length 1/Filter/Crypt>>stream\nx\nendstream"}), "an unusual filter: '/Crypt'"),
        (document(more={10: b"<</Length 1/Filter[/FlateDecode/Other]>>stream\nx\nendstream"}), "an unusual filter: '/Other'"),
        (document(more={10: b"<</XFA[]>>"}), "an active entry: '/XFA'"),
        (document(more={10: b"<</DestOutputProfileRef<</URLs[]>>>>"}), "an active entry: '/DestOutputProfileRef'"),
        (document(more={10: stream(b"<!DOCTYPE a SYSTEM 'http://a'>", b"/Type/Metadata/Subtype/XML")}), "metadata with a declaration"),
        (saved(document(more={10: b"<</S/Launch>>"}, page=b"/BoxColorInfo 10 0 R"), object_stream_mode=GENERATE), "an active name: /Launch"),
        (saved(PLAIN, encryption=pikepdf.Encryption(owner="a", user="")), "encrypted"),
        (saved(PLAIN, encryption=pikepdf.Encryption(owner="a", user="b")), "encrypted"),
    ],
)  # fmt: skip
def test_what_acts_is_found(data: bytes, finding: str) -> None:
    assert any(finding in each for each in found(data)), found(data)


HIDDEN = b"90 0 obj<</S/JavaScript/JS(x)>> endobj\n"


def in_a_stream(inner: bytes, more: bytes = b"", end: int | None = None) -> bytes:
    """Objects inside of a stream."""
    packed = zlib.compress(inner)[:end]
    return b"90 0 obj<</Type/ObjStm/N 1/First 5/Filter/FlateDecode/Length %d%s>>stream\n%s\nendstream endobj\n" % (
        len(packed),
        more,
        packed,
    )


IN_A_STREAM = in_a_stream(b"91 0 <</S/Launch/F(a)>>")


def with_objects(hidden: bytes) -> bytes:
    """Objects that the table does not list."""
    at = PLAIN.index(b"xref\n")
    end = PLAIN.index(b"startxref\n")
    return PLAIN[:at] + hidden + PLAIN[at:end] + b"startxref\n%d\n%%%%EOF\n" % (at + len(hidden))


def pointing() -> bytes:
    """A table that takes an object from inside of another one's data: where an object is looked for by its head, it is not found."""
    inner = b"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Courier>>endobj "
    data = document(more={10: b"<</Length %d>>stream\n%s\nendstream" % (len(inner), inner)})
    return data.replace(b"%010d" % data.index(b"5 0 obj<</Type/Font"), b"%010d" % data.index(inner))


@pytest.mark.parametrize(
    ("data", "finding"),
    [
        (b"<html>" + PLAIN, "bytes before the head"),
        (b"\n" + PLAIN, "bytes before the head"),
        (PLAIN.replace(b"%PDF-1.7", b"%PDF-9.7"), "no head"),
        (PLAIN + b"more", "behind the end"),
        (PLAIN + PLAIN, "more or less than one revision"),
        (PLAIN + b"5 0 obj<<>>endobj\nxref\n0 0\ntrailer<</Size 6/Root 1 0 R/Prev 9>>\nstartxref\n9\n%%EOF\n", "more or less than one"),
        (PLAIN[:-7], "more or less than one revision"),
        (with_objects(HIDDEN), "an active name: /JavaScript"),
        (with_objects(IN_A_STREAM), "an active name: /Launch"),
        (with_objects(IN_A_STREAM.replace(b"/Filter/FlateDecode", b"/Filter/LZWDecode")), "objects in a stream of an unusual kind"),
        (with_objects(IN_A_STREAM.replace(b"ObjStm", b"Obj#53tm").replace(b"\nx", b"\n0")), "that cannot be read"),
        (with_objects(in_a_stream(b"91 0 <<>>", b"/DecodeParms<</Predictor 12>>")), "objects in a stream of an unusual kind"),
        (with_objects(in_a_stream(b"91 0 <<>>" * 90, end=-8)), "objects in a stream that is cut off"),
        (with_objects(in_a_stream(b"91 0 (a /S/Launch (")), "an active name: /Launch"),
        (document(more={10: b"(startxref)"}), "more or less than one revision"),
        (PLAIN.replace(b"trailer<<", b"trailer!<<"), "a trailer that cannot be read"),
        (with_objects(b"90 0 obj<<>> endobj\n"), "a table of other objects than there are"),
        (pointing(), "a table of other objects than there are"),
        (with_objects(b"5 0 obj<<>> endobj\n"), "two objects of number 5"),
        (with_objects(b"<script>alert(1)</script>\n"), "bytes that belong to no object"),
        (with_objects(b"%<script>alert(1)</script>\n"), "bytes that belong to no object"),
        (with_objects(b"90 0 obj<<%comment\n>> endobj\n"), "a comment inside an object"),
        (with_objects(b"90 0 obj<</Length 2>>stream\nabcdef\nendstream endobj\n"), "a stream that is not as long as it says"),
        (with_objects(b"90 0 obj<</Length 4 0 R>>stream\nab\nendstream endobj\n"), "whose length is not told in one way"),
        (with_objects(b"90 0 obj<</Length 2/Length 2>>stream\nab\nendstream endobj\n"), "whose length is not told in one way"),
        (with_objects(b"90 0 obj(a"), "a string without an end"),
        (PLAIN.replace(b"startxref", b"PK\3\4more\nstartxref"), "behind the end|trailer"),
        (PLAIN.replace(b"trailer<<", b"trailer<</XRefStm 9"), "an active name: /XRefStm"),
        (PLAIN.replace(b"trailer<<", b"trailer<</More 9"), "more than the trailer needs: '/More'"),
        (document(more={10: b"(%s)" % (b"PK\5\6" + bytes(16) + b"\0\0")}), "holds the end of an archive"),
        (PLAIN.replace(b"/Kids[3 0 R]", b"/Kids[     ]").replace(b"/Count 1", b"/Count 0"), "no pages"),
        (b"%PDF-1.7\n1 0 obj<<>> endobj\nxref\n0 0\ntrailer<</Size 2>>\nstartxref\n9\n%%EOF\n", "cannot be read"),
    ],
)  # fmt: skip
def test_what_is_built_otherwise_than_once_from_beginning_to_end_is_found(data: bytes, finding: str) -> None:
    if finding == "holds the end of an archive":
        at = data.index(b"PK\5\6")
        data = data[: at + 20] + (len(data) - at - 22).to_bytes(2, "little") + data[at + 22 :]
    assert any(part in each for each in found(data) for part in finding.split("|")), found(data)
