"""The pool of decoders with real processes: order, a free event loop, and every way in which a photo can end its child."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop
from PIL import Image

from chat_server.decoders.limits import Limits
from chat_server.decoders.process import DecoderDied
from chat_server.domain.errors import Problem
from chat_server.photos.rules import KINDS
from chat_server.photos.workers import PhotoDecoders
from chat_server.ports import Photo
from tests.support.patience import DEADLINE
from tests.unit.photo_samples import encoded, exif_block, field_photo, picture, sample, scan_bomb
from tests.unit.small_disk import resize, small_disk

Start = Callable[..., Awaitable[PhotoDecoders]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts pools, and ends them after the test."""
    pools: list[PhotoDecoders] = []

    async def started(workers: int = 1, **options: Any) -> PhotoDecoders:
        pool = PhotoDecoders(workers, **options)
        pools.append(pool)
        await pool.start()
        return pool

    yield started
    for pool in pools:
        await pool.close()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo"
    path.write_bytes(encoded(picture()))
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    path = tmp_path / "out"
    path.mkdir()
    return path


async def refused(preparing: Awaitable[Photo]) -> int:
    with pytest.raises(Problem) as problem:
        async with asyncio.timeout(60):
            await preparing
    return problem.value.fault.code


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition that something else brings about; 10 s at most."""
    async with asyncio.timeout(DEADLINE):
        while True:
            if condition():
                return
            await asyncio.sleep(0.005)


def proc(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text()


def status(pid: int) -> dict[str, str]:
    lines = proc(pid, "status").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def files(folder: Path) -> set[Path]:
    return set(folder.iterdir())


def exists(pid: int) -> bool:
    """Also as a zombie."""
    return Path(f"/proc/{pid}").exists()


def died(pid: int) -> bool:
    """Whoever waits for it may have taken even the zombie away."""
    try:
        return status(pid)["State"].startswith("Z")
    except (FileNotFoundError, ProcessLookupError):
        return True


def python(code: str, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code, *arguments], **options)


async def hold(pool: PhotoDecoders, photo: Path, out: Path) -> asyncio.Task[Photo]:
    """A photo that is in its decoder and stays there: the process is stopped."""
    os.kill(pool.pids[0], signal.SIGSTOP)
    task = asyncio.create_task(pool.prepare(photo, out))
    await until(lambda: len(files(out)) == len(KINDS))
    return task


# ------------------------------------------------------------------------------------------------- the way it goes


async def test_a_photo_and_its_files(start: Start, tmp_path: Path, out: Path) -> None:
    source = tmp_path / "field"
    block = exif_block(
        taken="2026:05:01 12:00:00",
        orientation=6,
        latitude=((35, 1), (41, 1), (0, 1)),
        longitude=((139, 1), (30, 1), (0, 1)),
    )
    source.write_bytes(encoded(picture(2000, 1500), exif=block))
    found = await (await start()).prepare(source, out)
    assert (found.media_type, found.width, found.height) == ("image/jpeg", 1500, 2000)
    assert found.taken_at == 1_777_604_400_000
    assert found.latitude == pytest.approx(35.6833333)
    assert found.longitude == 139.5
    assert [each.kind for each in found.renditions] == list(KINDS)
    assert {each.path for each in found.renditions} == files(out)
    for each in found.renditions:
        assert each.path.stat().st_size == each.size
        assert each.path.stat().st_mode & 0o777 == 0o600
        with Image.open(each.path) as image:
            assert image.size == (each.width, each.height)
            assert image.get_format_mimetype() == each.media_type


async def test_heic_and_its_thread_work_inside_the_confinement(start: Start, out: Path) -> None:
    found = await (await start()).prepare(sample("pillow-heif/RGB_8_chroma444.heif"), out)
    assert (found.media_type, found.width, found.height) == ("image/heic", 29, 100)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("pillow/truncated_jpeg.jpg", 5003),
        ("pillow-heif/truncated.heic", 5003),
        ("pillow/decompression_bomb.gif", 5004),
    ],
)
async def test_refusals_are_numbered_and_leave_nothing(start: Start, out: Path, name: str, code: int) -> None:
    pool = await start()
    before = pool.pids
    assert await refused(pool.prepare(sample(name), out)) == code
    assert files(out) == set()
    assert pool.pids == before


@pytest.mark.parametrize(
    "data",
    [
        "表と一覧".encode("cp932"),
        b"%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n%%EOF\n",
        b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\x08mdat",
    ],
    ids=["text", "pdf", "mp4"],
)
async def test_what_is_no_photo_is_refused_by_its_content(start: Start, tmp_path: Path, out: Path, data: bytes) -> None:
    disguised = tmp_path / "photo.jpg"
    disguised.write_bytes(data)
    pool = await start()
    before = pool.pids
    assert await refused(pool.prepare(disguised, out)) == 5002
    assert files(out) == set()
    assert pool.pids == before


async def test_ten_at_once_keep_their_order(start: Start, tmp_path: Path) -> None:
    pool = await start(2)
    colors = [(25 * each, 255 - 25 * each, 60) for each in range(10)]
    jobs = []
    for at, color in enumerate(colors):
        source, out = tmp_path / f"{at}.png", tmp_path / str(at)
        out.mkdir()
        # the first ones take longest
        source.write_bytes(encoded(Image.new("RGB", (2000 - 190 * at, 1000), color), "PNG"))
        jobs.append(pool.prepare(source, out))
    found = await asyncio.gather(*jobs)
    for photo, color in zip(found, colors, strict=True):
        shown = bytes.fromhex(photo.color[1:])
        assert max(abs(one - other) for one, other in zip(shown, color, strict=True)) <= 4


async def test_the_event_loop_stays_free(start: Start, tmp_path: Path) -> None:
    pool = await start(2)
    source = tmp_path / "field"
    source.write_bytes(field_photo())
    worst: list[float] = []

    async def watch() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            worst[-1] = max(worst[-1], time.perf_counter() - began - 0.001)

    free = False
    # Other tests share the cores: a loop that is blocked is blocked every time, and for a whole photo of the four. On a machine that
    # is slow all four take longer, too.
    for attempt in range(8):
        worst.append(0)
        watching = asyncio.create_task(watch())
        outs = [tmp_path / f"{attempt}-{each}" for each in range(4)]
        for out in outs:
            out.mkdir()
        began = time.perf_counter()
        await asyncio.gather(*(pool.prepare(source, out) for out in outs))
        took = time.perf_counter() - began
        watching.cancel()
        if free := worst[-1] < max(0.05, took / 12):
            break
    assert free, worst


def test_it_works_on_uvloop(photo: Path, out: Path) -> None:
    async def main() -> Photo:
        pool = PhotoDecoders(1)
        try:
            return await pool.prepare(photo, out)
        finally:
            await pool.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(main()).width == 96


# ------------------------------------------------------------------------------------------------- the way it ends


def children(pid: int) -> list[int]:
    return [int(child) for child in proc(pid, f"task/{pid}/children").split()]


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A photo that keeps its decoder busy for some 10 s."""
    path = tmp_path / "endless"
    path.write_bytes(scan_bomb(4000, 5000))
    return path


