"""Two `renraku serve` processes on one PostgreSQL: whatever one does, the other's people notice at once."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from chat_server.domain import limits
from tests.support.cluster import LATEST, PASSWORD, Cluster, NodeProcess, cluster, eventually, hears, said, until_bus
from tests.support.peer import Peer
from tests.support.uploads import PDF, Sender

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town() -> AsyncIterator[Cluster]:
    async with cluster(people=3) as found:
        yield found


async def test_a_message_is_acknowledged_at_one_node_delivered_at_the_other_and_resumed_at_either(
    town: Cluster,
) -> None:
    here, there = town.nodes
    await until_bus(town, "connected")
    sender, reader = await town.peer(here, 0), await town.peer(there, 1)
    seq = await said(sender, town, "水道工事")
    await hears(reader, "水道工事")
    await hears(sender, "水道工事")
    await said(reader, town, "了解")
    await hears(sender, "了解")
    await reader.close()
    again = await Peer.open(here.port)
    await again.ask("auth", token=town.tokens[1])
    hello = await again.ask("resume", rooms={town.room: seq})
    assert hello["rooms"][town.room]["state"] == "replay"
    page = await again.ask("pull", room=town.room, after=seq)
    assert [event["message"]["text"] for event in page["events"]] == ["了解"]
    for peer in (sender, again):
        await peer.close()


async def test_a_key_rotated_at_one_node_is_good_at_the_other_at_once(town: Cluster) -> None:
    here, there = town.nodes
    await here.operate("keys.rotate", purpose="token")
    session = await signed_in(here)
    async with there.client(str(session["access_token"])) as client:
        assert (await client.get("/api/me")).status_code == 200
    peer = await Peer.live(there.port, str(session["access_token"]))
    await peer.close()


async def signed_in(node: NodeProcess, password: str = PASSWORD) -> dict[str, object]:
    async with node.client() as client:
        begun = await client.post(
            "/api/sign-in", json={"organization": "midorino", "login": "person2", "device_name": "端末"}
        )
        if begun.status_code != 200:
            return dict(begun.json()["error"])
        proved = await client.post("/api/sign-in/password", json={"flow": begun.json()["flow"], "password": password})
        return dict(proved.json()["session"] if proved.status_code == 200 else proved.json()["error"])


async def test_typing_and_receipts_reach_those_who_look_at_the_other_node(town: Cluster) -> None:
    here, there = town.nodes
    writer, reader = await town.peer(here, 0), await town.peer(there, 1)
    assert (await reader.ask("look", room=town.room))["op"] == "result"
    seq = await said(writer, town, "見ましたか")
    await hears(reader, "見ましたか")
    await writer.say({"op": "typing", "room": town.room})
    typing = await reader.until(lambda wire: wire["op"] == "typing")
    assert typing["user"] == town.people[0].id
    await writer.ask("read", room=town.room, upto=seq)
    assert (await reader.until(lambda wire: wire["op"] in ("receipt", "receipts")))["room"] == town.room
    for peer in (writer, reader):
        await peer.close()


async def test_presence_is_that_of_all_nodes(town: Cluster) -> None:
    here, there = town.nodes
    colleague = town.people[2].id
    watcher = await town.peer(here, 0)
    assert (await watcher.ask("watch", users=[colleague]))["presence"] == {colleague: "offline"}
    elsewhere = await town.peer(there, 2)
    assert (await watcher.until(lambda wire: wire["op"] == "presence"))["state"] == "online"
    second = await town.peer(here, 2)
    await elsewhere.close()
    late = await town.peer(there, 1)

    async def seen_online() -> bool:
        return bool((await late.ask("watch", users=[colleague]))["presence"] == {colleague: "online"})

    await eventually(seen_online)
    assert await watcher.nothing_but() == [], "still online here"
    await second.close()
    assert (await watcher.until(lambda wire: wire["op"] == "presence"))["state"] == "offline"
    assert (await late.until(lambda wire: wire["op"] == "presence"))["state"] == "offline"
    for peer in (watcher, late):
        await peer.close()


async def test_an_upload_begun_at_one_node_is_finished_at_the_other(town: Cluster) -> None:
    here, there = town.nodes
    drawing = PDF * 50
    async with here.client(town.tokens[0]) as client:
        sender = Sender(client)
        place = await sender.begin(len(drawing))
        assert (await sender.add(place, 0, drawing[:30_000])).status_code == 204
    async with there.client(town.tokens[0]) as client:
        sender = Sender(client)
        assert (await sender.ask("HEAD", place)).headers["upload-offset"] == "30000"
        assert (await sender.add(place, 30_000, drawing[30_000:])).status_code == 204
        file = (await client.get(place)).json()["attachment"]["id"]
    writer, reader = await town.peer(there, 0), await town.peer(here, 1)
    blocks = [{"type": "files", "ids": [file]}]
    assert (await writer.ask("send", room=town.room, client_msg_id="with-a-file", blocks=blocks))["op"] == "ack"
    seen = await reader.until(lambda wire: wire.get("kind") == "message" and bool(wire["message"].get("attachments")))
    assert seen["message"]["attachments"][0]["id"] == file
    async with here.client(town.tokens[1]) as client:
        given = await client.post("/api/attachments/addresses", json={"ids": [file]})
        address = given.json()["items"][0]["addresses"]["original"]
    async with there.client() as client:
        assert (await client.get(address)).content == drawing
    for peer in (writer, reader):
        await peer.close()


async def test_a_node_whose_files_the_others_could_not_read_is_refused(town: Cluster) -> None:
    refused = NodeProcess(town.folder / "apart", {**town.environment, "RENRAKU_BLOBS": ""})
    refused.folder.mkdir()
    with pytest.raises(AssertionError):
        await refused.start()
    assert await refused.ended() == 1
    assert "Set `blobs` at every node" in refused.log


async def test_guesses_are_counted_over_both_nodes(town: Cluster) -> None:
    codes = []
    for number in range(limits.FAILURES_PER_ACCOUNT + 1):
        refused = await signed_in(town.nodes[number % 2], "間違った合言葉です")
        codes.append(refused["code"])
    assert codes == [1001] * limits.FAILURES_PER_ACCOUNT + [1002]


async def test_the_list_of_nodes_names_one_that_works_for_all(town: Cluster) -> None:
    listed = (await town.nodes[1].operate("server.nodes"))["nodes"]
    assert [one["release"] for one in listed] == [listed[0]["release"]] * 2
    command = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "chat_server", "nodes",
        env={**os.environ, **town.environment, "RENRAKU_DATA": str(town.nodes[0].folder), "LC_ALL": "C.UTF-8"},
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    lines = (await command.communicate())[0].decode().splitlines()
    assert lines[0].split() == ["node", "release", "workers", "since", "seen"]
    assert len(lines) == 3

    async def one_leads() -> bool:
        return [one["leads"] for one in (await town.nodes[0].operate("server.nodes"))["nodes"]].count(True) == 1

    await eventually(one_leads)


async def test_the_people_of_a_node_that_died_are_offline_and_its_work_goes_on(town: Cluster) -> None:
    """The last one in this town. Its heart has stopped; no goodbye was said."""
    listed = (await town.nodes[0].operate("server.nodes"))["nodes"]
    dies, lives = (0, 1) if listed[0]["leads"] else (1, 0)
    watcher = await town.peer(town.nodes[lives], 0)
    gone = await town.peer(town.nodes[dies], 2)
    presence = (await watcher.ask("watch", users=[town.people[2].id]))["presence"]
    if presence != {town.people[2].id: "online"}:
        assert (await watcher.until(lambda wire: wire["op"] == "presence"))["state"] == "online"
    await town.nodes[dies].kill()
    assert await gone.closed() is None
    assert (await watcher.until(lambda wire: wire["op"] == "presence", 15))["state"] == "offline"

    async def leads() -> bool:
        found = (await town.nodes[lives].operate("server.nodes"))["nodes"]
        return [one["leads"] for one in found if one["seen_at"] == max(each["seen_at"] for each in found)] == [True]

    await eventually(leads)
    await watcher.close()


async def test_listeners_that_are_cut_off_by_the_database_come_back() -> None:
    """The bus by NOTIFY, and an administrator who ends every session, in the middle of a talk."""
    async with cluster(people=2) as town:
        here, there = town.nodes
        await until_bus(town, "connected")
        sender, reader = await town.peer(here, 0), await town.peer(there, 1)
        connection = await asyncpg.connect(town.database)
        try:
            ended = await connection.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%pg_notify%'"
            )
        finally:
            await connection.close()
        assert len(ended) == 2
        await said(sender, town, "切れても")
        await hears(reader, "切れても", LATEST)
        await until_bus(town, "connected")
        for peer in (sender, reader):
            await peer.close()
