"""How long `renraku demo` takes until it answers, from the typed command on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

READY_SECONDS = 3.0
LATER_STARTS = 3
LOADINGS = 2.0
"""How many times as long as loading its code the start may take on a slow machine."""


@contextlib.asynccontextmanager
async def demo(folder: Path) -> AsyncIterator[float]:
    """The command that `make run` ends with; yields the seconds until its address was printed and answered."""
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("renraku"), "demo",
        env={**os.environ, "RENRAKU_DATA": str(folder), "RENRAKU_PORT": "0"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        address = None
        while address is None:
            line = (await process.stdout.readline()).decode()
            assert line, "the demonstration did not start"
            address = re.search(r"http://127\.0\.0\.1:\d+/", line)
        async with httpx2.AsyncClient(trust_env=False, timeout=10) as http:
            assert (await http.get(f"{address[0]}readyz")).status_code == 200
        yield time.monotonic() - began
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.communicate()


async def _loading() -> float:
    """Seconds until the code that the command needs is loaded, and nothing else is done."""
    began = time.monotonic()
    code = "import chat_server.cli.main, chat_server.serving, chat_server.demo.load"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    assert await process.wait() == 0
    return time.monotonic() - began


@pytest.mark.timeout(180)
async def test_the_demonstration_is_ready_within_three_seconds_once_it_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with demo(tmp_path / "data") as first:
        pass
    later, loading = [], []
    for _ in range(LATER_STARTS):
        loading.append(await _loading())
        async with demo(tmp_path / "data") as seconds:
            later.append(seconds)
    with capsys.disabled():
        told = f"first start {first:.1f} s, later {', '.join(f'{each:.2f}' for each in later)} s"
        print(f"\nrenraku demo: {told}, loading {min(loading):.2f} s")  # noqa: T201
    # The best of them: other tests run beside this one, and their time is not the command's. A machine on which the code alone takes
    # seconds to load keeps no promise in seconds.
    assert min(later) < max(READY_SECONDS, LOADINGS * min(loading))
