"""Notes as documents: a PDF for paper, a ZIP with the photos and files."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
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
)
from chat_server.domain.ids import new_id
from chat_server.http.calls import AnyCall, Call, Ctx, Nothing
from chat_server.http.replies import Download, Made
from chat_server.services import note_documents

PDF: Final = "application/pdf"
ZIP: Final = "application/zip"


class Version(msgspec.Struct, frozen=True):
    """None: as it is now."""

    version: Annotated[int, msgspec.Meta(ge=1, le=2**53)] | None = None


async def print_note(ctx: Ctx[Nothing, Version]) -> Any:
    note, parts = ctx.path["note"], ctx.parts
    number = await _on_record(ctx, "pdf")
    paper = await ctx.read(lambda reader: note_documents.paper(reader, ctx.actor, note, number, parts.trust))
    async with AsyncExitStack() as stack:
        pictures = [
            await stack.enter_async_context(parts.blobs.local(one.org_id, one.sha256)) for one in paper.pictures
        ]
        return Download(paper.name, PDF, await parts.press.print(paper.job, pictures))


async def pack_note(ctx: Ctx[Nothing, Version]) -> Any:
    note, parts = ctx.path["note"], ctx.parts
    number = await _on_record(ctx, "zip")
    bundle = await ctx.read(lambda reader: note_documents.bundle(reader, ctx.actor, note, number, parts.trust))
    target = Path(parts.scratch) / f"note-{new_id(parts.clock.now())}.zip"
    async with AsyncExitStack() as stack:
        files = {
            name: await stack.enter_async_context(parts.blobs.local(one.org_id, one.sha256))
            for name, one in bundle.files.items()
        }
        await parts.press.pack(target, bundle.texts, files)
    return Made(bundle.name, ZIP, target)


async def _on_record(ctx: Ctx[Nothing, Version], kind: str) -> int | None:
    note, wanted = ctx.path["note"], ctx.query.version
    return await ctx.write(lambda tx, actor: note_documents.on_record(tx, actor, note, wanted, kind))


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
