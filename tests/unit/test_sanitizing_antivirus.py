"""The second opinion: it refuses, it never releases, and without it nothing stands still."""

from __future__ import annotations

import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from chat_server.sanitizing.antivirus import Antivirus, NotScanned
from chat_server.sanitizing.engine import Engine
from chat_server.sanitizing.policy import Policy
from chat_server.sanitizing.report import Report
from tests.support.clamd import FINDS, NAME, Clamd

REQUIRED = Policy(antivirus="required")


@pytest_asyncio.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Clamd]:
    async with Clamd(tmp_path) as running:
        yield running


def written(folder: Path, content: bytes) -> Path:
    path = folder / "source"
    path.write_bytes(content)
    return path


async def sanitized(folder: Path, antivirus: Antivirus | None, policy: Policy, content: bytes, name: str) -> Report:
    engine = Engine(workers=1, antivirus=antivirus)
    await engine.start()
    try:
        out = folder / "out"
        out.mkdir(exist_ok=True)
        report = await engine.sanitize(written(folder, content), name, out, policy)
        assert report.released == bool(list(out.iterdir()))
        return report
    finally:
        await engine.close()


async def test_it_is_told_all_bytes_and_says_what_it_found(tmp_path: Path, daemon: Clamd) -> None:
    look = Antivirus(daemon.address).look
    assert await look(written(tmp_path, b"words")) is None
    assert await look(written(tmp_path, b"x" * 700_000 + FINDS)) == NAME
    assert await look(written(tmp_path, b"")) is None
    assert daemon.heard == [5, 700_000 + len(FINDS), 0]


async def test_what_may_be_handed_over_as_it_came_is_scanned_before_anybody_is_asked(
    tmp_path: Path, daemon: Clamd
) -> None:
    approve, scanner = Policy(formats={"text": "approve"}), Antivirus(daemon.address)
    assert (await sanitized(tmp_path, scanner, approve, b"words\n", "a.txt")).reason == "needs_approval"
    assert (await sanitized(tmp_path, scanner, approve, b"words\n" + FINDS, "a.txt")).reason == "virus"
    required = Policy(formats={"text": "approve"}, antivirus="required")
    assert (await sanitized(tmp_path, None, required, b"words\n", "a.txt")).reason == "not_scanned"
    silent = await sanitized(tmp_path, Antivirus("127.0.0.1:1"), approve, b"words\n", "a.txt")
    assert (silent.reason, silent.warnings) == ("needs_approval", ["not_scanned"])


@pytest.mark.parametrize("says", [b"stream: OK FOUNDED", b"", b"COMMAND READ TIMED OUT", b"\xff\xfe", b"stream: ok"])
async def test_whatever_is_no_answer_is_none(tmp_path: Path, says: bytes) -> None:
    async with Clamd(tmp_path, says=says or b" ") as daemon:
        with pytest.raises(NotScanned):
            await Antivirus(daemon.address).look(written(tmp_path, b"words"))


async def test_too_long_for_it_silent_or_not_there(tmp_path: Path) -> None:
    async with Clamd(tmp_path, most=1000) as daemon:
        with pytest.raises(NotScanned, match=r"size limit|Pipe|Reset|Incomplete"):
            await Antivirus(daemon.address).look(written(tmp_path, b"x" * 3_000_000))
    (tmp_path / "other").mkdir()
    async with Clamd(tmp_path / "other", silent=True) as daemon:
        with pytest.raises(NotScanned, match="Timeout"):
            await Antivirus(daemon.address, seconds=0.2).look(written(tmp_path, b"words"))
    with pytest.raises(NotScanned):
        await Antivirus(f"unix:{tmp_path}/nobody").look(written(tmp_path, b"words"))
    with pytest.raises(NotScanned):
        await Antivirus("127.0.0.1:1").look(written(tmp_path, b"words"))


@pytest.mark.parametrize("address", ["", "unix:", "localhost", "localhost:", "localhost:0", "localhost:99999", ":3310"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ValueError, match="unix:/path or host:port"):
        Antivirus(address)


async def test_what_it_finds_is_refused_also_in_an_archive(tmp_path: Path, daemon: Clamd) -> None:
    antivirus = Antivirus(daemon.address)
    assert (await sanitized(tmp_path, antivirus, Policy(), FINDS, "a.txt")).reason == "virus"
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("good.txt", "words")
        archive.writestr("bad.txt", FINDS)
    report = await sanitized(tmp_path, antivirus, Policy(), (tmp_path / "a.zip").read_bytes(), "a.zip")
    assert (report.action, report.reason) == ("refused", "virus")
    report = await sanitized(tmp_path, antivirus, REQUIRED, b"words", "a.txt")
    assert (report.action, report.warnings) == ("rebuilt", [])


async def test_without_an_answer_it_is_said_or_refused(tmp_path: Path) -> None:
    nobody = Antivirus(f"unix:{tmp_path}/nobody")
    assert (await sanitized(tmp_path, nobody, REQUIRED, b"words", "a.txt")).reason == "not_scanned"
    assert (await sanitized(tmp_path, None, REQUIRED, b"words", "a.txt")).reason == "not_scanned"
    report = await sanitized(tmp_path, nobody, Policy(), b"words", "a.txt")
    assert (report.action, report.warnings) == ("rebuilt", ["not_scanned"])
    assert (await sanitized(tmp_path, None, Policy(), b"words", "b.txt")).warnings == []
