"""Upload links by way of the bot that looks after them: what it gets to see of one, the files that it posts, and what people have
it do. It does nothing with a link by a right of its own: a link is asked for, prolonged, taken back by whoever pressed or wrote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from chat_server.bot_api import LINK_NOTE
from chat_server.bot_wire import AgainLink, AskLink, ExtendLink, Handed, LinkAct, RevokeLink
from chat_server.bot_wire import Link as Facts
from chat_server.domain import limits
from chat_server.domain.actors import BOT, DEPARTMENT_ADMIN, ORGANIZATION_ADMIN, Actor
from chat_server.domain.errors import INVALID_FIELD, Problem
from chat_server.domain.links import state_of
from chat_server.domain.policy import allows
from chat_server.ports import Reader, Tx
from chat_server.sanitizing.report import Report
from chat_server.sanitizing.words import REASONS, WARNINGS, sentence
from chat_server.services import upload_links
from chat_server.services.actors import in_good_standing
from chat_server.services.approvals import findings
from chat_server.services.blocks import AnyBlock, Files, Photos
from chat_server.services.link_news import PLUGIN
from chat_server.services.link_wire import HELD, parts
from chat_server.services.photo_upload import PHOTO
from chat_server.services.upload_links import Wanted
from chat_server.storage.queries import bot_links as queries
from chat_server.storage.queries import link_visits, organizations
from chat_server.storage.queries import upload_links as links
from chat_server.storage.queries.bots import Due
from chat_server.storage.queries.upload_links import Link

LINK: Final = "link"
"""Kind of a bot's event."""
_CALLED: Final = 10
"""People who are called because they may approve."""
_TOLD: Final = 8
"""Sentences about one file."""
_LONGEST: Final = limits.LINK_LIVES // limits.DAY


def names_link(due: Due) -> str | None:
    """The public id of the link that this is about."""
    if due.kind == LINK:
        return due.note
    return due.note.removeprefix(LINK_NOTE) if due.kind == "timer" and due.note.startswith(LINK_NOTE) else None


async def facts(reader: Reader, due: Due) -> Facts | None:
    """What the bot sees of it; None where there is no such link in this room, or the bot is another one."""
    link = await links.find(reader, names_link(due) or "")
    if link is None or link.room_id != due.room_id or await queries.plugin_of(reader, due.bot_id) != PLUGIN:
        return None
    people = [link.asker, *parts(link.told)]
    there = await links.members(reader, link.room_id, people)
    return Facts(
        id=link.public_id,
        state=_state(reader, link),
        recipient=link.recipient,
        company=link.company,
        purpose=link.purpose,
        expected=link.expected,
        asker=link.asker_name,
        person=link.asker,
        calls=tuple(person for person in dict.fromkeys(people) if person in there),
        ends=link.ends_at,
        most_files=link.most_files,
        received=link.files,
        files=(files := tuple(map(_handed, await queries.files(reader, link.id)))),
        approvers=await _approvers(reader, link) if any(file.state == HELD for file in files) else (),
        admins=(await organizations.policy(reader, link.org_id)).approve_files == ORGANIZATION_ADMIN,
        silent=await link_visits.any_silent(reader, link.id),
    )


async def _approvers(reader: Reader, link: Link) -> tuple[str, ...]:
    """Those in the room who may approve of what is held: never whoever asks for it. In a department's case `approvals` decides
    whose people they are; whoever is called for nothing is told so."""
    policy = await organizations.policy(reader, link.org_id)
    roles = [
        role for role in (ORGANIZATION_ADMIN, DEPARTMENT_ADMIN) if allows(policy, "approve_files", frozenset((role,)))
    ]
    return tuple(await queries.approvers(reader, link.room_id, link.org_id, link.asker_id, roles, _CALLED))


def _state(reader: Reader, link: Link) -> str:
    return state_of(
        reader.now, given=bool(link.is_given), ends_at=link.ends_at, opened_at=link.opened_at, files=link.files,
        done_at=link.done_at, revoked_at=link.revoked_at,
    )  # fmt: skip


