"""A daemon that speaks clamd's INSTREAM (clamd(8)) over a real socket, and finds one word."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Final, Self

FINDS: Final = b"not harmless at all"
NAME: Final = "Test.Signature-1"


class Clamd:
    """`async with Clamd(folder) as daemon`: at `daemon.address`. `most`: bytes of a stream that it takes; `silent`: it hears, and says
    nothing; `says`: this, whatever it hears."""

    def __init__(self, folder: Path, *, most: int = 1 << 20, silent: bool = False, says: bytes = b"") -> None:
        self._path = folder / "clamd.ctl"
        self._most, self._silent, self._says = most, silent, says
        self.heard: list[int] = []
        """bytes of each stream that came whole"""

    @property
    def address(self) -> str:
        return f"unix:{self._path}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._serve, self._path)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
            content = bytearray()
            while size := int.from_bytes(await reader.readexactly(4), "big"):
                content += await reader.readexactly(size)
                if len(content) > self._most:
                    writer.write(b"INSTREAM size limit exceeded. ERROR\0")
                    await writer.drain()
                    return
            self.heard.append(len(content))
            if self._silent:
                await reader.read()
                return
            found = f"stream: {NAME} FOUND".encode() if FINDS in content else b"stream: OK"
            writer.write((self._says or found) + b"\0")
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
