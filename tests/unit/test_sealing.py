"""The seals of the quarantine: age, by a key of 32 bytes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

import pytest

from chat_server.domain.media import ending_in
from chat_server.ports import SealBroken
from chat_server.sealing import AgeSeals, _identity


def test_a_key_is_what_age_writes() -> None:
    # age's library refuses what has another checksum
    for secret in (bytes(32), b"\xff" * 32, bytes(range(32))):
        assert str(_identity(secret)).startswith("AGE-SECRET-KEY-1")


def test_what_was_sealed_comes_out_whole_by_its_key_alone(tmp_path: Path) -> None:
    secret, content = os.urandom(32), os.urandom(3_000_000)
    source, sealed, opened = tmp_path / "source", tmp_path / "sealed", tmp_path / "opened"
    source.write_bytes(content)
    with sealed.open("wb") as file:
        AgeSeals().seal(secret, source, lambda piece: _put(file, piece))
    assert content[:1000] not in sealed.read_bytes()
    AgeSeals().open(secret, sealed, opened)
    assert opened.read_bytes() == content
    with pytest.raises(SealBroken):
        AgeSeals().open(os.urandom(32), sealed, tmp_path / "another")
    data = bytearray(sealed.read_bytes())
    data[-5] ^= 1
    sealed.write_bytes(data)
    with pytest.raises(SealBroken):
        AgeSeals().open(secret, sealed, tmp_path / "changed")


def _put(file: IO[bytes], piece: bytes) -> None:
    file.write(piece)


def test_why_it_could_not_be_written_is_told(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"words")

    def full(piece: bytes) -> None:
        raise OSError(28, "no space")

    with pytest.raises(OSError, match="no space"):
        AgeSeals().seal(bytes(32), source, full)


@pytest.mark.parametrize(
    ("name", "type_", "called"),
    [
        ("数量表.xlsm", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "数量表.xlsx"),
        ("橋.JPEG", "image/jpeg", "橋.JPEG"),
        ("橋.heic", "image/jpeg", "橋.jpg"),
        ("page.html", "text/plain", "page.txt"),
        ("図面", "application/pdf", "図面.pdf"),
        ("第3回.議事録の控え", "application/pdf", "第3回.議事録の控え.pdf"),
        ("見本.xyz", "application/x-unheard-of", "見本.xyz"),
    ],
)
def test_a_rebuilt_file_is_called_what_it_is(name: str, type_: str, called: str) -> None:
    assert ending_in(name, type_) == called
