"""Files of any size by the client library, against the real server over lines that break."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from chat_client import FilePlaces, Refused, RenrakuError, safe_name
from tests.client.test_real_server import Street, street
from tests.client.waiting import FastClock, soon
from tests.support.cutting_proxy import CuttingProxy

__all__ = ["street"]
SIZE = 6 << 20


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "図面一式.zip"
    path.write_bytes(os.urandom(SIZE))
    return path


async def cut(line: CuttingProxy, times: int, *, up: int | None = None, down: int | None = None) -> None:
    """Again and again, each time after so many bytes."""
    for time in range(1, times + 1):
        line.cut_after(up=up, down=down)
        await line.was_cut(time)


def same(one: Path, other: Path) -> bool:
    return one.read_bytes() == other.read_bytes()


def nothing_half(folder: Path) -> bool:
    return not list(folder.glob(".*.part"))


async def test_a_file_over_a_line_that_breaks_arrives_as_it_is(street: Street, file: Path, tmp_path: Path) -> None:
    phone = street.client(street.town.takahashi, over_the_line=True, clock=FastClock(20))
    desk = street.client(street.town.tanaka)
    await soon(asyncio.gather(phone.start(), desk.start()))
    cutting = asyncio.create_task(cut(street.line, 10, up=400_000))
    attachment = await soon(phone.upload_file(file))
    await soon(cutting)
    assert (attachment.kind, attachment.name, attachment.size) == ("file", "図面一式.zip", SIZE)
    await soon(phone.send(street.town.room, "図面です", blocks=[{"type": "files", "ids": [attachment.id]}]))
    target = tmp_path / "desk.zip"
    await soon(desk.download(attachment.id, target))
    assert same(target, file)
    with pytest.raises(FileExistsError):
        await soon(desk.download(attachment.id, target))


async def test_a_download_goes_on_where_it_broke(street: Street, file: Path, tmp_path: Path) -> None:
    phone = street.client(street.town.takahashi, over_the_line=True, clock=FastClock(20))
    desk = street.client(street.town.tanaka)
    await soon(asyncio.gather(phone.start(), desk.start()))
    attachment = await soon(desk.upload_file(file))
    await soon(desk.send(street.town.room, blocks=[{"type": "files", "ids": [attachment.id]}]))
    target = tmp_path / "phone.zip"
    cutting = asyncio.create_task(cut(street.line, 4, down=700_000))
    await soon(phone.download(attachment.id, target))
    await soon(cutting)
    assert same(target, file)
    assert nothing_half(tmp_path)


async def test_another_process_goes_on_with_an_upload(street: Street, file: Path, tmp_path: Path) -> None:
    places = FilePlaces(tmp_path / "uploads.json")
    first, second = street.client(street.town.takahashi), street.client(street.town.takahashi)
    await soon(first.start())
    await soon(second.start())

    class Enough(Exception):
        pass

    def progress(done: int, whole: int) -> None:
        if done > SIZE // 2:
            raise Enough

    with pytest.raises(Enough):
        await soon(first.upload_file(file, places=places, progress=progress))
    told: list[int] = []
    attachment = await soon(second.upload_file(file, places=places, progress=lambda done, _: told.append(done)))
    assert told[0] > 0
    assert attachment.size == SIZE
    assert (tmp_path / "uploads.json").read_text() == "{}"


async def test_what_is_too_large_is_said_at_once(
    street: Street, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat_server.domain.limits.FILE_BYTES", 10)
    path = tmp_path / "large"
    path.write_bytes(b"x" * 11)
    client = street.client(street.town.tanaka)
    await soon(client.start())
    with pytest.raises(RenrakuError) as refused:
        await soon(client.upload_file(path))
    assert refused.value.code == 5011


async def test_a_file_that_is_not_for_this_network_says_why(street: Street, file: Path, tmp_path: Path) -> None:
    desk = street.client(street.town.tanaka)
    await soon(desk.start())
    attachment = await soon(desk.upload_file(file))
    await street.server.app.storage.write(
        lambda tx: tx.run("UPDATE blobs SET origin_zone = 'internet'"),
    )
    with pytest.raises(Refused) as refused:
        await soon(desk.download(attachment.id, tmp_path / "x"))
    assert "無害化" in refused.value.ja


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ("a\r\nb", "ab"),
        ("..", "file"),
        ("図面.pdf", "図面.pdf"),
        ("C:\\x", "C:_x"),
        ("-rf.txt", "rf.txt"),
        (".bashrc", "bashrc"),
        ("図" * 100 + ".pdf", "図" * 65 + ".pdf"),
        ("a." + "図" * 100, "a." + "図" * 66),
    ],
)
def test_a_name_from_the_server_leads_nowhere(told: str, kept: str) -> None:
    assert safe_name(told) == kept
