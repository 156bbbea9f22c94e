"""From somebody outside to the desk: handed in by a link, taken apart, posted by the bot, downloaded rebuilt (security.md, 29–34)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.domain.zones import ORIGINAL
from chat_server.services import organizations
from chat_server.services.authority import Operator
from chat_server.services.capabilities import Capability, next_expiry, seal
from tests.protocol.test_bots import account, tell
from tests.support.api import Api, code_of
from tests.support.links import Outside, Staff, outside, staff
from tests.support.peer import Peer
from tests.support.uploads import Scene
from tests.support.world import Someone
from tests.unit.document_samples import sample
from tests.unit.photo_samples import encoded, picture

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True


@pytest_asyncio.fixture(loop_scope="module")
async def peer(scene: Scene) -> AsyncIterator[Peer]:
    await account(scene, "sanitizing_upload")
    found = await Peer.live(scene.server.ports["lgwan"], scene.owner.token)
    yield found
    await found.close()


@pytest_asyncio.fixture(loop_scope="module")
async def asker(scene: Scene, peer: Peer) -> AsyncIterator[Staff]:
    found = staff(scene, scene.owner)
    async with found.api.client:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def vendor(scene: Scene) -> AsyncIterator[Outside]:
    found = outside(scene)
    async with found.api.client:
        yield found


def of_bot(wire: dict[str, Any]) -> bool:
    return wire.get("kind") == "message" and wire["message"]["author"]["kind"] == "bot"


async def said(peer: Peer) -> dict[str, Any]:
    """The next message of the bot's."""
    message: dict[str, Any] = (await peer.until(of_bot))["message"]
    return message


async def rows(peer: Peer, message: str, state: str) -> None:
    """Until the card of that message says so."""

    def fits(wire: dict[str, Any]) -> bool:
        if wire.get("kind") != "edit" or wire.get("id", wire.get("message", {}).get("id")) != message:
            return False
        return state in str(wire)

    await peer.until(fits)


async def report(scene: Scene, who: Someone, attachment: str) -> Any:
    async with scene.server.client(who.token) as client:
        return await Api(client, scene.document).call("read_report", {"attachment": attachment})


async def test_what_is_handed_in_is_at_the_desk_rebuilt(
    scene: Scene, peer: Peer, asker: Staff, vendor: Outside
) -> None:  # fmt: skip
    link = await asker.ask(company="青葉測量")
    card = await said(peer)
    assert [block["type"] for block in card["blocks"]] == ["card", "buttons"]
    await vendor.begin(await asker.address(link))
    macro = sample("SimpleMacro.xlsm").read_bytes()
    for data, name in ((macro, "数量表.xlsm"), (encoded(picture()), "遠景/橋.jpg"), (b"MZ\x90\0" * 99, "説明書.pdf")):
        await vendor.hand_in(data, name)
    await vendor.deliver()
    arrived, posted = "", list[dict[str, Any]]()
    while "これで全部です" not in arrived or len(posted) < 2:
        message = await said(peer)
        arrived += message["text"]
        posted += message.get("attachments", [])
    assert f"@{scene.owner.actor.name}" in arrived
    assert "マクロ1件を取り除きました" in arrived
    assert "プログラムは受け取れません。" in arrived
    assert {(one["name"], one["kind"]) for one in posted} == {("数量表.xlsx", "file"), ("橋.jpg", "photo")}

    file = next(one["id"] for one in posted if one["kind"] == "file")
    item = await scene.item(scene.member, file)
    assert item is not None
    assert ("original" in item["addresses"], "refused" in item) == (False, False)
    answer = await scene.get(item["addresses"]["sanitized"])
    assert "%E6%95%B0%E9%87%8F%E8%A1%A8.xlsx" in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as package:
        assert not [name for name in package.namelist() if "vba" in name.lower()]
    original = Capability(
        file, ORIGINAL, scene.owner.id, scene.owner.actor.device, "lgwan", next_expiry(scene.server.clock.now())
    )
    assert (await scene.get("/files/" + seal(scene.server.app.keys, original))).status_code == 404
    receipt = (await vendor.receipt()).json()
    assert [line["state"] for line in receipt["files"]] == ["released", "released", "refused"]
    assert "プログラム" in receipt["files"][2]["reason"]["ja"]

    told = (await report(scene, scene.member, file)).json()
    assert (told["action"], told["kind_found"], told["link"]) == ("rebuilt", "xlsx", link["id"])
    assert "マクロ1件を取り除きました(vbaproject.bin)" in [one["ja"] for one in told["files"][0]["removed"]]
    assert code_of(await report(scene, scene.stranger, file)) == 5001


