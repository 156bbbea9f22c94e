"""Previews of files as clients meet them: an event when they are ready, addresses, and what crosses between zones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from chat_server.domain.zones import ORIGINAL
from chat_server.ports import Tx
from chat_server.services.capabilities import Capability, next_expiry, seal
from tests.support.api import Api
from tests.support.files import add_file, attach
from tests.support.peer import Peer, text
from tests.support.server import RunningServer
from tests.support.world import Org, Someone, World
from tests.unit.document_samples import docx, pages, words

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True
PDF = pages(words("one"), words("two"), words("three"))


@dataclass
class Scene:
    world: World
    document: Mapping[str, Any]
    org: Org
    owner: Someone
    room: str

    @property
    def server(self) -> RunningServer:
        return self.world.server

    async def share(self, content: bytes, media_type: str = "application/pdf", zone: str = "lgwan") -> str:
        """Send a file, wait until the room hears that its preview is there; answers its id."""
        app = self.server.app
        peer = await Peer.live(self.server.ports["lgwan"], self.owner.token)
        self.world.made += 1
        said = await peer.ask(
            "send", room=self.room, client_msg_id=f"file-{self.world.made:06d}", blocks=text("図面です")
        )
        key, public_id = await add_file(app.storage, app.blobs, self.owner.actor, content, media_type, zone=zone)
        await attach(app.storage, said["id"], key)
        event = await peer.until(lambda wire: wire.get("kind") == "attachment")
        await peer.close()
        assert (event["id"], event["target"], event["attachment"]["id"]) == (said["id"], said["seq"], public_id)
        return public_id

    async def item(self, who: Someone, file: str, zone: str = "lgwan") -> dict[str, Any]:
        api = Api(self.server.client(who.token, zone), self.document)
        async with api.client:
            answer = await api.call("give_addresses", json={"ids": [file]})
            assert answer.status_code == 200
            (item,) = answer.json()["items"]
            assert isinstance(item, dict)
            return item

    async def get(self, address: str, zone: str = "lgwan", **headers: str) -> Any:
        async with self.server.client(zone=zone) as client:
            return await client.get(address, headers=headers)

    async def outflow(self, value: str) -> None:
        async def change(tx: Tx) -> None:
            await tx.run("UPDATE rooms SET outflow = ? WHERE public_id = ?", value, self.room)

        await self.server.app.storage.write(change)


@pytest_asyncio.fixture(loop_scope="module")
async def scene(world: World, document: Mapping[str, Any]) -> Scene:
    world.made += 1
    org = await world.organization(f"midorino{world.made}", "みどり野市")
    owner = await world.person(org, "高橋 健")
    return Scene(world, document, org, owner, await world.room(owner))


async def test_pages_thumbnail_and_text_have_addresses(scene: Scene) -> None:
    file = await scene.share(PDF)
    item = await scene.item(scene.owner, file)
    assert set(item["addresses"]) >= {"thumbnail", "preview", "text"}
    assert "sanitized" not in item["addresses"]
    assert len(item["pages"]) == 3
    assert item["pages"][0] == item["addresses"]["preview"]
    for address, media_type in (
        (item["addresses"]["thumbnail"], "image/webp"),
        *((page, "image/jpeg") for page in item["pages"]),
    ):
        answer = await scene.get(address)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == media_type
        assert answer.headers["content-disposition"].startswith("inline")
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_text_is_a_download_of_which_a_part_may_be_asked(scene: Scene) -> None:
    markup = "<script>alert(1)</script> 表"
    file = await scene.share(markup.encode("cp932"), "text/html")
    address = (await scene.item(scene.owner, file))["addresses"]["text"]
    answer = await scene.get(address)
    assert answer.content.decode() == markup
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    part = await scene.get(address, Range="bytes=0-7")
    assert (part.status_code, part.content) == (206, b"<script>")


async def test_a_word_document_is_shown_by_the_helper(scene: Scene) -> None:
    docx_type = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    file = await scene.share(docx("道路占用許可申請書"), docx_type)
    item = await scene.item(scene.owner, file)
    assert (await scene.get(item["addresses"]["text"])).content.decode() == "道路占用許可申請書"
    assert (await scene.get(item["addresses"]["preview"])).content.startswith(b"\xff\xd8\xff")


@pytest.mark.parametrize(
    ("outflow", "kinds"),
    [
        ("text", set()),
        ("view", {"thumbnail", "preview", "text"}),
        ("download", {"thumbnail", "preview", "text", "original"}),
    ],
)
async def test_what_goes_out_is_the_rooms_to_say(scene: Scene, outflow: str, kinds: set[str]) -> None:
    file = await scene.share(PDF)
    phone = await scene.world.another_device(scene.org, scene.owner, "internet")
    await scene.outflow(outflow)
    item = await scene.item(phone, file, "internet")
    assert set(item["addresses"]) == kinds
    assert len(item.get("pages", [])) == (3 if kinds else 0)
    # What may be looked at but not taken away says so too.
    assert ("refused" in item) == (outflow != "download")


async def test_what_comes_in_is_what_was_built_anew(scene: Scene) -> None:
    file = await scene.share(PDF, zone="internet")
    item = await scene.item(scene.owner, file)
    assert set(item["addresses"]) == {"thumbnail", "preview", "text"}
    keys = scene.server.app.keys
    original = Capability(
        file, ORIGINAL, scene.owner.id, scene.owner.actor.device, "lgwan", next_expiry(scene.server.clock.now())
    )
    answer = await scene.get("/files/" + seal(keys, original))
    assert answer.status_code in (403, 404)
    assert b"%PDF" not in answer.content


async def test_a_hostile_file_fails_alone(scene: Scene) -> None:
    """The room is told, the server serves, and whoever asks for an address gets none."""
    file = await scene.share(b"%PDF-1.7\n" + b"<<" * 1_000_000)
    assert not {"preview", "thumbnail", "text"} & set((await scene.item(scene.owner, file))["addresses"])
    good = await scene.share(PDF)
    assert "preview" in (await scene.item(scene.owner, good))["addresses"]


async def test_strangers_get_nothing(scene: Scene) -> None:
    file = await scene.share(PDF)
    stranger = await scene.world.person(scene.org, "外部 一郎")
    api = Api(scene.server.client(stranger.token), scene.document)
    async with api.client:
        assert (await api.call("give_addresses", json={"ids": [file]})).json()["items"] == []
