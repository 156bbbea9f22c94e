"""The command line against a running server: the operator sets up a room, a person posts photos and follows it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import httpx2
import pytest

from tests.support.engines import database_of
from tests.support.patience import DEADLINE
from tests.support.process import server_process
from tests.unit.photo_samples import encoded, picture

PASSWORD = "ながいあいことばです"


class Terminal:
    """`renraku …` with a home of its own, which is the current folder too."""

    def __init__(self, home: Path, data: Path) -> None:
        home.mkdir(exist_ok=True)
        self._folder = home
        self._environment = {
            **os.environ, "XDG_CONFIG_HOME": str(home), "RENRAKU_DATA": str(data),
            "RENRAKU_DATABASE": database_of(data), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8",
        }  # fmt: skip

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "chat_server", *words, env=self._environment, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=self._folder,
        )  # fmt: skip

    async def run(self, *words: str, given: str = "", fails: bool = False) -> str:
        """Standard output, or standard error of what must fail."""
        process = await self.start(*words)
        async with asyncio.timeout(60):
            out, err = await process.communicate(given.encode())
        assert (process.returncode != 0) == fails, (words, out.decode(), err.decode())
        return (err if fails else out).decode()


async def set_up(operator: Terminal) -> str:
    """An organization with two people and a room; answers the room's id."""
    await operator.run("organization", "add", "midorino", "みどり野市")
    for login, name, reading in (("takahashi", "高橋 健", "たかはし けん"), ("tanaka", "田中 美咲", "たなか みさき")):
        words = ("user", "add", login, "--name", name, "--reading", reading, "--password-stdin")
        await operator.run(*words, given=PASSWORD + "\n")
    return (await operator.run("room", "add", "道路パトロール", "--owner", "tanaka", "--member", "takahashi")).strip()


@pytest.mark.timeout(180)
async def test_from_an_empty_folder_to_photos_at_the_desk(tmp_path: Path) -> None:
    data = tmp_path / "data"
    phone, desk = Terminal(tmp_path / "phone", data), Terminal(tmp_path / "desk", data)
    photos = []
    for n in range(3):
        photos.append(tmp_path / f"{n}.jpg")
        photos[-1].write_bytes(encoded(picture(64 + n, 48)))
    async with server_process(data, tmp_path, zones=("lgwan",)) as server:
        room = await set_up(desk)
        url = f"http://127.0.0.1:{server.ports['lgwan']}"
        for terminal, login in ((phone, "takahashi"), (desk, "tanaka")):
            signed = await terminal.run("login", url, "-o", "midorino", "-l", login, given=PASSWORD + "\n")
            assert "signed in" in signed
        following = await desk.start("tail", "道路", "-n", "1")
        assert following.stdout is not None
        first = await phone.run("post", "道路パトロール", "現場に着きました。")
        assert "道路パトロール" in first
        words = [word for photo in photos for word in ("--photo", str(photo))]
        ack = json.loads(await phone.run("post", room, "倒木です。", *words, "--json"))
        assert ack["room"] == room
        seen = ""
        async with asyncio.timeout(DEADLINE):
            while "写真 3枚" not in seen:
                line = (await following.stdout.readline()).decode()
                assert line, seen
                seen += line
        assert "高橋 健" in seen
        following.terminate()
        await following.communicate()
        assert "倒木です。" in await desk.run("tail", room, "--no-follow")
        assert "道路パトロール" in await phone.run("rooms")
        assert "No room of yours" in await phone.run("post", "どこにもない", "x", fails=True)
        listed = await desk.run("room", "list")
        assert room in listed
        assert "倒木" not in listed, "the operator sees no content"
        await desk.run("room", "archive", room)
        assert "[3002]" in await phone.run("post", room, "まだ", fails=True)
        await phone.run("logout")
        assert "not signed in" in await phone.run("rooms", fails=True)


async def test_without_a_server_the_operator_opens_the_folder(tmp_path: Path) -> None:
    operator = Terminal(tmp_path / "home", tmp_path / "data")
    room = await set_up(operator)
    assert room in await operator.run("room", "list")
    await operator.run("room", "member", room, "takahashi", "--role", "owner")
    assert (await operator.run("room", "show", room)).count("owner") == 2
    await operator.run("room", "member", room, "tanaka", "--remove")
    assert "tanaka" not in await operator.run("room", "show", room)
    assert await operator.run("room", "outflow", room) == "view\n"
    assert await operator.run("room", "outflow", room, "download") == "download\n"
    assert await operator.run("room", "outflow", room) == "download\n"
    assert await operator.run("room", "outflow", room, "approve") == "approve\n"
    assert "approve" in await operator.run("room", "outflow", room, "approved", fails=True)
    assert "[3001]" in await operator.run("room", "show", "0" * 26, fails=True)
    assert "[6001]" in await operator.run("room", "add", "x", "--owner", "nobody", fails=True)