async def rule(scene: Scene, **wanted: str | None) -> None:
    admin = Operator(scene.org.id)
    await scene.server.app.storage.write(lambda tx: organizations.set_policy(tx, admin, wanted))


async def deciding(scene: Scene, who: Someone, name: str) -> dict[str, Any]:
    """The file of that name that waits, as `who` sees it."""
    async with scene.server.client(who.token) as client:
        items = (await Api(client, scene.document).call("list_held_files")).json()["items"]
    found: dict[str, Any] = next(item for item in items if item["name"] == name)
    return found


async def decide(scene: Scene, who: Someone, call: str, file: str) -> httpx2.Response:
    async with scene.server.client(who.token) as client:
        return await Api(client, scene.document).call(call, {"file": file}, json={"reason": "電話で確認した"})


async def test_an_original_reaches_the_desk_by_a_second_persons_approval(
    scene: Scene, peer: Peer, asker: Staff, vendor: Outside
) -> None:
    await rule(scene, sanitize_documents="approve")
    admin = await scene.world.person(scene.org, role=ORGANIZATION_ADMIN)
    link = await asker.ask()
    card = await said(peer)
    await vendor.begin(await asker.address(link))
    macro = sample("SimpleMacro.xlsm").read_bytes()
    await vendor.hand_in(macro, "数量表.xlsm")
    told = (await said(peer))["text"]
    assert "承認されるまでだれも開けません" in told
    assert "マクロ1件があります" in told
    await rows(peer, card["id"], "承認待ち")
    assert [line["state"] for line in (await vendor.receipt()).json()["files"]] == ["waiting"], "not their business"
    [line] = (await asker.now(link))["files"]
    assert (line["state"], line["attachment"]) == ("held", None)

    item = await deciding(scene, admin, "数量表.xlsm")
    assert (item["sender"]["id"], item["link"], item["sha256"]) == (scene.owner.id, link["id"], line["sha256"])
    assert code_of(await decide(scene, scene.owner, "approve_file", item["id"])) == 2008
    assert code_of(await decide(scene, admin, "approve_file", "no-id")) == 7116
    assert (await decide(scene, admin, "approve_file", item["id"])).json()["approver"] == admin.actor.name
    assert code_of(await decide(scene, admin, "refuse_file", item["id"])) == 7117
    message = await said(peer)
    assert f"原本のまま渡しました(承認: {admin.actor.name}、" in message["text"]
    assert "取り除" not in message["text"]
    [file] = message["attachments"]
    found = await scene.item(scene.member, file["id"])
    assert found is not None
    assert (set(found["addresses"]) & {"original", "sanitized", "passed"}, found["report"]) == ({"passed"}, True)
    answer = await scene.get(found["addresses"]["passed"])
    assert answer.content == macro
    assert "attachment" in answer.headers["content-disposition"]
    told = (await report(scene, scene.member, file["id"])).json()
    assert (told["action"], told["approval"]["name"], told["files"][0]["removed"]) == ("passed", admin.actor.name, [])
    assert await scene.item(scene.stranger, file["id"]) is None
    receipt = (await vendor.receipt()).json()["files"]
    assert [line["state"] for line in receipt] == ["released"]
    await rule(scene, sanitize_documents=None)


