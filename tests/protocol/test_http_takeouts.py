"""Taking files out to a less trusted zone (services/takeouts.py): a second person inside approves, for one device and a day."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace

import pytest

from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.domain.limits import DAY, TAKEOUT_ASKED, TAKEOUTS_WAITING
from chat_server.ports import Tx
from chat_server.services import rooms, withdrawing
from chat_server.services.blocks import Photos
from chat_server.services.rooms import Invitation, RoomChange
from chat_server.storage.queries import organizations, people
from tests.support.api import code_of
from tests.support.border import WHY, Border
from tests.support.uploads import PDF
from tests.unit.photo_samples import encoded, picture

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True


async def test_from_asking_to_saving(border: Border) -> None:
    scene = border.scene
    before = await border.addresses()
    assert before["takeout"] == "none"
    assert "original" not in before["addresses"]
    assert "持ち出しを申請" in before["refused"]["ja"]
    assert (await border.addresses(scene.member)).get("takeout") is None, "it is hers at the desk"

    answer = (await border.ask()).json()
    assert (answer["state"], answer["approver"]) == ("asked", None)
    assert answer["until"] - scene.server.clock.now() == pytest.approx(TAKEOUT_ASKED, abs=60_000)
    assert (await border.addresses())["takeout"] == "asked"
    message = (await border.said())[-1]
    assert message["author"]["id"] == scene.member.id
    assert list(message["mentions"]) == [f"user:{scene.owner.id}"], "it rings who may decide"
    assert "橋りょう一般図.pdf" in message["text"]
    assert WHY in message["text"]
    assert message["quote"] is not None

    [one] = await border.waiting(scene.owner)
    assert (one["name"], one["reason"], one["from"], one["to"]) == ("橋りょう一般図.pdf", WHY, "lgwan", "internet")
    assert (one["own"], one["here"], one["user"]["id"]) == (False, True, scene.member.id)
    assert await border.waiting(scene.member) == []
    decided = (await border.decide(scene.owner, one["id"], reason="現場確認に限る")).json()
    assert (decided["state"], decided["approver"]) == ("approved", "高橋 健")
    assert await border.waiting(scene.owner) == []
    told = (await border.said())[-1]
    assert (told["author"]["id"], list(told["mentions"])) == (scene.owner.id, [f"user:{scene.member.id}"])
    assert "現場確認に限る" in told["text"]

    state = await border.state()
    assert (state["state"], state["words"], state["approver"]) == ("approved", "現場確認に限る", "高橋 健")
    after = await border.addresses()
    assert after["takeout"] == "approved"
    assert "refused" not in after
    assert await border.open(after["addresses"]["original"]) == 200
    [(asker, target, detail)] = await scene.world.recorded(scene.org, "takeout.ask")
    assert (asker, target, detail["to"], detail["attachment"]) == (scene.member.id, one["id"], "internet", border.file)
    [(approver, *_)] = await scene.world.recorded(scene.org, "takeout.approve")
    assert approver == scene.owner.id


async def test_nobody_decides_about_their_own_or_from_outside(border: Border) -> None:
    scene = border.scene
    own = await scene.world.another_device(scene.org, scene.owner, "internet")
    assert code_of(await border.ask(own)) == 200
    [one] = await border.waiting(scene.owner)
    assert one["own"]
    assert code_of(await border.decide(scene.owner, one["id"])) == 5025
    assert code_of(await border.decide(scene.member, one["id"])) == 5023, "who owns no room"
    administrator = await scene.world.person(scene.org, role=ORGANIZATION_ADMIN)
    outside = await scene.world.another_device(scene.org, administrator, "internet")
    [seen] = await border.waiting(administrator)
    assert (seen["id"], seen["here"]) == (one["id"], True)
    outside = replace(outside, actor=replace(outside.actor, roles=administrator.actor.roles))
    assert [entry["here"] for entry in await border.waiting(outside)] == [False]
    assert code_of(await border.decide(outside, one["id"])) == 5026
    assert code_of(await border.decide(scene.stranger, one["id"])) == 5023
    assert code_of(await border.decide(scene.owner, "0" * 26)) == 5023
    assert code_of(await border.decide(scene.owner, "no id")) == 5023
    assert "original" not in (await border.addresses(own))["addresses"]
    assert code_of(await border.decide(administrator, one["id"])) == 200, (
        "who is in no room of it, and administers the organization"
    )


async def test_of_those_who_decide_at_once_one_does(border: Border) -> None:
    scene = border.scene
    administrator = await scene.world.person(scene.org, role=ORGANIZATION_ADMIN)
    takeout = await border.asked()
    tried = [
        border.decide(who, takeout, how, "理由")
        for who, how in itertools.product((scene.owner, administrator), ("approve", "refuse"))
    ]
    codes = [code_of(answer) for answer in await asyncio.gather(*tried)]
    assert sorted(codes) == [200, 5024, 5024, 5024]


async def test_asking_twice_and_at_once_is_asking_once(border: Border) -> None:
    before = len(await border.said())
    answers = await asyncio.gather(*(border.ask() for _ in range(8)))
    assert {code_of(answer) for answer in answers} == {200}
    assert len(await border.waiting(border.scene.owner)) == 1
    assert len(await border.said()) == before + 1


async def test_refused_with_words_and_asked_again(border: Border) -> None:
    scene = border.scene
    first = await border.asked()
    assert code_of(await border.decide(scene.owner, first, "refuse")) == 2001, "whoever is refused hears why"
    assert code_of(await border.decide(scene.owner, first, "refuse", "個人情報を含むため")) == 200
    state = await border.state()
    assert (state["state"], state["words"], state["until"]) == ("refused", "個人情報を含むため", None)
    assert (await border.addresses())["takeout"] == "refused"
    assert (await border.ask()).json()["state"] == "asked"
    second = (await border.waiting(scene.owner))[0]["id"]
    scene.server.clock.ahead += TAKEOUT_ASKED + 1
    assert await border.waiting(scene.owner) == []
    assert code_of(await border.decide(scene.owner, second)) == 5024
    assert (await border.state())["state"] == "lapsed"
    assert (await border.ask()).json()["state"] == "asked"


async def test_where_there_is_nothing_to_ask_for(border: Border) -> None:
    scene = border.scene
    assert code_of(await border.ask(scene.member)) == 5022, "in the file's own network"
    assert code_of(await border.ask(scene.stranger)) == 5001
    assert code_of(await border.ask(file="0" * 26)) == 5001
    assert code_of(await border.ask(reason="  \n ")) == 2001
    await scene.server.app.storage.write(
        lambda tx: organizations.set_own_rules(tx, scene.org.id, {"device_access_private": "view"})
    )
    assert code_of(await border.ask()) == 5030, "this device may save nothing, whoever approves"
    assert await border.waiting(scene.owner) == []
    await scene.server.app.storage.write(lambda tx: organizations.set_own_rules(tx, scene.org.id, {}))
    assert await scene.world.recorded(scene.org, "takeout.ask") == []


async def test_a_photo_goes_out_as_it_was_built_anew(border: Border) -> None:
    scene = border.scene
    async with scene.server.client(scene.owner.token) as client:
        photo = (await client.post("/api/photos", content=encoded(picture()))).json()["id"]
    await scene.world.post(scene.owner, scene.room, Photos((photo,)))
    assert set((await border.addresses(file=photo))["addresses"]) == {"thumbnail", "preview"}
    await border.ask(file=photo)
    [one] = await border.waiting(scene.owner)
    await border.decide(scene.owner, one["id"])
    assert set((await border.addresses(file=photo))["addresses"]) == {"thumbnail", "preview", "sanitized"}


async def test_a_name_or_a_reason_calls_nobody(border: Border) -> None:
    scene = border.scene
    file = await scene.sent(scene.member, PDF, "<@everyone>.pdf")
    await border.ask(file=file, reason=f"<@user:{scene.member.id}> <@everyone>")
    message = (await border.said())[-1]
    assert list(message["mentions"]) == [f"user:{scene.owner.id}"]


async def test_who_decides_is_the_organizations_rule(border: Border) -> None:
    scene = border.scene
    department = await scene.world.department(scene.org, "道路課")
    await scene.world.appoint(scene.member, department)
    head = await scene.world.person(scene.org, "伊藤 誠")
    await scene.world.put_in_charge(head, department)
    administrator = await scene.world.person(scene.org, role=ORGANIZATION_ADMIN)
    takeout = await border.asked()

    async def deciders() -> list[bool]:
        return [bool(await border.waiting(who)) for who in (scene.owner, head, administrator)]

    assert await deciders() == [True, False, True]
    await border.rule("department_admin")
    assert await deciders() == [False, True, True]
    await border.rule("organization_admin")
    assert await deciders() == [False, False, True]
    assert code_of(await border.decide(scene.owner, takeout)) == 5023
    assert code_of(await border.decide(head, takeout)) == 5023
    assert code_of(await border.decide(administrator, takeout)) == 200


async def test_an_owner_from_outside_decides_nothing(border: Border) -> None:
    """A guest who was made an owner by an earlier version, or a colleague who became one since."""
    scene = border.scene
    guest = await scene.world.person(scene.org, "外部 一郎", kind="guest")
    await scene.server.app.storage.write(
        lambda tx: rooms.invite(tx, scene.owner.actor, scene.room, Invitation((guest.id,)))
    )

    async def own(tx: Tx) -> None:
        await tx.run("UPDATE memberships SET role = 'owner' WHERE user_id = ?", guest.actor.user_id)

    await scene.server.app.storage.write(own)
    takeout = await border.asked()
    assert await border.waiting(guest) == []
    assert code_of(await border.decide(guest, takeout)) in (3009, 5023)
    assert f"user:{guest.id}" not in (await border.said())[-1]["mentions"]


async def test_whoever_only_reads_asks_without_a_message(border: Border) -> None:
    scene = border.scene
    member = scene.member.actor.user_id

    async def read_only(tx: Tx) -> None:
        await tx.run("UPDATE memberships SET role = 'read_only' WHERE user_id = ?", member)

    await scene.server.app.storage.write(read_only)
    before = len(await border.said())
    await border.asked()
    assert len(await border.said()) == before


async def test_so_many_wait_at_once(border: Border) -> None:
    scene = border.scene

    async def fill(tx: Tx) -> None:
        for number in range(TAKEOUTS_WAITING):
            await tx.run(
                "INSERT INTO takeouts (public_id, org_id, attachment_id, user_id, device, zone, reason, state, asked_at, expires_at)"
                " SELECT ?, ?, id, ?, ?, 'internet', 'x', 'asked', ?, ? FROM attachments WHERE public_id = ?",
                f"t{number}", scene.org.id, scene.member.actor.user_id, f"d{number}", tx.now, tx.now + DAY, border.file,
            )  # fmt: skip

    await scene.server.app.storage.write(fill)
    assert code_of(await border.ask()) == 8005
    scene.server.clock.ahead += DAY + 1
    assert code_of(await border.ask()) == 200


async def test_a_disabled_approver_is_called_by_nobody(border: Border) -> None:
    scene = border.scene
    await scene.server.app.storage.write(lambda tx: people.disable(tx, scene.org.id, scene.owner.actor.user_id))
    await border.ask()
    assert (await border.said())[-1].get("mentions") in (None, {})


async def test_whoever_came_later_decides_about_what_they_do_not_see(border: Border) -> None:
    """An owner, or an administrator, from whom the room's past is kept: their answer quotes nothing of it."""
    scene = border.scene
    late = await scene.world.person(scene.org, "後藤 新")
    await scene.server.app.storage.write(
        lambda tx: rooms.invite(tx, scene.owner.actor, scene.room, Invitation((late.id,)))
    )

    async def own(tx: Tx) -> None:
        await tx.run(
            "UPDATE memberships SET role = 'owner', visible_seq = from_seq WHERE user_id = ?", late.actor.user_id
        )

    await scene.server.app.storage.write(own)
    takeout = await border.asked()
    answer = await border.decide(late, takeout, "refuse", "図面の持ち出しは禁止")
    assert code_of(answer) == 200, answer.text
    message = (await border.said())[-1]
    assert message["author"]["id"] == late.id
    assert "quote" not in message
    assert (await border.state())["words"] == "図面の持ち出しは禁止"


