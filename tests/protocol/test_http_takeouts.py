"""Taking files out to a less trusted zone (services/takeouts.py): a second person inside approves, for one device and a day."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, replace
from typing import Any

import pytest
import pytest_asyncio

from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.domain.limits import DAY, TAKEOUT_ASKED, TAKEOUTS_WAITING
from chat_server.ports import Tx
from chat_server.services import rooms, sharing, withdrawing
from chat_server.services.blocks import Photos
from chat_server.services.rooms import Invitation, RoomChange
from chat_server.storage.queries import organizations, people
from tests.support.api import Api, code_of
from tests.support.uploads import PDF, Scene
from tests.support.world import Someone
from tests.unit.photo_samples import encoded, picture

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True
WHY = "現地で寸法を確かめるため"


@dataclass
class Border:
    """A file in the closed network that leaves its room with an approval, and its member with a phone on the Internet."""

    scene: Scene
    phone: Someone
    file: str

    async def call(self, who: Someone, name: str, path: dict[str, str], json: Any = None) -> Any:
        zone = who.actor.zone
        token = self.scene.token_now(who, zone) if self.scene.server.clock.ahead else who.token
        api = Api(self.scene.server.client(token, zone), self.scene.document)
        async with api.client:
            return await (api.call(name, path) if json is None else api.call(name, path, json=json))

    async def ask(self, who: Someone | None = None, file: str = "", reason: str = WHY) -> Any:
        path = {"attachment": file or self.file}
        return await self.call(who or self.phone, "ask_to_take_out", path, {"reason": reason})

    async def state(self, who: Someone | None = None) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.call(who or self.phone, "read_takeout", {"attachment": self.file})).json()
        return answer

    async def waiting(self, who: Someone) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await self.call(who, "list_takeouts", {})).json()["items"]
        return items

    async def decide(self, who: Someone, takeout: str, how: str = "approve", reason: str = "") -> Any:
        return await self.call(who, f"{how}_takeout", {"takeout": takeout}, {"reason": reason})

    async def asked(self) -> str:
        """One that waits; its id, as the owner sees it."""
        assert code_of(await self.ask()) == 200
        [one] = await self.waiting(self.scene.owner)
        return str(one["id"])

    async def addresses(self, who: Someone | None = None, file: str = "") -> dict[str, Any]:
        who = who or self.phone
        answer = await self.call(who, "give_addresses", {}, {"ids": [file or self.file]})
        [item] = answer.json()["items"]
        found: dict[str, Any] = item
        return found

    async def open(self, address: str) -> int:
        return code_of(await self.scene.get(address, "internet"))

    async def outflow(self, value: str) -> None:
        room = self.scene.room
        await self.scene.server.app.storage.write(
            lambda tx: tx.run("UPDATE rooms SET outflow = ? WHERE public_id = ?", value, room)
        )

    async def rule(self, value: str) -> None:
        org, rules = self.scene.org.id, {"approve_takeouts": value}
        await self.scene.server.app.storage.write(lambda tx: organizations.set_own_rules(tx, org, rules))

    async def said(self) -> list[dict[str, Any]]:
        answer = await self.call(self.scene.member, "list_messages", {"room": self.scene.room})
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages


@pytest_asyncio.fixture(loop_scope="module")
async def border(scene: Scene) -> Border:
    file = await scene.sent(scene.owner, PDF, "橋りょう一般図.pdf")
    border = Border(scene, await scene.world.another_device(scene.org, scene.member, "internet"), file)
    await border.outflow("approve")
    return border


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


async def test_it_is_for_that_device_and_a_day(border: Border) -> None:
    scene = border.scene
    another = await scene.world.another_device(scene.org, scene.member, "internet")
    colleague = await scene.world.person(scene.org, "渡辺 茂")
    await scene.server.app.storage.write(
        lambda tx: rooms.invite(tx, scene.owner.actor, scene.room, Invitation((colleague.id,)))
    )
    theirs = await scene.world.another_device(scene.org, colleague, "internet")
    await border.decide(scene.owner, await border.asked())
    address = (await border.addresses())["addresses"]["original"]
    for somebody in (another, theirs):
        item = await border.addresses(somebody)
        assert "original" not in item["addresses"]
        assert item["takeout"] == "none"
    scene.server.clock.ahead += DAY - 60_000
    assert "original" in (await border.addresses())["addresses"]
    scene.server.clock.ahead += 120_000
    late = await border.addresses()
    assert late["takeout"] == "lapsed"
    assert "original" not in late["addresses"]
    assert await border.open(address) >= 5000
    assert (await border.ask()).json()["state"] == "asked", "once more"


@pytest.mark.parametrize("rule", ["view", "text"])
async def test_a_stricter_rule_takes_it_back_at_once(border: Border, rule: str) -> None:
    scene = border.scene
    await border.decide(scene.owner, await border.asked())
    address = (await border.addresses())["addresses"]["original"]
    assert await border.open(address) == 200
    await border.outflow(rule)
    assert await border.open(address) == 5005
    assert "takeout" not in await border.addresses()
    assert code_of(await border.ask()) == 5022


async def test_what_the_organization_lets_out_between_two_zones(border: Border) -> None:
    scene = border.scene
    administrator = await scene.world.person(scene.org, role=ORGANIZATION_ADMIN)

    async def ceiling(action: str | None, from_: str = "lgwan", to: str = "internet") -> int:
        rule = {"from": from_, "to": to, "family": "outflow", "action": action}
        return code_of(await border.call(administrator, "change_zone_rule", {}, rule))

    takeout = await border.asked()
    await border.decide(scene.owner, takeout)
    address = (await border.addresses())["addresses"]["original"]
    assert await ceiling("view") == 200
    assert await border.open(address) == 5005, "no room's rule, and nobody's approval, exceeds it"
    assert code_of(await border.ask()) == 5022
    await border.outflow("download")
    assert "original" not in (await border.addresses())["addresses"]
    assert await ceiling("approve") == 200
    assert (await border.addresses())["takeout"] == "approved"
    assert await ceiling("download") == 200
    assert "takeout" not in await border.addresses()
    assert await ceiling(None) == 200
    assert await ceiling("view", "internet", "lgwan") == 7123
    assert await ceiling("view", "lgwan", "lgwan") == 7123
    assert await ceiling("everything") == 2001
    listed = (await border.call(administrator, "list_zone_rules", {})).json()
    assert listed["outflows"] == ["text", "view", "approve", "download"]
    assert listed["items"] == []
    rules = [detail["to"] for _, _, detail in await scene.world.recorded(scene.org, "organization.zone_rule")]
    assert rules == ["view", "approve", "download", None]


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


async def test_a_rule_of_the_device_that_comes_later_holds(border: Border) -> None:
    scene = border.scene
    await border.decide(scene.owner, await border.asked())
    address = (await border.addresses())["addresses"]["original"]
    await scene.server.app.storage.write(
        lambda tx: organizations.set_own_rules(tx, scene.org.id, {"device_access_private": "view"})
    )
    assert await border.open(address) == 5030


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


async def test_what_is_taken_back_waits_for_nobody(border: Border) -> None:
    scene = border.scene
    takeout = await border.asked()
    await scene.server.app.storage.write(lambda tx: withdrawing.withdraw(tx, scene.owner.actor, border.file))
    assert await border.waiting(scene.owner) == []
    assert code_of(await border.decide(scene.owner, takeout)) == 5023
    assert code_of(await border.ask()) == 5001


async def test_who_left_the_room_takes_nothing_along(border: Border) -> None:
    scene = border.scene
    takeout = await border.asked()
    await border.decide(scene.owner, takeout)
    address = (await border.addresses())["addresses"]["original"]
    await scene.server.app.storage.write(lambda tx: rooms.leave(tx, scene.member.actor, scene.room))
    assert await border.open(address) == 5001


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


async def test_forwarding_outside_is_no_way_round(border: Border) -> None:
    scene = border.scene
    sent = await message_of(border, border.file)
    lax = [await scene.world.room(scene.member, scene.owner) for _ in range(2)]
    for room in lax:
        await let_out(border, room, "download")
    outside = await forwarded(border, border.phone, sent, lax[0])
    copy = await border.addresses(file=outside["attachment"])
    assert "original" not in copy["addresses"]
    assert copy["takeout"] == "none", "here it leaves with an approval, as where it came from"
    again = await forwarded(border, border.phone, outside["message"], lax[1])
    assert "original" not in (await border.addresses(file=again["attachment"]))["addresses"]
    # It may be asked for there, and whoever owns that room decides, inside; the one who asks owns it, too.
    assert code_of(await border.ask(file=again["attachment"])) == 200
    # From a desk it is for whoever forwards it to say where it belongs.
    inside = await forwarded(border, scene.member, sent, lax[0])
    assert "original" in (await border.addresses(file=inside["attachment"]))["addresses"]
    lifted = await forwarded(border, scene.member, again["message"], lax[0])
    assert "original" in (await border.addresses(file=lifted["attachment"]))["addresses"]


async def test_a_note_of_the_same_room_follows_its_rule(border: Border) -> None:
    scene = border.scene
    sent = await message_of(border, border.file)
    answer = await border.call(
        border.phone, "create_note", {"room": scene.room}, {"title": "図面", "blocks": [], "messages": [sent]}
    )
    note = answer.json()["id"]
    [copy] = [
        row[0]
        for row in await scene.server.app.storage.read(
            lambda reader: reader.all(
                "SELECT a.public_id FROM attachments a JOIN notes n ON n.id = a.note_id WHERE n.public_id = ?", note
            )
        )
    ]
    assert (await border.addresses(file=copy))["takeout"] == "none"
    await border.outflow("download")
    assert "original" in (await border.addresses(file=copy))["addresses"]


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


async def test_forwarding_outside_to_another_organization_takes_the_ceiling_along(border: Border) -> None:
    """The other organization has no rule between these zones, and its room lets everything out."""
    scene = border.scene
    await border.outflow("download")
    administrator = await scene.world.person(scene.org, role=ORGANIZATION_ADMIN)
    ceiling = {"from": "lgwan", "to": "internet", "family": "outflow", "action": "view"}
    assert code_of(await border.call(administrator, "change_zone_rule", {}, ceiling)) == 200
    assert "original" not in (await border.addresses())["addresses"]
    room = await scene.world.room(scene.member, scene.owner)
    await let_out(border, room, "download")
    scene.world.made += 1
    other = await scene.world.organization(f"minamino{scene.world.made}", "みなみ野町")
    await scene.server.app.storage.write(
        lambda tx: tx.run("UPDATE rooms SET org_id = ? WHERE public_id = ?", other.id, room)
    )
    outside = await forwarded(border, border.phone, await message_of(border, border.file), room)
    assert "original" not in (await border.addresses(file=outside["attachment"]))["addresses"]


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


async def test_a_shared_rooms_files_leave_by_its_homes_word(border: Border) -> None:
    """Whoever comes from the other organization asks its home; their own administrators have no say, whatever their own rules are."""
    scene = border.scene
    administrator = await scene.world.person(scene.org, role=ORGANIZATION_ADMIN)
    scene.world.made += 1
    other = await scene.world.organization(f"minamino{scene.world.made}", "みなみ野町")
    theirs = await scene.world.person(other, role=ORGANIZATION_ADMIN)
    second = await scene.world.person(other, role=ORGANIZATION_ADMIN)

    async def share(tx: Tx) -> None:
        await rooms.invite(tx, scene.owner.actor, scene.room, Invitation((administrator.id,)))
        await rooms.give_role(tx, scene.owner.actor, scene.room, administrator.id, "owner")
        await sharing.offer(tx, administrator.actor, scene.room, other.code)
        await sharing.open_side(tx, theirs.actor, scene.room)
        await rooms.invite(tx, theirs.actor, scene.room, Invitation((second.id,)))

    await scene.server.app.storage.write(share)
    file = await scene.sent(scene.owner, PDF)
    phone = await scene.world.another_device(other, theirs, "internet")
    assert "original" not in (await border.addresses(phone, file))["addresses"]
    assert code_of(await border.ask(phone, file)) == 200
    message = (await border.said())[-1]
    assert set(message["mentions"]) == {f"user:{scene.owner.id}", f"user:{administrator.id}"}
    [one] = await border.waiting(scene.owner)
    assert await border.waiting(second) == []
    assert code_of(await border.decide(second, one["id"])) == 5023
    assert code_of(await border.decide(theirs, one["id"])) == 5023
    assert code_of(await border.decide(scene.owner, one["id"])) == 200
    assert "original" in (await border.addresses(phone, file))["addresses"]


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


async def message_of(border: Border, file: str) -> str:
    row = await border.scene.server.app.storage.read(
        lambda reader: reader.one(
            "SELECT m.public_id FROM messages m JOIN attachments a ON a.message_id = m.id WHERE a.public_id = ?", file
        )
    )
    assert row is not None
    return str(row[0])


async def let_out(border: Border, room: str, value: str) -> None:
    await border.scene.server.app.storage.write(
        lambda tx: tx.run("UPDATE rooms SET outflow = ? WHERE public_id = ?", value, room)
    )


async def forwarded(border: Border, who: Someone, message: str, room: str) -> dict[str, str]:
    """The message that it became, and its copy of the file."""
    border.scene.world.made += 1
    sent = {"client_msg_id": f"forward-{border.scene.world.made:08d}", "forward": message}
    answer = await border.call(who, "send_message", {"room": room}, sent)
    assert code_of(answer) == 200, answer.text
    made = str(answer.json()["id"])
    row = await border.scene.server.app.storage.read(
        lambda reader: reader.one(
            "SELECT a.public_id FROM attachments a JOIN messages m ON m.id = a.message_id WHERE m.public_id = ?", made
        )
    )
    assert row is not None
    return {"message": made, "attachment": str(row[0])}
