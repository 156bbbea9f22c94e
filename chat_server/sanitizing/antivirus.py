"""ClamAV's daemon as a second opinion on what came in: it may refuse a file, and never releases one.

It sees the bytes as they were received, of every file in an archive by itself. What it passes is taken apart and rebuilt like anything
else: it passed an encrypted document and an archive bomb when it was tried.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

_PIECE: Final = 1 << 18
_ANSWER_BYTES: Final = 4096
_CLEAN: Final = "stream: OK"
_FOUND: Final = " FOUND"
SOCKET: Final = "unix:"


class NotScanned(Exception):
    """Nobody has looked at it: the daemon is not there, refuses, or says what is not understood."""


class Antivirus:
    """`address`: `unix:/path` or `host:port` of clamd; `seconds`: for one file."""

    def __init__(self, address: str, *, seconds: float = 120.0) -> None:
        """Raises ValueError for what is no address."""
        self._path = address.removeprefix(SOCKET) if address.startswith(SOCKET) else ""
        self._host, _, port = ("", "", "0") if self._path else address.rpartition(":")
        if not self._path and not (self._host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError(f"antivirus: unix:/path or host:port, not {address!r}")
        self._port = int(port)
        self._seconds = seconds

    async def look(self, path: Path) -> str | None:
        """The name of what was found in the file; None: nothing. Raises `NotScanned`."""
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._ask(path)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise NotScanned(f"{type(error).__name__}: {error}") from None
        if answer == _CLEAN:
            return None
        if answer.endswith(_FOUND):
            return answer.removesuffix(_FOUND).partition(": ")[2][:120]
        raise NotScanned(answer)

    async def _ask(self, path: Path) -> str:
        """One INSTREAM (clamd(8)): pieces of a length, 4 bytes big-endian, and a length of zero; the answer ends in a zero byte."""
        reader, writer = await (
            asyncio.open_unix_connection(self._path) if self._path else asyncio.open_connection(self._host, self._port)
        )
        try:
            writer.write(b"zINSTREAM\0")
            sending = asyncio.ensure_future(_send(writer, path))
            # It may answer before it has heard all: that the stream is too long for it.
            try:
                answer = await reader.readuntil(b"\0")
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
            return answer[:_ANSWER_BYTES].rstrip(b"\0").decode("utf-8", "replace").strip()
        except asyncio.LimitOverrunError as error:
            raise NotScanned("an answer without end") from error
        finally:
            writer.close()


async def _send(writer: asyncio.StreamWriter, path: Path) -> None:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            writer.write(len(piece).to_bytes(4, "big") + piece)
            await writer.drain()
    writer.write(bytes(4))
    await writer.drain()
