"""Several processes on one folder of blobs: keeping, sweeping and uploads in parts, with kills and clocks apart."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chat_server.blobs.filesystem import FileBlobs
from chat_server.domain.errors import Problem
from tests.support.patience import DEADLINE

REPO = Path(__file__).parents[2]
UPLOAD = "0123456789abcdef0123456789"
ROUNDS = 150

START = """
import asyncio, os, sys, time
from pathlib import Path
from chat_server.blobs.filesystem import FileBlobs

root = Path(sys.argv[1])
"""

KEEPS = (
    START
    + """
async def main():
    store = FileBlobs(root, shared=True)
    for each in range(int(sys.argv[2])):
        blob = await store.keep_bytes(1, b"one of three: %d" % (each % 3))
        path = store.path(1, blob.sha256)
        # the row of this blob is committed now: from here on it must be there
        assert path.read_bytes() == b"one of three: %d" % (each % 3), each
        if each % 2:
            # as if its row had been deleted, and two hours had passed
            try:
                os.utime(path, (time.time() - 7200,) * 2)
            except FileNotFoundError:
                pass
    await store.close()

asyncio.run(main())
"""
)

SWEEPS = (
    START
    + """
async def main():
    store = FileBlobs(root, shared=True)
    removed = 0
    while not (root / "end").exists():
        async for org_id, names in store.old():
            removed += await store.remove_old(org_id, names)
        await store.sweep(0)
    await store.close()
    print(removed)

asyncio.run(main())
"""
)

UPLOADS = (
    START
    + """
