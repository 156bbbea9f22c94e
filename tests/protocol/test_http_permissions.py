"""Every call × every kind of person, as `permissions.py` says, on a real server (security.md, 12, 16, 27).

Calls come from the routes: a new one without a row fails. What is refused must leave the database as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec
import pytest

from chat_server.domain.actors import AUDITOR, ORGANIZATION_ADMIN, RECORDS_OFFICER, ROLES
from chat_server.domain.ids import new_id
from chat_server.domain.limits import HOUR
from chat_server.domain.webhooks import Hosts
from chat_server.domain.zones import THUMBNAIL
from chat_server.http.calls import AnyCall
from chat_server.ports import Reader, Tx
from chat_server.sanitizing.report import Report
from chat_server.services import confirming, hooks, notes, rooms, scheduling, sharing, upload_links
from chat_server.services.blocks import Photos, Text
from chat_server.services.capabilities import Capability, next_expiry, seal
from chat_server.services.commands import Send
from chat_server.services.drafts import draft
from chat_server.services.note_blocks import Markdown
from chat_server.services.rooms import Invitation
from chat_server.services.upload_links import Wanted
from chat_server.storage.queries import held_files, organizations, takeouts
from chat_server.storage.queries.held_files import NewHeld
from chat_server.storage.queries.takeouts import NewTakeout
from tests.protocol.permissions import PERMISSIONS, Row
from tests.support.api import Api, code_of
from tests.support.calls import CALLS
from tests.support.forms import bot_form
from tests.support.world import Org, Someone, World
from tests.unit.photo_samples import encoded, picture

on_one_loop = pytest.mark.asyncio(loop_scope="module")

PHOTO: Final = encoded(picture(32, 24))
REPORT: Final = msgspec.json.encode(
    Report(
        file="図面.jww", kind_found="jww", kind_claimed="jww", action="refused", reason="needs_approval", sha256_before="0" * 64,
        size_before=9, seconds=0.1,
    )
)  # fmt: skip
STAFF: Final = "ログイン名,氏名,ふりがな,所属,職\nnotok,能登 圭,のと けい,道路課,主事\n".encode()
JSON = dict[str, Any]
TEXT: Final = [{"type": "text", "text": "後で"}]
MARKDOWN: Final = [{"type": "markdown", "text": "# 経過"}]


@dataclass
class Scene:
    """Made anew for every cell of a call that changes something: no cell lives on what another did."""

    world: World
    document: Mapping[str, Any]
    home: Org
    other: Org
    people: dict[str, Someone]
    colleague: Someone
    another_member: Someone
    second_device: Someone
    room: str
    open_room: str
    message: str
    form: str
    asking: str
    scheduled: str
    note: str
    entry: str
    hook: str
    link: str
    held: str
    photo: str
    takeout: str


async def scene_of(world: World, document: Mapping[str, Any], *, with_photo: bool) -> Scene:
    async def make(tx: Tx) -> Scene:
        return await make_scene(tx, world, document)

    scene = await world.server.app.storage.write(make)
    if with_photo:
        owner = scene.people["owner"]
        async with world.server.client(owner.token) as client:
            scene.photo = (await client.post("/api/photos", content=PHOTO)).json()["id"]
        await world.post(owner, scene.room, Photos((scene.photo,)))
        scene.takeout = await world.server.app.storage.write(lambda tx: ask_to_take_out(tx, scene))
    return scene


async def ask_to_take_out(tx: Tx, scene: Scene) -> str:
    """As the other member did, on a phone on the Internet."""
    await tx.run("UPDATE rooms SET outflow = 'approve' WHERE public_id = ?", scene.room)
    row = await tx.one("SELECT id FROM attachments WHERE public_id = ?", scene.photo)
    assert row is not None
    new = NewTakeout(
        new_id(tx.now), scene.home.id, row[0], scene.another_member.actor.user_id, "phone", "internet", "現地で見るため", tx.now + HOUR
    )  # fmt: skip
    await takeouts.insert(tx, new)
    return new.public_id


async def make_scene(tx: Tx, world: World, document: Mapping[str, Any]) -> Scene:
    """All of it in one transaction: a commit waits for the disk."""
    world.made += 1
    home = await world.organization(f"home{world.made}", "みどり野市", tx=tx)
    other = await world.organization(f"other{world.made}", "風見原町", tx=tx)
    people = {
        "guest": await world.person(home, "外部 一郎", kind="guest", tx=tx),
        "read_only": await world.person(home, "渡辺 茂", tx=tx),
        "member": await world.person(home, "田中 美咲", tx=tx),
        "owner": await world.person(home, "高橋 健", tx=tx),
        "administrator": await world.person(home, "佐藤 一", role=ORGANIZATION_ADMIN, tx=tx),
        "department_admin": await world.person(home, "伊藤 誠", tx=tx),
        "auditor": await world.person(home, "阿部 一", role=AUDITOR, tx=tx),
        "records_officer": await world.person(home, "青木 愛", role=RECORDS_OFFICER, tx=tx),
        "stranger": await world.person(other, "山本 直子", role=ORGANIZATION_ADMIN, tx=tx),
        "disabled": await world.person(home, "中村 進", tx=tx),
    }
    colleague = await world.person(home, "小林 恵", tx=tx)
    another = await world.person(home, "加藤 誠", tx=tx)
    department = await world.department(home, "道路課", tx=tx)
    await world.appoint(colleague, department, tx=tx)
    await world.put_in_charge(people["department_admin"], department, tx=tx)
    owner = people["owner"]
    room = await world.room(owner, people["guest"], people["member"], people["disabled"], another, tx=tx)
    await rooms.invite(tx, owner.actor, room, Invitation((people["read_only"].id,), "read_only"))
    sent = await world.post(owner, room, tx=tx)
    assert sent.id is not None
    asking = await world.post(owner, room, tx=tx)
    assert asking.id is not None
    await confirming.ask(tx, owner.actor, asking.id, tx.now + HOUR)
    waiting = await scheduling.schedule(tx, owner.actor, draft(to_send(room)), tx.now + HOUR)
    note = await notes.create(tx, owner.actor, room, "経過", (Markdown("補修の経過"),), (sent.id,))
    entry = await tx.one("SELECT public_id FROM note_entries ORDER BY id DESC LIMIT 1")
    assert entry is not None
    await organizations.set_own_rules(tx, home.id, {"webhooks": "member"})
    hook = await hooks.make(tx, owner.actor, room, "監視システム", "", Hosts())
    link = await upload_links.ask(tx, owner.actor, room, Wanted("青葉 一郎", "写真", tx.now + HOUR))
    await tx.run("DELETE FROM bot_events WHERE kind = 'link'")  # the bot's card would come just between two looks
    held = new_id(tx.now)
    await held_files.insert(
        tx,
        NewHeld(
            held,
            home.id,
            None,
            None,
            owner.actor.user_id,
            "図面.jww",
            9,
            "jww",
            "internet",
            "0" * 64,
            REPORT,
            tx.now + HOUR,
        ),
    )
    form = await bot_form(tx, await world.person(home, "係", kind="bot", tx=tx), owner, room)
    # What an administrator who owns the room would do; the owner is an ordinary member of the organization.
    await sharing.offer(tx, replace(owner.actor, roles=frozenset((ORGANIZATION_ADMIN,))), room, other.code)
    await tx.run("UPDATE users SET disabled_at = ? WHERE id = ?", tx.now, people["disabled"].actor.user_id)
    return Scene(
        world=world,
        document=document,
        home=home,
        other=other,
        people=people,
        colleague=colleague,
        another_member=another,
        second_device=await world.another_device(home, people["member"], "lgwan", tx=tx),
        room=room,
        open_room=await world.room(another, kind="open", tx=tx),
        message=sent.id,
        form=form,
        asking=asking.id,
        scheduled=waiting["id"],
        note=note.id,
        entry=str(entry[0]),
        hook=hook["id"],
        link=link["id"],
        held=held,
        photo="",
        takeout="",
    )


def to_send(room: str) -> Send:
    return Send(ref=1, room=room, client_msg_id="scheduled", blocks=(Text("後で"),))


@dataclass(frozen=True)
class Request:
    """How a call is made in a scene by somebody."""

    path: Callable[[Scene, str], JSON] = lambda scene, person: {}
    json: Callable[[Scene, str], JSON] | None = None
    content: bytes | None = None
    params: JSON = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    asking: Callable[[Scene, str], JSON] = lambda scene, person: {}
    """more params"""


def in_room(scene: Scene, person: str) -> JSON:
    return {"room": scene.room}


TUS = {"Tus-Resumable": "1.0.0"}


def another_upload(scene: Scene, person: str) -> JSON:
    return {"upload": new_id(0)}


def on_member(scene: Scene, person: str) -> JSON:
    return {"room": scene.room, "user": scene.another_member.id}


def on_colleague(scene: Scene, person: str) -> JSON:
    return {"user": scene.colleague.id}


def on_colleagues_device(scene: Scene, person: str) -> JSON:
    return {"user": scene.colleague.id, "device": scene.colleague.actor.device}


def on_form(scene: Scene, person: str) -> JSON:
    return {"message": scene.form}


def on_asking(scene: Scene, person: str) -> JSON:
    return {"message": scene.asking}


def on_scheduled(scene: Scene, person: str) -> JSON:
    return {"scheduled": scene.scheduled}


def on_note(scene: Scene, person: str) -> JSON:
    return {"note": scene.note, "number": "1", "entry": scene.entry}


def on_hook(scene: Scene, person: str) -> JSON:
    return {"hook": scene.hook}


def on_link(scene: Scene, person: str) -> JSON:
    return {"link": scene.link}


def on_held(scene: Scene, person: str) -> JSON:
    return {"file": scene.held}


def another_file(scene: Scene, person: str) -> JSON:
    return {"file": new_id(0)}


def in_hours(scene: Scene, hours: int) -> int:
    return scene.world.server.clock.now() + hours * HOUR


def on_message(scene: Scene, person: str) -> JSON:
    return {"message": scene.message}


def own_address(scene: Scene, person: str) -> JSON:
    """A true signature for that very person: what is checked at use is all that is left."""
    server = scene.world.server
    now = server.clock.now()
    who = scene.people.get(person)
    user, device = (who.id, who.actor.device) if who else (new_id(now), new_id(now))
    capability = Capability(scene.photo, THUMBNAIL, user, device, "lgwan", next_expiry(now))
    return {"capability": seal(server.app.keys, capability)}


REQUESTS: Final[dict[str, Request]] = {
    "start_sign_in": Request(json=lambda s, p: {"organization": s.home.code, "login": "nobody"}),
    "prove_password": Request(json=lambda s, p: {"flow": "none", "password": "guess"}),
    "refresh_session": Request(json=lambda s, p: {"refresh_token": "none"}),
    "get_me": Request(),
    "sign_out": Request(),
    "list_devices": Request(),
    "sign_out_device": Request(lambda s, p: {"device": s.second_device.actor.device}),
    "get_this_device": Request(),
    "describe_device": Request(json=lambda s, p: {"platform": "android", "app_version": "1.4.0"}),
    "register_push": Request(json=lambda s, p: {"platform": "fcm", "token": f"token-of-{p}"}),
    "withdraw_push": Request(),
    "renew_push": Request(
        json=lambda s, p: {
            "renewal": "none",
            "token": f"https://push.example/{p}",
            "p256dh": "B" + "A" * 86,
            "auth": "A" * 22,
        }
    ),
    "get_web_key": Request(),
    "try_push": Request(),
    "sync": Request(json=lambda s, p: {"rooms": {s.room: 0}}, headers={"Accept": "application/json"}),
    "confirm_wiped": Request(json=lambda s, p: {"unsent": 2}),
    "wipe_own_device": Request(lambda s, p: {"device": s.second_device.actor.device}),
    "list_organization_devices": Request(),
    "list_devices_of": Request(on_colleague),
    "change_device": Request(on_colleagues_device, json=lambda s, p: {"ownership": "issued"}),
    "wipe_device": Request(on_colleagues_device),
    "sign_out_device_of": Request(on_colleagues_device),
    "get_usage": Request(),
    "list_bookmarks": Request(),
    "change_password": Request(json=lambda s, p: {"old": "guess", "new": "みどりの町の合言葉です"}),
    "get_directory": Request(),
    "list_people": Request(),
    "get_person": Request(on_colleague),
    "add_person": Request(json=lambda s, p: {"login": f"new-{p}", "name": "新人 一", "reading": "しんじん はじめ"}),
    "change_person": Request(on_colleague, json=lambda s, p: {"name": "改名"}),
    "get_organization": Request(),
    "change_organization": Request(json=lambda s, p: {"policy": {"create_open": "organization_admin"}}),
    "list_held_files": Request(),
    "approve_file": Request(on_held, json=lambda s, p: {"reason": "電話で確認した"}),
    "refuse_file": Request(on_held, json=lambda s, p: {"reason": "用途が不明"}),
    "list_organization_links": Request(),
    "revoke_organization_link": Request(on_link),
    "list_zone_rules": Request(),
    "change_zone_rule": Request(
        json=lambda s, p: {"from": "internet", "to": "lgwan", "family": "photos", "action": "refuse"}
    ),
    "list_organization_rooms": Request(),
    "get_health": Request(),
    "show_staff_difference": Request(content=STAFF),
    "import_staff_file": Request(content=STAFF, params={"difference": "0" * 64}),
    "list_audit": Request(),
    "explain_push": Request(asking=lambda s, p: {"user": s.another_member.id, "message": s.message}),
    "get_notifications": Request(),
    "change_notifications": Request(
        json=lambda s, p: {"push": "all", "duty": "off", "quiet": None, "time_zone": "Asia/Tokyo"}
    ),
    "change_room_notifications": Request(in_room, json=lambda s, p: {"level": "none"}),
    "list_rooms": Request(),
    "create_room": Request(json=lambda s, p: {"kind": "private", "name": "新しい部屋"}),
    "open_direct_room": Request(json=lambda s, p: {"user": s.colleague.id}),
    "list_open_rooms": Request(),
    "get_room": Request(in_room),
    "change_room": Request(in_room, json=lambda s, p: {"topic": "変更"}),
    "list_members": Request(in_room),
    "invite_members": Request(in_room, json=lambda s, p: {"users": [s.colleague.id]}),
    "change_member": Request(on_member, json=lambda s, p: {"role": "read_only"}),
    "remove_member": Request(on_member),
    "join_room": Request(lambda s, p: {"room": s.open_room}),
    "leave_room": Request(in_room),
    "list_offered_rooms": Request(),
    "offer_room": Request(in_room, json=lambda s, p: {"organization": s.other.code}),
    "open_side": Request(in_room),
    "list_sides": Request(in_room),
    "withdraw_room": Request(lambda s, p: {"room": s.room, "organization": s.other.public_id}),
    "close_side": Request(in_room),
    "list_messages": Request(in_room),
    "send_message": Request(
        in_room, json=lambda s, p: {"client_msg_id": f"cell-{p}-x", "blocks": [{"type": "text", "text": "確認"}]}
    ),
    "search": Request(json=lambda s, p: {"words": "道路", "room": s.room}),
    "list_attachments": Request(in_room),
    "list_pins": Request(in_room),
    "list_room_bots": Request(in_room),
    "get_message": Request(on_message),
    "list_readers": Request(on_message),
    "ask_to_confirm": Request(on_asking, json=lambda s, p: {"by": in_hours(s, 9)}),
    "confirm_message": Request(on_asking),
    "list_confirmations": Request(on_asking),
    "give_confirmations": Request(on_asking),
    "roll_up_readers": Request(on_message),
    "list_unread_announcements": Request(),
    "list_pending": Request(),
    "schedule_message": Request(in_room, json=lambda s, p: {"at": in_hours(s, 9), "blocks": TEXT}),
    "change_scheduled": Request(on_scheduled, json=lambda s, p: {"version": 1, "at": in_hours(s, 8)}),
    "take_back_scheduled": Request(on_scheduled),
    "list_scheduled": Request(),
    "list_notes": Request(in_room),
    "create_note": Request(in_room, json=lambda s, p: {"title": "題", "blocks": MARKDOWN, "messages": [s.message]}),
    "get_note": Request(on_note),
    "print_note": Request(on_note),
    "pack_note": Request(on_note),
    "list_note_versions": Request(on_note),
    "get_note_version": Request(on_note),
    "change_note": Request(on_note, json=lambda s, p: {"version": 1, "blocks": MARKDOWN}),
    "restore_note": Request(on_note, json=lambda s, p: {"version": 1}),
    "delete_note": Request(on_note),
    "strike_note_entry": Request(on_note),
    "make_hook": Request(in_room, json=lambda s, p: {"name": "水位計"}),
    "list_hooks": Request(in_room),
    "change_hook": Request(on_hook, json=lambda s, p: {"on": False}),
    "roll_hook_secret": Request(on_hook),
    "retry_hook": Request(on_hook),
    "remove_hook": Request(on_hook),
    "post_by_hook": Request(on_hook, json=lambda s, p: {"text": "x"}),
    "ask_for_files": Request(
        in_room, json=lambda s, p: {"recipient": "青葉 一郎", "purpose": "写真", "ends": in_hours(s, 9)}
    ),
    "list_upload_links": Request(in_room),
    "read_upload_link": Request(on_link),
    "change_upload_link": Request(on_link, json=lambda s, p: {"ends": in_hours(s, 9)}),
    "revoke_upload_link": Request(on_link),
    "give_link_address": Request(on_link),
    "ask_again": Request(on_link, json=lambda s, p: {"ends": in_hours(s, 9)}),
    "look_at_link": Request(),
    "begin_visit": Request(json=lambda s, p: {}),
    "read_visit": Request(),
    "deliver": Request(),
    "tell_tus_outside": Request(),
    "begin_file": Request(headers={**TUS, "Upload-Length": "3"}),
    "see_file": Request(another_file, headers=TUS),
    "add_to_file": Request(
        another_file,
        content=b"abc",
        headers={**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"},
    ),
    "cancel_file": Request(another_file, headers=TUS),
    "press_button": Request(on_form, json=lambda s, p: {"key": "yes"}),
    "answer_form": Request(on_form, json=lambda s, p: {"values": {"word": "はい"}}),
    "own_answer": Request(on_form),
    "next_task": Request(json=lambda s, p: {"wait": 0}),
    "bring_back_task": Request(lambda s, p: {"task": new_id(0)}, json=lambda s, p: {}),
    "upload_photo": Request(content=PHOTO),
    "give_addresses": Request(json=lambda s, p: {"ids": [s.photo]}),
    "get_file": Request(own_address),
    "withdraw_attachment": Request(lambda scene, person: {"attachment": scene.photo}),
    "read_report": Request(lambda scene, person: {"attachment": scene.photo}),
    "flatten_attachment": Request(lambda scene, person: {"attachment": scene.photo}),
    "read_flattened": Request(lambda scene, person: {"attachment": scene.photo}),
    "ask_to_take_out": Request(lambda s, p: {"attachment": s.photo}, json=lambda s, p: {"reason": "現地で見るため"}),
    "read_takeout": Request(lambda scene, person: {"attachment": scene.photo}),
    "list_takeouts": Request(),
    "approve_takeout": Request(lambda s, p: {"takeout": s.takeout}, json=lambda s, p: {}),
    "refuse_takeout": Request(lambda s, p: {"takeout": s.takeout}, json=lambda s, p: {"reason": "外では見せられない"}),
    "tell_tus": Request(),
    "begin_upload": Request(headers={**TUS, "Upload-Length": "3"}),
    "read_upload": Request(another_upload, headers=TUS),
    "see_upload": Request(another_upload, headers=TUS),
    "add_to_upload": Request(
        another_upload,
        content=b"abc",
        headers={**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"},
    ),
    "cancel_upload": Request(another_upload, headers=TUS),
}


def test_every_call_has_a_row_and_a_request() -> None:
    ids = {call.id for call in CALLS}
    assert set(PERMISSIONS) == ids, "give every call a row in tests/protocol/permissions.py"
    assert set(REQUESTS) == ids, "say here how the call is made"


def test_every_role_has_a_column() -> None:
    assert set(ROLES) - {ORGANIZATION_ADMIN} <= set(Row._fields), "and `administrator` is the remaining one"


@on_one_loop
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.id)
async def test_permissions(call: AnyCall, world: World, document: Mapping[str, Any]) -> None:
    answered: dict[str, int] = {}
    scene: Scene | None = None
    for person in Row._fields:
        if scene is None or not call.safe:
            scene = await scene_of(
                world, document, with_photo=call.tag in ("attachments", "reports", "flattening", "takeouts")
            )
        answered[person] = await cell(scene, call, person)
    assert Row(**answered) == PERMISSIONS[call.id]


async def cell(scene: Scene, call: AnyCall, person: str) -> int:
    """Make the call as `person`; the answer's number."""
    request = REQUESTS[call.id]
    who = scene.people.get(person)
    api = Api(scene.world.server.client(who.token if who else None), scene.document)
    made: JSON = {
        "params": {**request.params, **request.asking(scene, person)},
        "headers": {"Idempotency-Key": f"cell-{person}", **request.headers},
    }
    if request.json is not None:
        made["json"] = request.json(scene, person)
    if request.content is not None:
        made["content"] = request.content
    before = await scene.world.server.app.storage.read(fingerprint)
    async with api.client:
        answer = await api.call(call.id, request.path(scene, person), **made)
    if answer.status_code >= 400 and call.id != "prove_password":
        after = await scene.world.server.app.storage.read(fingerprint)
        assert after == before, f"{call.id} was refused to {person}, and yet something changed"
    return code_of(answer)


