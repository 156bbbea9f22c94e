"""Notes as documents: a PDF for paper, a ZIP with the photos and files."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Final

import msgspec

from chat_server.domain.errors import (
    DISK_FULL,
    FILE_STORE_BUSY,
    NOTE_EXPORT_TOO_LARGE,
    NOTE_NOT_FOUND,
    NOTE_VERSION_NOT_FOUND,
    PRINTER_BUSY,
    PRINTER_FAILED,
    PRINTER_MISSING,
    Problem,
)
from chat_server.http.calls import AnyCall, Call, Ctx, Nothing
from chat_server.http.replies import Download, Made
from chat_server.ports import SCRATCH, Reader
from chat_server.services import note_documents

PDF: Final = "application/pdf"
ZIP: Final = "application/zip"
_TURN: Final = "note export"
"""No Idempotency-Key has a space in it."""
_AGAIN: Final = 20


class Version(msgspec.Struct, frozen=True):
    """None: as it is now."""

    version: Annotated[int, msgspec.Meta(ge=1, le=2**53)] | None = None


async def print_note(ctx: Ctx[Nothing, Version]) -> Any:
    return await _in_turn(ctx, _print)


async def pack_note(ctx: Ctx[Nothing, Version]) -> Any:
    return await _in_turn(ctx, _pack)


async def _in_turn(ctx: Ctx[Nothing, Version], make: _Make) -> Download | Made:
    """One document of a person at a time, until its last byte is sent: whoever asks for many, or reads none of it, keeps waiting
    nobody but themselves, and holds one file on the disk."""
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(ctx.parts.in_flight.turn(ctx.actor.user_id, _TURN))
        except Problem:
            raise Problem(PRINTER_BUSY, retry_after=_AGAIN) from None
        answer = await make(ctx, stack)
        return replace(answer, after=stack.pop_all().aclose)


async def _print(ctx: Ctx[Nothing, Version], stack: AsyncExitStack) -> Download:
    note, parts = ctx.path["note"], ctx.parts
    number = await _on_record(ctx, "pdf")
    paper = await ctx.read(lambda reader: note_documents.paper(reader, ctx.actor, note, number, parts.trust))
    async with AsyncExitStack() as held:
        pictures = [await held.enter_async_context(parts.blobs.local(one.org_id, one.sha256)) for one in paper.pictures]
        body = await parts.press.print(paper.job, pictures)
    await _still(ctx, number)
    return Download(paper.name, PDF, body)


async def _pack(ctx: Ctx[Nothing, Version], stack: AsyncExitStack) -> Made:
    note, parts = ctx.path["note"], ctx.parts
    number = await _on_record(ctx, "zip")
    bundle = await ctx.read(lambda reader: note_documents.bundle(reader, ctx.actor, note, number, parts.trust))
    folder = stack.enter_context(TemporaryDirectory(prefix=SCRATCH, dir=parts.scratch, ignore_cleanup_errors=True))
    target = Path(folder) / "note.zip"
    async with AsyncExitStack() as held:
        files = {
            name: await held.enter_async_context(parts.blobs.local(one.org_id, one.sha256))
            for name, one in bundle.files.items()
        }
        await parts.press.pack(target, bundle.texts, files)
    await _still(ctx, number)
    return Made(bundle.name, ZIP, target)


async def _on_record(ctx: Ctx[Nothing, Version], kind: str) -> int | None:
    note, wanted = ctx.path["note"], ctx.query.version
    return await ctx.write(lambda tx, actor: note_documents.on_record(tx, actor, note, wanted, kind))


async def _still(ctx: Ctx[Nothing, Version], number: int | None) -> None:
    """It took minutes, perhaps: whoever may not read the note any more gets nothing of it."""
    note = ctx.path["note"]

    async def look(reader: Reader) -> None:
        await note_documents.check(reader, await ctx.caller(reader), note, number)

    await ctx.read(look)


_Make = Callable[[Ctx[Nothing, Version], AsyncExitStack], Awaitable[Download | Made]]

_FAULTS: Final = (NOTE_NOT_FOUND, NOTE_VERSION_NOT_FOUND, PRINTER_BUSY, FILE_STORE_BUSY, DISK_FULL)

CALLS: Final[tuple[AnyCall, ...]] = (
    Call(
        "GET",
        "/api/notes/{note}/export.pdf",
        "A note on A4",
        print_note,
        query=Version,
        answer=Download,
        faults=(*_FAULTS, PRINTER_FAILED, PRINTER_MISSING),
        note="With boxes for stamps, dates by era, photos numbered. It is on record before it is given out.",
    ),
    Call(
        "GET",
        "/api/notes/{note}/export.zip",
        "A note with its photos and files",
        pack_note,
        query=Version,
        answer=Made,
        faults=(*_FAULTS, NOTE_EXPORT_TOO_LARGE),
        note="The originals where they may be read from here; `SHA256SUMS.txt` names the hash of each. On record as well.",
    ),
)
