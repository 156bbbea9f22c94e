"""Text, tables, names and archives in the sanitizer; and what a file is found to be."""

from __future__ import annotations

import csv
import email
import email.policy
import io
import tempfile
import zipfile
import zlib
from email.message import EmailMessage

import pytest
import pyzipper
from msoffcrypto.format.ooxml import OOXMLFile

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing import kinds, names
from chat_server.sanitizing.check.looking import look
from chat_server.sanitizing.order import Order
from chat_server.sanitizing.rebuild import archive, html, mail, outlook, text, unlocking
from chat_server.sanitizing.report import MOST_REMOVED, Rebuilt, Tally
from tests.unit.document_samples import COMPOUND, SAMPLES, docx, packed, sample

ARCHIVES = SAMPLES.parent / "archives"


def rebuilt(data: bytes, kind: str = "text") -> tuple[str, Rebuilt]:
    target = io.BytesIO()
    told = text.rebuild(io.BytesIO(data), target, Order(kind))
    return target.getvalue().decode(), told


# ------------------------------------------------------------------------------------------------------------ text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932", "euc_jp", "iso2022_jp"])
def test_text_is_read_in_its_encoding_and_written_as_utf_8(encoding: str) -> None:
    words = "道路台帳の表紙と一覧表\r\n側溝の補修について\r\n" * 3
    made, told = rebuilt(words.encode(encoding))
    assert made == words
    assert told.removed == []


def test_what_nobody_sees_is_dropped_and_counted() -> None:
    made, told = rebuilt("請求\u202e書gpj.exe\u200b\x07 \u2066終\ufeffわり👨\u200d👩\u200d👧 葛\U000e0100".encode())
    assert made == "請求書gpj.exe 終わり👨\u200d👩\u200d👧 葛\U000e0100", "names are written with variation selectors"
    assert [(each.object, each.count) for each in told.removed] == [("characters", 5)]


@pytest.mark.parametrize(
    ("data", "kind", "reason"),
    [
        (b"\x00\x01\x02 binary \xff\xfe\xfd" * 30, "text", "not_text"), (b" \r\n\r\n", "text", "empty"),
        (b"ID;PWXL;N;E\r\nC;X1;Y1;K0;EEXEC(\"x\")\r\n", "csv", "unknown"),
    ],
)  # fmt: skip
def test_what_is_no_text_is_refused(data: bytes, kind: str, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        rebuilt(data, kind)
    assert refused.value.reason == reason


def test_a_cell_that_would_be_a_formula_becomes_words_and_numbers_stay() -> None:
    rows = [
        ["件名", "金額", "電話"],
        ["=cmd|' /C calc'!A0", "-1,200", "+819012345678"],
        ["@SUM(1)", "+cmd", "  =1+1"],
        ["-2+3+cmd|' /C calc'!D2", "12.5%", "\t=x"],
        ["＝A1", "-", "a=b"],
    ]
    written = io.StringIO(newline="")
    csv.writer(written).writerows(rows)
    made, told = rebuilt(written.getvalue().encode("cp932"), "csv")
    assert made.startswith("\ufeff"), "or a spreadsheet program takes it for CP932"
    assert list(csv.reader(io.StringIO(made.removeprefix("\ufeff"), newline=""))) == [
        rows[0],
        ["'=cmd|' /C calc'!A0", "-1,200", "+819012345678"],
        ["'@SUM(1)", "'+cmd", "'  =1+1"],
        ["'-2+3+cmd|' /C calc'!D2", "12.5%", "\t'=x"],
        ["'＝A1", "-", "a=b"],
    ]
    assert told.warnings == ["formulas_quoted"]
    assert [(each.object, each.count) for each in told.removed] == [("formula", 7)]


def test_a_table_does_not_choose_what_separates_its_cells() -> None:
    for first in ("sep=^", '"sep=|"', "SEP=x\r\nsep=y"):
        made, told = rebuilt(f"{first}\n山田^=cmd|' /C calc'!A0\n".encode(), "csv")
        assert made == "\ufeff山田^=cmd|' /C calc'!A0\n"
        assert [(each.object, each.name) for each in told.removed] == [("element", "sep=")]
    assert look(io.BytesIO(b"sep=^\na^=1\n"), "csv") != []


def test_a_cell_is_harmless_whatever_separates_it() -> None:
    for table in ("a;b\n1;=x,=y\n", 'a,b\n"x\t=y","z\n=1"\n', "a\tb\nx,=y\t;=z\n", 'a,b\n"a;=b",-1;-2\n'):
        made, _ = rebuilt(table.encode(), "csv")
        assert look(io.BytesIO(made.encode()), "csv") == []
        assert made.count("'") >= table.count("=")


def test_a_table_without_formulas_keeps_its_quotes() -> None:
    table = '"a","b;c"\r\n"1",2\r\n'
    assert rebuilt(table.encode(), "csv")[0] == "\ufeff" + table


def test_the_table_of_the_corpus_is_disarmed() -> None:
    made, told = rebuilt(sample("oletools/dde-in-csv.csv").read_bytes(), "csv")
    assert told.warnings == ["formulas_quoted"]
    assert not any(cell.startswith("=") for row in csv.reader(io.StringIO(made)) for cell in row)


# ----------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("図面/1階.pdf", "図面/1階.pdf"), ("図面\\1階.pdf", "図面/1階.pdf"), ("./a//b.txt", "a/b.txt"),
        ("か\u3099.txt", "が.txt"), ("a\u202egpj.exe", "agpj.exe"), ("con.txt", "_con.txt"), ("図:b?.txt", "図_b_.txt"),
        ("..a/b. ", "a/b"), ("\r\n", "_"), ("長" * 300 + ".pdf", "長" * 45 + "…" + "長" * 12 + ".pdf"), ("a.{20D04FE0-3AEA-1069-A2D8-08002B30309D}", "a_"),
        ("CON .txt", "_CON .txt"), ("conin$", "_conin$"),
    ],
)  # fmt: skip
def test_a_path_stays_in_its_folder(name: str, safe: str) -> None:
    assert names.safe_path(name) == safe


