"""The printer: one job at a time in a process of its own; others wait for a while."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec
import structlog

from chat_server.domain.errors import PRINTER_BUSY, PRINTER_FAILED, PRINTER_MISSING, Problem
from chat_server.domain.printed import OUT, Job
from chat_server.ports import SCRATCH
from chat_server.printing import archive

SECONDS: Final = 75.0
PATIENCE: Final = 80.0
"""For those before one: longer than one takes that is made to take for ever (a table of 14,000 rows), so that nobody shuts out the
others with it."""
AT_ONCE: Final = 1
PACKING: Final = 2
"""ZIPs at once."""
_KEPT: Final = ("PATH", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "VIRTUAL_ENV")
"""of the environment; the rest may hold secrets"""
_NO_LIBRARY: Final = 3
_ASK: Final = f"""
try:
    import weasyprint
except OSError:
    raise SystemExit({_NO_LIBRARY})
"""
log = structlog.get_logger("renraku.printing")


class Printer:
    """Fills `ports.NotePress`. `scratch`: a folder for its jobs."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._printing = asyncio.Semaphore(AT_ONCE)
        self._packing = asyncio.Semaphore(PACKING)

    async def print(self, job: Job, pictures: Sequence[Path]) -> bytes:
        """The PDF. `pictures`: files that stay while it works, by their number.

        Raises `Problem` 8008 (too many before one), 4038 (too long for it), 4039 (the machine lacks what it needs).
        """
        async with self._waiting(self._printing):
            with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=self._scratch) as folder:
                return await self._printed(Path(folder), job, pictures)

    async def _printed(self, folder: Path, job: Job, pictures: Sequence[Path]) -> bytes:
        await asyncio.to_thread(_lay_out, folder, job, pictures)
        status = await _run(["-m", "chat_server.printing.child", str(folder)], SECONDS)
        out = folder / OUT
        if status == 0 and out.exists():
            return await asyncio.to_thread(out.read_bytes)
        if await self.lacking():
            raise Problem(PRINTER_MISSING)
        log.warning("a note could not be printed", status=status, parts=len(job.parts))
        raise Problem(PRINTER_FAILED)

    async def pack(self, target: Path, texts: Mapping[str, bytes], files: Mapping[str, Path]) -> None:
        """See `ports.NotePress`."""
        async with self._waiting(self._packing):
            await asyncio.to_thread(archive.write, target, texts, files)

    @contextlib.asynccontextmanager
    async def _waiting(self, turn: asyncio.Semaphore) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(PATIENCE):
                await turn.acquire()
        except TimeoutError:
            raise Problem(PRINTER_BUSY, retry_after=max(1, int(PATIENCE))) from None
        try:
            yield
        finally:
            turn.release()

    async def lacking(self) -> bool:
        """Whether the machine has not what it needs (Pango)."""
        return find_spec("weasyprint") is None or await _run(["-c", _ASK], 30.0) == _NO_LIBRARY


def _lay_out(folder: Path, job: Job, pictures: Sequence[Path]) -> None:
    (folder / OUT).parent.mkdir()
    (folder / "job").write_bytes(msgspec.msgpack.encode(job))
    for number, picture in enumerate(pictures):
        try:
            os.link(picture, folder / str(number))
        except OSError:  # another disk
            (folder / str(number)).write_bytes(picture.read_bytes())


async def _run(arguments: Sequence[str], seconds: float) -> int | None:
    """Its status; None: it took too long."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        env={name: os.environ[name] for name in _KEPT if name in os.environ}, start_new_session=True,
    )  # fmt: skip
    try:
        async with asyncio.timeout(seconds):
            return await process.wait()
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
