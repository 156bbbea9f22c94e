"""The words of tus 1.0 (tus.io/protocols/resumable-upload): headers in, headers out."""

from __future__ import annotations

import binascii
import hashlib
from base64 import b64decode
from email.utils import formatdate
from typing import TYPE_CHECKING, Final

from starlette.types import Scope

from chat_server.domain import limits
from chat_server.domain.errors import INVALID_FIELD, UPLOAD_TYPE, UPLOAD_VERSION, Problem
from chat_server.http.body import header
from chat_server.http.replies import Headers

if TYPE_CHECKING:
    from hashlib import _Hash

VERSION: Final = "1.0.0"
EXTENSIONS: Final = "creation,termination,checksum,expiration"
ALGORITHMS: Final = ("sha256", "sha1", "md5")
"""Checksums find bytes that a line has changed; nobody trusts a file for one of them."""
CONTENT: Final = "application/offset+octet-stream"
_DIGITS: Final = 15
_METADATA_CHARS: Final = 8_000

RESUMABLE: Final = (b"tus-resumable", VERSION.encode())


def check_version(scope: Scope) -> None:
    """Raises `Problem` 5014."""
    if header(scope, b"tus-resumable") != VERSION:
        raise Problem(UPLOAD_VERSION, "Tus-Resumable")


def check_content(scope: Scope) -> None:
    """Raises `Problem` 5015."""
    if (header(scope, b"content-type") or "").partition(";")[0].strip().lower() != CONTENT:
        raise Problem(UPLOAD_TYPE, "Content-Type")


def number(scope: Scope, name: str) -> int:
    """A header that is a number of bytes. Raises `Problem` 2001."""
    text = header(scope, name.lower().encode()) or ""
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise Problem(INVALID_FIELD, name, reason="a number of bytes")
    return int(text)


def metadata(scope: Scope) -> dict[str, str]:
    """Upload-Metadata: `key base64,key base64`. Raises `Problem` 2001."""
    text = header(scope, b"upload-metadata") or ""
    if len(text) > _METADATA_CHARS:
        raise Problem(INVALID_FIELD, "Upload-Metadata", reason="too long")
    found: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        key, _, value = pair.partition(" ")
        try:
            decoded = b64decode(value.strip(), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            raise Problem(INVALID_FIELD, "Upload-Metadata", reason=f"{key[:40]}: base64 of UTF-8") from None
        if key in found:
            raise Problem(INVALID_FIELD, "Upload-Metadata", reason=f"{key[:40]} stands there twice")
        found[key] = decoded
    return found


class Checksum:
    """What a part is said to hash to."""

    def __init__(self, state: _Hash, expected: bytes) -> None:
        self.update = state.update
        self._state = state
        self._expected = expected

    @property
    def right(self) -> bool:
        return self._state.digest() == self._expected


def checksum(scope: Scope) -> Checksum | None:
    """Upload-Checksum: `algorithm base64`. Raises `Problem` 2001."""
    text = header(scope, b"upload-checksum")
    if text is None:
        return None
    algorithm, _, value = text.strip().partition(" ")
    if algorithm not in ALGORITHMS:
        raise Problem(INVALID_FIELD, "Upload-Checksum", reason=f"one of {', '.join(ALGORITHMS)}")
    try:
        expected = b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise Problem(INVALID_FIELD, "Upload-Checksum", reason="base64") from None
    return Checksum(hashlib.new(algorithm, usedforsecurity=False), expected)


def progress(offset: int, length: int, expires: int) -> Headers:
    """How far an upload has come; `expires` in UTC milliseconds."""
    return [
        RESUMABLE,
        (b"upload-offset", str(offset).encode()),
        (b"upload-length", str(length).encode()),
        (b"upload-expires", formatdate(expires / limits.SECOND, usegmt=True).encode()),
    ]


def abilities() -> Headers:
    """The answer to OPTIONS."""
    return [
        RESUMABLE,
        (b"tus-version", VERSION.encode()),
        (b"tus-extension", EXTENSIONS.encode()),
        (b"tus-max-size", str(limits.FILE_BYTES).encode()),
        (b"tus-checksum-algorithm", ",".join(ALGORITHMS).encode()),
    ]
