"""A rebuilt picture: one, whole, of bare pixels, and nothing else at the same time."""

from __future__ import annotations

import re
import struct
import warnings
from typing import IO, Final

from PIL import Image, UnidentifiedImageError

from chat_server.sanitizing.check import image_blocks, image_tags
from chat_server.sanitizing.check.zip_layout import archive_end

_WALKS: Final = image_blocks.WALKS | image_tags.WALKS
_FOREIGN: Final = (
    b"<script", b"<?php", b"<html", b"<!doctype", b"<iframe", b"javascript:", b"<!entity", b"</x:xmpmeta",
)  # fmt: skip
"""In lower case. Long enough that no photo holds one by chance (five bytes in 4 MB: once in a quarter of a million)."""
_WINDOW: Final = 1 << 22
_OVERLAP: Final = 32


def check(source: IO[bytes], kind: str) -> list[str]:
    """See `looking.look`."""
    data = source.read()
    findings = structure(data, kind)
    if findings:
        return findings  # what is built wrongly is not decoded
    return _decoded(source, kind)


def structure(data: bytes, kind: str) -> list[str]:
    """All but the decoding: also for the pictures in documents."""
    magic, walk = _WALKS[kind]
    if not re.match(magic, data):
        return [f"not {kind}"]
    try:
        return walk(data) + foreign(data)
    except (IndexError, struct.error):
        return ["cut off"]


def foreign(data: bytes) -> list[str]:
    """What else the bytes could be taken for: a page, a script, an archive, a PDF."""
    findings = []
    for start in range(0, len(data), _WINDOW):
        window = data[max(0, start - _OVERLAP) : start + _WINDOW].lower()
        findings += [f"holds {word.decode()}" for word in _FOREIGN if word in window]
    if b"%PDF-" in data[:1024]:
        findings.append("holds the head of a PDF")
    if archive_end(data):
        findings.append("holds the end of an archive")
    return findings


def _decoded(source: IO[bytes], kind: str) -> list[str]:
    """By Pillow, every pixel. A JPEG at an eighth: its entropy-coded data are read whole for that too."""
    source.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(source, formats=[kind.upper()]) as image:
                if kind == "jpeg":
                    image.draft(None, (max(1, image.width // 8), max(1, image.height // 8)))
                image.load()
                count = getattr(image, "n_frames", 1)
                if kind == "tiff":  # a scan has pages
                    for page in range(1, count):
                        image.seek(page)
                        image.load()
                    return []
                return [] if count == 1 else ["not exactly one picture"]
    except Image.DecompressionBombError:
        return ["more than 100 megapixels"]
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError):
        return ["cannot be decoded"]
