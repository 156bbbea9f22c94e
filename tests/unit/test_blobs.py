"""The blob store on real disks: full ones, failing ones, and with kill -9 at every step of keeping."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chat_server.blobs.filesystem import FileBlobs
from chat_server.blobs.incoming import BATCH_BYTES
from chat_server.domain.errors import Problem
from chat_server.ports import Blob, BlobStore
from tests.unit.small_disk import resize, small_disk

REPO = Path(__file__).parents[2]
DATA = os.urandom(700_000)
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[FileBlobs]:
    store = FileBlobs(tmp_path / "blobs")
    port: BlobStore = store  # mypy compares the two
    assert port is store
    yield store
    await store.close()


def everything(root: Path) -> list[Path]:
    """All files below a folder, those on their way in too."""
    return sorted(path for path in root.rglob("*") if path.is_file())


def bytes_of(store: FileBlobs, blob: Blob, org_id: int = 1) -> bytes:
    return store.path(org_id, blob.sha256).read_bytes()


def assert_whole(root: Path) -> list[Path]:
    """Every blob under its final name holds exactly the bytes of that name."""
    final = [path for path in everything(root) if path.parent != root / "incoming"]
    for path in final:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    return final


async def test_bytes_come_back_under_their_hash(blobs: FileBlobs, tmp_path: Path) -> None:
    incoming = blobs.receive()
    for at in range(0, len(DATA), 1400):
        await incoming.write(DATA[at : at + 1400])
    assert incoming.size == len(DATA)
    blob = await blobs.keep(7, incoming)
    assert blob == Blob(SHA256, len(DATA))
    assert blobs.path(7, SHA256) == tmp_path / "blobs" / "7" / SHA256[:2] / SHA256
    assert bytes_of(blobs, blob, 7) == DATA
    assert everything(tmp_path) == [blobs.path(7, SHA256)]


async def test_the_same_bytes_of_two_organizations_are_two_blobs(blobs: FileBlobs) -> None:
    await blobs.keep_bytes(1, DATA)
    await blobs.keep_bytes(2, DATA)
    await blobs.delete(1, SHA256)
    assert not blobs.path(1, SHA256).exists()
    assert bytes_of(blobs, Blob(SHA256, 0), 2) == DATA


async def test_nobody_else_on_the_machine_can_read(blobs: FileBlobs, tmp_path: Path) -> None:
    blob = await blobs.keep_bytes(1, DATA)
    incoming = blobs.receive()
    await incoming.write(DATA)
    for path in (tmp_path / "blobs").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
    assert blobs.path(1, blob.sha256).exists()
    await incoming.discard()


async def test_an_empty_file_is_a_blob(blobs: FileBlobs) -> None:
    blob = await blobs.keep(1, blobs.receive())
    assert blob == Blob(hashlib.sha256().hexdigest(), 0)
    assert bytes_of(blobs, blob) == b""


async def test_after_a_flush_the_file_holds_all_so_far(blobs: FileBlobs) -> None:
    incoming = blobs.receive()
    await incoming.write(b"x" * 10)
    await incoming.flush()
    assert incoming.path.read_bytes() == b"x" * 10
    await incoming.write(b"y" * (BATCH_BYTES + 5))
    assert incoming.path.stat().st_size == incoming.size == BATCH_BYTES + 15
    await incoming.discard()


async def test_the_same_bytes_at_once_are_one_blob(blobs: FileBlobs, tmp_path: Path) -> None:
    async def upload() -> Blob:
        incoming = blobs.receive()
        for at in range(0, len(DATA), 100_000):
            await incoming.write(DATA[at : at + 100_000])
            await asyncio.sleep(0)
        return await blobs.keep(1, incoming)

    kept = await asyncio.gather(*(upload() for _ in range(12)), *(blobs.keep_bytes(1, DATA) for _ in range(12)))
    assert set(kept) == {Blob(SHA256, len(DATA))}
    assert everything(tmp_path) == [blobs.path(1, SHA256)]
    assert bytes_of(blobs, kept[0]) == DATA


async def test_keeping_again_heals_damaged_bytes_and_makes_them_young(blobs: FileBlobs) -> None:
    await blobs.keep_bytes(1, DATA)
    path = blobs.path(1, SHA256)
    path.write_bytes(b"damaged")
    os.utime(path, (0, 0))
    await blobs.keep_bytes(1, DATA)
    assert path.read_bytes() == DATA
    # a sweeper that goes by age must not take what is about to be referred to
    assert path.stat().st_mtime > time.time() - 60


async def test_discarded_bytes_are_gone(blobs: FileBlobs, tmp_path: Path) -> None:
    incoming = blobs.receive()
    await incoming.write(DATA)
    assert incoming.path.exists()
    await incoming.discard()
    await incoming.discard()
    assert everything(tmp_path) == []
    with pytest.raises(ValueError, match="kept or discarded"):
        await incoming.write(b"more")
    with pytest.raises(ValueError, match="kept or discarded"):
        await blobs.keep(1, incoming)


async def test_to_discard_what_was_kept_or_never_came_is_fine(blobs: FileBlobs, tmp_path: Path) -> None:
    await blobs.receive().discard()
    incoming = blobs.receive()
    await incoming.write(DATA)
    await blobs.keep(1, incoming)
    with pytest.raises(ValueError, match="kept or discarded"):
        await incoming.write(b"more")
    await incoming.discard()
    assert everything(tmp_path) == [blobs.path(1, SHA256)]


async def test_an_upload_cancelled_in_the_middle_of_a_write_leaves_nothing(blobs: FileBlobs, tmp_path: Path) -> None:
    for _ in range(30):
        incoming = blobs.receive()
        writing = asyncio.create_task(incoming.write(b"x" * (8 << 20)))
        await asyncio.sleep(0)  # it waits for its thread by now
        writing.cancel()
        await incoming.discard()
        with pytest.raises(asyncio.CancelledError):
            await writing
        assert everything(tmp_path) == []


async def test_deleting_what_is_missing_is_fine(blobs: FileBlobs) -> None:
    await blobs.delete(1, SHA256)
    await blobs.keep_bytes(1, DATA)
    await blobs.delete(1, SHA256)
    await blobs.delete(1, SHA256)
    assert not blobs.path(1, SHA256).exists()


@pytest.mark.parametrize(
    "name", ["", "../../../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n", "a" * 32 + "/" * 32]
)
async def test_what_is_no_hash_makes_no_path(blobs: FileBlobs, name: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        blobs.path(1, name)
    with pytest.raises(ValueError, match="SHA-256"):
        await blobs.delete(1, name)


async def test_leftovers_are_swept_and_uploads_in_progress_are_not(blobs: FileBlobs, tmp_path: Path) -> None:
    kept = await blobs.keep_bytes(1, DATA)
    arriving = blobs.receive()
    await arriving.write(DATA)
    old, young = (tmp_path / "blobs" / "incoming" / name for name in ("old", "young"))
    for path in (old, young):
        path.write_bytes(b"left by a process that was killed")
    for path in (old, arriving.path):  # an upload may stall for longer than leftovers are kept
        os.utime(path, (time.time() - 7200,) * 2)
    assert await blobs.sweep(3_600_000) == 1
    assert not old.exists()
    assert young.exists()
    assert (await blobs.keep(1, arriving)) == kept
    assert await blobs.sweep(0) == 1
    assert everything(tmp_path) == [blobs.path(1, SHA256)]


# ----------------------------------------------------------------------------------------------- a full disk


async def test_a_full_disk_is_told_leaves_nothing_and_heals() -> None:
    with small_disk("1m") as disk:
        store = FileBlobs(disk / "blobs")
        kept = await store.keep_bytes(1, b"x" * 100_000)
        for attempt in (_in_chunks, _at_once):
            with pytest.raises(Problem) as problem:
                await attempt(store, 2_000_000)
            assert problem.value.fault.code == 8002
            # the temporary file is gone, and what was there is readable
            assert everything(disk) == [store.path(1, kept.sha256)]
            assert bytes_of(store, kept) == b"x" * 100_000
        resize(disk, "10m")
        for attempt in (_in_chunks, _at_once):
            assert (await attempt(store, 2_000_000)).size == 2_000_000
        await store.close()


async def _in_chunks(store: FileBlobs, size: int) -> Blob:
    incoming = store.receive()
    for at in range(0, size, 65_536):
        await incoming.write(b"z" * min(65_536, size - at))
    return await store.keep(1, incoming)


async def _at_once(store: FileBlobs, size: int) -> Blob:
    return await store.keep_bytes(1, b"a" * size)


# ------------------------------------------------------------- a failing disk, and a process that is killed

UPLOADS = """
import asyncio, hashlib, sys
from pathlib import Path
from chat_server.blobs.filesystem import FileBlobs
from chat_server.domain.errors import Problem