@pytest.mark.parametrize("name", ["../a", "a/../../b", "/etc/passwd", "C:\\a", "\\\\server\\a", "a/" * 30 + "b"])
def test_a_path_out_of_its_folder_is_refused(name: str) -> None:
    with pytest.raises(Refused) as refused:
        names.safe_path(name)
    assert refused.value.reason == "unsafe_path"


@pytest.mark.parametrize(
    ("name", "suffix", "made"),
    [
        ("図面.jww", ".dxf", "図面.dxf"),
        ("README", ".txt", "README.txt"),
        (".bat", ".txt", ".bat.txt"),
        ("第1.2版", ".pdf", "第1.pdf"),
    ],
)
def test_a_converted_file_has_the_ending_of_what_it_is(name: str, suffix: str, made: str) -> None:
    assert names.with_suffix(name, suffix) == made


# -------------------------------------------------------------------------------------------------------- archives


def unpacked(data: bytes, password: str = "") -> dict[str, bytes]:
    target = io.BytesIO()
    with tempfile.TemporaryFile() as source:  # a real one: it has errors of its own
        source.write(data)
        members = archive.unpack(source, target, password)
    target.seek(0)
    return {member.path: target.read(member.size) for member in members}


@pytest.mark.parametrize("which", ["cp932", "utf8_jp"])
def test_japanese_names_are_read(which: str) -> None:
    files = unpacked((ARCHIVES / f"libarchive/test_read_format_zip_filename_{which}.zip").read_bytes())
    assert list(files) == ["表だよ/一覧表.txt", "表だよ/漢字.txt"]


def test_a_password_opens_an_archive() -> None:
    data = (ARCHIVES / "libarchive/test_read_format_zip_winzip_aes256.zip").read_bytes()
    assert list(unpacked(data, "password")) == ["README"]
    for password, reason in (("", "encrypted"), ("wrong", "wrong_password")):
        with pytest.raises(Refused) as refused:
            unpacked(data, password)
        assert refused.value.reason == reason


def _zip(*entries: tuple[zipfile.ZipInfo | str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for entry, content in entries:
            made.writestr(entry, content)
    return target.getvalue()


def _link() -> zipfile.ZipInfo:
    link = zipfile.ZipInfo("link")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    return link


def _before_its_begin() -> bytes:
    """Its directory says that it begins later than it does."""
    data = bytearray(_zip(("a.txt", b"words")))
    at = data.rindex(b"PK\5\6") + 16
    data[at : at + 4] = (int.from_bytes(data[at : at + 4], "little") + 60).to_bytes(4, "little")
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (_zip(("../up.txt", b"x")), "unsafe_path"), (_zip((_link(), b"/etc/passwd")), "unsafe_path"),
        (_zip(("a.txt", b"x"), ("A.TXT", b"y")), "ambiguous"), (_zip(("bomb", bytes(64 << 20))), "too_large"),
        (_zip(*((f"{number}", b"") for number in range(2001))), "too_many"), (b"PK\3\4 no archive", "broken"),
        (_zip(("a.txt", b"words" * 99)).replace(b"a.txt", b"b.txt", 1), "broken"),
        (_before_its_begin(), "broken"),
        ((ARCHIVES / "libarchive/test_read_format_zip_size_exceeds_declared_deflate.zip").read_bytes(), "broken"),
    ],
    ids=["up", "link", "twice", "bomb", "many", "broken", "two names", "before its begin", "longer than it says"],
)  # fmt: skip
def test_an_archive_that_is_not_what_it_seems_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        unpacked(data)
    assert refused.value.reason == reason


