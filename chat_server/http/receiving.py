"""The bytes of one request of tus, for whoever they are."""

from __future__ import annotations

from typing import Any, Final

from chat_server.domain.errors import INVALID_BODY, UPLOAD_BUSY, UPLOAD_CHECKSUM, UPLOAD_OFFSET, Problem
from chat_server.http import tus
from chat_server.http.body import ClientGone, stream_body
from chat_server.http.calls import Ctx
from chat_server.http.uploading import Turn
from chat_server.ports import Part

SAFE_EVERY: Final = 256 * 1024 * 1024
"""Bytes of a request after which what came is put on the disk: a killed server loses no more of a file."""


def check_offset(asked: int, offset: int) -> None:
    """Raises `Problem` 5009."""
    if asked != offset:
        raise Problem(UPLOAD_OFFSET, "Upload-Offset", offset=offset)


async def receive(
    ctx: Ctx[Any, Any], turn: Turn, part: Part, size: int, offset: int, expected: tus.Checksum | None
) -> bool:
    """Add what comes from `offset` on; answers whether the `size` bytes of the upload are whole now. What is not whole is safe.

    Raises `Problem` 5009, 5010, 5013, 2002, 2003, 8xxx and those of the caller, who may have lost the right to it."""
    check_offset(offset, part.size)
    if part.size < size:
        await _receive(ctx, turn, part, size - part.size, expected)
    if part.size == size:
        return True
    await part.flush()
    return False


async def _receive(ctx: Ctx[Any, Any], turn: Turn, part: Part, most: int, expected: tus.Checksum | None) -> None:
    """The bytes of this request. Without a checksum a cut line leaves what came, safe; with one, all of it or nothing:
    half of it cannot be looked at."""
    began = safe = part.size
    try:
        async with turn.receiving():
            async for chunk in stream_body(ctx.scope, ctx.receive, most, raw=True):
                if expected is not None:
                    expected.update(chunk)
                await part.write(chunk)
                if expected is None and part.size - safe >= SAFE_EVERY:
                    await part.flush()
                    safe = part.size
    except (ClientGone, Problem) as ended:
        if expected is not None:
            await part.cut(began)
        elif isinstance(ended, ClientGone) or ended.fault in (INVALID_BODY, UPLOAD_BUSY):
            await part.flush()
        raise
    if expected is not None and not expected.right:
        await part.cut(began)
        raise Problem(UPLOAD_CHECKSUM, "Upload-Checksum")
    # Its sender may have lost the right to it while it came in.
    await ctx.body_arrived(b"")
