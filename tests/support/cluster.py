"""Several `renraku serve` processes on one PostgreSQL database, as an operator would run them, and nginx before them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx2

from chat_client import Credentials
from chat_server.app import App
from chat_server.cli.gateway import through_server
from chat_server.config import load
from chat_server.domain.actors import Actor
from chat_server.ports import Storage
from chat_server.realtime.node import EVERY
from chat_server.services import rooms
from tests.support import postgresql
from tests.support.bus_servers import until_open
from tests.support.patience import DEADLINE
from tests.support.peer import Peer, text
from tests.support.people import add_organization, add_person
from tests.support.ports import free_port

PASSWORD = "川沿いの 桜並木 2026"
SAMPLE = Path(__file__).parents[2] / "config" / "nginx-two-nodes.conf"


@dataclass
class NodeProcess:
    """One node: its own data folder, the shared database."""

    folder: Path
    environment: dict[str, str]
    port: int = field(default_factory=free_port)
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> NodeProcess:
        """Again on the same port."""
        with (self.folder / "node.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "chat_server", "serve",
                env={**os.environ, **self.environment, "RENRAKU_DATA": str(self.folder), "RENRAKU_PORT": str(self.port)},
                stdout=asyncio.subprocess.PIPE, stderr=log,
            )  # fmt: skip
        assert self.process.stdout is not None
        async with asyncio.timeout(DEADLINE):
            ready = (await self.process.stdout.readline()).decode()
        assert ready, self.log
        self.port = int(ready.split("127.0.0.1:")[1].split("/")[0])
        return self

    @property
    def log(self) -> str:
        return (self.folder / "node.log").read_text(encoding="utf-8")

    def send_signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    async def ended(self) -> int:
        assert self.process is not None
        async with asyncio.timeout(DEADLINE):
            await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode

    async def kill(self) -> None:
        self.send_signal(signal.SIGKILL)
        await self.ended()

    async def stop(self) -> int:
        """In order; the exit status."""
        self.send_signal(signal.SIGTERM)
        return await self.ended()

    def client(self, token: str | None = None) -> httpx2.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        base = f"http://127.0.0.1:{self.port}"
        return httpx2.AsyncClient(base_url=base, headers=headers, timeout=DEADLINE, trust_env=False, verify=False)

    async def operate(self, name: str, **params: Any) -> dict[str, Any]:
        """An operator's operation through this node's socket."""
        answer = await asyncio.to_thread(through_server, self.folder, name, params)
        assert answer is not None, "the node does not run"
        assert "error" not in answer, answer
        return answer


@dataclass
class Cluster:
    """`people` with a token each and one password, in one room; the nodes that were started."""

    folder: Path
    database: str
    environment: dict[str, str]
    nodes: list[NodeProcess] = field(default_factory=list)
    people: list[Actor] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    room: str = ""

    @contextlib.asynccontextmanager
    async def storage(self) -> AsyncIterator[Storage]:
        """The database, past every node: whatever is written here is told to nobody."""
        app = await self._opened()
        try:
            yield app.storage
        finally:
            await app.close()

    async def _opened(self) -> App:
        environment = {**self.environment, "RENRAKU_DATA": str(self.folder / "aside"), "RENRAKU_PORT": "0"}
        return await App.open(load(environment=environment), workers=False)

    async def prepare(self, people: int) -> None:
        app = await self._opened()

        org_id = await add_organization(app.storage)
        row = await app.storage.read(lambda tx: tx.one("SELECT public_id FROM organizations"))
        assert row is not None
        org = str(row[0])
        self.people = [await add_person(app.storage, org_id, f"person{number}") for number in range(people)]
        self.tokens = [app.tokens.issue(person.id, person.device, org, person.zone)[0] for person in self.people]
        new = rooms.NewRoom(kind="private", name="道路", members=tuple(person.id for person in self.people[1:]))
        self.room = await app.storage.write(partial(rooms.create, actor=self.people[0], new=new))
        password = await app.passwords.hash(PASSWORD)
        await app.storage.write(lambda tx: tx.run("UPDATE users SET password_hash = ?", password))
        await app.close()

    async def node(self) -> NodeProcess:
        """One more."""
        folder = self.folder / f"node{len(self.nodes)}"
        folder.mkdir()
        self.nodes.append(await NodeProcess(folder, self.environment).start())
        return self.nodes[-1]

    def credentials(self, who: int) -> Credentials:
        return Credentials("midorino", f"person{who}", PASSWORD)

    async def peer(self, node: NodeProcess, who: int, **resume: Any) -> Peer:
        return await Peer.live(node.port, self.tokens[who], **resume)


@contextlib.asynccontextmanager
async def cluster(nodes: int = 2, people: int = 3, **environment: str) -> AsyncIterator[Cluster]:
    database = postgresql.shared().fresh()
    with tempfile.TemporaryDirectory(prefix="renraku-nodes-") as folder:
        files = f"{folder}/files"  # the first node makes it
        found = Cluster(Path(folder), database, {"RENRAKU_DATABASE": database, "RENRAKU_BLOBS": files, **environment})
        await found.prepare(people)
        try:
            for _ in range(nodes):
                await found.node()
            yield found
        finally:
            for node in found.nodes:
                if node.process is not None and node.process.returncode is None:
                    node.send_signal(signal.SIGCONT)
                    await node.kill()


HEALED = 1.6
"""Seconds after which a lost hint is made good, on a machine that does other things besides: 0.8 and a reading."""
LATEST = 10 * EVERY
"""Seconds for what happens once, where no median can be had: ten looks. Nothing but looking would bring it sooner or later."""


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    """Until it holds."""
    async with asyncio.timeout(DEADLINE):
        while not await check():  # noqa: ASYNC110 (another process's state)
            await asyncio.sleep(0.05)


async def until_bus(town: Cluster, state: str) -> None:
    """At every node, as it says itself."""
    for node in town.nodes:
        async with node.client() as client:

            async def says(client: httpx2.AsyncClient = client) -> bool:
                return bool((await client.get("/healthz")).json()["bus"] == state)

            await eventually(says)


async def said(peer: Peer, town: Cluster, words: str) -> int:
    """Send it into the room; its seq."""
    key = f"key-{time.monotonic_ns()}"
    ack = await peer.ask("send", room=town.room, client_msg_id=key, blocks=text(words))
    assert ack["op"] == "ack", ack
    return int(ack["seq"])


async def hears(peer: Peer, words: str, seconds: float = DEADLINE) -> None:
    """The message with these words is delivered."""
    await peer.until(
        lambda wire: wire.get("kind") == "message" and wire["message"].get("text") == words, deadline=seconds
    )


@contextlib.contextmanager
def nginx(*ports: int) -> Iterator[int]:
    """The sample proxy before nodes on these ports of the loopback, without TLS; answers its own port."""
    port = free_port()
    site = SAMPLE.read_text(encoding="utf-8")
    servers = "\n".join(f"    server 127.0.0.1:{each} max_fails=1 fail_timeout=5s;" for each in ports)
    site = re.sub(r"(    server 10\.0\.0\.\d+:8080 max_fails=1 fail_timeout=5s;\n)+", servers + "\n", site)
    site, listeners = re.subn(r"    listen 443 ssl;\n", f"    listen 127.0.0.1:{port};\n", site)
    site = re.sub(r"    ssl_.*\n", "", site)
    assert listeners == 1
    assert site.count("server 127.0.0.1:") == len(ports)
    with tempfile.TemporaryDirectory(prefix="renraku-nginx-") as folder:
        Path(folder).chmod(0o755)
        temporary = "".join(
            f"    {name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        config = Path(folder) / "nginx.conf"
        user = "user root;\n" if os.geteuid() == 0 else ""
        config.write_text(
            f"{user}daemon off;\npid {folder}/pid;\nworker_processes 1;\nevents {{ worker_connections 1024; }}\n"
            f"http {{\n    access_log off;\n{temporary}\n{site}\n}}\n",
            encoding="utf-8",
        )
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen(
                ["nginx", "-p", folder, "-e", f"{folder}/error.log", "-c", str(config)], stdout=log, stderr=log
            )
        try:
            until_open(port, process)
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(DEADLINE)
