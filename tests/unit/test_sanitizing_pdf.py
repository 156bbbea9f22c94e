"""PDFs rebuilt: what acts is gone and told, what one sees and reads is still there, and what is a trap is refused."""

from __future__ import annotations

import hashlib
import io
import re
import time
import zlib
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Object, Pdf, String

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.rebuild import pdf_annotations, pdf_links, pdf_pages, pdf_streams
from chat_server.sanitizing.rebuild.pdf_layers import Layers
from chat_server.sanitizing.words import REASONS
from tests.unit.pdf_samples import (
    ACTIVE,
    FOLDER,
    colored,
    composed,
    difference,
    names,
    picture,
    rebuilt,
    saved,
    text,
    told,
)  # fmt: skip

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def refusal(data: bytes, password: str = "") -> str:
    with pytest.raises(Refused) as refused:
        rebuilt(data, password)
    assert refused.value.reason in REASONS
    return refused.value.reason


OTHERS = {
    "digitally-signed.pdf": {"signature": 1, "form": 1},
    "doc_actions.pdf": {"script": 11},
    "issue14802.pdf": {"link": 2},
    "issue17846.pdf": {"action": 1},
    "issue18823.pdf": {"action": 7, "layer": 7},
    "multimedia_annotations.pdf": {"multimedia": 7, "attachment": 2},
    "noembed-sjis.pdf": {"metadata": 1},
}


@pytest.mark.parametrize("file", sorted(OTHERS))
def test_a_document_of_others_loses_what_acts_and_keeps_its_looks_and_words(file: str) -> None:
    before = (FOLDER / file).read_bytes()
    after, report = rebuilt(before)
    assert not names(after) & ACTIVE
    assert {kind: told(report).get(kind) for kind in OTHERS[file]} == OTHERS[file]
    assert difference(picture(before), picture(after)) < 0.005
    for words, kept in zip(text(before), text(after), strict=True):
        # what lay on the page is read as part of it, after it; words of a hidden layer are not handed on
        assert kept.startswith(words) or file == "issue18823.pdf"
    assert len(after) < len(before)


def test_the_active_names_are_found_where_they_are() -> None:
    found = set[str]()
    for file in OTHERS:
        found |= names((FOLDER / file).read_bytes()) & ACTIVE
    assert {
        "/JS",
        "/AA",
        "/OpenAction",
        "/Launch",
        "/RichMedia",
        "/AcroForm",
        "/SetOCGState",
        "/Metadata",
        "/Base",
    } <= found


def test_a_document_is_new_and_the_same_one_each_time() -> None:
    data = (FOLDER / "noembed-sjis.pdf").read_bytes()
    assert rebuilt(data)[0] == rebuilt(data)[0]
    with pikepdf.open(io.BytesIO(rebuilt(data)[0])) as document:
        assert set(document.Root.keys()) == {"/Type", "/Pages"}
        assert "/Info" not in document.trailer


def everything(document: Pdf, page: Object) -> None:
    """Each way to act that the specification has a key for."""
    script = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))
    root = document.Root
    file = document.make_stream(b"MZ...", Type=Name.EmbeddedFile)
    root.OpenAction = script
    root.AA = Dictionary(WC=script)
    root.URI = Dictionary(Base=String("http://base.example/"))
    root.Names = Dictionary(
        JavaScript=Dictionary(Names=Array([String("a"), script])),
        EmbeddedFiles=Dictionary(Names=Array([String("a"), Dictionary(F=String("a.exe"), EF=Dictionary(F=file))])),
    )
    root.AcroForm = Dictionary(Fields=Array([]), XFA=document.make_stream(b"<xdp/>"))
    root.Metadata = document.make_stream(b"<x/>", Type=Name.Metadata, Subtype=Name.XML)
    root.PieceInfo = Dictionary(App=Dictionary(Private=String("x")))
    root.StructTreeRoot = Dictionary(Type=Name.StructTreeRoot)
    page.AA = Dictionary(O=script)
    page.Thumb = document.make_stream(b"")
    page.PieceInfo = root.PieceInfo
    page.Tabs, page.Dur, page.Unknown = Name.S, 3, Dictionary(A=script)
    font = page.Resources.Font.F
    font.AA, font.Unknown = Dictionary(O=script), script
    form = document.make_stream(b"", Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 9, 9]))
    form.OPI, form.PS, form.Ref, form.Metadata = Dictionary(A=1), form, Dictionary(F=String("x")), root.Metadata
    page.Resources.XObject = Dictionary(A=form, B=document.make_stream(b"%!PS", Subtype=Name.PS))
    page.Resources.Unknown = script


