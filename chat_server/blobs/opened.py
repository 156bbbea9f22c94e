"""Reading a blob that is a file."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from typing import BinaryIO, Final

PIECE: Final = 256 * 1024
"""What a reader who takes nothing costs in memory."""


class OpenedFile:
    """Implements `ports.Opened`. The bytes stay readable when their name is removed meanwhile."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = os.fstat(file.fileno()).st_size

    async def pieces(self, first: int, length: int) -> AsyncGenerator[bytes, None]:
        await asyncio.to_thread(self._file.seek, first)
        while length > 0:
            piece = await asyncio.to_thread(self._file.read, min(PIECE, length))
            if not piece:
                return
            length -= len(piece)
            yield piece
