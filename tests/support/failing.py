"""A disk that fails under a running process."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

from tests.support.patience import DEADLINE


@contextlib.asynccontextmanager
async def failing(process: Process, call: str, log: Path, *paths: Path) -> AsyncIterator[None]:
    """From here on every `call` of the process (on `paths`, if there are any) ends with EIO. `log` tells which were made.

    strace is attached to the running process, so that what comes before the failure is as real as what comes after it."""
    only = [word for path in paths for word in ("-P", str(path))]
    strace = await asyncio.create_subprocess_exec(
        "strace", "-f", "-o", str(log), *only, "-e", f"trace={call}", "-e", f"inject={call}:error=EIO",
        "-p", str(process.pid), stderr=PIPE,
    )  # fmt: skip
    assert strace.stderr is not None
    try:
        async with asyncio.timeout(DEADLINE):
            while b"attached" not in (line := await strace.stderr.readline()):
                assert line, "strace could not be attached"
        yield
    finally:
        # It ends with the process that it is attached to; a test that failed may have left that one alive.
        if process.returncode is None:
            strace.terminate()
        await strace.communicate()
