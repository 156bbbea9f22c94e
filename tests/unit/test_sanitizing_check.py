"""The check of rebuilt files, on files that others made, unrebuilt: each is found, and for the reason for which it is
dangerous. Text and archives, too; pictures, PDF and Office documents have modules of their own."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from chat_server.sanitizing.check.looking import look
from tests.unit.document_samples import packed

DATA = Path(__file__).parents[1] / "data"


def found(data: bytes, kind: str) -> list[str]:
    return look(io.BytesIO(data), kind)


@pytest.mark.parametrize(
    ("name", "kind", "finding"),
    [
        ("documents/oletools/dde-test.docx", "docx", "a field that does more than show: 'DDEAUTO"),
        ("documents/oletools/dde-test.docx", "docx", "a field that does more than show: 'DDE "),
        ("documents/oletools/embedded-unicode-2007.docx", "docx", "content type that may not stand: 'vnd.openxmlformats-officedocument.oleObject'"),
        ("documents/oletools/embedded-unicode-2007.docx", "docx", "an element that acts ('OLEObject')"),
        ("documents/SimpleMacro.docm", "docx", "content type that may not stand: 'vnd.ms-office.vbaProject'"),
        ("documents/SimpleMacro.docm", "docx", "not docx"),
        ("documents/stress012.docx", "docx", "an element that acts ('altChunk')"),
        ("documents/stress012.docx", "docx", "a part of a kind that may not stand: 'word/afchunk.htm'"),
        ("documents/oletools/dde-test.xlsx", "xlsx", "an element that acts ('ddeLink')"),
        ("documents/oletools/excel4_sample_macro.xlsm", "xlsx", "an element that acts ('macrosheet')"),
        ("documents/oletools/excel4_sample_macro.xlsm", "xlsx", "a name that runs by itself"),
        ("documents/SimpleMacro.xlsm", "xlsx", "content type that may not stand: 'vnd.ms-office.vbaProject'"),
        ("documents/link-external-workbook-b.xlsx", "xlsx", "an element that acts ('externalBook')"),
        ("documents/link-external-workbook-b.xlsx", "xlsx", "a formula that refers to another file"),
        ("documents/xxe_in_schema.xlsx", "xlsx", "a part of a kind that may not stand: 'xl/xmlMaps.xml'"),
        ("documents/duplicate-filename.xlsx", "xlsx", "a name that stands twice: 'xl/worksheets/sheet1.xml'"),
        ("documents/oletools/sample_with_external_link_to_doc.pptx", "pptx", "something that is fetched from elsewhere: 'https://"),
        ("documents/PPTWithAttachments.pptm", "pptx", "ppaction://hlinkfile"),
        ("documents/PPTWithAttachments.pptm", "pptx", "a part of a kind that may not stand: 'ppt/embeddings/"),
        ("documents/doc_actions.pdf", "pdf", "an active entry: '/AA'"),
        ("documents/issue17846.pdf", "pdf", "an action: '/Launch'"),
        ("documents/multimedia_annotations.pdf", "pdf", "an object that is not drawn: '/RichMedia'"),
        ("documents/multimedia_annotations.pdf", "pdf", "an object that is not drawn: '/Screen'"),
        ("documents/multimedia_annotations.pdf", "pdf", "an object that is not drawn: '/Sound'"),
        ("documents/issue18823.pdf", "pdf", "an action: '/SetOCGState'"),
        ("documents/issue14802.pdf", "pdf", "an address that completes others"),
        ("documents/issue14802.pdf", "pdf", "a link that leads elsewhere than to the web: './relative_link.txt'"),
        ("documents/issue15893_reduced.pdf", "pdf", "/Encrypt"),
        ("documents/poppler-742-0-fuzzed.pdf", "pdf", "cannot be read"),
        ("documents/oletools/encrypted.docx", "docx", "no end of the archive"),
        ("documents/oletools/dde-in-csv.csv", "csv", "a cell that is computed, in row 1"),
        ("photos/pillow/exif_gps.jpg", "jpeg", "EXIF: more than the time of capture (0x8825)"),
        ("photos/pillow/hopper_orientation_6.jpg", "jpeg", "EXIF: more than the time of capture (0x0112)"),
        ("photos/pillow/decompression_bomb.gif", "gif", "more than 100 megapixels"),
        ("photos/pillow/truncated_jpeg.jpg", "jpeg", "no end of the picture"),
        ("archives/libarchive/test_read_format_zip_filename_cp932.zip", "zip", "a name that is not marked as UTF-8"),
        ("archives/libarchive/test_read_format_zip_size_exceeds_declared_deflate.zip", "zip", "not what its head says: 'first'"),
        ("archives/libarchive/test_read_format_zip_winzip_aes256.zip", "zip", "encrypted: 'README'"),
    ],
)  # fmt: skip
def test_what_others_made_is_found_for_its_reason(name: str, kind: str, finding: str) -> None:
    assert any(finding in each for each in found((DATA / name).read_bytes(), kind))


@pytest.mark.parametrize("name", ["doc", "html", "svg", "mov", "heic", "executable", ""])
def test_a_kind_without_a_check_is_never_released(name: str) -> None:
    assert found(b"anything", name) == ["no check for this kind"]


@pytest.mark.parametrize(
    "kind", ["jpeg", "png", "gif", "webp", "tiff", "bmp", "pdf", "docx", "xlsx", "pptx", "text", "csv", "zip"]
)
def test_nothing_is_a_finding_and_not_an_exception(kind: str) -> None:
    assert found(b"", kind) == ["empty"]
    for data in (b"\0", b"\xff\xd8\xff", b"%PDF-1.7\n", b"PK\x03\x04" + bytes(40), bytes(5000)):
        assert found(data, kind)


def test_what_strangers_wrote_cannot_forge_a_line_of_the_log() -> None:
    (finding, *_) = found(packed({"a\nERROR admin logged in: \x1b[31m" + "x" * 500: b""}), "zip")
    assert finding.isascii()
    assert finding.isprintable()
    assert len(finding) < 150


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("表\t一覧\r\n", "text"),
        ("\ufeff見積書\n", "text"),
        ("葛\U000e0100城市 👨‍👩‍👧 ❤️‍🔥 髙﨑\n", "text"),  # a variant of a character, families of pictographs
        ("見積ID;A\n", "text"),
        ("=SUM(A1)\n", "text"),
        ("<?xml version='1.0'?><a/>\n", "text"),
        ("品名,数量\n鉛筆,-5\n消しゴム,+8\n定規,\"-1,234.50\"\n割引,-10%\nなし,-\n,\n'=1+1,'+81-3-1234-5678\n", "csv"),
        ("名前\tメール\n山田\ta@example.jp\n", "csv"),
        ("名前;値\n;a=b\n", "csv"),
        ("表題\n\t名前\tメール\n\t山田\t-5\n", "csv"),
    ],
)  # fmt: skip
def test_harmless_text_may_pass(text: str, kind: str) -> None:
    assert found(text.encode(), kind) == []


@pytest.mark.parametrize(
    ("data", "kind", "finding"),
    [
        ("表".encode("cp932"), "text", "not UTF-8"),
        (b"\xed\xa0\x80", "text", "not UTF-8"),
        (b"a\0b", "text", "a control character: U+0000"),
        (b"a\x1b[2J", "text", "a control character: U+001B"),
        ("a\u009b2J".encode(), "text", "a control character: U+009B"),
        (b"a\x0cb", "text", "a control character: U+000C"),
        ("請求書\u202efdp.exe".encode(), "text", "a character that turns the direction: U+202E"),
        ("a\u2066b\u2069".encode(), "text", "a character that turns the direction: U+2066"),
        ("a\u200bb".encode(), "text", "an invisible character: U+200B"),
        ("a\u200db".encode(), "text", "an invisible character: U+200D"),
        ("a\ufeffb".encode(), "text", "an invisible character: U+FEFF"),
        ("\ufeff\ufeffb".encode(), "text", "an invisible character: U+FEFF"),
        ("a\U000e0041".encode(), "text", "an invisible character: U+E0041"),
        ("a\uffff".encode(), "text", "no character: U+FFFF"),
        ("a\ufdd0".encode(), "text", "no character: U+FDD0"),
        ("a\U0001fffe".encode(), "text", "no character: U+1FFFE"),
        (b"ID;PWXL;N;E\n", "text", "begins like SYLK"),
        (b'"ID;",b\n', "csv", "begins like SYLK"),
        (b"{\\rtf1\\ansi}", "text", "begins like a document of another kind"),
        (b"<table><tr><td>=1</table>", "csv", "begins like a document of another kind"),
        (b"a,=1+1\n", "csv", "a cell that is computed, in row 1"),
        (b"a,b\n1,+A1\n", "csv", "a cell that is computed, in row 2"),
        (b"a,-A1\n", "csv", "a cell that is computed"),
        (b"a,@SUM(A1)\n", "csv", "a cell that is computed"),
        (b"a,\"=cmd|'/c calc'!A0\"\n", "csv", "a cell that is computed"),
        (b'a,"\t=1"\n', "csv", "a cell that is computed"),
        (b'a,"\r=1"\n', "csv", "a cell that is computed"),
        (b"a,  =1\n", "csv", "a cell that is computed"),
        ("a,＝1+1\n".encode(), "csv", "a cell that is computed"),
        (b"a,-5+cmd\n", "csv", "a cell that is computed"),
        (b"a,-1-2\n", "csv", "a cell that is computed"),
        (b"a\tb\nc\t=1\n", "csv", "a cell that is computed"),
        (b"a\tb\n\t=1\n", "csv", "a cell that is computed"),
        (b"a\tb\tc,=1\n", "csv", "a cell that is computed"),
        (b"a,b\n\tc,d\n", "csv", "a cell that is computed"),
        (b"a;b\nc;=1\n", "csv", "a cell that is computed"),
        (b"a,b\rc\n=1,d\n", "csv", "a cell that is computed"),
    ],
)
def test_text_that_is_more_than_it_looks_is_found(data: bytes, kind: str, finding: str) -> None:
    assert any(finding in each for each in found(data, kind))


def archive(*members: tuple[str | zipfile.ZipInfo, bytes], comment: bytes = b"") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in members:
            package.writestr(name, content)
        package.comment = comment
    return target.getvalue()


def streamed(content: bytes) -> bytes:
    """Written before its length was known, which its head then tells in 64 bits."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package,
        package.open("a", "w", force_zip64=True) as member,
    ):
        member.write(content)
    return target.getvalue()