def test_a_unicode_name_is_believed_if_its_checksum_fits() -> None:
    def named(crc: int) -> dict[str, bytes]:
        entry = zipfile.ZipInfo("raw.txt")
        field = b"\1" + crc.to_bytes(4, "little") + "図面.txt".encode()
        entry.extra = (0x7075).to_bytes(2, "little") + len(field).to_bytes(2, "little") + field
        return unpacked(_zip((entry, b"x")))

    assert list(named(zlib.crc32(b"raw.txt"))) == ["図面.txt"]
    assert list(named(1)) == ["raw.txt"]


def test_zip_crypto_opens_too() -> None:
    target = io.BytesIO()
    with pyzipper.AESZipFile(target, "w", encryption=pyzipper.WZ_AES) as made:
        made.setpassword("合言葉".encode())
        made.writestr("図面.txt", b"x")
    assert unpacked(target.getvalue(), "合言葉") == {"図面.txt": b"x"}


# ------------------------------------------------------------------------------------------------------------ mail


def _mail(*attached: tuple[str, bytes], html: str = "", said: str = "") -> bytes:
    made = EmailMessage()
    made["Subject"], made["From"], made["To"] = "見積書の提出", "工務店 <a@example.jp>", "b@example.jp"
    if said:
        made.set_content(said, charset="iso-2022-jp")
    if html:
        made.set_content(html, subtype="html") if not said else made.add_alternative(html, subtype="html")
    for name, content in attached:
        made.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return made.as_bytes()


def opened(data: bytes) -> dict[str, bytes]:
    target = io.BytesIO()
    members = mail.unpack(io.BytesIO(data), target)
    target.seek(0)
    return {member.path: target.read(member.size) for member in members}


def test_a_mail_is_its_words_and_what_is_attached() -> None:
    files = opened(
        _mail(("../見積.xls", b"one"), ("見積.xls", b"two"), said="お送りします。\n", html="<p>not this</p>")
    )
    assert files == {
        "本文.txt": "件名: 見積書の提出\n差出人: 工務店 <a@example.jp>\n宛先: b@example.jp\n\nお送りします。\n".encode(),
        "見積.xls": b"one",
        "見積 (2).xls": b"two",
    }


def test_of_a_mail_in_html_the_words_are_kept() -> None:
    page = "<head><title>x</title></head><p>一&amp;二<br>三<script>alert(1)</script><img src=https://a.example/b.png><table><tr><td>四<td>五</table>"
    assert opened(_mail(html=page))["本文.txt"].decode().splitlines()[4:] == ["一&二", "三", "四 五"]


def test_a_mail_in_a_mail_comes_as_one() -> None:
    outer = EmailMessage()
    outer["Subject"] = "転送"
    outer.set_content("転送します")
    outer.add_attachment(email.message_from_bytes(_mail(said="中"), policy=email.policy.default))
    files = opened(outer.as_bytes())
    assert list(files) == ["本文.txt", "添付1.eml"]
    assert "件名: 見積書の提出" in opened(files["添付1.eml"])["本文.txt"].decode()