async def test_the_request_calls_the_heads_who_decide(border: Border) -> None:
    """Of those in the room: the heads of the asker's department, and who administers the organization; no other head."""
    scene = border.scene
    await border.rule("department_admin")
    roads, water = [await scene.world.department(scene.org, name) for name in ("道路課", "水道課")]
    await scene.world.appoint(scene.member, roads)
    head, other = await scene.world.person(scene.org, "伊藤 誠"), await scene.world.person(scene.org, "森 泉")
    administrator = await scene.world.person(scene.org, role=ORGANIZATION_ADMIN)
    await scene.world.put_in_charge(head, roads)
    await scene.world.put_in_charge(other, water)
    ids = (head.id, other.id, administrator.id)
    await scene.server.app.storage.write(lambda tx: rooms.invite(tx, scene.owner.actor, scene.room, Invitation(ids)))
    await border.ask()
    assert set((await border.said())[-1]["mentions"]) == {f"user:{head.id}", f"user:{administrator.id}"}


async def test_what_nobody_can_decide_about_any_more_takes_no_place(border: Border) -> None:
    scene = border.scene
    files = [border.file, *[await scene.sent(scene.owner, PDF) for _ in range(TAKEOUTS_WAITING)]]
    for file in files[:TAKEOUTS_WAITING]:
        assert code_of(await border.ask(file=file)) == 200
    assert code_of(await border.ask(file=files[-1])) == 8005
    await scene.server.app.storage.write(lambda tx: withdrawing.withdraw(tx, scene.owner.actor, files[1]))
    assert code_of(await border.ask(file=files[-1])) == 200


async def test_in_an_archived_room_it_is_decided_without_a_message(border: Border) -> None:
    scene = border.scene
    takeout = await border.asked()
    await scene.server.app.storage.write(
        lambda tx: rooms.change(tx, scene.owner.actor, scene.room, RoomChange(archived=True))
    )
    before = len(await border.said())
    assert code_of(await border.decide(scene.owner, takeout)) == 200
    assert "original" in (await border.addresses())["addresses"]
    assert len(await border.said()) == before


async def test_an_approver_who_was_one_a_moment_ago_decides_nothing(border: Border) -> None:
    scene = border.scene
    takeout = await border.asked()
    member = scene.owner.actor.user_id
    await scene.server.app.storage.write(
        lambda tx: tx.run("UPDATE memberships SET role = 'member' WHERE user_id = ?", member)
    )
    assert code_of(await border.decide(scene.owner, takeout)) == 5023
    assert "original" not in (await border.addresses())["addresses"]
