"""Office documents through a real LibreOffice, by each way of confining it; and what a program finds in there."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO

import pytest
from PIL import Image

from chat_server.decoders.helper import Helper
from chat_server.decoders.outcome import Busy, Refused
from chat_server.decoders.pool import Pool
from chat_server.decoders.program import BUBBLEWRAP, LANDLOCK, TOO_LONG, Order
from chat_server.documents.office import BOUNDS, Office
from chat_server.documents.workers import LIMITS, MODULES, DocumentDecoders
from chat_server.ports import Document
from tests.support.patience import DEADLINE
from tests.unit.document_samples import COMPOUND, docx, sample
from tests.unit.test_documents import DOCX, PPTX, XLSX

REPO = Path(__file__).parents[2]
WAYS = (BUBBLEWRAP, LANDLOCK)


@pytest.fixture(params=WAYS)
async def office(request: pytest.FixtureRequest, tmp_path: Path) -> Office:
    found = await Office.find(tmp_path, allowed=(request.param,))
    assert found is not None, f"{request.param} does not work here"
    assert found.means == request.param
    return found


async def prepared(office: Office, tmp_path: Path, content: bytes | Path, media_type: str) -> Document:
    out = tmp_path / "out"
    out.mkdir()
    source = content if isinstance(content, Path) else tmp_path / "source"
    if isinstance(content, bytes):
        source.write_bytes(content)
    pool = Pool("documents", MODULES, 1, limits=LIMITS)

    async def find() -> Office:
        return office

    try:
        return await DocumentDecoders(pool, find).prepare(source, out, media_type)
    finally:
        await pool.close()


def dark(picture: Path) -> int:
    with Image.open(picture) as image:
        return sum(image.convert("L").histogram()[:100])


async def test_a_japanese_document_is_shown(office: Office, tmp_path: Path) -> None:
    document = await prepared(office, tmp_path, docx("道路占用許可申請書", "令和八年十一月二十六日"), DOCX)
    assert [each.kind for each in document.renditions] == ["text", "thumbnail", "preview"]
    text, _, preview = document.renditions
    assert text.path.read_text() == "道路占用許可申請書\n令和八年十一月二十六日"
    assert dark(preview.path) > 800
    assert not list((tmp_path / "out").glob("office-*"))


async def test_its_letters_come_from_a_japanese_font(tmp_path: Path) -> None:
    """Boxes for missing letters are all alike."""
    office = await Office.find(tmp_path)
    assert office is not None
    inks = []
    for letter in "鬱一":
        folder = tmp_path / letter
        folder.mkdir()
        made = await prepared(office, folder, docx(letter * 20), DOCX)
        inks.append(dark(made.renditions[2].path))
    assert inks[0] > 4 * inks[1] > 0


@pytest.mark.parametrize(
    ("name", "media_type", "text"),
    [
        ("with_japanese.pptx", PPTX, "ゾルゲ"),
        ("TwoSheetsOneHidden.xlsx", XLSX, "Sheet1A1"),
        ("46670_http.xls", "application/vnd.ms-excel", "1948"),
    ],
)
async def test_other_documents(tmp_path: Path, name: str, media_type: str, text: str) -> None:
    office = await Office.find(tmp_path)
    assert office is not None
    assert office.means == BUBBLEWRAP, "the better wall first"
    document = await prepared(office, tmp_path, sample(name), media_type)
    made = {each.kind: each for each in document.renditions}
    assert set(made) >= {"thumbnail", "preview", "text"}
    assert document.failed == {}
    assert text in made["text"].path.read_text()


class Untouched(Office):
    async def to_pdf(self, source: Path, suffix: str, target: Path, *, pages: int = 5) -> None:
        raise AssertionError("reached")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(COMPOUND, "encrypted"), (docx("a", before="<!DOCTYPE a>"), "broken"), (b"PK\3\4", "broken")],
    ids=["encrypted", "doctype", "cut"],
)
async def test_what_the_decoder_refused_never_reaches_it(tmp_path: Path, content: bytes, reason: str) -> None:
    document = await prepared(Untouched(Helper(BUBBLEWRAP, BOUNDS)), tmp_path, content, DOCX)
    assert document.failed == dict.fromkeys(("text", "preview", "thumbnail"), reason)


async def test_a_huge_document_never_reaches_it(tmp_path: Path) -> None:
    huge = tmp_path / "huge"
    with huge.open("wb") as file:
        file.truncate((256 << 20) + 1)
    document = await prepared(Untouched(Helper(BUBBLEWRAP, BOUNDS)), tmp_path, huge, "application/msword")
    assert document.failed == dict.fromkeys(("text", "preview", "thumbnail"), "too_large")


async def test_that_nothing_came_out_is_seen_whatever_the_status(office: Office, tmp_path: Path) -> None:
    """LibreOffice ends with 0 after a failure."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(COMPOUND)
    with pytest.raises(Refused, match="broken"):
        await office.to_pdf(source, ".docx", target)
    assert names(tmp_path) == {"source"}