async def test_a_colleagues_original_goes_inward_by_approval_and_its_forwarded_copies_with_it(
    scene: Scene, peer: Peer
) -> None:
    await rule(scene, sanitize_documents="approve")
    admin = await scene.world.person(scene.org, role=ORGANIZATION_ADMIN)
    phone = await scene.world.another_device(scene.org, scene.owner, "internet")
    macro = sample("SimpleMacro.xlsm").read_bytes() + b"\0"
    file = await scene.sent(phone, macro, "現場の表.xlsm", "internet")
    while not (await scene.item(scene.member, file) or {}).get("report"):
        await peer.until(lambda wire: wire.get("kind") == "attachment" and wire["attachment"]["id"] == file)
    found = await scene.item(scene.member, file)
    assert found is not None
    assert {"original", "sanitized", "passed"} & set(found["addresses"]) == set()
    assert found["refused"]["ja"].startswith("承認待ちのファイルです。")
    async with scene.server.client(scene.member.token) as client:
        api = Api(client, scene.document)
        page = (await api.call("list_messages", {"room": scene.room})).json()
        sent = await api.call(
            "send_message",
            {"room": scene.room},
            json={"client_msg_id": "forwarded-held", "forward": page["messages"][-1]["id"]},
        )
        assert sent.status_code == 200, sent.text
    copy = (await peer.until(lambda wire: wire.get("message", {}).get("forward") is not None))["message"][
        "attachments"
    ][0]
    item = await deciding(scene, admin, "現場の表.xlsm")
    assert (item["sender"]["id"], item["link"]) == (scene.owner.id, None)
    assert (await decide(scene, admin, "approve_file", item["id"])).status_code == 200
    for one in (file, copy["id"]):
        found = await scene.item(scene.member, one)
        assert found is not None
        assert {"original", "sanitized", "passed"} & set(found["addresses"]) == {"passed"}
        assert (await scene.get(found["addresses"]["passed"])).content == macro
        told = (await report(scene, scene.member, one)).json()
        assert (told["action"], told["approval"]["name"]) == ("passed", admin.actor.name)
    await rule(scene, sanitize_documents=None)


async def test_what_a_colleague_sent_and_nobody_approved_stays_outside(scene: Scene, peer: Peer) -> None:
    await rule(scene, sanitize_documents="approve")
    admin = await scene.world.person(scene.org, role=ORGANIZATION_ADMIN)
    phone = await scene.world.another_device(scene.org, scene.owner, "internet")
    file = await scene.sent(phone, "一行目\n".encode(), "メモ.txt", "internet")
    while not (await scene.item(scene.member, file) or {}).get("report"):
        await peer.until(lambda wire: wire.get("kind") == "attachment" and wire["attachment"]["id"] == file)
    item = await deciding(scene, admin, "メモ.txt")
    assert (await decide(scene, admin, "refuse_file", item["id"])).json()["state"] == "refused"
    found = await scene.item(scene.member, file)
    assert found is not None
    assert {"original", "sanitized", "passed"} & set(found["addresses"]) == set()
    assert "承認待ち" not in found["refused"]["ja"]
    told = (await report(scene, scene.member, file)).json()
    assert (told["action"], told["approval"]["name"]) == ("refused", admin.actor.name)
    assert told["files"][0]["reason"]["ja"] == "承認されなかったため、受け取れません。"
    await rule(scene, sanitize_documents=None)


async def test_what_was_rebuilt_for_the_desk_has_a_report_and_so_has_a_forwarded_copy(scene: Scene, peer: Peer) -> None:
    phone = await scene.world.another_device(scene.org, scene.owner, "internet")
    file = await scene.sent(phone, sample("SimpleMacro.xlsm").read_bytes() + b"\1", "数量表.xlsm", "internet")
    while not (await scene.item(scene.member, file) or {}).get("report"):
        await peer.until(lambda wire: wire.get("kind") == "attachment" and wire["attachment"]["id"] == file)
    told = (await report(scene, scene.member, file)).json()
    assert (told["action"], told["link"], told["approval"]) == ("rebuilt", None, None)
    assert "マクロ1件を取り除きました(vbaproject.bin)" in [one["ja"] for one in told["files"][0]["removed"]]
    assert code_of(await report(scene, scene.stranger, file)) == 5001


