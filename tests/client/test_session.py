"""Signing in, and refresh tokens that are never used twice but to ask for an answer that was lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chat_client import Client, Credentials, FileStore, MemoryStore, RenrakuError, SignInRequired, Unreachable
from chat_client.retry import Cut
from chat_client.token_store import Tokens
from tests.client.conftest import MakeClient, pass_time, signed_in
from tests.client.listening import Reply, Request
from tests.client.scripted import ScriptedServer, http_error
from tests.client.waiting import FakeClock, soon
from tests.support.cutting_proxy import CuttingProxy

REFRESH = "/api/sessions/refresh"


@pytest.fixture(params=["memory", "file"])
async def store(request: pytest.FixtureRequest, server: ScriptedServer, tmp_path: Path) -> MemoryStore | FileStore:
    """A signed-in one."""
    memory = signed_in(server)
    if request.param == "memory":
        return memory
    tokens = await memory.load()
    assert tokens is not None
    file = FileStore(tmp_path / "new" / "session.json")
    await file.save(tokens)
    return file


async def test_signing_in_by_steps(server: ScriptedServer, make_client: MakeClient) -> None:
    store = MemoryStore()
    client = make_client(store=store)
    step = await soon(client.session.begin("midorino", "takahashi", "現場のスマートフォン"))
    assert step.next == ("password",)
    assert step.flow is not None
    assert "f1" not in repr(step)
    done = await soon(client.session.password(step.flow, "correct horse"))
    assert (done.flow, done.next) == (None, ())
    tokens = await store.load()
    assert tokens is not None
    assert (tokens.device, tokens.user, tokens.access_lives) == ("d1", "u1", 600_000)
    [begun] = server.asked("POST", "/api/sign-in")
    assert begun.json() == {"organization": "midorino", "login": "takahashi", "device_name": "現場のスマートフォン"}


async def test_a_wrong_password_is_told(server: ScriptedServer, make_client: MakeClient) -> None:
    client = make_client(store=MemoryStore())
    with pytest.raises(RenrakuError) as raised:
        await soon(client.sign_in("midorino", "takahashi", "wrong"))
    assert raised.value.code == 1001
    with pytest.raises(SignInRequired):
        await soon(client.start())


async def test_where_nobody_listens_signing_in_and_out_is_unreachable(
    server: ScriptedServer, make_client: MakeClient
) -> None:
    stranger, signed = make_client(store=MemoryStore()), make_client()
    await server.listening.close()
    with pytest.raises(Unreachable):
        await soon(stranger.sign_in("midorino", "takahashi", "correct horse"))
    with pytest.raises(Unreachable):
        await soon(signed.sign_out())


async def test_a_step_nobody_expected_is_named(server: ScriptedServer, make_client: MakeClient) -> None:
    client = make_client(store=MemoryStore())
    server.instead_http(
        "POST", "/api/sign-in/password", Reply(200, {"flow": "f2", "next": ["one_time_code"], "session": None})
    )
    with pytest.raises(SignInRequired, match="one_time_code"):
        await soon(client.sign_in("midorino", "takahashi", "correct horse"))


async def test_many_callers_share_one_refresh(
    server: ScriptedServer, make_client: MakeClient, clock: FakeClock, store: MemoryStore | FileStore
) -> None:
    client = make_client(store=store)
    pass_time(server, clock, 590)
    tokens = await soon(asyncio.gather(*(client.session.access_token() for _ in range(20))))
    assert tokens == ["access-2"] * 20
    assert len(server.asked("POST", REFRESH)) == 1
    saved = await store.load()
    assert saved is not None
    assert (saved.access_token, saved.refresh_token, saved.refresh_key) == ("access-2", "refresh-2", None)


async def test_the_key_is_on_disk_before_the_token_is_sent(
    server: ScriptedServer, make_client: MakeClient, clock: FakeClock, store: MemoryStore | FileStore
) -> None:
    """What a kill at that very moment would leave behind."""
    client = make_client(store=store)
    left_behind: list[Tokens | None] = []
    asked, answer = asyncio.Event(), asyncio.Event()
    handle = server.listening.on_request

    async def slow(request: Request) -> Reply:
        if request.path == REFRESH:
            left_behind.append(await store.load())
            asked.set()
            await answer.wait()
        return await handle(request)

    server.listening.on_request = slow
    pass_time(server, clock, 590)
    refreshing = asyncio.create_task(client.session.access_token())
    await soon(asked.wait())
    answer.set()
    await soon(refreshing)
    [found] = left_behind
    assert found is not None
    assert found.refresh_token == "refresh-1"
    assert found.refresh_key == server.asked("POST", REFRESH)[0].headers["idempotency-key"]
    assert found.refresh_key not in repr(found)

    # A later run, from what was left: it asks for the same answer.
    later = make_client(store=MemoryStore(found))
    assert await soon(later.session.access_token()) == "access-2"
    assert server.refresh == {"refresh-1": True, "refresh-2": False}


async def test_the_new_token_is_on_disk_before_anybody_has_it(
    server: ScriptedServer, make_client: MakeClient, clock: FakeClock
) -> None:
    class Watched(MemoryStore):
        saved: list[str]

        async def save(self, tokens: Tokens) -> None:
            assert waiting is not None
            assert not waiting.done()
            self.saved.append(tokens.access_token)
            await super().save(tokens)

    waiting: asyncio.Task[str] | None = None
    tokens = await signed_in(server).load()
    store = Watched(tokens)
    store.saved = []
    client = make_client(store=store)
    pass_time(server, clock, 590)
    waiting = asyncio.create_task(client.session.access_token())
    assert await soon(waiting) == "access-2"
    assert store.saved == ["access-1", "access-2"]


async def test_an_answer_lost_on_the_way_is_asked_for_again(
    server: ScriptedServer, make_client: MakeClient, clock: FakeClock
) -> None:
    async with CuttingProxy("127.0.0.1", server.listening.port) as line:
        url = f"http://127.0.0.1:{line.port}"
        store = signed_in(server, url)
        client = make_client(url, store=store)
        pass_time(server, clock, 590)
        line.cut_after(down=0)
        with pytest.raises(Cut):
            await soon(client.session.access_token())
        assert await soon(client.session.access_token()) == "access-2"
    first, second = server.asked("POST", REFRESH)
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert server.refresh == {"refresh-1": True, "refresh-2": False}


async def test_every_refresh_token_has_a_key_of_its_own(
    server: ScriptedServer, make_client: MakeClient, clock: FakeClock
) -> None:
    client = make_client()
    for _ in range(2):
        pass_time(server, clock, 590)
        await soon(client.session.access_token())
    first, second = server.asked("POST", REFRESH)
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]


async def test_a_refresh_that_never_left_is_tried_again(
    server: ScriptedServer, make_client: MakeClient, clock: FakeClock
) -> None:
    async with CuttingProxy("127.0.0.1", server.listening.port) as line:
        url = f"http://127.0.0.1:{line.port}"
        client = make_client(url)
        pass_time(server, clock, 590)
        await line.refuse()
        asking = asyncio.create_task(client.rooms())
        await clock.sleeping(0.5)
        await line.accept()
        clock.advance(0.5)
        assert len(await soon(asking)) == 1
    assert server.refresh == {"refresh-1": True, "refresh-2": False}


@pytest.mark.parametrize("reply", [http_error(503, 8001), http_error(500, 9001), Reply(503, b""), Reply(429, b"")])
async def test_an_error_that_is_an_answer_leaves_the_token_usable(
    server: ScriptedServer, make_client: MakeClient, clock: FakeClock, reply: Reply
) -> None:
    store = signed_in(server)
    client = make_client(store=store)
    pass_time(server, clock, 590)
    server.instead_http("POST", REFRESH, reply)
    with pytest.raises(Exception, match=r"8001|9001|503|429"):
        await soon(client.session.access_token())
    assert await soon(client.session.access_token()) == "access-2"


@pytest.mark.parametrize("code", [1004, 1005])
async def test_a_session_that_was_ended_is_forgotten(
    server: ScriptedServer, make_client: MakeClient, clock: FakeClock, store: MemoryStore | FileStore, code: int
) -> None:
    client = make_client(store=store)
    pass_time(server, clock, 590)
    server.instead_http("POST", REFRESH, http_error(401, code))
    with pytest.raises(SignInRequired):
        await soon(client.session.access_token())
    assert await store.load() is None


async def test_a_cancelled_caller_does_not_cut_the_refresh(
    server: ScriptedServer, make_client: MakeClient, clock: FakeClock
) -> None:
    client = make_client()
    pass_time(server, clock, 590)
    first = asyncio.create_task(client.session.access_token())
    await clock_turns()
    first.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await first
    assert await soon(client.session.access_token()) == "access-2"
    assert len(server.asked("POST", REFRESH)) == 1


async def clock_turns() -> None:
    """Let tasks begin."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_two_programs_with_one_file_do_not_use_a_token_twice(
    server: ScriptedServer, make_client: MakeClient, clock: FakeClock, tmp_path: Path
) -> None:
    tokens = await signed_in(server).load()
    assert tokens is not None
    path = tmp_path / "session.json"
    await FileStore(path).save(tokens)
    clients = [make_client(store=FileStore(path)) for _ in range(5)]
    for client in clients:
        assert await soon(client.session.access_token()) == "access-1"
    pass_time(server, clock, 590)
    got = await soon(asyncio.gather(*(client.session.access_token() for client in clients)))
    assert got == ["access-2"] * 5
    assert server.refresh == {"refresh-1": True, "refresh-2": False}