@pytest.mark.parametrize(
    ("how", "code"),
    [
        (signal.SIGKILL, 8003),  # the kernel's out-of-memory killer, an operator: try again
        (signal.SIGSEGV, 5003),  # the photo broke its decoder, and would again
        (signal.SIGBUS, 5003),
    ],
)
async def test_a_child_that_dies_costs_its_photo_alone(
    start: Start, endless: Path, photo: Path, out: Path, how: signal.Signals, code: int
) -> None:
    pool = await start()
    decoders = pool.pids
    task = asyncio.create_task(pool.prepare(endless, out))
    await until(lambda: children(decoders[0]) != [])
    (child,) = children(decoders[0])
    os.kill(child, how)
    assert await refused(task) == code
    assert files(out) == set()
    assert (await pool.prepare(photo, out)).width == 96
    assert pool.pids == decoders  # the warm process is still there, so the next photo did not wait for a start
    assert children(decoders[0]) == []


async def test_a_decoder_that_dies_costs_its_photo_alone(start: Start, endless: Path, photo: Path, out: Path) -> None:
    pool = await start()
    (dying,) = pool.pids
    task = asyncio.create_task(pool.prepare(endless, out))
    await until(lambda: children(dying) != [])
    (child,) = children(dying)
    os.kill(dying, signal.SIGKILL)
    assert await refused(task) == 8003
    assert files(out) == set()
    assert (await pool.prepare(photo, out)).width == 96
    assert pool.pids != [dying]
    assert not exists(dying)  # not even as a zombie
    await until(lambda: not exists(child))