def test_whatever_acts_is_left_behind_known_or_not() -> None:
    after, report = rebuilt(composed(b"BT /F 20 Tf 10 10 Td (kept) Tj ET", everything))
    assert not names(after) & (ACTIVE | {"/Unknown", "/Ref", "/Tabs", "/Dur"})
    assert b"alert" not in after
    assert text(after) == ["kept"]
    counts = told(report)
    assert counts["script"] == 4 + 2
    assert (counts["attachment"], counts["form"], counts["thumbnail"], counts["link"]) == (1, 1, 1, 1)
    (attached,) = (each for each in report.removed if each.object == "attachment")
    assert attached.name == "a.exe"
    assert attached.sha256 == hashlib.sha256(b"MZ...").hexdigest()


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("https://www.example.jp/a?b=c#d", "https://www.example.jp/a?b=c#d"),
        ("HTTP://www.example.jp", "HTTP://www.example.jp"),
        ("https://www.example.jp/表", "https://www.example.jp/%E8%A1%A8"),
        ("mailto:a@example.jp?subject=x", "mailto:a@example.jp?subject=x"),
        ("mailto:a@example.jp?attach=/etc/passwd", None), ("file:///etc/passwd", None), ("javascript:alert(1)", None),
        ("\\\\host\\share", None), ("relative.html", None), ("https://www.city.example@evil.example/", None),
        ("https:evil", None), ("http://a.example/\r\nX: y", None), ("https://a.example\\@evil.example", None),
        (" javascript:alert(1)", None), ("https://" + "a" * 3_000, None),
    ],
)  # fmt: skip
def test_addresses_by_their_scheme(written: str, kept: str | None) -> None:
    assert pdf_links.address(written.encode()) == kept


def linked(target: Dictionary) -> bytes:
    def change(document: Pdf, page: Object) -> None:
        link = document.make_indirect(Dictionary())
        for key in target.keys():  # noqa: SIM118
            link[key] = target[key]
        link.Type, link.Subtype, link.Rect = Name.Annot, Name.Link, Array([0, 0, 90, 90])
        page.Annots = Array([link])
        document.Root.Dests = Dictionary(there=Array([page, Name.XYZ, 0, 50, 0]))
        document.Root.Names = Dictionary(
            Dests=Dictionary(Names=Array([String("here"), Dictionary(D=Array([page, Name.Fit]))]))
        )

    return composed(b"", change)


WEB = Dictionary(S=Name.URI, URI=String("https://example.jp/"), Next=Dictionary(S=Name.JavaScript, JS=String("x")))


