"""Any interleaving of people, changes, broken lines and catching up ends where reading afresh ends.

The oracle (habit 5 of the best): what a client holds after the events equals what the server answers when asked anew.
Real storage, real use cases, real hub and sessions; only the wire is a list.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chat_server.app import App
from chat_server.config import load
from chat_server.domain.actors import Actor
from chat_server.domain.errors import Problem
from chat_server.ports import Reader, Storage
from chat_server.realtime.dispatch import Load
from chat_server.services import rooms
from tests.property.modelled_client import ModelledClient, Server
from tests.support.engines import furnish
from tests.support.patience import DEADLINE
from tests.support.people import add_people

PEOPLE = 3
person = st.integers(0, PEOPLE - 1)
codes = st.integers(0, 10)
pick = st.integers(0, 999)


class Streams(RuleBasedStateMachine):
    """Two rooms, one of which hides its history from newcomers; three people who come, go, write and lose the line."""

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.mkdtemp(prefix="renraku-model-")
        self.sent = 0
        self.do(self._begin())

    def do(self, work: Any) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(work, DEADLINE))

    async def open(self) -> None:
        """The server, `self.app`, that lets people in by their ids."""
        config = load(environment={"RENRAKU_DATA": self.folder, "RENRAKU_PORT": "0"})
        furnish(Path(self.folder))
        app = await App.open(config, workers=False)

        def authenticate(token: str, scope: Any) -> Load:
            async def come_in(tx: Reader) -> tuple[Actor, int]:
                return next(actor for actor in self.people if actor.id == token), 2**60

            return come_in

        app.dispatcher.authenticate = authenticate
        self.app: Server = app

    async def close(self) -> None:
        assert isinstance(self.app, App)
        await self.app.close()

    def somewhere(self) -> Storage:
        """Where the next HTTP request comes in."""
        return self.app.storage

    async def settle(self) -> None:
        """Until whatever was committed has been delivered."""

    async def _begin(self) -> None:
        self.people: list[Actor] = []
        await self.open()
        self.people = await add_people(self.app.storage, PEOPLE)
        self.rooms = []
        for kind in ("all", "joined"):
            wire = {"kind": "private", "name": kind, "history": kind, "members": [self.people[1].id]}
            make = partial(rooms.create, actor=self.people[0], new=msgspec.convert(wire, rooms.NewRoom))
            self.rooms.append(await self.app.storage.write(make))
        self.clients = [ModelledClient(self.app, actor, json=bool(i % 2)) for i, actor in enumerate(self.people)]
        for client in self.clients:
            await client.connect()

    def _somebody(self, who: int) -> ModelledClient:
        client = self.clients[who]
        if not client.connected:
            self.do(client.connect())
        return client

    def _message(self, which: int) -> str | None:
        """Some message of some room, as the database has it."""

        async def every(tx: Any) -> list[str]:
            return [row[0] for row in await tx.all("SELECT public_id FROM messages ORDER BY id")]

        known = self.do(self.app.storage.read(every))
        return known[which % len(known)] if known else None

    # Single acts

    def send(self, who: int, which: int) -> None:
        self.sent += 1
        client, key = self._somebody(who), f"message-{self.sent:06d}"
        room, blocks = self.rooms[which % 2], [{"type": "text", "text": f"{which}号線"}]
        answer = self.do(client.ask("send", room=room, client_msg_id=key, blocks=blocks))
        if answer["op"] == "ack":
            again = self.do(client.ask("send", room=room, client_msg_id=key, blocks=blocks))
            assert (again["seq"], again["id"], again["replay"]) == (answer["seq"], answer["id"], True)
        else:
            assert answer["name"] == "room_not_found", answer

    def edit(self, who: int, which: int) -> None:
        if message := self._message(which):
            blocks = [{"type": "text", "text": f"訂正{which}"}]
            self.do(self._somebody(who).ask("edit", message=message, version=1, blocks=blocks))

    def redact(self, who: int, which: int) -> None:
        if message := self._message(which):
            self.do(self._somebody(who).ask("redact", message=message))

    def react(self, who: int, which: int) -> None:
        if message := self._message(which):
            key, on = ("承知しました", "確認しました")[which % 2], which % 3 > 0
            self.do(self._somebody(who).ask("react", message=message, key=key, on=on))

    def read(self, who: int, which: int) -> None:
        self.do(self._somebody(who).ask("read", room=self.rooms[which % 2], upto=which % 30))

    def invite(self, who: int, which: int) -> None:
        wanted = rooms.Invitation(users=(self.people[which // 2 % PEOPLE].id,))
        self._membership(lambda tx: rooms.invite(tx, self.people[who], self.rooms[which % 2], wanted))

    def remove(self, who: int, which: int) -> None:
        whom = self.people[1 + which // 2 % (PEOPLE - 1)].id
        self._membership(lambda tx: rooms.remove(tx, self.people[0], self.rooms[which % 2], whom))

    ACTS = (send, send, send, edit, redact, react, react, read, invite, invite, remove)

    def act(self, who: int, code: int, which: int) -> None:
        self.ACTS[code](self, who, which)

    def _membership(self, act: Any) -> None:
        try:
            self.do(self.somewhere().write(act))
        except Problem as problem:
            if problem.fault.code // 1000 != 3:
                raise

    # What happens

    @rule(who=person, code=codes, which=pick)
    def somebody_acts(self, who: int, code: int, which: int) -> None:
        self.act(who, code, which)

    @rule(away=st.integers(1, PEOPLE - 1), acts=st.lists(st.tuples(person, codes, pick), min_size=1, max_size=12))
    def the_others_act_while_one_is_away(self, away: int, acts: list[tuple[int, int, int]]) -> None:
        self.clients[away].cut()
        for who, code, which in acts:
            if who != away:
                self.act(who, code, which)
        self.do(self.clients[away].connect())

    @rule(who=person)
    def lose_the_line(self, who: int) -> None:
        self.clients[who].cut()

    @rule(who=person, frames=st.integers(1, 4))
    def hear_some(self, who: int, frames: int) -> None:
        self.do(self.clients[who].hear(frames))

    @rule(writers=st.lists(person, min_size=2, max_size=6), back=person, room=st.integers(0, 1))
    def all_at_once(self, writers: list[int], back: int, room: int) -> None:
        """Sends race with somebody's catching up."""
        self.clients[back].cut()
        asked = []
        for who in writers:
            self.sent += 1
            if who != back:
                blocks = [{"type": "text", "text": "同時"}]
                fields = {"room": self.rooms[room], "client_msg_id": f"message-{self.sent:06d}", "blocks": blocks}
                asked.append(self._somebody(who).ask("send", **fields))

        async def together() -> None:
            await asyncio.gather(self.clients[back].connect(), *asked)

        self.do(together())

    @rule()
    def compare(self) -> None:
        """Everybody hears everything: then all hold what the server has, and nothing that they may not have."""
        self.do(self.settle())
        for client in self.clients:
            if client.connected:
                self.do(client.hear(10**6))
                assert client.holes == 0, "a client can heal a hole, and the server leaves none"
                for room in self.rooms:
                    fresh = self.do(client.fresh(room))
                    held = client.rooms.get(room)
                    assert (fresh is None) == (held is None), (client.actor.id, room)
                    if fresh is not None and held is not None:
                        assert held.last == fresh.last
                        assert held.state() == fresh.state()

    @invariant()
    def streams_are_dense(self) -> None:
        if not hasattr(self, "app"):
            return

        async def gaps(tx: Any) -> Any:
            return await tx.one(
                "SELECT (SELECT count(*) FROM rooms r WHERE r.last_seq <> (SELECT count(*) FROM events e"
                " WHERE e.room_id = r.id)) + (SELECT count(*) FROM users u WHERE u.last_seq <>"
                " (SELECT count(*) FROM user_events e WHERE e.user_id = u.id))"
            )

        assert self.do(self.app.storage.read(gaps))[0] == 0

    def teardown(self) -> None:
        if not hasattr(self, "app"):
            return
        try:
            for client in self.clients:
                if not client.connected:
                    self.do(client.connect())
            self.compare()
        finally:
            for client in self.clients:
                client.cut()
            self.do(self.close())
            self.loop.close()
            shutil.rmtree(self.folder)


ENOUGH = settings(max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
TestStreams = Streams.TestCase
TestStreams.settings = ENOUGH