async def test_what_ended_is_asked_for_again_on_the_card_by_who_presses(scene: Scene, peer: Peer, asker: Staff) -> None:
    link = await asker.ask(purpose="再依頼のための写真", expected="遠景")
    card = await said(peer)
    await asker.api.call("revoke_upload_link", {"link": link["id"]})
    await rows(peer, card["id"], "取り消しました")
    async with scene.server.client(scene.member.token) as client:
        assert (await client.post(f"/api/messages/{card['id']}/press", json={"key": "again"})).status_code == 204
    another = await said(peer)
    assert "まだ公開していません" in str(another["blocks"])
    new = (await asker.api.call("list_upload_links", {"room": scene.room})).json()["items"][0]
    assert (new["purpose"], new["expected"], new["asker"]["id"], new["given"], new["state"]) == (
        "再依頼のための写真", "遠景", scene.member.id, False, "new",
    )  # fmt: skip
    assert new["ends"] - new["at"] == link["ends"] - link["at"]


async def test_a_link_is_asked_for_prolonged_and_revoked_by_who_may(scene: Scene, peer: Peer, asker: Staff) -> None:
    await asker.ask()
    await said(peer)
    await tell(peer, scene.room, "受け取り 山田 太郎様 図面一式\n会社 山田建設")
    card = await said(peer)
    assert "図面一式" in str(card["blocks"])
    [link] = [
        one for one in (await asker.api.call("list_upload_links", {"room": scene.room})).json()["items"]
        if one["purpose"] == "図面一式"
    ]  # fmt: skip
    assert (link["asker"]["id"], link["company"]) == (scene.owner.id, "山田建設")

    async def press(who: Someone, key: str) -> int:
        async with scene.server.client(who.token) as client:
            return (await client.post(f"/api/messages/{card['id']}/press", json={"key": key})).status_code

    assert await press(scene.member, "revoke") == 204
    assert "このリンクを変更できるのは" in (await said(peer))["text"]
    assert (await asker.now(link))["state"] == "new"
    assert await press(scene.owner, "extend") == 204
    await rows(peer, card["id"], "期限")
    assert (await asker.now(link))["ends"] > link["ends"]
    assert await press(scene.owner, "revoke") == 204
    await rows(peer, card["id"], "取り消しました")
    assert (await asker.now(link))["state"] == "revoked"


async def test_a_deadline_that_passes_is_told(scene: Scene, peer: Peer, asker: Staff) -> None:
    link = await asker.ask()
    await said(peer)
    # sessions would be over, too, if the clock went on so far
    await scene.server.app.storage.write(
        lambda tx: tx.run("UPDATE upload_links SET ends_at = ? WHERE public_id = ?", tx.now, link["id"])
    )
    assert "期限までに届きませんでした" in (await said(peer))["text"]


async def test_a_file_from_a_phone_gets_a_rebuilt_copy_for_the_desk(scene: Scene, peer: Peer) -> None:
    phone = await scene.world.another_device(scene.org, scene.owner, "internet")
    file = await scene.sent(phone, sample("SimpleMacro.xlsm").read_bytes(), "数量表.xlsm", "internet")
    item: dict[str, Any] | None = None
    while item is None or "sanitized" not in item["addresses"]:
        await peer.until(lambda wire: wire.get("kind") == "attachment" and wire["attachment"]["id"] == file)
        item = await scene.item(scene.member, file)
    assert ("original" in item["addresses"], "refused" in item) == (False, False)
    answer = await scene.get(item["addresses"]["sanitized"])
    assert answer.headers["content-disposition"].endswith(".xlsx")
    assert b"vbaProject" not in answer.content


async def test_what_cannot_be_rebuilt_stays_outside(scene: Scene, peer: Peer) -> None:
    phone = await scene.world.another_device(scene.org, scene.owner, "internet")
    file = await scene.sent(phone, b"MZ\x90\0" * 99, "setup.exe", "internet")
    await peer.until(lambda wire: wire.get("kind") == "attachment" and wire["attachment"]["id"] == file)
    item = await scene.item(scene.member, file)
    assert item is not None
    assert (set(item["addresses"]), "refused" in item) == (set(), True)


async def test_a_machine_that_cannot_confine_takes_nothing(
    scene: Scene, asker: Staff, vendor: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    await vendor.begin(await asker.given())
    monkeypatch.setattr(scene.server.app.sanitizer, "possible", False)
    assert code_of(await vendor.announce(3)) == 7115
    assert (await vendor.receipt()).json()["files"] == []