async def fingerprint(reader: Reader) -> list[Any]:
    """Everything that an act of these calls could leave behind."""
    tables = (
        "users", "roles", "appointments", "departments", "rooms", "room_organizations", "memberships", "messages",
        "events", "attachments", "renditions", "blobs", "sends", "hooks", "hook_deliveries", "upload_links", "link_visits", "handed_files", "held_files", "takeouts", "zone_rules", "file_reports", "idempotency", "audit", "bookmarks", "refresh_tokens",
        "sign_ins", "push_tokens", "notification_settings", "room_notifications", "notes", "note_versions", "note_entries",
    )  # fmt: skip
    counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)
    row = await reader.one(
        f"SELECT {counts}, (SELECT sum(last_seq) FROM rooms), (SELECT count(*) FROM memberships WHERE to_seq IS NULL),"
        " (SELECT count(*) FROM devices WHERE revoked_at IS NULL AND wipe_asked_at IS NULL AND ownership = ''), (SELECT count(*) FROM users WHERE disabled_at IS NULL),"
        " (SELECT sum(directory_version) FROM organizations), (SELECT count(*) FROM rooms WHERE archived_at IS NULL)"
    )
    assert row is not None
    states = await reader.all("SELECT state FROM room_organizations ORDER BY room_id, org_id")
    policies = await reader.all("SELECT policy FROM organizations ORDER BY id")
    decided = await reader.all("SELECT state FROM held_files ORDER BY id")
    wanted = await reader.all("SELECT state FROM takeouts ORDER BY id")
    outflows = await reader.all("SELECT outflow FROM rooms ORDER BY id")
    return [*row, *states, *policies, *decided, *wanted, *outflows]
