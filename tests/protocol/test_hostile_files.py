"""Files that others made to break readers (tests/data), all of them at once through a server that people talk on."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import pytest

from chat_server.services.blocks import Files
from tests.support.peer import Peer, text
from tests.support.uploads import Scene, Sender

pytestmark = pytest.mark.asyncio(loop_scope="module")
DATA = Path(__file__).parents[1] / "data"
SAMPLES = sorted(
    path
    for folder in ("archives", "documents", "photos")
    for path in (DATA / folder).rglob("*")
    if path.suffix not in ("", ".md")
)
PHOTOS = {".jpg", ".gif", ".heic", ".heif"}
REFUSED = {"truncated_jpeg.jpg", "truncated.heic", "decompression_bomb.gif"}
PACE = 0.025
"""Seconds from an ack to the next message: below the rate at which a connection is told to slow down."""
LONGEST = 1.0
"""Seconds an ack may take while decoders work: they share the cores with the server, never its loop."""


@dataclass
class Talk:
    """Somebody who goes on talking, and waits for every ack."""

    peer: Peer
    room: str
    waits: list[float] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def go_on(self) -> None:
        while not self.over.is_set():
            words, began = f"発言{len(self.waits)}", perf_counter()
            answer = await self.peer.ask(
                "send", room=self.room, client_msg_id=f"talk-{len(self.waits):09d}", blocks=text(words)
            )
            assert "seq" in answer, answer
            self.waits.append(perf_counter() - began)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.over.wait(), PACE)


@pytest.mark.timeout(300)
async def test_none_takes_the_server_down_or_slows_it(scene: Scene, sender: Sender) -> None:
    """security.md, 29 and 34: each gets an answer, and whoever talks meanwhile does not notice."""
    listener = await Peer.live(scene.server.ports["lgwan"], scene.owner.token)
    talk = Talk(await Peer.live(scene.server.ports["lgwan"], scene.member.token), scene.room)
    async with asyncio.timeout(240), asyncio.TaskGroup() as tasks:
        tasks.create_task(talk.go_on())
        refused = {
            path.name
            for path in SAMPLES
            if path.suffix in PHOTOS and not await _as_photo(sender, path.name, path.read_bytes())
        }
        previews = {}
        for path in SAMPLES:
            file = await sender.whole(path.read_bytes(), path.name)
            previews[file["id"]] = (path.name, str(file["preview"]))
            await scene.world.post(scene.owner, scene.room, Files((file["id"],)))
        while any(state == "pending" for _, state in previews.values()):
            event = await listener.until(lambda wire: wire.get("kind") == "attachment")
            made = event["attachment"]
            previews[made["id"]] = (made["name"], made["preview"])
        talk.over.set()
    await talk.peer.close()
    await listener.close()
    assert refused == REFUSED
    states = dict(previews.values())
    # what is sound is shown, whatever stood beside it
    assert {states[name] for name in ("noembed-sjis.pdf", "hopper_orientation_6.jpg", "doc_actions.pdf")} == {"ready"}
    assert {states[name] for name in (*REFUSED, "poppler-742-0-fuzzed.pdf", "issue15893_reduced.pdf")} == {"failed"}
    assert {state for name, state in states.items() if name.endswith(".zip")} == {"none"}
    assert len(talk.waits) > len(SAMPLES)
    assert max(talk.waits) < LONGEST


async def _as_photo(sender: Sender, name: str, data: bytes) -> bool:
    """Whether it was taken as a photo; what was refused left nothing behind."""
    place = await sender.begin(len(data), name, kind="photo")
    answer = await sender.add(place, 0, data)
    assert answer.status_code in (204, 400, 422), answer.text
    if answer.status_code != 204:
        assert (await sender.client.get(place)).status_code == 404
    return bool(answer.status_code == 204)