async def test_a_person_is_told_what_is_wrong_before_and_after_signing_in(tmp_path: Path) -> None:
    data = tmp_path / "data"
    desk = Terminal(tmp_path / "desk", data)
    who = ("-o", "midorino", "-l", "tanaka")
    photo = tmp_path / "1.jpg"
    photo.write_bytes(encoded(picture(64, 48)))
    async with server_process(data, tmp_path, zones=("lgwan",)) as server:
        await set_up(desk)
        url = f"http://127.0.0.1:{server.ports['lgwan']}"
        assert "[1001]" in await desk.run("login", url, *who, given="ちがうあいことばです\n", fails=True)
        assert "http://host:port" in await desk.run("login", "127.0.0.1:8080", *who, given=PASSWORD, fails=True)
        await desk.run("login", url, *who, given=PASSWORD + "\n")
        eleven = [word for _ in range(11) for word in ("--photo", str(photo))]
        assert "up to 10 photos, not 11" in await desk.run("post", "道路", *eleven, fails=True)
        await desk.run("post", "道路", "着きました。")
        assert await desk.run("tail", "道路", "-n", "0", "--no-follow") == ""
        following = await desk.start("tail", "道路", "-n", "1")
        assert following.stdout is not None
        assert following.stderr is not None
        async with asyncio.timeout(DEADLINE):
            assert "田中 美咲" in (await following.stdout.readline()).decode()
        server.process.terminate()
        async with asyncio.timeout(DEADLINE):
            assert "reconnecting" in (await following.stderr.readline()).decode()
        following.terminate()
        await following.communicate()
        await server.process.wait()
        told = await desk.run("login", url, *who, given=PASSWORD + "\n", fails=True)
        assert told.startswith("Error: The server cannot be reached.")
        assert "cannot be reached" in await desk.run("logout", fails=True)


@pytest.mark.timeout(120)
async def test_files_go_up_and_come_down(tmp_path: Path) -> None:
    data = tmp_path / "data"
    phone, desk = Terminal(tmp_path / "phone", data), Terminal(tmp_path / "desk", data)
    drawing, short = tmp_path / "図面.dxf", tmp_path / "メモ.txt"
    drawing.write_bytes(os.urandom(3_500_000))
    short.write_bytes(b"memo\n")
    async with server_process(data, tmp_path, zones=("lgwan",)) as server:
        room = await set_up(desk)
        url = f"http://127.0.0.1:{server.ports['lgwan']}"
        for terminal, login in ((phone, "takahashi"), (desk, "tanaka")):
            await terminal.run("login", url, "-o", "midorino", "-l", login, given=PASSWORD + "\n")
        await phone.run("post", room, "図面です。", "--file", str(drawing), "--file", str(short))
        lines = (await desk.run("files", "道路")).splitlines()
        assert sorted(line.split("  ", 2)[2].strip() for line in lines) == ["3.5 MB  図面.dxf", "5 B  メモ.txt"]
        ids = {line.rsplit("  ", 1)[1]: line.split("  ")[0] for line in lines}
        assert await desk.run("files", "道路", "--kind", "photo") == ""
        async with asyncio.timeout(DEADLINE):
            while "図面です。" not in (found := await desk.run("search", "図面", "--kind", "message")):
                pass  # what was just posted is found a moment later
        assert "道路パトロール" in found
        assert "図面.dxf" in await desk.run("search", "図面", "--room", "道路", "--kind", "file", "--json")
        assert await desk.run("search", "どこにもない言葉") == ""
        assert "図面.dxf" in await desk.run("download", ids["図面.dxf"])
        assert (tmp_path / "desk" / "図面.dxf").read_bytes() == drawing.read_bytes()
        again = await desk.run("download", ids["図面.dxf"], fails=True)
        assert "図面.dxf" in again
        assert "--to" in again
        await desk.run("download", ids["メモ.txt"], "--to", "別名.txt")
        assert (tmp_path / "desk" / "別名.txt").read_bytes() == b"memo\n"
        assert "[5001]" in await desk.run("download", "0" * 26, fails=True)
        assert not [path for path in (tmp_path / "desk").iterdir() if path.name.endswith(".part")]
        asked = await desk.run("link", "ask", "道路", "--from", "青葉 一郎", "--for", "緑橋の写真", "--json")
        link = json.loads(asked)
        page, _, token = link["address"].partition("#")
        assert page == f"{url}/handin"
        async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=DEADLINE) as outside:
            shown = await outside.get("/api/link", headers={"Authorization": f"Link {token}"})
        assert (shown.json()["purpose"], shown.json()["once"]) == ("緑橋の写真", True)
        assert "[2008]" in await desk.run("link", "list", "--all", fails=True)
        await desk.run("user", "roles", "tanaka", "-o", "midorino", "--grant", "organization_admin")
        assert "受付中 / open  青葉 一郎  緑橋の写真" in await desk.run("link", "list", "--all")
        assert "--all" in await desk.run("link", "list", fails=True)
        await desk.run("link", "revoke", link["id"])
        assert "取り消し / revoked  青葉 一郎  緑橋の写真" in await desk.run("link", "list", "道路")


async def test_who_reads_no_further_is_not_complained_about(tmp_path: Path) -> None:
    """`renraku rooms | head -1`"""
    data = tmp_path / "data"
    desk = Terminal(tmp_path / "desk", data)
    async with server_process(data, tmp_path, zones=("lgwan",)) as server:
        await set_up(desk)
        url = f"http://127.0.0.1:{server.ports['lgwan']}"
        await desk.run("login", url, "-o", "midorino", "-l", "tanaka", given=PASSWORD + "\n")
        process = await desk.start("rooms")
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout._transport.close()  # type: ignore[attr-defined]
        async with asyncio.timeout(60):
            assert await process.stderr.read() == b""
            await process.wait()
