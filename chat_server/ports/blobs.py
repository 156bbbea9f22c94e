"""Where the bytes of files lie."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that are safe on disk: addressed by organization and content."""

    sha256: str
    size: int


class Incoming(Protocol):
    """Bytes on their way in: hashed while they are written to a temporary file."""

    path: Path
    size: int

    async def write(self, chunk: bytes) -> None:
        """Append. Raises `Problem` 8002 (disk full), 9002 (disk failed); the temporary file is then gone."""
        ...

    async def flush(self) -> None:
        """Put everything so far into the file at `path`, for whoever reads it before it is kept. Raises as `write`."""
        ...

    async def discard(self) -> None:
        """Remove the temporary file. Safe to call twice and after `keep`."""
        ...


class Opened(Protocol):
    """A blob to read from. What another one removes meanwhile MUST either stay readable or end in an error: never in
    other bytes."""

    @property
    def size(self) -> int:
        """in bytes"""
        ...

    def pieces(self, first: int, length: int) -> AsyncGenerator[bytes, None]:
        """The bytes from `first` on, in pieces of at most 1 MiB that are read as they are taken, off the event loop.
        Raises `Problem` 8xxx, 9002 and OSError."""
        ...


class Part(Protocol):
    """An unfinished upload, held: nobody else, at no node, writes to it meanwhile."""

    @property
    def size(self) -> int:
        """Bytes so far; after `flush` and at the beginning they are all safe."""
        ...

    async def write(self, chunk: bytes) -> None:
        """Append. Raises `Problem` 8xxx, 9002; what was safe stays safe."""
        ...

    async def flush(self) -> None:
        """MUST make everything so far outlive a loss of power before it answers. Raises as `write`."""
        ...

    async def cut(self, size: int) -> None:
        """Back to `size`, which is not below what it was at the beginning: what came with a wrong checksum."""
        ...

    async def keep(self, org_id: int) -> Blob:
        """Make it a blob, like `BlobStore.keep`. Where its bytes came through several processes they are read again for
        their hash. Raises as `write`; then it is as it was.

        The unfinished upload stays, whole, until it is discarded: that is for after the commit of the row. Whoever is
        killed in between lost nothing; the next one keeps it again."""
        ...

    async def discard(self) -> None:
        """Remove it; missing is fine."""
        ...


BLOB_YOUNG: Final = 60 * 60 * 1000
"""Milliseconds. Bytes without a row may belong to an upload under way for this long after they were kept."""


class BlobStore(Protocol):
    """Attachment bytes by (organization, sha256).

    `keep` MUST fsync the file, rename it and fsync its folder before it answers, so that a database row written
    afterwards never dangles. An orphan may exist; the sweeper (`workers/file_sweeper.py`) removes it.
    """

    def receive(self) -> Incoming:
        """A new temporary file."""
        ...

    async def keep(self, org_id: int, incoming: Incoming) -> Blob:
        """Make it permanent. Keeping the same bytes twice is one blob. Raises `Problem` 8002, 9002."""
        ...

    async def keep_bytes(self, org_id: int, data: bytes) -> Blob:
        """The same for bytes in memory."""
        ...

    def open(self, org_id: int, sha256: str) -> AbstractAsyncContextManager[Opened]:
        """For sending. Raises FileNotFoundError where the bytes are not there, ValueError on what is no SHA-256,
        `Problem` 8xxx where they cannot be asked for."""
        ...

    def local(self, org_id: int, sha256: str) -> AbstractAsyncContextManager[Path]:
        """A file with these bytes, to be read alone, while the context lasts: for decoders. Raises as `open`."""
        ...

    def unfinished(self, upload_id: str) -> AbstractAsyncContextManager[Part]:
        """Hold an upload that comes in parts, empty where nothing came yet. At the end of the context what was not flushed
        is lost. `upload_id`: 16 to 64 characters of a–z and 0–9.

        Raises `Problem` 8006 while somebody else holds it, at any node; 8xxx, 9002; ValueError on another id.
        """
        ...

    async def unfinished_old(self) -> list[str]:
        """Unfinished uploads to which nothing was added for `BLOB_YOUNG`, for whoever knows which are still wanted."""
        ...

    async def delete(self, org_id: int, sha256: str) -> None:
        """Remove; missing is fine."""
        ...

    async def sweep(self, older_than_ms: int) -> int:
        """Remove what interrupted uploads left, untouched for that long; MUST spare those under way. Answers how many."""
        ...

    def old(self) -> AsyncIterator[tuple[int, list[str]]]:
        """(organization, SHA-256s) of blobs that were last kept over `BLOB_YOUNG` ago, in pieces."""
        ...

    async def remove_old(self, org_id: int, sha256s: Sequence[str]) -> int:
        """Remove those of them that are still old: one that was kept in the last hour MUST be spared, whatever the
        clock on the wall says, and one that is kept at this very moment MUST be there afterwards. Answers how many."""
        ...

    async def close(self) -> None:
        """Wait for what is being written; let go of everything."""
        ...