async def main():
    store = FileBlobs(root, shared=True)
    async with store.unfinished(sys.argv[2]) as part:
        print(part.size, flush=True)
        while True:
            await part.write(bytes([part.size // 50_000 % 256]) * 50_000)
            await part.flush()
            print(part.size, flush=True)

asyncio.run(main())
"""
)


def process(code: str, *arguments: object, **more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(REPO), "PYTHONDONTWRITEBYTECODE": "1"} | more
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def test_what_one_process_keeps_no_other_removes(tmp_path: Path) -> None:
    """A keeper that answered has its bytes there, whatever the sweeper of another process was about to do to older ones.

    Ageing is part of the keeper: so nothing is older than the keep whose answer is looked at, but that bytes of that name
    may be old, listed and being removed at every moment of the next keep."""
    root = tmp_path / "blobs"
    FileBlobs(root, shared=True)
    with process(SWEEPS, root) as sweeper, process(KEEPS, root, ROUNDS) as keeper:
        _, wrong = keeper.communicate(timeout=60)
        (root / "end").touch()
        removed, broken = sweeper.communicate(timeout=60)
        assert keeper.returncode == 0, wrong
        assert sweeper.returncode == 0, broken
    assert int(removed) > 0


REMOVES = (
    START
    + """
async def main():
    print(await FileBlobs(root, shared=True).remove_old(1, [sys.argv[2]]))

asyncio.run(main())
"""
)


def _is_held(path: Path) -> bool:
    with path.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


async def test_what_is_kept_between_the_look_and_the_removal_of_another_process_is_there_afterwards(
    tmp_path: Path,
) -> None:
    """The other process has found the bytes old and is on its way to unlink, which takes two seconds here."""
    root = tmp_path / "blobs"
    store = FileBlobs(root, shared=True)
    blob = await store.keep_bytes(1, b"the same bytes")
    os.utime(store.path(1, blob.sha256), (time.time() - 7200,) * 2)
    slow = ["strace", "-f", "-o", "/dev/null", "-e", "trace=unlink", "-e", "inject=unlink:delay_enter=2000000:when=2"]
    remover = await asyncio.create_subprocess_exec(
        *slow, sys.executable, "-c", REMOVES, str(root), blob.sha256, stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(REPO)},
    )  # fmt: skip
    async with asyncio.timeout(DEADLINE):
        while not await asyncio.to_thread(_is_held, root / "names.lock"):  # noqa: ASYNC110 (a lock has no event)
            await asyncio.sleep(0.01)
    await FileBlobs(root, shared=True).keep_bytes(1, b"the same bytes")
    said, _ = await remover.communicate()
    assert said == b"1\n"
    assert store.path(1, blob.sha256).read_bytes() == b"the same bytes"
    await store.close()


def test_kill_9_and_another_process_goes_on(tmp_path: Path) -> None:
    root = tmp_path / "blobs"
    rng = random.Random(16)
    told = 0
    for _ in range(6):
        with process(UPLOADS, root, UPLOAD) as writer:
            assert writer.stdout is not None
            begin = int(writer.stdout.readline())
            assert begin >= told, "bytes that were told safe are gone"
            assert begin % 50_000 == 0
            for _ in range(rng.randrange(1, 12)):
                told = int(writer.stdout.readline())
            writer.send_signal(signal.SIGKILL)
            told = max([told, *(int(line) for line in writer.stdout.read().splitlines())])

    async def finish() -> None:
        store = FileBlobs(root, shared=True)
        async with store.unfinished(UPLOAD) as part:
            assert part.size >= told
            blob = await part.keep(1)
            whole = b"".join(bytes([each % 256]) * 50_000 for each in range(part.size // 50_000))
            assert blob.sha256 == hashlib.sha256(whole).hexdigest()
            await part.discard()
        await store.close()

    asyncio.run(finish())


async def test_an_upload_is_held_against_other_processes_and_free_when_they_die(tmp_path: Path) -> None:
    root = tmp_path / "blobs"
    store = FileBlobs(root, shared=True)
    writer = await asyncio.to_thread(process, UPLOADS, root, UPLOAD)
    with writer:
        assert writer.stdout is not None
        await asyncio.to_thread(writer.stdout.readline)
        with pytest.raises(Problem) as problem:
            async with store.unfinished(UPLOAD):
                pass
        assert problem.value.fault.code == 8006
        writer.kill()
        await asyncio.to_thread(writer.wait)
        async with store.unfinished(UPLOAD) as part:
            await part.discard()
    await store.close()


async def test_what_another_process_has_half_done_is_spared(tmp_path: Path) -> None:
    root = tmp_path / "blobs"
    arriving = FileBlobs(root, shared=True).receive()
    await arriving.write(os.urandom(300_000))
    other = FileBlobs(root, shared=True)
    assert await other.sweep(0) == 0
    assert arriving.path.exists()
    os.utime(arriving.path, (time.time() - 7200,) * 2)
    assert await other.sweep(0) == 1
    await other.close()


@pytest.mark.parametrize("hours", [-3, 3])
def test_the_clock_of_a_node_does_not_matter(hours: int, tmp_path: Path) -> None:
    """time.time() of the sweeper's process is hours away; the folder gives both times."""
    root = tmp_path / "blobs"

    async def kept() -> tuple[str, str]:
        store = FileBlobs(root, shared=True)
        young, old = await store.keep_bytes(1, b"young"), await store.keep_bytes(1, b"old")
        os.utime(store.path(1, old.sha256), (time.time() - 7200,) * 2)
        await store.close()
        return young.sha256, old.sha256

    young, old = asyncio.run(kept())
    apart = f"import time; real = time.time; time.time = lambda: real() + {hours * 3600}\n"
    (root / "end").touch()
    once = SWEEPS.replace('while not (root / "end").exists():', "for _ in range(1):")
    done = subprocess.run(
        [sys.executable, "-c", apart + once, str(root)], capture_output=True, text=True, timeout=60, check=True,
        env=os.environ | {"PYTHONPATH": str(REPO)},
    )  # fmt: skip
    assert done.stdout == "1\n"
    assert (root / "1" / young[:2] / young).exists()
    assert not (root / "1" / old[:2] / old).exists()


async def test_a_loss_of_power_leaves_what_was_told_safe(tmp_path: Path) -> None:
    """After one, a file may be longer than what was fsynced, with zeros in it."""
    root = tmp_path / "blobs"
    store = FileBlobs(root, shared=True)
    async with store.unfinished(UPLOAD) as part:
        await part.write(b"a" * 1000)
        await part.flush()
    with (root / "unfinished" / UPLOAD).open("ab") as file:
        file.write(bytes(5000))
    async with store.unfinished(UPLOAD) as part:
        assert part.size == 1000
        await part.write(b"b")
        assert (await part.keep(1)).sha256 == hashlib.sha256(b"a" * 1000 + b"b").hexdigest()
    await store.close()
