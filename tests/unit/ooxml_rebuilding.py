"""What the tests of rebuilt Office documents share: a document on its way, and what is told of it."""

from __future__ import annotations

import io

import pytest

from chat_server.decoders.outcome import Refused
from chat_server.sanitizing.order import Order
from chat_server.sanitizing.rebuild.ooxml import rebuild
from chat_server.sanitizing.report import Rebuilt
from tests.unit.ooxml_samples import (
    Opened,
    word,
)


def rebuilt(data: bytes) -> tuple[Opened, Rebuilt]:
    target = io.BytesIO()
    said = rebuild(io.BytesIO(data), target, Order(kind="docx"))
    opened = Opened(target.getvalue())
    opened.consistent()
    return opened, said


def refused(data: bytes) -> str:
    target = io.BytesIO()
    with pytest.raises(Refused) as caught:
        rebuild(io.BytesIO(data), target, Order(kind="docx"))
    assert not target.getvalue()
    return caught.value.reason


def told(said: Rebuilt) -> dict[str, int]:
    counts: dict[str, int] = {}
    for each in said.removed:
        counts[each.object] = counts.get(each.object, 0) + each.count
    return counts


def body(data: bytes) -> str:
    return rebuilt(word(data.decode()))[0].xml("word/document.xml")


def run(inner: str) -> str:
    return f"<w:r>{inner}</w:r>"


def field(*instructions: str, result: str = "結果", inner: str = "") -> str:
    pieces = "".join(run(f'<w:instrText xml:space="preserve">{each}</w:instrText>') for each in instructions)
    shown = "" if not result else run('<w:fldChar w:fldCharType="separate"/>') + run(f"<w:t>{result}</w:t>")
    return run('<w:fldChar w:fldCharType="begin"/>') + pieces + inner + shown + run('<w:fldChar w:fldCharType="end"/>')


def drawing(blip: str) -> str:
    return (
        '<w:p><w:r><w:drawing><wp:inline><wp:extent cx="9" cy="9"/><a:graphic><a:graphicData uri="x"><pic:pic><pic:blipFill>'
        f"{blip}<a:stretch/></pic:blipFill></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>"
    )


def cell(formula: str, ref: str = "A1", value: str = "42", more: str = "") -> str:
    return (
        f'<s:c r="{ref}"><s:f{more}>{formula.replace("&", "&amp;").replace("<", "&lt;")}</s:f><s:v>{value}</s:v></s:c>'
    )


def sheet(*cells: str, after: str = "") -> str:
    return f'<s:sheetData><s:row r="1">{"".join(cells)}</s:row></s:sheetData>{after}'