@pytest.mark.parametrize(
    ("target", "keeps"),
    [
        (Dictionary(A=WEB), True), (Dictionary(Dest=String("here")), True), (Dictionary(Dest=Name.there), True),
        (Dictionary(A=Dictionary(S=Name.GoTo, D=String("here"))), True), (Dictionary(Dest=String("nowhere")), False),
        (Dictionary(A=Dictionary(S=Name.URI, URI=String("file:///c:/x.exe"))), False),
        (Dictionary(A=Dictionary(S=Name.Launch, F=String("x.exe"), URI=String("https://example.jp/"))), False),
        (Dictionary(A=Dictionary(S=Name.GoToR, F=String("x.pdf"), D=Array([0, Name.Fit]))), False),
        (Dictionary(A=Dictionary(S=Name.SubmitForm, F=String("http://example.jp"))), False),
    ],
)  # fmt: skip
def test_links_inside_and_to_the_web_stay_and_nothing_else(target: Dictionary, keeps: bool) -> None:
    after, report = rebuilt(linked(target))
    assert not names(after) & ACTIVE
    with pikepdf.open(io.BytesIO(after)) as document:
        found = document.pages[0].obj.get("/Annots", Array())
        assert len(found) == keeps
        for link in found:
            action, place = link.get("/A"), link.get("/Dest")
            assert (action is None) != (place is None)
            if action is not None:
                assert set(action.keys()) == {"/S", "/URI"}
            elif place is not None:
                assert place[0].objgen == document.pages[0].obj.objgen
    assert ("links_gone" in report.warnings) is not keeps


def test_the_outline_keeps_titles_and_places_and_loses_actions() -> None:
    def change(document: Pdf, page: Object) -> None:
        item = Dictionary(Title=String("第一章\x07"), Dest=Array([page, Name.FitH, 90]))
        acts = Dictionary(Title=String("web"), A=Dictionary(S=Name.JavaScript, JS=String("x")))
        first, second = document.make_indirect(item), document.make_indirect(acts)
        first.Next, second.Prev, second.Next = second, first, first
        document.Root.Outlines = Dictionary(First=first, Last=second, Count=2)

    after, report = rebuilt(composed(b"", change))
    with pikepdf.open(io.BytesIO(after)) as document:
        first = document.Root.Outlines.First
        assert str(first.Title) == "第一章"
        assert first.Dest[0].objgen == document.pages[0].obj.objgen
        assert set(first.Next.keys()) == {"/Title", "/Parent", "/Prev"}
    assert told(report)["action"] == 1


def filled(document: Pdf, page: Object) -> None:
    """A field without an appearance, a box that is ticked, one that is hidden."""

    def look(color: bytes) -> Object:
        return document.make_stream(color + b" rg 0 0 10 10 re f", BBox=Array([0, 0, 10, 10]))

    kind: dict[str, Any] = {"Type": Name.Annot, "Subtype": Name.Widget}
    page.Annots = Array([
        document.make_indirect(Dictionary(
            **kind, FT=Name.Tx, T=String("a"), V=String("Filled in"), Rect=Array([10, 150, 190, 190]), DA=String("/F 20 Tf 0 g"))),
        document.make_indirect(Dictionary(
            **kind, FT=Name.Btn, T=String("b"), AS=Name.Yes, Rect=Array([0, 0, 40, 40]),
            AP=Dictionary(N=Dictionary(Yes=look(b"1 0 0"), Off=look(b"0 1 0"))))),
        document.make_indirect(Dictionary(
            **kind, FT=Name.Btn, T=String("c"), F=2, Rect=Array([100, 0, 140, 40]), AP=Dictionary(N=look(b"0 0 1")))),
    ])  # fmt: skip
    document.Root.AcroForm = Dictionary(
        Fields=page.Annots, DR=Dictionary(Font=page.Resources.Font), NeedAppearances=True
    )


def test_fields_are_fixed_with_what_was_filled_in() -> None:
    # the contents save a state too often and restore one too often: what lies on the page is not moved by them
    before = composed(b"Q Q q .5 0 0 .5 50 50 cm q", filled)
    after, report = rebuilt(before)
    assert not names(after) & ACTIVE
    assert "Filled in" in text(after)[0]
    drawn = picture(after, forms=False)
    assert colored(drawn, RED, (0, 160, 40, 200)) == 1600
    assert colored(drawn, GREEN) == colored(drawn, BLUE) == 0
    assert "forms_fixed" in report.warnings


