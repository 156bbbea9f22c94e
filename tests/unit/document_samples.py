"""Documents for tests: those that others made (tests/data/documents), and ones made here, the hostile ones above all."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

SAMPLES: Final = Path(__file__).parents[1] / "data" / "documents"
COMPOUND: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
"""The head of the container that holds a package with a password."""

_WORD_TYPE: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_WORD: Final = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def sample(name: str) -> Path:
    """A document that others made."""
    return SAMPLES / name


def packed(parts: Mapping[str, str | bytes], *, level: int = 6) -> bytes:
    """A ZIP of these."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return target.getvalue()


def package(content_type: str, part: str | bytes, name: str = "word/document.xml") -> bytes:
    """An office document of one part."""
    types = (
        '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/{name}" ContentType="{content_type}"/></Types>'
    )
    relations = (
        '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"'
        f' Target="{name}"/></Relationships>'
    )
    return packed({"[Content_Types].xml": types, "_rels/.rels": relations, name: part})


def docx(*paragraphs: str, body: str = "", before: str = "") -> bytes:
    """A Word document. `body`: more XML inside; `before`: between the declaration and the root."""
    runs = "".join(f"<w:p><w:r><w:t>{escape(text)}</w:t></w:r></w:p>" for text in paragraphs)
    xml = f'<?xml version="1.0"?>{before}<w:document xmlns:w="{_WORD}"><w:body>{runs}{body}</w:body></w:document>'
    return package(_WORD_TYPE, xml)


def pdf(objects: Mapping[int, bytes], root: int = 1) -> bytes:
    """A PDF of numbered objects."""
    data = b"%PDF-1.7\n"
    places = {}
    for number, body in objects.items():
        places[number] = len(data)
        data += b"%d 0 obj%s endobj\n" % (number, body)
    start, size = len(data), max(objects) + 1
    rows = (b"%010d 00000 n \n" % places[n] if n in places else b"0000000000 65535 f \n" for n in range(size))
    data += b"xref\n0 %d\n%s" % (size, b"".join(rows))
    return data + b"trailer<</Size %d/Root %d 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, root, start)


def stream(content: bytes, more: bytes = b"") -> bytes:
    """A compressed stream."""
    packed_ = zlib.compress(content, 9)
    return b"<</Length %d/Filter/FlateDecode%s>>stream\n%s\nendstream" % (len(packed_), more, packed_)


def pages(*contents: bytes, box: bytes = b"0 0 200 300", more: Mapping[int, bytes] | None = None) -> bytes:
    """A PDF with a page for each of `contents`; `/F` is Helvetica, objects from 1,000 on are `more`, `/X` is 1000."""
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Count %d/Kids[%s]>>"
        % (len(contents), b" ".join(b"%d 0 R" % (10 + 2 * at) for at in range(len(contents)))),
        3: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    }
    for at, content in enumerate(contents):
        objects[10 + 2 * at] = (
            b"<</Type/Page/Parent 2 0 R/MediaBox[%s]/Contents %d 0 R"
            b"/Resources<</Font<</F 3 0 R>>/XObject<</X 1000 0 R>>>>>>" % (box, 11 + 2 * at)
        )
        objects[11 + 2 * at] = stream(content)
    return pdf(objects | dict(more or {}))


def words(text: str) -> bytes:
    """The content of a page that says so."""
    return b"BT /F 24 Tf 20 200 Td (%s) Tj ET" % text.encode("ascii")
