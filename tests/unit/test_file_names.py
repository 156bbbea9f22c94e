"""Names that people gave to files: for reading, whatever is in them (security.md, 34)."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_server.domain.file_names import NAME_CHARS, display_name
from chat_server.services.note_documents import safe


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\図面.pdf", "図面.pdf"),
        ("a\r\nb.pdf", "ab.pdf"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("in\u200bvoice\u00ad.pdf\ufeff", "invoice.pdf"),
        ("か\u3099.txt", "が.txt"),
        ("CON.txt", "_CON.txt"),
        ("nul", "_nul"),
        ("control.txt", "control.txt"),
        ("...", "名"),
    ],
)
def test_a_name_is_cleaned(given_: str, shown: str) -> None:
    assert display_name(given_, "名") == shown


def test_too_long_a_name_keeps_its_ending() -> None:
    name = display_name("図" * 500 + ".pdf")
    assert len(name) == NAME_CHARS
    assert name.endswith(".pdf")


@given(st.text(max_size=400))
def test_whatever_it_was(text: str) -> None:
    name = display_name(text)
    assert 1 <= len(name) <= NAME_CHARS + 1
    assert name == display_name(name)
    assert not set("/\\\r\n\0") & set(name)
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in name)


def test_what_is_made_of_a_note_has_a_name_that_every_desk_takes_and_keeps_its_ending() -> None:
    for name, kept in {
        "図面.pdf": "図面.pdf",
        "資料" * 60 + ".xlsx": "資料" * 32 + "資.xlsx",
        "𠮷" * 100: "𠮷" * 50,
        "3.5号線の陥没": "3.5号線の陥没",
        "CON": "_CON",
        "aux.pdf": "_aux.pdf",
        "../..": "_",
        " . ": "ノート",
    }.items():
        assert safe(name) == kept
        assert len(safe(name).encode()) <= 200