def test_annotations_are_drawn_where_they_were_and_turned_as_they_were() -> None:
    def change(document: Pdf, page: Object) -> None:
        look = document.make_stream(
            b"1 0 0 rg 0 0 20 10 re f", BBox=Array([0, 0, 20, 10]), Matrix=Array([0, 1, -1, 0, 0, 0])
        )
        stamp = Dictionary(Type=Name.Annot, Subtype=Name.Stamp, Rect=Array([100, 100, 110, 120]), AP=Dictionary(N=look))
        note = Dictionary(
            Type=Name.Annot, Subtype=Name.Square, Rect=Array([20, 20, 60, 60]), C=Array([0, 0, 1]), IC=Array([0, 0, 1])
        )
        page.Annots = Array([stamp, note, Dictionary(Subtype=Name.Popup, Rect=Array([0, 0, 200, 200]))])
        page.Rotate = 90

    before = composed(b"0 1 0 rg 0 0 5 5 re f", change)
    after, report = rebuilt(before)
    drawn = picture(after, forms=False)
    assert difference(picture(before), drawn) < 0.0005
    assert colored(drawn, RED) == 200
    assert colored(drawn, BLUE) > 1000
    assert told(report)["annotation"] == 2
    with pikepdf.open(io.BytesIO(after)) as document:
        assert "/Annots" not in document.pages[0]


def layered(document: Pdf, page: Object) -> None:
    shown, hidden = (document.make_indirect(Dictionary(Type=Name.OCG, Name=String(each))) for each in "ab")
    both = Dictionary(Type=Name.OCMD, OCGs=Array([shown, hidden]), P=Name.AllOn)
    form = document.make_stream(
        b"1 0 0 rg 150 150 50 50 re f", Subtype=Name.Form, BBox=Array([0, 0, 200, 200]), OC=hidden
    )
    page.Resources.Properties = Dictionary(S=shown, H=hidden, B=both)
    page.Resources.XObject = Dictionary(X=form)
    document.Root.OCProperties = Dictionary(OCGs=Array([shown, hidden]), D=Dictionary(OFF=Array([hidden])))


def test_layers_stay_as_they_were_when_it_was_opened() -> None:
    draw = (
        b"/OC /S BDC 0 1 0 rg 0 0 50 50 re f BT /F 9 Tf 5 60 Td (seen) Tj ET EMC "
        b"/OC /H BDC 0 0 1 rg 50 0 50 50 re f /P BMC BT /F 9 Tf 5 90 Td (secret) Tj ET EMC /X Do EMC "
        b"/OC /B BDC 100 0 50 50 re f EMC 150 0 50 50 re f /X Do"
    )
    before = composed(draw, layered)
    after, report = rebuilt(before)
    assert not names(after) & ACTIVE
    drawn = picture(after)
    assert difference(picture(before), drawn) == 0
    assert colored(drawn, GREEN) > 2400
    # a color that was set within the hidden layer is set after it
    assert colored(drawn, BLUE) == 2500
    assert colored(drawn, RED) == 0
    assert text(after) == ["seen"]
    assert report.warnings == ["layers_fixed"]