def _handed(file: queries.File) -> Handed:
    told: tuple[str, ...] = ()
    reason = ""
    if file.report is not None:
        report = msgspec.json.decode(file.report, type=Report)
        said = [sentence(one)[0] for one in report.removed] + [WARNINGS[one][0] for one in report.warnings]
        if file.state == HELD:
            said = [one["ja"] for one in findings(report)]
        told = (*said[:_TOLD], f"ほか{len(said) - _TOLD}件") if len(said) > _TOLD else tuple(said)
        reason = "".join(words[0] for words in REASONS.get(report.reason or "", ()))
    return Handed(
        file.id, file.name, file.size, file.state, file.kind == PHOTO, file.posted_at is not None, file.decided_at, told, reason,
        file.approver or "", file.approved_at, file.approved_why or "",
    )  # fmt: skip


async def blocks(tx: Tx, bot: Actor, room: str, file_ids: Sequence[str]) -> tuple[tuple[AnyBlock, ...], list[str]]:
    """What shows the released ones of these files in a message, and those that the room will know of by it (`posted`). What it was
    told of before is passed over. Raises `Problem` 2001 (more than a message may carry)."""
    found = await queries.unposted(tx, bot.user_id, room, file_ids) if file_ids else []
    photos = tuple(attachment for _, attachment, kind, _ in found if kind == PHOTO)
    files = tuple(one for _, attachment, kind, page in found if kind != PHOTO for one in (attachment, page) if one)
    if len(photos) > limits.PHOTOS or len(photos) + len(files) > limits.FILES:
        raise Problem(INVALID_FIELD, field="blocks", reason=f"at most {limits.PHOTOS} photos, {limits.FILES} in all")
    shown: list[AnyBlock] = []
    if photos:
        shown.append(Photos(ids=photos))
    if files:
        shown.append(Files(ids=files))
    return tuple(shown), [public_id for public_id, *_ in found]


async def posted(tx: Tx, file_ids: Sequence[str]) -> None:
    """The room was told of these files."""
    if file_ids:
        await queries.set_posted(tx, file_ids)


async def carry_out(tx: Tx, bot: Actor, due: Due, acts: Sequence[LinkAct], person: str | None) -> list[str]:
    """All of it, with the rights of `person` (public id), who pressed or wrote; answers what is to be said about it."""
    if not acts or await queries.plugin_of(tx, bot.user_id) != PLUGIN:
        return []
    found = await queries.acting(tx, person) if person else None
    if found is None or found.kind == BOT or not in_good_standing(found.disabled_at, found.ends_at, tx.now):
        return []
    actor = Actor(
        found.user_id, found.org_id, 0, found.id, "", found.kind, found.name, bot.zone, "", found.roles, found.ends_at
    )
    told = []
    for act in acts:
        try:
            await _carry_out(tx, actor, due, act)
        except Problem as problem:
            told.append(str(problem.as_dict()["ja"]))
    return told


async def _carry_out(tx: Tx, actor: Actor, due: Due, act: LinkAct) -> None:
    """Raises the `Problem`s of `upload_links`. Links of other rooms are none of this one's."""
    match act:
        case AskLink():
            ends = tx.now + min(max(act.days, 1), _LONGEST) * limits.DAY
            wanted = Wanted(recipient=act.recipient, company=act.company, purpose=act.purpose, ends=ends)
            await upload_links.ask(tx, actor, due.room, wanted)
        case ExtendLink() | RevokeLink() | AgainLink():
            link = await links.find(tx, act.link)
            if link is None or link.room_id != due.room_id:
                return
            if isinstance(act, RevokeLink):
                await upload_links.revoke(tx, actor, act.link)
            elif isinstance(act, AgainLink):
                span = min(max(link.ends_at - link.created_at, limits.DAY), limits.LINK_LIVES)
                await upload_links.again(tx, actor, act.link, tx.now + span)
            else:
                ends = max(link.ends_at, tx.now) + max(act.days, 1) * limits.DAY
                await upload_links.extend(tx, actor, act.link, min(ends, tx.now + limits.LINK_LIVES))
