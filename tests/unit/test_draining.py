"""What is written behind an upload's back: its failure is told by the disk once, and must not be forgotten."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chat_server.blobs import unfinished
from chat_server.blobs.filesystem import FileBlobs
from chat_server.domain.errors import DISK_FULL, STORAGE_BROKEN, Fault, Problem

UPLOAD = "06ed0000000000000000000006"
MB = 1 << 20


@pytest.fixture
async def blobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FileBlobs]:
    monkeypatch.setattr(unfinished, "DRAIN_BYTES", 2 * MB)
    store = FileBlobs(tmp_path)
    yield store
    await store.close()


class Disk:
    """fdatasync as the kernel does it: of one failure it tells whoever asks first. Fails where `drains` asks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, number: int = 0) -> None:
        self.asked = 0
        self._number = number
        self._real = os.fdatasync
        monkeypatch.setattr(os, "fdatasync", self.fdatasync)

    def fdatasync(self, descriptor: int) -> None:
        if threading.current_thread().name.startswith("drains"):
            self.asked += 1
            number, self._number = self._number, 0
            if number:
                raise OSError(number, os.strerror(number))
        self._real(descriptor)


async def test_a_large_upload_is_on_the_disk_before_it_ends(blobs: FileBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    async with blobs.unfinished(UPLOAD) as part:
        for _ in range(20):
            await part.write(b"x" * MB)
        blob = await part.keep(1)
    assert 1 <= disk.asked <= 10
    assert blob.size == 20 * MB


async def upload(blobs: FileBlobs, step: str) -> None:
    """4 MB, then `step`; or more and more, until it is told."""
    async with blobs.unfinished(UPLOAD) as part:
        for _ in range(4):
            await part.write(b"x" * MB)
        if step == "flush":
            await part.flush()
        elif step == "keep":
            await part.keep(1)
        for _ in range(100):
            await part.write(b"x" * MB)


@pytest.mark.parametrize(("number", "fault"), [(errno.EIO, STORAGE_BROKEN), (errno.EDQUOT, DISK_FULL)])
@pytest.mark.parametrize("step", ["flush", "keep", "write"])
async def test_a_failure_behind_its_back_is_told(
    blobs: FileBlobs, monkeypatch: pytest.MonkeyPatch, number: int, fault: Fault, step: str
) -> None:
    async with blobs.unfinished(UPLOAD) as part:
        await part.write(b"s" * 1000)
        await part.flush()
    Disk(monkeypatch, number)
    with pytest.raises(Problem) as told:
        await upload(blobs, step)
    assert told.value.fault is fault
    monkeypatch.undo()
    if fault is DISK_FULL:
        async with blobs.unfinished(UPLOAD) as part:
            assert part.size == 1000, "what may not have reached the disk was told to be safe"