# ---------------------------------------------------------------------------------------------- inside of the walls

PROBE = """
import ctypes, json, os, resource, signal, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
answers = {}

def attempt(name, function):
    try:
        answers[name] = "worked: " + repr(function())
    except (OSError, ValueError) as error:
        answers[name] = type(error).__name__

def system(name, *arguments):
    def call():
        if getattr(libc, name)(*arguments) < 0:
            raise OSError(ctypes.get_errno(), name)
    return call

def unix(path, kind=socket.SOCK_STREAM):
    def call():
        with socket.socket(socket.AF_UNIX, kind) as talking:
            talking.connect(path)
    return call

attempt("read the passwords", lambda: open("/etc/passwd").read())
attempt("read another file", lambda: open(VICTIM).read())
attempt("write another file", lambda: open(VICTIM, "a"))
attempt("write beside the source", lambda: open(os.environ["SOURCE"] + "2", "w") if MEANS == "bubblewrap" else open(VICTIM + "2", "w"))
attempt("write to shared memory", lambda: open("/dev/shm/x", "w"))
attempt("write among the programs", lambda: open("/usr/bin/x", "w"))
attempt("inet socket", lambda: socket.socket(socket.AF_INET))
attempt("netlink socket", lambda: socket.socket(socket.AF_NETLINK))
attempt("the server's socket", unix(SOCKET))
attempt("datagrams", unix(SOCKET, socket.SOCK_DGRAM))
attempt("signal the server", lambda: os.kill(SERVER, 0))
attempt("look at the server", lambda: os.listdir(f"/proc/{SERVER}/fd"))
attempt("trace the server", system("ptrace", 16, SERVER, 0, 0))
attempt("new namespace", system("unshare", 0x10000000))
attempt("mount", system("mount", b"x", b"/tmp", b"tmpfs", 0, 0))
attempt("raise a limit", lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 50, 1 << 50)))
fine = {}
fine["source"] = open(os.environ["SOURCE"]).read()
fine["environment"] = sorted(set(os.environ) - {"PWD", "SHLVL", "_", "OLDPWD", "LC_CTYPE"})
open(os.environ["WORK"] + "/file", "w").write("x")
child = os.fork()
if child == 0:
    os._exit(7)
fine["child"] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
status = open("/proc/self/status").read() if MEANS == "bubblewrap" else ""
fine["capabilities"] = [line.split()[1] for line in status.splitlines() if line.startswith(("CapEff", "CapPrm"))]
fine["limits"] = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE)]
sys.stdout.write(json.dumps([answers, fine]))
"""


def order(way: str, script: str, folder: Path, *, wall_seconds: int = 20, output_bytes: int = 1 << 20) -> Order:
    source, work = folder / "source", folder / "work"
    source.write_text("words")
    work.mkdir()
    return Order(
        way, script, str(source), "document.txt", str(work), memory_bytes=1 << 30, cpu_seconds=10,
        wall_seconds=wall_seconds, output_bytes=output_bytes,
    )  # fmt: skip


