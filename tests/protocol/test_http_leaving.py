"""What leaves for a less trusted zone, approved of or not: no way round the strictest rule, and how long an approval holds."""

from __future__ import annotations

import pytest

from chat_server.domain.actors import ORGANIZATION_ADMIN
from chat_server.domain.limits import DAY
from chat_server.ports import Tx
from chat_server.services import rooms, sharing, withdrawing
from chat_server.services.rooms import Invitation
from chat_server.storage.queries import organizations
from tests.support.api import code_of
from tests.support.border import Border, forwarded, let_out, message_of
from tests.support.uploads import PDF

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH_ENGINES = True


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


async def test_a_rule_of_the_device_that_comes_later_holds(border: Border) -> None:
    scene = border.scene
    await border.decide(scene.owner, await border.asked())
    address = (await border.addresses())["addresses"]["original"]
    await scene.server.app.storage.write(
        lambda tx: organizations.set_own_rules(tx, scene.org.id, {"device_access_private": "view"})
    )
    assert await border.open(address) == 5030


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