async def test_with_credentials_nobody_is_asked(
    server: ScriptedServer, make_client: MakeClient, clock: FakeClock
) -> None:
    who = Credentials("midorino", "bot", "correct horse", "見張り番")
    assert "horse" not in repr(who)
    client = make_client(store=MemoryStore(), credentials=who)
    await soon(client.start())
    server.refresh.clear()
    server.access.clear()
    clock.advance(20)
    watching = client.events()
    server.peers[0].close(4003)
    await soon(anext(watching))
    await soon(anext(watching))
    assert len(server.asked("POST", "/api/sign-in/password")) == 2


async def test_wrong_credentials_stop_the_client(server: ScriptedServer, make_client: MakeClient) -> None:
    client = make_client(store=MemoryStore(), credentials=Credentials("midorino", "bot", "wrong"))
    with pytest.raises(SignInRequired, match="1001"):
        await soon(client.start())


def names(folder: Path) -> list[str]:
    return sorted(found.name for found in folder.iterdir())


class TestFileStore:
    async def test_only_its_owner_may_read_it(self, server: ScriptedServer, tmp_path: Path) -> None:
        tokens = await signed_in(server).load()
        assert tokens is not None
        path = tmp_path / "a" / "b" / "session.json"
        store = FileStore(path)
        async with store.lock():
            await store.save(tokens)
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert names(path.parent) == ["session.json", "session.json.lock"]
        assert await FileStore(path).load() == tokens

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff\xfe", b'{"server": 1}'])
    async def test_what_cannot_be_read_is_nothing(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "session.json"
        path.write_bytes(content)
        assert await FileStore(path).load() is None

    async def test_a_file_that_cannot_be_replaced_keeps_its_content(
        self, server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tokens = await signed_in(server).load()
        assert tokens is not None
        path = tmp_path / "session.json"
        store = FileStore(path)
        await store.save(tokens)

        def broken(handle: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("chat_client.durable.os.fsync", broken)
        with pytest.raises(OSError, match="No space"):
            await store.save(tokens)
        assert await store.load() == tokens
        assert names(tmp_path) == ["session.json"]

    async def test_clearing_twice_is_fine(self, tmp_path: Path) -> None:
        store = FileStore(tmp_path / "session.json")
        await store.clear()
        await store.clear()


async def test_tokens_do_not_show_in_a_repr(server: ScriptedServer) -> None:
    tokens = await signed_in(server).load()
    assert "access-1" not in repr(tokens)
    assert "refresh-1" not in repr(tokens)


@pytest.fixture
async def lines(server: ScriptedServer) -> AsyncIterator[CuttingProxy]:
    async with CuttingProxy("127.0.0.1", server.listening.port) as line:
        yield line


async def test_closing_waits_for_a_refresh_under_way(
    server: ScriptedServer, make_client: MakeClient, clock: FakeClock, lines: CuttingProxy
) -> None:
    url = f"http://127.0.0.1:{lines.port}"
    store = signed_in(server, url)
    client: Client = make_client(url, store=store)
    pass_time(server, clock, 590)
    lines.stall("down")
    asking = asyncio.create_task(client.session.access_token())
    await server.until(lambda: len(server.asked("POST", REFRESH)) == 1)
    closing = asyncio.create_task(client.close())
    await clock_turns()
    assert not closing.done()
    lines.flow()
    await soon(closing)
    assert await soon(asking) == "access-2"
    saved = await store.load()
    assert saved is not None
    assert saved.refresh_token == "refresh-2"