@pytest.mark.parametrize("data", [b"", b"no mail at all", b"\0\1\2", b"Content-Type: multipart/mixed\n\nx"])
def test_what_is_no_mail_is_refused(data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        opened(data)
    assert refused.value.reason == "broken"


def test_a_mail_of_outlook_is_its_words_its_mails_and_what_is_attached() -> None:
    target = io.BytesIO()
    with sample("attachment_msg_pdf.msg").open("rb") as file:
        members = outlook.unpack(file, target)
    target.seek(0)
    files = {member.path: target.read(member.size) for member in members}
    assert list(files) == ["本文.txt", "添付1.txt", "smbprn.00009008.KdcPjl.pdf"]
    assert files["smbprn.00009008.KdcPjl.pdf"].startswith(b"%PDF-")
    assert files["本文.txt"].decode().startswith("件名: ")
    assert b"\0" not in files["添付1.txt"]


@pytest.mark.parametrize(
    "data",
    [b"", COMPOUND, sample("attachment_msg_pdf.msg").read_bytes()[:20_000], sample("46670_http.xls").read_bytes()],
)
def test_what_is_no_mail_of_outlook_is_refused(data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        outlook.unpack(io.BytesIO(data), io.BytesIO())
    assert refused.value.reason == "broken"


def test_of_a_page_the_words_are_kept_and_the_rest_is_told() -> None:
    page = "<!DOCTYPE html><body onload=evil()><h1>仕様書</h1><p>一<br>二<script>evil()</script><a href=javascript:x>三</a><img src=//a/b>"
    target = io.BytesIO()
    told = html.rebuild(io.BytesIO(page.encode("cp932")), target, Order("html"))
    assert target.getvalue().decode() == "仕様書\n一\n二三"
    assert told.kind == "text"
    assert [(each.object, each.name) for each in told.removed] == [
        ("script", "<script>"),
        ("link", "<a>"),
        ("link", "<img>"),
    ]


# ----------------------------------------------------------------------------------------------------------- kinds


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (b"%PDF-1.7\n", "a.jpg", "pdf"), (b"junk %PDF-1.4\n", "a.txt", "pdf"), (docx("言葉"), "a.zip", "docx"),
        (packed({"a.txt": b"x"}), "a.docx", "zip"), (COMPOUND, "a.doc", None), (b"MZ\x90\0\3", "a.txt", "executable"),
        ("MZ世代の意見".encode(), "a.txt", "text"), ("BMIの表".encode(), "a.txt", "text"), (b"#!/bin/sh\n", "a.txt", "executable"),
            (b"[InternetShortcut]\nURL=x\n", "a.txt", None),
        (b"a,b\n1,2\n", "a.CSV", "csv"), (b"a,b\n", "a.txt", "text"), (b"  0\nSECTION\n  2\nHEADER\n", "a.txt", "dxf"),
        (b"<!DOCTYPE html><p>", "a.txt", "html"), (b"<?xml version='1.0'?><svg/>", "a.jpg", "svg"),
        (b"ISO-10303-21;\nHEADER;\nFILE_DESCRIPTION(('SCADEC level2 feature_mode'),'2;1');", "a", "sfc"), (b"\0\0\0\x18ftypheic", "a", "heic"),
        (b"\0\0\0\x18ftypisom", "a", "mp4"), (b"\0\1\2\3", "a.txt", None), (b"7z\xbc\xaf\x27\x1c", "a.zip", "archive"),
    ],
)  # fmt: skip
def test_a_file_is_what_its_content_says(data: bytes, name: str, kind: str | None) -> None:
    assert kinds.found(io.BytesIO(data), name) == kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("oletools/encrypted.docx", "encrypted"), ("oletools/encrypted.xls", "encrypted"), ("oletools/harmless-clean.doc", "doc"),
        ("oletools/sample_with_vba.ppt", "ppt"), ("SimpleMacro.docm", "docx"), ("PPTWithAttachments.pptm", "pptx"),
        ("TwoSheetsOneHidden.xlsx", "xlsx"), ("digitally-signed.pdf", "pdf"),
    ],
)  # fmt: skip
def test_what_others_made_is_known(name: str, kind: str) -> None:
    with sample(name).open("rb") as file:
        assert kinds.found(file, "x") == kind


def test_a_report_is_bounded_and_shows_no_controls() -> None:
    tally = Tally()
    for number in range(5000):
        tally.add("link", f"{number}\x1b[31m\u202e")
    assert len(tally.removed) <= MOST_REMOVED
    assert sum(each.count for each in tally.removed) == 5000
    assert tally.removed[0].name == "0[31m"


# ------------------------------------------------------------------------------------------------------- passwords


def test_a_document_under_a_password_opens_with_it() -> None:
    package, locked = sample("oletools/harmless-clean.docx").read_bytes(), io.BytesIO()
    OOXMLFile(io.BytesIO(package)).encrypt("合言葉", locked)
    assert kinds.found(locked, "a") == "encrypted"
    opened_ = io.BytesIO()
    unlocking.unlock(locked, opened_, "合言葉")
    assert opened_.getvalue() == package
    for password, reason in (("", "encrypted"), ("他の", "wrong_password")):
        with pytest.raises(Refused) as refused:
            unlocking.unlock(locked, io.BytesIO(), password)
        assert refused.value.reason == reason


@pytest.mark.parametrize("name", ["encrypted.docx", "encrypted.xls", "encrypted.xlsx"])
@pytest.mark.parametrize(("password", "reason"), [("", "encrypted"), ("wrong", "wrong_password")])
def test_without_its_password_a_document_stays_closed(name: str, password: str, reason: str) -> None:
    with sample(f"oletools/{name}").open("rb") as file, pytest.raises(Refused) as refused:
        unlocking.unlock(file, io.BytesIO(), password)
    assert refused.value.reason == reason
