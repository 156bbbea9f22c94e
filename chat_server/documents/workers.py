"""Documents through a pool of decoders, and LibreOffice where it is: `ports.Documents`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from chat_server.decoders.files import BadRendition, TaskFiles
from chat_server.decoders.limits import Limits
from chat_server.decoders.outcome import Busy, Crashed, NoSpace, Refused
from chat_server.decoders.pool import Pool
from chat_server.decoders.task import Decoder
from chat_server.documents import words
from chat_server.documents.answer import Pages, Words, parse_pages, parse_words
from chat_server.documents.office import Office
from chat_server.documents.rules import PICTURES
from chat_server.domain.errors import DECODER_BUSY, DISK_FULL, Problem
from chat_server.domain.previews import LEGACY, PACKAGES, PDF, RENDITION_TYPES, is_text
from chat_server.domain.zones import PAGES, PREVIEW, TEXT, THUMBNAIL
from chat_server.ports import Derived, Document

LIMITS: Final = Limits(cpu_seconds=20, wall_seconds=40, descriptors=24)
"""Documents take their time; nobody waits for them."""
_NO_HELPER: Final = "no_helper"
_CRASHED: Final = "crashed"
_LEGACY_PAGES: Final = 200
"""Pages of a format whose text comes from its pages, too."""
_OFFICE_BYTES: Final = 256 << 20
"""Of a document that LibreOffice is asked for: it loads all of it, whatever the page."""
_RETRY_SECONDS: Final = 10
_PACKAGE: Final = "chat_server.documents."


def drawn(done: Pages, files: TaskFiles, most_bytes: int) -> tuple[Derived, ...]:
    """The pictures of pages, after a look at the files. Raises `BadRendition`."""
    found = []
    if len(done.sizes) > len(files.paths):
        raise BadRendition("more pages than were asked for")
    for at, (width, height) in enumerate(done.sizes):
        kind = PICTURES[at]
        media_type = RENDITION_TYPES[kind]
        size = files.picture(at, media_type, most_bytes)
        found.append(Derived(kind, files.paths[at], media_type, width, height, size))
    return tuple(found)


def spelled(done: Words, files: TaskFiles, _most_bytes: int) -> Derived:
    """The text, after a look at it: a decoder in strange hands could write what `words.clean` would have dropped."""
    data = os.pread(files.descriptors[1], done.size + 1, 0)
    if len(data) != done.size or not words.is_clean(data):
        raise BadRendition(f"{len(data)} bytes of text, or not clean")
    return Derived(TEXT, files.paths[0], RENDITION_TYPES[TEXT], 0, 0, done.size)


_SUFFIXES: Final = {"image/webp": ".webp", "image/jpeg": ".jpg"}


def _pages(most: int) -> Decoder[Pages, tuple[Pages, tuple[Derived, ...]]]:
    names = tuple(kind + _SUFFIXES[RENDITION_TYPES[kind]] for kind in PICTURES[: 1 + most])
    return Decoder(
        _PACKAGE + "pdf_pages", names, parse_pages, lambda done, files, bytes_: (done, drawn(done, files, bytes_))
    )


PDF_PAGES: Final = _pages(PAGES)
PDF_FIRST: Final = _pages(1)
PDF_TEXT: Final = Decoder(_PACKAGE + "pdf_text", ("text.txt",), parse_words, spelled)
PLAIN: Final = Decoder(_PACKAGE + "plain", ("text.txt",), parse_words, spelled)
OFFICE_TEXT: Final = Decoder(_PACKAGE + "office_text", ("text.txt",), parse_words, spelled)
MODULES: Final = tuple(each.module for each in (PDF_PAGES, PDF_TEXT, PLAIN, OFFICE_TEXT))


class DocumentDecoders:
    """Implements `ports.Documents`. `pool` must have `MODULES`. `find_office` is asked once, for the first document that
    needs it."""

    def __init__(self, pool: Pool, find_office: Callable[[], Awaitable[Office | None]]) -> None:
        self._pool = pool
        self._find_office = find_office
        self._office: Office | None = None
        self._finding = asyncio.Lock()
        self._found = False

    async def prepare(self, source: Path, out: Path, media_type: str) -> Document:
        """See `ports.Documents`."""
        if media_type in PACKAGES or media_type in LEGACY:
            await self._look_for_office()
        work = _Work(self._pool, self._office, out)
        try:
            if media_type == PDF:
                await work.pages(source, exact=True)
                await work.text(PDF_TEXT, source)
            elif media_type in PACKAGES:
                await work.package(source, PACKAGES[media_type])
            elif media_type in LEGACY:
                await work.legacy(source, LEGACY[media_type])
            elif is_text(media_type):
                await work.text(PLAIN, source)
        except NoSpace:
            raise Problem(DISK_FULL) from None
        except Busy:
            raise Problem(DECODER_BUSY, retry_after=_RETRY_SECONDS) from None
        return Document(tuple(work.renditions), work.failed, work.page_count, work.color)

    async def _look_for_office(self) -> None:
        async with self._finding:
            if not self._found:
                self._office = await self._find_office()
                self._found = True


class _Work:
    """One document on its way. Its methods raise `Busy`, `NoSpace`."""

    def __init__(self, pool: Pool, office: Office | None, out: Path) -> None:
        self._pool = pool
        self._office = office
        self._out = out
        self.renditions: list[Derived] = []
        self.failed: dict[str, str] = {}
        self.page_count: int | None = None
        self.color: str | None = None

    async def pages(self, source: Path, *, exact: bool) -> None:
        """`exact`: the number of pages is that of the document."""
        try:
            try:
                done, pictures = await self._pool.run(PDF_PAGES, source, self._out)
            except Crashed:
                # perhaps a later page did it
                done, pictures = await self._pool.run(PDF_FIRST, source, self._out)
        except Refused as refused:
            self._no_pictures(refused.reason)
        except Crashed:
            self._no_pictures(_CRASHED)
        else:
            self.renditions += pictures
            self.color = done.color
            if exact:
                self.page_count = done.pages

    async def text(self, decoder: Decoder[Words, Derived], source: Path) -> None:
        try:
            self.renditions.append(await self._pool.run(decoder, source, self._out))
        except Refused as refused:
            self.failed[TEXT] = refused.reason
        except Crashed:
            self.failed[TEXT] = _CRASHED

    async def package(self, source: Path, suffix: str) -> None:
        """Text from the parts. What was refused as a package never reaches the helper."""
        await self.text(OFFICE_TEXT, source)
        reason = self.failed.get(TEXT, "")
        if reason not in ("", "empty"):
            self._no_pictures(reason)
            return
        pdf = await self._as_pdf(source, suffix, PAGES)
        if pdf is not None:
            await self.pages(pdf, exact=False)

    async def legacy(self, source: Path, suffix: str) -> None:
        """Text and pictures from the helper's PDF."""
        pdf = await self._as_pdf(source, suffix, _LEGACY_PAGES)
        if pdf is None:
            self.failed[TEXT] = self.failed[PREVIEW]
        else:
            await self.pages(pdf, exact=False)
            await self.text(PDF_TEXT, pdf)

    async def _as_pdf(self, source: Path, suffix: str, pages: int) -> Path | None:
        if self._office is None:
            self._no_pictures(_NO_HELPER)
            return None
        if (await asyncio.to_thread(source.stat)).st_size > _OFFICE_BYTES:
            self._no_pictures("too_large")
            return None
        target = self._out / "office.pdf"
        try:
            await self._office.to_pdf(source, suffix, target, pages=pages)
        except Refused as refused:
            self._no_pictures(refused.reason)
            return None
        return target

    def _no_pictures(self, reason: str) -> None:
        self.failed[PREVIEW] = self.failed[THUMBNAIL] = reason