def layers_of(document: Pdf, **settings: Any) -> tuple[Layers, Object, Object]:
    """Of a document that gets the layers a and b."""
    a, b = (document.make_indirect(Dictionary(Type=Name.OCG, Name=String(each))) for each in "ab")
    b.Usage = Dictionary(View=Dictionary(ViewState=Name.OFF))
    chosen: dict[str, Any] = {
        key: Array([b if each == "b" else a for each in value])
        for key, value in settings.items()
        if key in ("ON", "OFF")
    }
    others = {key: value for key, value in settings.items() if key not in chosen}
    if others.pop("AS", None):
        others["AS"] = Array([Dictionary(Event=Name.View, OCGs=Array([a, b]))])
    document.Root.OCProperties = Dictionary(OCGs=Array([a, b]), D=Dictionary(**chosen, **others))
    return Layers(document.Root), a, b


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({}, (True, True)), ({"OFF": "b"}, (True, False)), ({"BaseState": Name.OFF}, (False, False)),
        ({"BaseState": Name.OFF, "ON": "a"}, (True, False)), ({"AS": True}, (True, False)),
    ],
)  # fmt: skip
def test_what_settles_a_layer(settings: dict[str, Any], shown: tuple[bool, bool]) -> None:
    document = pikepdf.new()
    layers, a, b = layers_of(document, **settings)
    assert (layers.shows(a), layers.shows(b)) == shown
    assert layers.shows(None)


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        ({}, True), ({"P": Name.AnyOn}, True), ({"P": Name.AllOn}, False), ({"P": Name.AnyOff}, True), ({"P": Name.AllOff}, False),
        ({"VE": "/And"}, False), ({"VE": "/Or"}, True), ({"VE": "/Not"}, True),
    ],
)  # fmt: skip
def test_layers_that_depend_on_others(keys: dict[str, Any], shown: bool) -> None:
    document = pikepdf.new()
    layers, a, b = layers_of(document, OFF="b")
    if "VE" in keys:
        keys = {"VE": Array([Name(keys["VE"]), b, Array([Name.And, a])])}
    assert layers.shows(Dictionary(Type=Name.OCMD, OCGs=Array([a, b]), **keys)) is shown


def test_how_a_document_is_shown_is_kept_as_far_as_it_does_nothing() -> None:
    def change(document: Pdf, page: Object) -> None:
        document.Root.ViewerPreferences = Dictionary(Direction=Name.R2L, HideToolbar=True)
        document.Root.PageLayout, document.Root.PageMode = Name.TwoPageRight, Name.FullScreen
        document.Root.Lang = String("ja-JP")

    with pikepdf.open(io.BytesIO(rebuilt(composed(b"", change))[0])) as document:
        assert set(document.Root.keys()) == {"/Type", "/Pages", "/ViewerPreferences", "/PageLayout", "/Lang"}
        assert set(document.Root.ViewerPreferences.keys()) == {"/Direction"}
        assert str(document.Root.Lang) == "ja-JP"


def test_a_signature_is_told_and_void() -> None:
    after, report = rebuilt((FOLDER / "digitally-signed.pdf").read_bytes())
    assert "signature_void" in report.warnings
    assert "/ByteRange" not in names(after)


def test_passwords() -> None:
    locked = (FOLDER / "issue15893_reduced.pdf").read_bytes()
    assert refusal(locked) == "encrypted"
    assert refusal(locked, "wrong") == "wrong_password"
    after, _ = rebuilt(locked, "test")
    assert text(after) == text(locked, "test") != [""]
    with pikepdf.open(io.BytesIO(after)) as document:
        assert not document.is_encrypted


def test_a_document_that_only_its_owner_may_change_is_released_without_the_lock() -> None:
    with pikepdf.open(io.BytesIO(composed(b"BT /F 20 Tf (words) Tj ET"))) as document:
        data = saved(document, encryption=pikepdf.Encryption(owner="secret", user=""))
    for password in ("", "not asked for"):
        after, _ = rebuilt(data, password)
        assert text(after) == ["words"]
        assert b"/Encrypt" not in after


def test_a_password_in_japanese() -> None:
    with pikepdf.open(io.BytesIO(composed(b"BT /F 20 Tf (words) Tj ET"))) as document:
        data = saved(document, encryption=pikepdf.Encryption(owner="o", user="表示"))
    assert text(rebuilt(data, "表示")[0]) == ["words"]
    assert refusal(data, "表") == "wrong_password"