async def main():
    store = FileBlobs(Path(sys.argv[1]))
    for each in range(3):
        incoming = store.receive()
        try:
            for part in range(3):
                await incoming.write(bytes([each]) * 150_000)
            blob = await store.keep(each // 2 + 1, incoming)
        except Problem as error:
            print(error.fault.code, flush=True)
            continue
        # the acknowledgement: what was said here must be there, whatever happens next
        print(f"{each // 2 + 1} {blob.sha256}", flush=True)

asyncio.run(main())
"""


def traced(root: Path, *options: str, log: Path) -> subprocess.CompletedProcess[str]:
    command = ["strace", "-f", "-y", "-s", "200", "-o", str(log), *options, sys.executable, "-c", UPLOADS, str(root)]
    environment = os.environ | {"PYTHONPATH": str(REPO), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)


@pytest.mark.parametrize("step", ["fsync", "/^rename", "/^mkdir"])
def test_kill_9_at_every_step_leaves_whole_blobs_only(step: str, tmp_path: Path) -> None:
    for when in range(1, 40):
        root = tmp_path / f"{step.strip('/^')}{when}"
        done = traced(
            root, "-e", f"trace={step}", "-e", f"inject={step}:signal=SIGKILL:when={when}", log=tmp_path / "log"
        )
        acknowledged = [line.split() for line in done.stdout.splitlines()]
        names = {path.name for path in assert_whole(root)}
        for org_id, sha256 in acknowledged:
            assert (root / org_id / sha256[:2] / sha256).stat().st_size == 450_000
        if done.returncode == 0:
            assert len(acknowledged) == len(names) == 3
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        # what the killed process left is swept by the next one, which can use the folder
        asyncio.run(_recover(root, names))
    else:
        pytest.fail("the process was killed every time")
    assert when >= 3, "nothing was killed: the steps are made by other system calls than this test thinks"


async def _recover(root: Path, names: set[str]) -> None:
    store = FileBlobs(root)
    await store.sweep(0)
    assert {path.name for path in everything(root)} == names
    assert bytes_of(store, await store.keep_bytes(1, DATA)) == DATA
    await store.close()


@pytest.mark.parametrize("which", [1, 2, 3])
def test_a_failed_fsync_is_the_end_and_is_never_tried_again(which: int, tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = traced(
        tmp_path / "blobs", "-e", "trace=fsync,fdatasync", "-e", f"inject=fsync:error=EIO:when={which}", log=log
    )
    assert done.stdout.splitlines() == ["9002"] * 3, done.stderr
    lines = [line for line in log.read_text().splitlines() if "sync(" in line]
    assert "EIO" in lines[-1], "there was another fsync after the failed one"
    assert sum("EIO" in line for line in lines) == 1
    assert everything(tmp_path / "blobs" / "incoming") == []


@pytest.mark.parametrize("step", ["fsync", "/^rename", "/^mkdir"])
def test_no_room_at_any_step_is_a_full_disk(step: str, tmp_path: Path) -> None:
    root = tmp_path / "blobs"
    # the organization's folder, not those that are made at the start
    only = ["-P", str(root / "1")] if step == "/^mkdir" else []
    inject = f"inject={step}:error=ENOSPC:when=1"
    done = traced(root, *only, "-e", f"trace={step}", "-e", inject, log=tmp_path / "log")
    refused, *others = done.stdout.splitlines()
    assert refused == "8002", done.stderr
    # strace counts in each thread anew: another one may have met its first too
    kept = [line for line in others if line != "8002"]
    assert len(everything(root)) == len(assert_whole(root)) == len(kept)


def test_the_order_is_write_fsync_rename_fsync(tmp_path: Path) -> None:
    """No test can pull the plug, but the kernel's promises hold for this order: every name is durable before the answer."""
    log, root = tmp_path / "log", tmp_path / "blobs"
    done = traced(root, "-e", "trace=/^(write|mkdir|fsync|rename)", log=log)
    acknowledged = [line.split()[1] for line in done.stdout.splitlines()]
    assert len(acknowledged) == 3
    steps = [step for step in map(_step, log.read_text().splitlines()) if step]
    for sha256 in acknowledged:
        final = next(path for path in everything(root) if path.name == sha256)
        renamed = next(at for at, step in enumerate(steps) if step.startswith("rename") and sha256 in step)
        temporary = re.findall(r"incoming/[0-9a-f]{32}", steps[renamed])[0]
        told = next(at for at, step in enumerate(steps) if step == f"stdout {sha256}")
        about = [at for at, step in enumerate(steps) if temporary in step]
        # all writes, then the fsync, then the rename
        assert [steps[at].split()[0] for at in about[-2:]] == ["fsync", "rename"]
        assert {steps[at].split()[0] for at in about[:-2]} == {"write"}
        for folder in (final.parent, final.parent.parent, root, tmp_path):
            # a folder's own name stands in its parent
            durable = [at for at, step in enumerate(steps) if step == f"fsync {folder}"]
            assert any(at < told for at in durable), folder
        assert any(renamed < at < told for at, step in enumerate(steps) if step == f"fsync {final.parent}")


def _step(line: str) -> str:
    """`123 fsync(9</path>) = 0` → `fsync /path`; what is printed → `stdout <hash>`."""
    told = re.search(r'write\(1<.*"\d+ ([0-9a-f]{64})', line)
    if told:
        return f"stdout {told[1]}"
    call = re.match(r"\d+\s+(\w+?)(?:at2?)?\(", line)
    paths = re.findall(r'[<"](/[^>"]*)[>"]', line)
    return f"{call[1]} {' '.join(paths)}" if call and paths else ""


def test_what_was_deleted_cannot_come_back_after_a_loss_of_power(tmp_path: Path) -> None:
    log, root = tmp_path / "log", tmp_path / "blobs"
    assert traced(root, "-e", "trace=none", log=log).returncode == 0
    (gone,) = [path for path in assert_whole(root) if path.parts[-3] == "2"]
    code = f"""
import asyncio
from pathlib import Path
from chat_server.blobs.filesystem import FileBlobs
asyncio.run(FileBlobs(Path({str(root)!r})).delete(2, {gone.name!r}))
"""
    command = ["strace", "-f", "-y", "-o", str(log), "-e", "trace=/^(unlink|fsync)", sys.executable, "-c", code]
    subprocess.run(command, check=True, timeout=120, env=os.environ | {"PYTHONPATH": str(REPO)})
    steps = [_step(line) for line in log.read_text().splitlines()]
    assert steps.index(f"unlink {gone}") < steps.index(f"fsync {gone.parent}")


def test_a_slow_disk_does_not_stop_the_event_loop(tmp_path: Path) -> None:
    code = UPLOADS.replace(
        "asyncio.run(main())",
        """
import time

async def watched():
    worst = 0
    task = asyncio.ensure_future(main())
    while not task.done():
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        worst = max(worst, time.perf_counter() - began)
    print("worst", worst)

asyncio.run(watched())
""",
    )
    slow = ["strace", "-f", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:delay_enter=2000000:when=1"]
    environment = os.environ | {"PYTHONPATH": str(REPO)}
    began = time.monotonic()
    done = subprocess.run(
        [*slow, sys.executable, "-c", code, str(tmp_path / "blobs")],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
        check=True,
    )
    assert time.monotonic() - began > 2  # the disk was slow indeed
    assert float(done.stdout.split()[-1]) < 1


KEPT_WHILE_REMOVED = """
import asyncio, os, sys, time
from pathlib import Path
from chat_server.blobs.filesystem import FileBlobs

async def main(root):
    before = FileBlobs(root)
    blob = await before.keep_bytes(1, b"the same bytes")
    os.utime(before.path(1, blob.sha256), (time.time() - 7200,) * 2)
    store = FileBlobs(root)  # another process's bytes: nobody here remembers them
    removing = asyncio.create_task(store.remove_old(1, [blob.sha256]))
    await asyncio.sleep(0)
    await store.keep_bytes(1, b"the same bytes")
    await removing
    print(store.path(1, blob.sha256).exists())

asyncio.run(main(Path(sys.argv[1])))
"""


def test_bytes_that_are_kept_while_the_sweeper_removes_them_are_there_afterwards(tmp_path: Path) -> None:
    """The removal has looked at the age and is on its way to unlink, which takes half a second here."""
    slow = ["strace", "-f", "-o", "/dev/null", "-e", "trace=unlink", "-e", "inject=unlink:delay_enter=500000"]
    done = subprocess.run(
        [*slow, sys.executable, "-c", KEPT_WHILE_REMOVED, str(tmp_path / "blobs")],
        capture_output=True, text=True, timeout=60, env=os.environ | {"PYTHONPATH": str(REPO)}, check=True,
    )  # fmt: skip
    assert done.stdout == "True\n"


async def test_what_lies_about_is_no_blob(blobs: FileBlobs, tmp_path: Path) -> None:
    blob = await blobs.keep_bytes(1, DATA)
    (tmp_path / "blobs" / "notes").write_text("somebody's")
    (tmp_path / "blobs" / "1" / "notes").write_text("somebody's")
    blobs.path(1, blob.sha256).with_name("notes").write_text("somebody's")
    for path in everything(tmp_path):
        os.utime(path, (0, 0))
    assert [found async for found in blobs.old()] == [(1, [blob.sha256])]