def started(what: Order, stdout: IO[bytes] | int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "chat_server.decoders.program", json.dumps(asdict(what))],
        stdin=subprocess.PIPE,
        stdout=stdout,
        env={"PYTHONPATH": str(REPO), "RENRAKU_SECRET": "hidden", "PATH": os.environ["PATH"]},
    )


@pytest.mark.parametrize("way", WAYS)
def test_a_program_reaches_its_file_and_nothing_else(way: str, tmp_path: Path) -> None:
    victim, path = tmp_path / "victim", tmp_path / "admin.socket"
    victim.write_text("somebody's")
    known = {"MEANS": way, "VICTIM": str(victim), "SOCKET": str(path), "SERVER": os.getpid()}
    probe = "".join(f"{name} = {value!r}\n" for name, value in known.items()) + PROBE
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        with started(order(way, f"exec /usr/bin/python3 - <<'END'\n{probe}\nEND", tmp_path)) as process:
            assert process.stdout is not None
            answers, fine = json.loads(process.stdout.read())
            assert process.wait() == 0
    assert len(answers) == 16
    assert {name: answer for name, answer in answers.items() if answer.startswith("worked")} == {}
    assert fine["source"] == "words"
    assert fine["child"] == 7
    assert fine["environment"] == ["HOME", "LANG", "MALLOC_ARENA_MAX", "PATH", "SOURCE", "TMPDIR", "WORK"]
    assert set(fine["capabilities"]) <= {"0" * 16}
    assert fine["limits"] == [1 << 30, 1 << 20, 0]
    assert victim.read_text() == "somebody's"


# A number that nobody else's test on this machine has.
SPAN = str(1_000_000 + os.getpid())
DAEMON = f"setsid sh -c 'setsid sleep {SPAN} & exec sleep {SPAN}' & exec sleep {SPAN}"


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what another process brings about."""
    async with asyncio.timeout(DEADLINE):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def sleepers() -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if entry.read_bytes() == f"sleep\0{SPAN}\0".encode():
                found.append(int(entry.parent.name))
    return found


@pytest.mark.parametrize("way", WAYS)
async def test_all_of_it_ends_at_the_deadline(way: str, tmp_path: Path) -> None:
    process = started(order(way, DAEMON, tmp_path, wall_seconds=1))
    with process:
        assert await asyncio.to_thread(process.wait, DEADLINE) == TOO_LONG
    assert sleepers() == []


@pytest.mark.parametrize("way", WAYS)
async def test_all_of_it_ends_with_the_server(way: str, tmp_path: Path) -> None:
    process = started(order(way, DAEMON, tmp_path, wall_seconds=100))
    with process:
        await until(lambda: len(sleepers()) == 3)
        assert process.stdin is not None
        process.stdin.close()
        await asyncio.to_thread(process.wait, DEADLINE)
    assert sleepers() == []


@pytest.mark.parametrize("way", WAYS)
def test_what_it_prints_is_bounded(way: str, tmp_path: Path) -> None:
    what = order(way, "cat /dev/zero", tmp_path, output_bytes=1 << 16)
    target = tmp_path / "target"
    with target.open("wb") as file:
        process = started(what, stdout=file)
        assert process.wait(60) == 0
        assert process.stdin is not None
        process.stdin.close()
    assert target.stat().st_size == 1 << 16


async def test_a_slow_conversion_is_tried_again_later(tmp_path: Path) -> None:
    office = Office(Helper(BUBBLEWRAP, replace(BOUNDS, wall_seconds=0)))
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(docx("slow"))
    with pytest.raises(Busy):
        await office.to_pdf(source, ".docx", target)
    assert names(tmp_path) == {"source"}


async def test_a_conversion_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    office = Office(Helper(BUBBLEWRAP, BOUNDS))
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(docx("given up"))
    task = asyncio.create_task(office.to_pdf(source, ".docx", target))
    await until(target.exists)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert names(tmp_path) == {"source"}


async def test_without_it_there_is_no_helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await Office.find(tmp_path, allowed=()) is None, "LibreOffice without a wall is not used"
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert await Office.find(tmp_path) is None