def test_a_password_in_the_encoding_of_an_older_machine() -> None:
    with pikepdf.open(io.BytesIO(composed(b"BT /F 20 Tf (words) Tj ET"))) as document:
        # what such a machine did with the bytes of 表示: each is one character of PDFDocEncoding
        typed = "表示".encode("cp932").decode("pdfdoc_pikepdf")
        lock = pikepdf.Encryption(owner="o", user=typed, R=3, aes=False, metadata=False)
        data = saved(document, encryption=lock)
    assert text(rebuilt(data, "表示")[0]) == ["words"]


def test_what_is_broken_is_refused() -> None:
    assert refusal((FOLDER / "poppler-742-0-fuzzed.pdf").read_bytes()) == "broken"
    assert refusal(b"%PDF-1.7\n") == "broken"
    whole = composed(b"BT /F 20 Tf (words) Tj ET")
    assert refusal(whole[: len(whole) // 4]) == "broken"
    # a table of contents that is missing is found anew, as readers do, when all pages are there
    assert text(rebuilt(whole[: whole.rindex(b"startxref")])[0]) == ["words"]
    # without what stands before it there is no telling what was cut off
    assert refusal(whole[: whole.rindex(b"trailer")]) == "broken"


def test_half_a_document_is_none() -> None:
    def unreadable(document: Pdf, page: Object) -> None:
        document.add_blank_page()
        page.Contents = document.make_stream(b"not deflated", Filter=Name.FlateDecode)

    def elsewhere(document: Pdf, page: Object) -> None:
        page.Contents = document.make_stream(b"", F=String("other.bin"))

    assert refusal(composed(b"", unreadable)) == "broken"

    def blank_behind(document: Pdf, page: Object) -> None:
        document.add_blank_page()

    two = composed(b"", blank_behind)
    lost = re.sub(rb"(/Kids \[ \d 0 R) \d 0 R", rb"\1 9 0 R", two)
    assert lost != two
    assert refusal(lost) == "broken"
    assert refusal(lost.replace(b"startxref", b"startxxxx")) == "broken"
    assert refusal(composed(b"", elsewhere)) == "broken"
    assert refusal(composed(b"", lambda document, _: document.Root.Pages.__setitem__("/Kids", Array()))) == "empty"


def test_too_many_pages_are_refused_before_anything_is_copied() -> None:
    document = pikepdf.new()
    document.Root.Pages.Kids = Array(
        [document.make_indirect(Dictionary(Type=Name.Page, MediaBox=Array([0, 0, 9, 9]))) for _ in range(11_000)]
    )
    document.Root.Pages.Count = 1
    data = saved(document)
    start = time.process_time()
    assert refusal(data) == "too_many"
    assert time.process_time() - start < 1


def test_pages_are_counted_wherever_they_stand_in_the_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_pages, "PAGES", 3)

    def of(count: int) -> bytes:
        def change(document: Pdf, page: Object) -> None:
            for _ in range(count - 1):
                document.add_blank_page()

        return composed(b"", change)

    rebuilt(of(3))
    assert refusal(of(4)) == "too_many"


def test_annotations_that_pages_share_are_counted_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_annotations, "IN_ALL", 30)

    def change(document: Pdf, page: Object) -> None:
        page.Annots = document.make_indirect(Array([Dictionary(Subtype=Name.Popup)] * 20))
        document.add_blank_page().obj.Annots = page.Annots

    assert refusal(composed(b"", change)) == "too_many"


@pytest.mark.parametrize("kids", [1, 2])
def test_a_tree_of_pages_that_contains_itself_ends(kids: int) -> None:
    def change(document: Pdf, page: Object) -> None:
        document.Root.Pages.Kids = Array([document.Root.Pages] * kids)

    assert refusal(composed(b"", change)) in ("broken", "too_many")


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)), packer.flush()])