async def test_a_child_holds_this_photo_and_no_socket(start: Start, endless: Path, out: Path) -> None:
    """Whoever takes over a child must not answer for the next photo, see it, or outlive its own."""
    pool = await start()
    task = asyncio.create_task(pool.prepare(endless, out))
    await until(lambda: children(pool.pids[0]) != [])
    (child,) = children(pool.pids[0])
    await until(lambda: status(child)["Seccomp_filters"] == "2")
    assert len(links(child)) == 8  # three times /dev/null, the pipe for its answer, and:
    assert {link for link in links(child) if link.startswith(str(out.parent))} == {
        str(path) for path in (endless, *files(out))
    }
    assert not any(link.startswith("socket:") for link in links(child))
    assert resource.prlimit(child, resource.RLIMIT_CPU) == (Limits().cpu_seconds, Limits().cpu_seconds + 1)
    task.cancel()


def links(pid: int) -> list[str]:
    return [str(path.readlink()) for path in files(Path(f"/proc/{pid}/fd"))]


async def test_others_go_on_while_one_is_stuck(start: Start, photo: Path, tmp_path: Path, out: Path) -> None:
    pool = await start(2)
    stuck = await hold(pool, photo, out)
    for each in range(5):
        other = tmp_path / f"other{each}"
        other.mkdir()
        assert (await pool.prepare(photo, other)).width == 96
    assert not stuck.done()
    os.kill(pool.pids[0], signal.SIGCONT)
    assert (await stuck).width == 96


async def test_the_deadline_ends_a_slow_photo(start: Start, endless: Path, photo: Path, out: Path) -> None:
    pool = await start(limits=Limits(wall_seconds=3))  # the good photo that follows has as little
    decoders = pool.pids
    assert await refused(pool.prepare(endless, out)) == 8003
    assert (await pool.prepare(photo, out)).width == 96
    assert pool.pids == decoders


async def test_the_deadline_ends_a_decoder_that_hangs(start: Start, photo: Path, out: Path) -> None:
    pool = await start(limits=Limits(wall_seconds=3))  # the good photo that follows has as little
    (hanging,) = pool.pids
    assert await refused(await hold(pool, photo, out)) == 8003
    assert not exists(hanging)
    assert (await pool.prepare(photo, out)).width == 96


async def test_a_scan_bomb_runs_out_of_processor_time(start: Start, tmp_path: Path, photo: Path, out: Path) -> None:
    bomb = tmp_path / "bomb"
    bomb.write_bytes(scan_bomb(4000, 6000))
    pool = await start(limits=Limits(cpu_seconds=1, wall_seconds=60))
    assert await refused(pool.prepare(bomb, out)) == 5003
    assert files(out) == set()
    assert (await pool.prepare(photo, out)).width == 96


async def test_a_decoder_over_its_memory_refuses_the_photo(
    start: Start, tmp_path: Path, photo: Path, out: Path
) -> None:
    big = tmp_path / "big"
    big.write_bytes(encoded(Image.new("RGB", (9000, 9000)), "PNG", compress_level=1))
    pool = await start(limits=Limits(memory_bytes=300 << 20))
    assert await refused(pool.prepare(big, out)) == 5003
    assert (await pool.prepare(photo, out)).width == 96


async def test_bombs_do_not_take_memory(start: Start, tmp_path: Path, photo: Path, out: Path) -> None:
    """They are refused for what their headers say in a process that has 30 MiB left, as little as a small photo needs."""
    probe = await start()
    used = int(status(probe.pids[0])["VmSize"].split()[0]) << 10
    pool = await start(limits=Limits(memory_bytes=used + (30 << 20)))
    bomb = tmp_path / "bomb"
    header = bytearray(encoded(Image.new("RGB", (8, 8))))
    frame = header.index(b"\xff\xc0")
    header[frame + 5 : frame + 9] = b"\xff\xdc\xff\xdc"
    bomb.write_bytes(header)
    for path in (sample("pillow/decompression_bomb.gif"), bomb):
        assert await refused(pool.prepare(path, out)) == 5004
    assert (await pool.prepare(photo, out)).width == 96


async def test_a_decoder_that_died_while_waiting_is_not_noticed_by_the_next_photo(
    start: Start, photo: Path, out: Path
) -> None:
    pool = await start()
    (dead,) = pool.pids
    os.kill(dead, signal.SIGKILL)
    await until(lambda: died(dead))
    assert (await pool.prepare(photo, out)).width == 96


async def test_more_than_may_wait_is_told_to_come_back(start: Start, photo: Path, out: Path, tmp_path: Path) -> None:
    pool = await start(waiting=1)
    working = await hold(pool, photo, out)
    other = tmp_path / "other"
    other.mkdir()
    waiting = asyncio.create_task(pool.prepare(photo, other))
    await asyncio.sleep(0)  # until it stands in the queue
    with pytest.raises(Problem) as problem:
        await pool.prepare(photo, tmp_path)
    assert problem.value.fault.code == 8003
    assert problem.value.params["retry_after"] > 0
    os.kill(pool.pids[0], signal.SIGCONT)
    assert (await working).width == (await waiting).width == 96


