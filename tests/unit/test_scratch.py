"""A folder to decode in is gone when that is done: also where its maker was told to stop while it was being made."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from pathlib import Path

import pytest

from chat_server.services.scratch import scratch_folder


async def test_one_that_was_cancelled_while_it_was_made_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, made = threading.Event(), threading.Event(), threading.Event()
    make = tempfile.mkdtemp

    def slowly(*, dir: Path, prefix: str) -> str:  # noqa: A002 (as it is called)
        begun.set()
        go_on.wait(30)
        folder = make(dir=dir, prefix=prefix)
        made.set()
        return folder

    monkeypatch.setattr(tempfile, "mkdtemp", slowly)

    async def decode() -> None:
        async with scratch_folder(tmp_path):
            pytest.fail("nobody waits for it any more")

    task = asyncio.create_task(decode())
    await asyncio.to_thread(begun.wait, 30)
    task.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(made.wait, 30)
    assert not any(tmp_path.iterdir())  # noqa: ASYNC240 (a folder of this test alone)


async def test_one_whose_work_failed_is_gone_with_what_lay_in_it(tmp_path: Path) -> None:
    async def fail() -> None:
        async with scratch_folder(tmp_path) as folder:
            (folder / "page").write_bytes(b"1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert not any(tmp_path.iterdir())  # noqa: ASYNC240 (a folder of this test alone)