def test_a_stream_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pdf_streams.LARGEST <= 256 << 20
    monkeypatch.setattr(pdf_streams, "LARGEST", 8 << 20)
    large = bomb(pdf_streams.LARGEST + (2 << 20))
    twice = zlib.compress(large, 9)

    def contents(document: Pdf, page: Object) -> None:
        page.Contents = document.make_stream(large, Filter=Name.FlateDecode)

    def chained(document: Pdf, page: Object) -> None:
        page.Contents = document.make_stream(twice, Filter=Array([Name.FlateDecode, Name.FlateDecode]))

    def image(document: Pdf, page: Object) -> None:
        page.Resources.XObject = Dictionary(I=document.make_stream(
            large, Filter=Name.FlateDecode, Subtype=Name.Image, Width=9, Height=9, ColorSpace=Name.DeviceGray, BitsPerComponent=8
        ))  # fmt: skip

    def predicted(document: Pdf, page: Object) -> None:
        detail = Dictionary(Predictor=12, Columns=100)
        page.Contents = document.make_stream(large, Filter=Name.FlateDecode, DecodeParms=detail)

    for change in (contents, chained, image, predicted):
        assert refusal(composed(b"", change)) == "too_large", change


def test_many_streams_together_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_streams, "IN_ALL", 5_000)

    def change(document: Pdf, page: Object) -> None:
        page.Contents = Array([document.make_stream(b" " * 1_000)] * 8)

    rebuilt(composed(b" " * 1_000))
    assert refusal(composed(b"", change)) == "too_large"


def form(document: Pdf, draw: bytes, **children: Object) -> Object:
    made = document.make_stream(draw, Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 200, 200]))
    made.Resources = Dictionary(XObject=Dictionary(children))
    return made


def test_a_form_that_draws_itself_is_refused_and_one_that_only_lists_itself_is_not() -> None:
    def lists(document: Pdf, page: Object) -> None:
        page.Resources.XObject = Dictionary(A=form(document, b"1 0 0 rg 0 0 50 50 re f"))
        page.Resources.XObject.A.Resources = document.make_indirect(page.Resources)
        page.Resources = page.Resources.XObject.A.Resources

    def draws(document: Pdf, page: Object) -> None:
        lists(document, page)
        page.Resources.XObject.A.write(b"/A Do")

    def inherits(document: Pdf, page: Object) -> None:
        draws(document, page)
        del page.Resources.XObject.A.Resources

    assert colored(picture(rebuilt(composed(b"/A Do", lists))[0]), RED) == 2500
    assert refusal(composed(b"/A Do", draws)) == "broken"
    assert refusal(composed(b"/A Do", inherits)) == "broken"


def test_forms_in_forms_without_end_are_refused() -> None:
    def chain(length: int, times: int) -> bytes:
        def change(document: Pdf, page: Object) -> None:
            inner = form(document, b"1 0 0 rg 0 0 50 50 re f")
            for _ in range(length):
                inner = form(document, b"/A Do " * times, **{"/A": inner})
            page.Resources.XObject = Dictionary(A=inner)

        return composed(b"/A Do", change)

    assert colored(picture(rebuilt(chain(10, 1))[0]), RED) == 2500
    assert refusal(chain(40, 1)) == "too_large"
    assert refusal(chain(500, 1)) == "too_large"
    assert refusal(chain(12, 10)) == "too_large"


def test_deep_nesting_costs_no_stack() -> None:
    def nested(document: Pdf, page: Object) -> None:
        node = Array()
        for _ in range(90):
            node = Array([node])
        page.Resources.ExtGState = Dictionary(G=Dictionary(D=node))

    def chained(document: Pdf, page: Object) -> None:
        node: Object = Dictionary()
        for _ in range(5_000):
            node = document.make_indirect(Dictionary(Functions=Array([node]), FunctionType=3))
        page.Resources.Shading = Dictionary(S=Dictionary(ShadingType=1, Function=node))

    assert refusal(composed(b"", nested)) == "broken"
    rebuilt(composed(b"", chained))


def test_limits_of_the_library_are_put_back() -> None:
    before = pikepdf.settings.get_qpdf_limits()
    rebuilt(composed())
    assert pikepdf.settings.get_qpdf_limits() == before