async def test_waiting_has_an_end(start: Start, photo: Path, out: Path, tmp_path: Path) -> None:
    pool = await start(patience=0.05)
    working = await hold(pool, photo, out)
    other = tmp_path / "other"
    other.mkdir()
    assert await refused(pool.prepare(photo, other)) == 8003
    os.kill(pool.pids[0], signal.SIGCONT)
    # patience is for the queue: what is in work goes on
    assert (await working).width == 96
    assert files(other) == set()


async def test_an_upload_given_up_leaves_nothing_and_blocks_nobody(start: Start, photo: Path, out: Path) -> None:
    pool = await start()
    task = await hold(pool, photo, out)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    os.kill(pool.pids[0], signal.SIGCONT)
    await until(lambda: files(out) == set())
    assert (await pool.prepare(photo, out)).width == 96


async def test_closing_answers_those_who_wait(start: Start, photo: Path, out: Path, tmp_path: Path) -> None:
    pool = await start()
    pids = pool.pids
    working = await hold(pool, photo, out)
    other = tmp_path / "other"
    other.mkdir()
    waiting = asyncio.create_task(pool.prepare(photo, other))
    await asyncio.sleep(0)
    await pool.close()
    assert await refused(working) == 8003
    assert await refused(waiting) == 8003
    assert files(out) == set()
    assert not any(exists(pid) for pid in pids)
    assert await refused(pool.prepare(photo, out)) == 8003  # and no new ones are started


async def test_what_is_no_file_is_not_read(start: Start, photo: Path, tmp_path: Path, out: Path) -> None:
    pool = await start()
    link, fifo = tmp_path / "link", tmp_path / "fifo"
    link.symlink_to(photo)
    os.mkfifo(fifo)
    for path in (link, fifo, tmp_path, tmp_path / "missing"):
        with pytest.raises(OSError):
            await pool.prepare(path, out)
        assert files(out) == set()
    assert (await pool.prepare(photo, out)).width == 96


async def test_a_full_disk_is_told_and_heals(start: Start, tmp_path: Path) -> None:
    source = tmp_path / "field"
    source.write_bytes(field_photo(1200, 900))
    pool = await start()
    with small_disk("100k") as disk:
        assert await refused(pool.prepare(source, disk)) == 8002
        assert files(disk) == set()
        resize(disk, "10m")
        assert (await pool.prepare(source, disk)).width == 1200


# ------------------------------------------------------------------------------------------------- who it is


async def test_a_decoder_holds_nothing_of_the_server(
    start: Start, photo: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RENRAKU_SECRET", "hidden")
    pool = await start()
    assert pool.confined == ["no_new_privs", "rlimits", "capabilities", "landlock", "seccomp"]
    await pool.prepare(photo, out)
    (pid,) = pool.pids
    assert "hidden" not in proc(pid, "environ")
    # /dev/null three times and its socket: the photo's descriptors are closed again
    assert len(files(Path(f"/proc/{pid}/fd"))) == 4
    now = status(pid)
    assert (now["NoNewPrivs"], now["Seccomp"]) == ("1", "2")
    assert {now[each] for each in ("CapEff", "CapPrm", "CapInh")} == {"0" * 16}
    assert resource.prlimit(pid, resource.RLIMIT_CORE) == (0, 0)
    assert resource.prlimit(pid, resource.RLIMIT_AS)[1] == Limits().memory_bytes


async def test_a_decoder_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong: Any = "much"
    with pytest.raises(DecoderDied, match=r"did not start: .*TypeError"):
        await PhotoDecoders(2, limits=Limits(memory_bytes=wrong)).start()
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(DecoderDied, match="died"):
        await PhotoDecoders(2).start()


async def test_decoders_end_with_a_server_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys\n"
        "from chat_server.photos.workers import MODULE, PhotoDecoders\n"
        "async def main():\n"
        "    pool = PhotoDecoders(2)\n"
        "    await pool.start()\n"
        "    print(*pool.pids, flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    server = python(code, stdout=subprocess.PIPE, env=environment)
    with server:
        assert server.stdout is not None
        pids = [int(pid) for pid in server.stdout.readline().split()]
        assert len(pids) == 2
        server.kill()
    await until(lambda: not any(_runs(pid) for pid in pids))


def _runs(pid: int) -> bool:
    try:
        return not status(pid)["State"].startswith("Z")
    except (FileNotFoundError, ProcessLookupError):
        return False