def at_end(place: int, new: bytes) -> bytes:
    """The plain archive, the record at its end changed."""
    start = len(PLAIN) - 22 + place
    return PLAIN[:start] + new + PLAIN[start + len(new) :]


def remarked() -> bytes:
    member = info("a")
    member.comment = b"hidden"
    return archive((member, b""))


def info(name: str, mode: int = 0, extra: bytes = b"", method: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)
    member.create_system, member.external_attr, member.extra, member.compress_type = 3, mode << 16, extra, method
    return member


PLAIN = archive(("表/一覧.txt", "本文".encode() * 50), ("b.txt", b"b"))


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        archive(
            (info("写真/"), b""), (info("写真/a.jpg", stat.S_IFREG | 0o644, method=zipfile.ZIP_STORED), b"\xff\xd8\xff")
        ),
        archive(("中.zip", PLAIN), ("空.txt", b"")),
        archive(),
        streamed(b"content" * 100),
        archive(("a.txt", bytes(2 << 20))),
    ],
)
def test_a_plain_archive_may_pass(data: bytes) -> None:
    assert found(data, "zip") == []


def patched(data: bytes, old: bytes, new: bytes, count: int = -1) -> bytes:
    assert old in data
    return data.replace(old, new, count)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("make", "finding"),
    [
        (lambda: archive(("../a.txt", b"")), "an unsafe name"),
        (lambda: archive(("/etc/passwd", b"")), "an unsafe name"),
        (lambda: archive(("a//b", b"")), "an unsafe name"),
        (lambda: archive(("C:a.txt", b"")), "an unsafe name"),
        (lambda: archive(("a.txt:stream", b"")), "an unsafe name"),
        (lambda: archive(("a\\b.txt", b"")), "an unsafe name"),
        (lambda: archive(("aux.txt", b"")), "an unsafe name"),
        (lambda: archive(("a /b", b"")), "an unsafe name"),
        (lambda: archive(("a.txt.", b"")), "an unsafe name"),
        (lambda: archive(("x" * 300, b"")), "an unsafe name"),
        (lambda: archive(("見積\u202efdp.exe", b"")), "invisible characters in a name"),
        (lambda: archive(("a\nb", b"")), "invisible characters in a name"),
        (lambda: archive(("a.txt", b""), ("a.txt", b"")), "a name that stands twice"),
        (lambda: archive(("a.txt", b""), ("A.TXT", b"")), "a name that stands twice"),
        (lambda: archive(("がく", b""), ("か\u3099く", b"")), "a name that stands twice"),
        (lambda: archive(("a", b""), ("a/b", b"")), "a name that stands twice"),
        (lambda: patched(archive(("表.txt", b"")), "表.txt".encode(), b"\x95\\ .txt"[:7]), "cannot be read|not marked|differ|unsafe"),
        (lambda: archive((info("a", stat.S_IFLNK | 0o777), b"/etc/passwd")), "a link or a device"),
        (lambda: archive((info("a", stat.S_IFIFO | 0o644), b"")), "a link or a device"),
        (lambda: archive((info("a", stat.S_IFREG | stat.S_ISUID | 0o755), b"")), "runs with others' rights"),
        (lambda: archive((info("a/", method=zipfile.ZIP_STORED), b"content")), "a folder with content"),
        (lambda: archive((info("a", extra=b"\x75\x70\x05\0\1abcd"), b"")), "an extra field or a comment of an entry"),
        (remarked, "an extra field or a comment of an entry"),
        (lambda: patched(streamed(b"a"), b"\1\0\x10\0", b"\2\0\x10\0"), "an extra field or a comment of an entry"),
        (lambda: patched(streamed(b"a"), b"\1\0\x10\0\1", b"\1\0\x10\0\2"), "two heads that differ"),
        (lambda: at_end(4, b"\1"), "of several volumes"),
        (lambda: at_end(6, b"\1"), "of several volumes"),
        (lambda: at_end(8, b"\3"), "of several volumes"),
        (lambda: at_end(8, b"\1\0\1\0"), "bytes in the directory that belong to no entry"),
        (lambda: at_end(8, b"\3\0\3\0"), "the directory is cut off"),
        (lambda: at_end(8, b"\xff\xff\xff\xff"), "an archive of too many entries"),
        (lambda: patched(PLAIN, b"PK\1\2", b"PK\1\3"), "the directory cannot be read"),
        (lambda: patched(PLAIN, b"PK\3\4", b"PK\3\5"), "no entry where the directory says"),
        (lambda: patched(PLAIN, PLAIN[14:18], b"\0\0\0\0", 1), "two heads that differ"),
        (lambda: patched(PLAIN, PLAIN[14:18], b"\0\0\0\0"), "not what its head says"),
        (lambda: patched(PLAIN, PLAIN[22:26], b"\x05\0\0\0"), "not what its head says"),
        (lambda: patched(PLAIN, PLAIN[22:26], b"\x00\2\0\0"), "not what its head says"),
        (lambda: patched(archive(("a", b"a")), b"PK\3\4\x14\0\0\0", b"PK\3\4\x14\0\1\0"), "two heads that differ"),
        (lambda: patched(archive(("a", b"a")), b"PK\3\4\x14\0\0\0", b"PK\3\4\x14\0\0\x08"), "two heads that differ"),
        (lambda: patched(PLAIN, b"\x14\0\0\x08\x08\0", b"\x14\0\0\x08\0\0", 1), "two heads that differ"),
        (lambda: archive((info("a", method=zipfile.ZIP_LZMA), b"a")), "packed by method 14"),
        (lambda: archive(("a", b""), comment=b"more"), "a comment, or bytes behind the end"),
        (lambda: PLAIN + b"more", "a comment, or bytes behind the end"),
        (lambda: b"more" + PLAIN, "bytes before, or behind, the directory"),
        (lambda: gap(b"secret"), "bytes before or between the entries"),
        (lambda: flagged(0x1), "encrypted"),
        (lambda: flagged(0x8), "unexpected flags"),
        (lambda: patched(PLAIN, b"b.txt", b"c.txt", 1), "two heads that differ"),
        (lambda: patched(archive((info("a", method=zipfile.ZIP_STORED), b"content")), b"content", b"CONTENT"), "not what its head says"),
        (lambda: archive(("setup.txt", b"MZ\x90\0" + bytes(60))), "a program: 'setup.txt'"),
        (lambda: archive(("a.txt", b"\x7fELF")), "a program"),
        (lambda: archive(("a.txt", b"#!/bin/sh\n")), "a program"),
        (lambda: archive(("a.txt", b"\xef\xbb\xbf#!/bin/sh\n")), "a program"),
        (lambda: archive(("a.txt", b"L\0\0\0\x01\x14\x02\0")), "a shortcut"),
        (lambda: archive(("a", b"Rar!\x1a\x07\1\0")), "an archive: 'a'"),
        (lambda: archive(("a", b"7z\xbc\xaf\x27\x1c")), "an archive: 'a'"),
        (lambda: archive(("a", bytes(257) + b"ustar")), "an archive: 'a'"),
        (lambda: archive(("a", b"\x20\0-lh5-")), "an archive: 'a'"),
        (lambda: PLAIN[:-30], "no end of the archive"),
    ],
)  # fmt: skip
def test_an_archive_that_is_more_than_its_files_is_found(make: object, finding: str) -> None:
    assert callable(make)
    findings = found(make(), "zip")
    assert any(part in each for each in findings for part in finding.split("|"))


def gap(hidden: bytes) -> bytes:
    """An archive with bytes between its entries and its directory, which the end of the archive knows."""
    start = struct.unpack_from("<I", PLAIN, len(PLAIN) - 6)[0]
    return PLAIN[:start] + hidden + PLAIN[start:-6] + struct.pack("<IH", start + len(hidden), 0)


def flagged(flag: int) -> bytes:
    data = bytearray(archive(("a", b"a")))
    for magic, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(magic) + at] |= flag
    return bytes(data)


def test_an_entry_with_bytes_behind_its_data_is_found() -> None:
    """Deflate says where it ends; programs stop there, and what follows travels along."""
    data = archive(("a", b"content"))
    local, end = data.index(b"PK\3\4"), data.index(b"PK\1\2")
    body, directory = bytearray(data[local:end] + b"hidden"), bytearray(data[end:])
    size = struct.unpack_from("<I", body, 18)[0] + 6
    struct.pack_into("<I", body, 18, size)
    struct.pack_into("<I", directory, 20, size)
    struct.pack_into("<I", directory, len(directory) - 6, len(body))
    assert found(bytes(body + directory), "zip") == ["bytes behind the data: 'a'"]
